"""What a rehearsal says of itself in words: how it was done, and what it cannot say."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from web.words import date_text, ngettext, number_text, percent_text
from web.words import gettext as _


def how_words(together: Mapping[str, Any]) -> list[str]:
    """Return how the baskets were played."""
    live = len(together["beside_offers"])
    beside = ngettext(
        "%(num)s live offer was applied beside, as it is now.",
        "%(num)s live offers were applied beside, as they are now.",
        live,
    )
    return [
        _(
            "Every basket was played at the list prices it was rung up with; discounts that it had then were left out."
        ),
        beside if live else _("No live offer could have met it."),
        _("Limits and budgets began at zero on the first day, and were used in the order of time."),
        _("Voided sales are left out; what was brought back later counts as sold."),
    ]


def note_words(notes: Iterable[str]) -> list[str]:
    """Return what a rehearsal cannot say of an offer."""
    words = {
        "vouchers_not_presented": _(
            "It asks for a voucher. No past basket could present one, so this says nothing about what it would give."
        ),
        "tiers_of_today": _("Members have the tier that they have today."),
        "groups_of_today": _("Members are in the shopper group that they are in today."),
        "phases_of_today": _("Members have the phase and the value class that they have today."),
        "phases_unknown": _("It is for phases or values of members, which are not known yet: nobody had it."),
        "stock_not_counted": _("Gifts were given as if there were always enough of them."),
        "dates_left_out": _("Its dates were left out, as if it were its time; weekdays and hours counted."),
    }
    return [words[note] for note in notes if note in words]


def budget_words(budget: Mapping[str, Any]) -> tuple[str, str]:
    """Return what became of the budget: the short word, and the sentence."""
    if not budget.get("limited"):
        return _("No limit"), _("it has no limit but its dates")
    if budget["ended_on"]:
        return (
            _("Day %(number)s", number=number_text(budget["ended_after_days"])),
            _("the budget ends on %(day)s", day=_day(budget["ended_on"])),
        )
    if budget["store_days_closed"]:
        return (
            number_text(budget["store_days_closed"]),
            _("days of a store on which its budget was used up"),
        )
    shares = [
        budget[f"{name}_taken"] / budget[name]
        for name in ("uses", "amount")
        if budget.get(name) is not None and budget[name]
    ]
    if shares:
        return percent_text(max(shares)), _("of the budget is used; it lasts")
    return _("It lasts"), _("no limit that all share was reached")


def _day(text: str) -> str:
    return date_text(date.fromisoformat(text))

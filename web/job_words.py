"""What a step of a job reports about its work, in words: figures by name, never the keys they are kept under."""

from collections.abc import Mapping
from typing import Any

from web.words import gettext as _
from web.words import number_text


def step_figures(result: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """
    Return what of a step's `result` is worth reading, as pairs of a name and a figure.

    Figures without a name here stay in the books, where `regulars db shell` finds them: a key is no word.
    """
    names = _names()
    return [
        (names[key], number_text(value))
        for key, value in (result or {}).items()
        if key in names and isinstance(value, int) and not isinstance(value, bool)
    ]


def _names() -> dict[str, str]:
    return {
        "accounts": _("Accounts"),
        "all_baskets": _("Baskets looked at"),
        "answers": _("Answers"),
        "attempts": _("Attempts to sign in"),
        "baskets": _("Baskets"),
        "bought": _("Bought after an offer"),
        "categories": _("Categories"),
        "codes": _("Sign-in codes"),
        "copies": _("Copies"),
        "days": _("Days"),
        "days_counted": _("Days counted"),
        "eligible": _("Households with enough baskets"),
        "few_baskets": _("With few baskets"),
        "groups": _("Groups"),
        "in_a_group": _("In a group"),
        "lines": _("Lines"),
        "mails": _("Mails"),
        "measured": _("Measured"),
        "members": _("Members"),
        "months_forgotten": _("Months forgotten"),
        "months_made": _("Months made"),
        "moved": _("Moved to another group"),
        "offers": _("Offers"),
        "open": _("Open"),
        "points": _("Points"),
        "quotes": _("Quotes"),
        "reservations": _("Reservations"),
        "returned_faulty": _("Articles returned as faulty"),
        "rules": _("Rules"),
        "runs": _("Runs"),
        "sessions": _("Sessions"),
        "seven_days_before": _("Seven days before"),
        "sold_lately": _("Articles sold lately"),
        "stores": _("Stores"),
        "suggestions": _("Suggestions"),
        "sums": _("Sums"),
        "themes": _("Themes"),
        "thirty_days_before": _("Thirty days before"),
        "violations": _("Broken rules of the books"),
        "visits": _("Visits"),
        "vouchers": _("Vouchers"),
        "waiting": _("Waiting"),
    }

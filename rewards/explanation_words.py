"""Why an offer was not applied, in the words of the member's language. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

from babel.dates import get_day_names

from core.i18n import called, show_money, show_number, translations
from core.money import Money
from rewards.offers import Names, Select, Validity
from rewards.selections import KEYS
from rewards.shortfalls import MONEY, UNITS, VOUCHER, Lack
from rewards.units import ONE

MOST_NAMED = 3
EN_DASH = "\N{EN DASH}"


@lru_cache(maxsize=10_000)
def units_missing(language: str, number: int, unit: str | None, what: str) -> str:
    """Return how many thousandths of units, or of `unit`, are missing of what is called `what`, if anything."""
    words = translations(language)
    if unit is None and number % ONE == 0:
        pieces = number // ONE
        shown = {"num": show_number(pieces, language), "what": what}
        if not what:
            return words.ngettext("%(num)s more piece", "%(num)s more pieces", pieces) % shown
        return (
            words.ngettext("%(num)s more piece of %(what)s", "%(num)s more pieces of %(what)s", pieces)
            % shown
        )
    weight = show_number(Decimal(number).scaleb(-3).normalize(), language)
    shown = {"num": weight, "unit": unit or "kg", "what": what}
    if not what:
        return words.gettext("%(num)s %(unit)s more") % shown
    return words.gettext("%(num)s %(unit)s more of %(what)s") % shown


@lru_cache(maxsize=10_000)
def money(language: str, minor: int, currency: str) -> str:
    """Return an amount as a person writes it."""
    return show_money(Money(minor, currency), language)


class Words:
    """Sentences about offers in one language; amounts are in `currency`, articles and batches of vouchers are called by their names."""

    def __init__(
        self,
        language: str,
        currency: str,
        names: Names,
        selected: dict[Select, str],
    ) -> None:
        """Keep what selections are called in `selected`, which lives as long as `names` hold."""
        self.language, self.currency, self.names, self.selected = language, currency, names, selected
        self.gettext = translations(language).gettext

    def lacking(self, lacks: Sequence[Lack], units: Mapping[Select, str]) -> str:
        """Return what is missing; `units` names the measure of what is sold by weight."""
        return ", ".join(self._lack(lack, units.get(lack.select)) for lack in lacks)

    def _lack(self, lack: Lack, unit: str | None) -> str:
        what = self.named(lack.select)
        if lack.kind == UNITS:
            return units_missing(self.language, lack.number, unit, what)
        if lack.kind == MONEY:
            amount = self.money(lack.number)
            if not what:
                return self.gettext("%(amount)s more") % {"amount": amount}
            return self.gettext("%(amount)s more of %(what)s") % {"amount": amount, "what": what}
        if lack.kind == VOUCHER:
            return self.gettext("Needs a voucher: %(batch)s") % {
                "batch": called(self.names.batches.get(lack.batch), self.language, lack.batch)
            }
        return self.gettext("Not with what is in this basket")

    def named(self, select: Select) -> str:
        """Return what is selected by name, empty where it is everything."""
        known = self.selected.get(select)
        if known is not None:
            return known
        parts = []
        for key in reversed(KEYS):
            values = getattr(select, key)
            if values:
                names = values[:MOST_NAMED]
                if key == "skus":
                    names = tuple([self.names.articles.get(value, value) for value in names])
                more = " …" if len(values) > MOST_NAMED else ""
                parts.append(" / ".join(names) + more)
        self.selected[select] = found = ", ".join(parts)
        return found

    def money(self, minor: int) -> str:
        """Return an amount as a person writes it."""
        return money(self.language, minor, self.currency)

    def minimum(self, short: int) -> str:
        """Return how much is missing for a voucher's value."""
        return self.gettext("%(amount)s more") % {"amount": self.money(short)}

    def other_currency(self, currency: str) -> str:
        """Return that a voucher is worth something in another currency only."""
        return self.gettext("Valid in %(currency)s only") % {"currency": currency}

    def nothing_left(self) -> str:
        """Return that nothing is left that a voucher could pay."""
        return self.gettext("Nothing is left to be paid")

    def members_only(self) -> str:
        """Return that it takes a card."""
        return self.gettext("For members only")

    def used_by_member(self) -> str:
        """Return that this shopper has had it as often as allowed."""
        return self.gettext("Already used as often as it may be")

    def used_up(self) -> str:
        """Return that the budget is spent."""
        return self.gettext("Used up")

    def combined(self) -> str:
        """Return that other offers have what it needs."""
        return self.gettext("Cannot be combined with the other offers in this basket")

    def nothing_beside(self) -> str:
        """Return that its own condition takes all that its benefit could work on."""
        return self.gettext("Nothing is left beside what its condition takes")

    def better(self) -> str:
        """Return that its group gives more without it."""
        return self.gettext("Another offer is better")

    def cheap_already(self) -> str:
        """Return that there is nothing that it could lower."""
        return self.gettext("The price is already as low")

    def not_here(self) -> str:
        """Return that it runs in other stores."""
        return self.gettext("Not in this store")

    def not_now(self) -> str:
        """Return that its period is over, or has not begun."""
        return self.gettext("Not at this time")

    def not_for_shopper(self) -> str:
        """Return that it is for others."""
        return self.gettext("Not for this shopper")

    def only(self, valid: Validity) -> str:
        """Return on which days and hours it runs."""
        days = get_day_names("abbreviated", locale=self.language)
        shown = [days[day - 1] for day in valid.weekdays]
        hours = [f"{each.start:%H:%M}{EN_DASH}{each.end:%H:%M}" for each in valid.hours]
        when = " ".join(", ".join(part) for part in (shown, hours) if part)
        return self.gettext("Only %(when)s") % {"when": when}

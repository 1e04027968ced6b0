"""How the words about offers name things: articles, stores, rewards and amounts in one language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Literal

from babel.lists import format_list

from core.clock import zone
from core.i18n import show_date, show_money, show_number, show_percent, translations
from core.money import Money
from web.words import readable

Json = Mapping[str, Any]
"""An offer, or a part of one, as the document of format 1 has it."""

MOST_NAMED: Final = 8
"""Codes that a sentence names; the rest is counted."""
FILED: Final = frozenset({"categories", "types", "departments"})
"""What the article master files goods under, often in capitals; people read it as words."""
_MIDNIGHT: Final = time(0)


@dataclass(frozen=True, slots=True)
class Names:
    """What codes are called, by kind; a code without a name is said as it is."""

    skus: Mapping[str, str] = field(default_factory=dict)
    gtins: Mapping[str, str] = field(default_factory=dict)
    stores: Mapping[str, str] = field(default_factory=dict)
    rewards: Mapping[str, str] = field(default_factory=dict)
    batches: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    tiers: Mapping[str, str] = field(default_factory=dict)
    currency: str = "EUR"
    timezone: str = "UTC"

    def of(self, kind: str, code: str) -> str:
        """Return what a code of `kind` is called."""
        named: Mapping[str, str] = getattr(self, kind, {})
        return named.get(code, code)

    def at(self, currency: str, timezone: str) -> "Names":
        """Return the same names where another currency and another clock hold."""
        return replace(self, currency=currency, timezone=timezone)


@dataclass(frozen=True, slots=True)
class Teller:
    """Says things about offers in `language`."""

    language: str
    names: Names

    def gettext(self, message: str, **values: Any) -> str:
        """Return `message` with `values` put in."""
        words = translations(self.language).gettext(message)
        return words % values if values else words

    def ngettext(self, singular: str, plural: str, number: int, **values: Any) -> str:
        """Return the form that fits `number`, which is %(num)s in it."""
        words = translations(self.language).ngettext(singular, plural, number)
        return words % {"num": self.number(number), **values}

    def number(self, number: int | Decimal) -> str:
        """Return a number."""
        return show_number(number, self.language)

    def percent(self, off: str) -> str:
        """Return a percentage: "12.5 %"."""
        return _percent(off, self.language)

    def money(self, minor: int) -> str:
        """Return an amount as a person writes it."""
        return show_money(Money(minor, self.names.currency), self.language)

    def both(self, parts: Sequence[str]) -> str:
        """Return "a, b and c"."""
        return _listed(tuple(parts), "standard", self.language)

    def either(self, parts: Sequence[str]) -> str:
        """Return "a, b or c"."""
        return _listed(tuple(parts), "or", self.language)

    def codes(self, kind: str, codes: Sequence[str]) -> str:
        """Return names of codes, one of which is meant; the first ones, the rest counted."""
        named = [self.names.of(kind, code) for code in codes[:MOST_NAMED]]
        if kind in FILED:
            named = [readable(name) for name in named]
        left = len(codes) - MOST_NAMED
        if left <= 0:
            return self.either(named)
        return ", ".join(named) + " " + self.ngettext("or %(num)s more", "or %(num)s more", left)

    def moment(self, text: str) -> str:
        """Return a moment of the document: the day alone when it is its midnight."""
        return self._told(datetime.fromisoformat(text).astimezone(zone(self.names.timezone)), timedelta(0))

    def last_moment(self, text: str) -> str:
        """Return an end that is not part of the period: the day before when it is a midnight."""
        return self._told(
            datetime.fromisoformat(text).astimezone(zone(self.names.timezone)), timedelta(days=1)
        )

    def _told(self, moment: datetime, back: timedelta) -> str:
        if moment.time() == _MIDNIGHT:
            return self.day(moment.date() - back)
        return f"{self.day(moment.date())} {moment:%H:%M}"

    def day(self, day: date) -> str:
        """Return a day."""
        return show_date(day, self.language)


# Lists of a thousand offers say the same few things again and again, and Babel takes its time over each.
@lru_cache(maxsize=1_000)
def _percent(off: str, language: str) -> str:
    share = Decimal(off).normalize()
    digits = max(0, -int(share.as_tuple().exponent))
    return show_percent(share / 100, language, digits=digits)


@lru_cache(maxsize=1_000)
def _listed(parts: tuple[str, ...], style: Literal["standard", "or"], language: str) -> str:
    return format_list(list(parts), style=style, locale=language) if parts else ""

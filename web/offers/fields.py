"""Fields of the offer builder: text by name as it was entered, and how it becomes values of the document."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from babel.numbers import get_currency_precision

from core.clock import zone
from core.i18n import major
from core.money import Money
from web.words import gettext as _

Given = dict[str, list[str]]
LONGEST: Final = 12
"""Characters of a number that anybody means."""
_SPACES: Final = re.compile(r"[\s\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]")
_HUNDRED: Final = 100


@dataclass(slots=True)
class Fields:
    """What was entered, by field; names follow the document's JSON pointers with dots: condition.of.0.quantity."""

    given: Given
    currency: str
    timezone: str
    errors: dict[str, str] = field(default_factory=dict)
    searched: list[str] = field(default_factory=list)
    """The places that were read and can be searched for: condition.select, stores."""

    def text(self, name: str) -> str:
        """Return what was entered in a field, without spaces around it."""
        found = self.given.get(name)
        return found[0].strip() if found else ""

    def many(self, name: str) -> list[str]:
        """Return what was chosen of several, each once."""
        return list(dict.fromkeys(one.strip() for one in self.given.get(name, ()) if one.strip()))

    def children(self, path: str) -> list[str]:
        """Return the paths of the parts of a list of parts: condition.of.0, condition.of.1."""
        place = re.compile(re.escape(path) + r"\.(\d{1,3})\.")
        numbers = {int(found.group(1)) for name in self.given if (found := place.match(name))}
        return [f"{path}.{number}" for number in sorted(numbers)]

    def wrong(self, name: str, words: str) -> None:
        """Note what is wrong with a field, unless something was noted already."""
        self.errors.setdefault(name, words)

    def whole(self, name: str, *, words: str, least: int = 0, needed: bool = False) -> int | None:
        """Return a whole number of at least `least`; None, with the error noted, when it is none."""
        text = _SPACES.sub("", self.text(name))
        if not text and not needed:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > LONGEST or int(text) < least:
            self.wrong(name, words)
            return None
        return int(text)

    def amount(self, name: str, *, words: str = "", needed: bool = False) -> int | None:
        """Return an amount entered in the major unit, with a comma or a point, in minor units; `words` say which it is."""
        number = self.decimal(name, words=words or _("Enter an amount"), needed=needed)
        if number is None:
            return None
        minor = number.scaleb(get_currency_precision(self.currency))
        if minor != minor.to_integral_value():
            self.wrong(name, _("Enter an amount that can be paid"))
            return None
        return int(minor)

    def decimal(self, name: str, *, words: str, needed: bool = False) -> Decimal | None:
        """Return a number with a comma or a point, zero or more; None, with the error noted, when it is none."""
        text = _SPACES.sub("", self.text(name)).replace(",", ".")
        if not text and not needed:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal(-1)
        if not number.is_finite() or number < 0 or len(text) > LONGEST:
            self.wrong(name, words)
            return None
        return number

    def measure(self, name: str) -> str:
        """Return a quantity above zero with at most three decimals, as the document writes it."""
        words = _("Enter a number above zero, with at most three decimals")
        number = self.decimal(name, words=words, needed=True)
        if number is not None and (number == 0 or number != round(number, 3)):
            self.wrong(name, words)
        return _plain(number)

    def percent(self, name: str) -> str:
        """Return a percentage above zero, as the document writes it."""
        words = _("Enter a percentage above 0, at most 100, with at most two decimals")
        number = self.decimal(name, words=words, needed=True)
        if number is not None and not (0 < number <= _HUNDRED and number == round(number, 2)):
            self.wrong(name, words)
        return _plain(number)

    def moment(self, name: str, *, end: bool = False) -> str | None:
        """
        Return a day, with a time beside it when one was entered, as a moment of the store's clock.

        The end is not part of a period: a last day becomes the midnight after it.
        """
        day_text, time_text = self.text(name), self.text(f"{name}_time")
        if not day_text:
            if time_text:
                self.wrong(name, _("Enter the day as well"))
            return None
        try:
            day = date.fromisoformat(day_text)
            clock_time = time.fromisoformat(time_text) if time_text else time(0)
            if end and not time_text:
                day += timedelta(days=1)
            moment = datetime.combine(day, clock_time, tzinfo=zone(self.timezone))
        except (ValueError, OverflowError):
            self.wrong(name, _("Enter a day"))
            return None
        return moment.isoformat()


def given_of(pairs: Iterable[tuple[str, list[str]]]) -> Given:
    """Return the fields of a posted form, without what is not the offer's."""
    return {name: values for name, values in pairs if name not in {"csrf_token", "do", "seen"}}


def amount_text(minor: int | None, currency: str) -> str:
    """Return an amount as it is entered: 50, 19.90."""
    if minor is None:
        return ""
    amount = major(Money(minor, currency))
    return str(int(amount)) if amount == int(amount) else str(amount)


def moment_fields(name: str, text: str | None, timezone: str, *, end: bool = False) -> dict[str, list[str]]:
    """Return the fields that show a moment of the document: a day, and a time where it is no midnight."""
    if not text:
        return {}
    moment = datetime.fromisoformat(text).astimezone(zone(timezone))
    day, clock_time = moment.date(), moment.time()
    if clock_time == time(0):
        return {name: [(day - timedelta(days=1) if end else day).isoformat()]}
    return {name: [day.isoformat()], f"{name}_time": [clock_time.isoformat("minutes")]}


def field_of(pointer: str) -> str:
    """Return the field of the builder for a place in an offer's document: /condition/of/0/quantity."""
    parts = [part for part in pointer.split("/") if part]
    if parts[:1] == ["offers"]:
        parts = parts[2:]
    places = [index for index, part in enumerate(parts) if part in {"select", "except"}]
    if places:
        return ".".join([*parts[: places[-1] + 1], "q"])
    while parts and parts[-1].isdigit():
        parts.pop()
    if parts[:1] == ["valid"] and len(parts) > 1 and parts[1] == "hours":
        return "valid.hours"
    if not parts:
        return "code"
    return {
        "name": "name.en",
        "limits": "limits.uses",
        "audience": "audience.who",
        "valid": "valid.from",
    }.get(
        ".".join(parts),
        ".".join(parts) if len(parts) > 1 or parts[0] not in {"condition", "benefit"} else f"{parts[0]}.kind",
    )


def plain_number(value: Any) -> str:
    """Return a number of the document as it is entered."""
    return "" if value is None else _plain(Decimal(str(value)))


def _plain(number: Decimal | None) -> str:
    if number is None:
        return ""
    short = number.normalize()
    return str(short.quantize(Decimal(1)) if short == short.to_integral_value() else short)


def without_blanks(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of a document without the keys that say nothing."""
    return {key: value for key, value in document.items() if value not in (None, [], {})}

"""
Fields that take exactly what the contract says, each with its own JSON Schema.

They never convert: an amount is a JSON integer, a quantity a string of digits.
What the schema cannot say (a day that does not exist) is refused all the same.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, TypeVar

from babel import Locale
from marshmallow import ValidationError, fields

from core.errors import Refused

LARGEST_AMOUNT = 10**14
"""Of either sign; the sum over all lines that fit into a body stays within 64 bits."""

LARGEST_INTEGER = 2**31 - 1
SHORT = 20
"""Characters of the open strings: entry mode, tender type, unit."""
CODE = 64
TEXT = 1000
NO_NUL = r"^[^\u0000]*$"
"""What PostgreSQL cannot keep in a text; such bodies are refused as they are read."""

CURRENCIES = frozenset(code for code in map(str, Locale("en").currencies) if re.fullmatch("[A-Z]{3}", code))

T = TypeVar("T")


class Strict(fields.Field[T]):
    """A field that says in `keywords` (JSON Schema) what it takes; without `required` it may be null."""

    def __init__(
        self, keywords: Mapping[str, Any], *, metadata: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        if not options.get("required"):
            options.setdefault("allow_none", True)
        super().__init__(metadata={**keywords, **(metadata or {})}, **options)

    def take(self, value: Any) -> T:
        """Return what the JSON `value` says; raises ValidationError when it breaks the field's rule."""
        raise TypeError(f"{type(self).__name__} does not say what it takes of {value!r}")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> T:  # noqa: ARG002
        return self.take(value)


class Text(Strict[str]):
    """A string of `shortest` to `longest` characters."""

    def __init__(self, longest: int = TEXT, *, shortest: int = 0, **options: Any) -> None:
        keywords: dict[str, Any] = {"type": "string", "maxLength": longest, "pattern": NO_NUL}
        if shortest:
            keywords["minLength"] = shortest
        super().__init__(keywords, **options)
        self.shortest, self.longest = shortest, longest

    def take(self, value: Any) -> str:
        """Return `value` as what it says."""
        if type(value) is not str:
            raise ValidationError("Must be a string.")
        if not self.shortest <= len(value) <= self.longest:
            raise ValidationError(f"Must have {self.shortest} to {self.longest} characters.")
        return value


class Code(Text):
    """A name given by somebody: not empty, of at most 64 characters unless said otherwise."""

    def __init__(self, longest: int = CODE, **options: Any) -> None:
        super().__init__(longest, shortest=1, **options)


class Pattern(Strict[str]):
    """A string that matches `pattern` (common to Python and ECMA 262) as a whole."""

    def __init__(self, pattern: str, meant: str, **options: Any) -> None:
        super().__init__({"type": "string", "pattern": f"^{pattern}$"}, **options)
        self.match = re.compile(pattern, re.ASCII).fullmatch
        self.meant = meant

    def take(self, value: Any) -> str:
        """Return `value` as what it says."""
        if type(value) is not str or not self.match(value):
            raise ValidationError(self.meant)
        return value


class Choice(Strict[str]):
    """One of a closed set of strings."""

    def __init__(self, *choices: str, **options: Any) -> None:
        super().__init__({"type": "string", "enum": _with_null(choices, options)}, **options)
        self.choices = frozenset(choices)
        self.meant = f"Must be one of {', '.join(choices)}."

    def take(self, value: Any) -> str:
        """Return `value` as what it says."""
        if type(value) is not str or value not in self.choices:
            raise ValidationError(self.meant)
        return value


def _with_null(choices: Sequence[str], options: Mapping[str, Any]) -> list[str | None]:
    return [*choices] if options.get("required") else [*choices, None]


class Currency(Strict[str]):
    """A code of ISO 4217, past ones too."""

    def __init__(self, **options: Any) -> None:
        super().__init__({"type": "string", "pattern": "^[A-Z]{3}$"}, **options)

    def take(self, value: Any) -> str:
        """Return `value` as what it says."""
        if type(value) is not str or value not in CURRENCIES:
            raise ValidationError("Must be a currency code of ISO 4217.")
        return value


class Whole(Strict[int]):
    """A JSON integer within limits; neither 1.0, nor "1", nor true."""

    def __init__(self, least: int, greatest: int, **options: Any) -> None:
        super().__init__({"type": "integer", "minimum": least, "maximum": greatest}, **options)
        self.least, self.greatest = least, greatest

    def take(self, value: Any) -> int:
        """Return `value` as what it says."""
        if type(value) is not int:
            raise ValidationError("Must be an integer.")
        if not self.least <= value <= self.greatest:
            raise ValidationError(f"Must be from {self.least} to {self.greatest}.")
        return value


class Amount(Whole):
    """An amount in the minor unit of the currency, of either sign."""

    def __init__(self, least: int = -LARGEST_AMOUNT, **options: Any) -> None:
        super().__init__(least, LARGEST_AMOUNT, **options)


class Truth(Strict[bool]):
    """true or false."""

    def __init__(self, **options: Any) -> None:
        super().__init__({"type": "boolean"}, **options)

    def take(self, value: Any) -> bool:
        """Return `value` as what it says."""
        if type(value) is not bool:
            raise ValidationError("Must be true or false.")
        return value


class DecimalText(Strict[Decimal]):
    """A decimal as a string, not negative, with at most so many digits before and after the point."""

    def __init__(self, whole: int, places: int, *, positive: bool = False, **options: Any) -> None:
        pattern = rf"[0-9]{{1,{whole}}}(\.[0-9]{{1,{places}}})?"
        self.meant = f"Must be a decimal string with at most {whole} digits and {places} decimals."
        if positive:
            pattern = rf"(?!0+(\.0+)?$){pattern}"
            self.meant = self.meant.replace("a decimal", "a positive decimal")
        super().__init__({"type": "string", "pattern": f"^{pattern}$"}, **options)
        self.match = re.compile(pattern).fullmatch

    def take(self, value: Any) -> Decimal:
        """Return `value` as what it says."""
        if type(value) is not str or not self.match(value):
            raise ValidationError(self.meant)
        return Decimal(value)


class Quantity(DecimalText):
    """How many of the unit: more than zero, at most three decimals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(9, 3, positive=True, **options)


class TaxRate(DecimalText):
    """Per cent, at most two decimals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(3, 2, **options)


class Day(Strict[date]):
    """A calendar day of 2000 to 2099, as YYYY-MM-DD."""

    PATTERN = "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"

    def __init__(self, **options: Any) -> None:
        super().__init__({"type": "string", "format": "date", "pattern": f"^{self.PATTERN}$"}, **options)

    def take(self, value: Any) -> date:
        """Return `value` as what it says."""
        day = day_of(value) if type(value) is str else None
        if day is None:
            raise ValidationError("Must be a day of 2000 to 2099 as YYYY-MM-DD.")
        return day


class Moment(Strict[datetime]):
    """A moment as RFC 3339 has it, with its offset; loaded as UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__({"type": "string", "format": "date-time"}, **options)

    def take(self, value: Any) -> datetime:
        """Return `value` as what it says."""
        moment = moment_of(value) if type(value) is str else None
        if moment is None:
            raise ValidationError("Must be a moment with an offset, like 2026-11-21T10:16:02+01:00.")
        return moment


_day = re.compile(Day.PATTERN).fullmatch
_moment = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
).fullmatch

_FIRST_MOMENT = datetime(2, 1, 1, tzinfo=UTC)
_LAST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC)


def day_of(text: str) -> date | None:
    """Return the day that `text` names, or None when it names none of 2000 to 2099."""
    try:
        return date.fromisoformat(text) if _day(text) else None
    except ValueError:
        return None


def moment_of(text: str) -> datetime | None:
    """
    Return the moment that `text` names in UTC, cut to microseconds, or None.

    A leap second and years at the ends of the calendar, where another time
    zone's clock does not exist, name none.
    """
    match = _moment(text)
    if match is None:
        return None
    day, clock, fraction, sign, hours, minutes = match.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}")
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        moment = local.replace(tzinfo=timezone(-offset if sign == "-" else offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if _FIRST_MOMENT <= moment < _LAST_MOMENT else None


class Checked(Text):
    """A string that `check` brings into its normal form; it raises what the domain refuses, which is told."""

    def __init__(self, check: Callable[[str], str], longest: int, **options: Any) -> None:
        super().__init__(longest, shortest=1, **options)
        self.check = check

    def take(self, value: Any) -> str:
        """Return the text in its normal form."""
        try:
            return self.check(super().take(value))
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal


class Several(fields.List[Any]):
    """A list of at most `longest`, loaded as a tuple; without `required` it may be null."""

    def __init__(
        self,
        inner: fields.Field[Any],
        *,
        longest: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if not options.get("required"):
            options.setdefault("allow_none", True)
        keywords = {} if longest is None else {"maxItems": longest}
        super().__init__(inner, metadata={**keywords, **(metadata or {})}, **options)
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not list:
            raise ValidationError("Must be a list.")
        if self.longest is not None and len(value) > self.longest:
            raise ValidationError(f"Must have at most {self.longest} entries.")
        return tuple(super()._deserialize(value, attr, data, **kwargs))

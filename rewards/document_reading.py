"""Strict reading of JSON with a pointer to what is wrong: what `rewards.codec` is made of. Pure."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from core.errors import Refused
from core.payment_cards import payment_card_numbers

CODE = re.compile(r"[A-Z0-9_-]{1,32}\Z")
VOUCHER_CODE = re.compile(r"[A-Z0-9-]{4,32}\Z")
UNFIT = re.compile(r"[\0\ud800-\udfff]")
"""What no text of a database can hold."""
LARGEST_AMOUNT = 10**14
LARGEST_COUNT = 10**9
LONGEST_TEXT = 200
MOST_VALUES = 100_000

T = TypeVar("T")
D = TypeVar("D")


class OffersRefused(Refused):
    """A document of offers breaks a rule; `pointer` (RFC 6901) says where, `detail` says how."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer or '/'}: {detail}")
        self.pointer = pointer
        self.detail = detail


def read_json(content: bytes) -> Any:
    """Return the JSON document in `content`, UTF-8 with a mark or without; ValueError when it is none, or says a key twice."""
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object, parse_float=Decimal)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key in found if sum(key == name for name, _ in pairs) > 1)
        raise ValueError(f"the key {twice!r} stands in one object twice")
    return found


def below(pointer: str, key: str | int) -> str:
    """Return the pointer to what `key` names under `pointer`, which can be printed whatever `key` holds."""
    said = str(key).replace("~", "~0").replace("/", "~1").encode("utf-8", "backslashreplace").decode("utf-8")
    return f"{pointer}/{said}"


class Fields:
    """
    The members of a JSON object, each taken once; `end` refuses what nobody took.

    Null is the same as absent everywhere. Every reading raises `OffersRefused`.
    """

    def __init__(self, document: Any, pointer: str) -> None:
        if not isinstance(document, Mapping):
            raise OffersRefused(pointer, "must be an object")
        self.pointer = pointer
        self._left = {key: value for key, value in document.items() if value is not None}
        self._known: set[str] = set()
        self._all = list(document)

    def at(self, key: str) -> str:
        """Return the pointer to `key`."""
        return below(self.pointer, key)

    def take(self, key: str, read: Callable[[Any, str], T], default: D) -> T | D:
        """Return what stands under `key`, read by `read`; `default` where nothing stands."""
        self._known.add(key)
        if key not in self._left:
            return default
        return read(self._left[key], self.at(key))

    def need(self, key: str, read: Callable[[Any, str], T]) -> T:
        """Return what stands under `key`; refuses where nothing stands."""
        self._known.add(key)
        if key not in self._left:
            raise OffersRefused(self.at(key), "is required")
        return read(self._left[key], self.at(key))

    def end(self) -> None:
        """Refuse members that nobody asked for."""
        for key in self._all:
            if key not in self._known:
                raise OffersRefused(self.at(key), "is not known")


def text(value: Any, pointer: str) -> str:
    """Return a string that says something."""
    if not isinstance(value, str) or not value.strip():
        raise OffersRefused(pointer, "must be a text")
    if len(value) > LONGEST_TEXT:
        raise OffersRefused(pointer, f"must have at most {LONGEST_TEXT} characters")
    if UNFIT.search(value):
        raise OffersRefused(pointer, "must not hold a NUL or half a surrogate pair")
    return value


def spoken(value: Any, pointer: str) -> str:
    """Return words that people read: a text in which no payment card's number stands (N-4)."""
    found = text(value, pointer)
    if payment_card_numbers(found):
        raise OffersRefused(pointer, "must not hold the number of a payment card")
    return found


def code(value: Any, pointer: str) -> str:
    """Return a code of the format: capitals, digits, hyphen and underscore."""
    return _matching(value, pointer, CODE, "A-Z, 0-9, _ and -, 1 to 32 of them")


def voucher_code(value: Any, pointer: str) -> str:
    """Return a public voucher code."""
    return _matching(value, pointer, VOUCHER_CODE, "A-Z, 0-9 and -, 4 to 32 of them")


def _matching(value: Any, pointer: str, pattern: re.Pattern[str], words: str) -> str:
    if not isinstance(value, str) or not pattern.match(value):
        raise OffersRefused(pointer, f"must be a code of {words}")
    return value


def flag(value: Any, pointer: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise OffersRefused(pointer, "must be true or false")
    return value


def whole(least: int, most: int) -> Callable[[Any, str], int]:
    """Return what reads a whole number from `least` to `most`, written as a JSON integer."""

    def read(value: Any, pointer: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise OffersRefused(pointer, "must be a whole number")
        if value < least:
            raise OffersRefused(pointer, f"must be at least {least}")
        if value > most:
            raise OffersRefused(pointer, f"must be at most {most}")
        return value

    return read


amount = whole(0, LARGEST_AMOUNT)
count = whole(0, LARGEST_COUNT)


def decimal(
    digits: int, *, above: int | None = None, most: int = LARGEST_COUNT
) -> Callable[[Any, str], Decimal]:
    """
    Return what reads a decimal string, or a JSON number, of at most `digits` decimals.

    `above` is the bound that it must exceed; without one it may be zero.
    """

    def read(value: Any, pointer: str) -> Decimal:
        number = _decimal(value, pointer)
        if above is not None and number <= above:
            raise OffersRefused(pointer, f"must be more than {above}")
        if number < 0:
            raise OffersRefused(pointer, "must not be negative")
        if number > most:
            raise OffersRefused(pointer, f"must be at most {most}")
        if number != round(number, digits):
            raise OffersRefused(pointer, f"must have at most {digits} decimals")
        return plain(number)

    return read


MOST_DIGITS = 20
DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?\Z")


def _decimal(value: Any, pointer: str) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_AMOUNT:
        return Decimal(value)
    if isinstance(value, float):
        value = Decimal(repr(value))  # the shortest number that is read as this one: 0.1 is 0.1
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < MOST_DIGITS:
        value = format(value, "f")
    if isinstance(value, str) and DECIMAL.match(value):
        return Decimal(value)
    raise OffersRefused(pointer, 'must be a decimal number as a text, such as "1.5"')


def plain(number: Decimal) -> Decimal:
    """Return `number` without trailing zeros and without an exponent, so that equal numbers read alike."""
    return Decimal(format(number.normalize(), "f"))


def one_of(*words: str) -> Callable[[Any, str], str]:
    """Return what reads one of `words`."""

    def read(value: Any, pointer: str) -> str:
        if not isinstance(value, str) or value not in words:
            raise OffersRefused(pointer, f"must be one of {', '.join(words)}")
        return value

    return read


def moment(value: Any, pointer: str) -> datetime:
    """Return a moment of RFC 3339 with an offset."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and "T" in value.upper() else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise OffersRefused(pointer, "must be a moment with an offset, such as 2026-11-01T00:00:00+01:00")
    try:
        found.timestamp()
    except (OverflowError, ValueError) as error:
        raise OffersRefused(pointer, "is too far from today") from error
    return found


def items(read: Callable[[Any, str], T], *, most: int = MOST_VALUES) -> Callable[[Any, str], tuple[T, ...]]:
    """Return what reads a list, each of it by `read`."""

    def read_all(value: Any, pointer: str) -> tuple[T, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise OffersRefused(pointer, "must be a list")
        if len(value) > most:
            raise OffersRefused(pointer, f"must have at most {most} entries")
        return tuple(read(each, below(pointer, index)) for index, each in enumerate(value))

    return read_all


def choices(read: Callable[[Any, str], Any]) -> Callable[[Any, str], tuple[Any, ...]]:
    """Return what reads a list whose order says nothing: sorted, each value once."""
    read_all = items(read)
    return lambda value, pointer: tuple(sorted(set(read_all(value, pointer))))


def by_name(read: Callable[[Any, str], T]) -> Callable[[Any, str], dict[str, T]]:
    """Return what reads an object with names of its own, sorted by name."""

    def read_all(value: Any, pointer: str) -> dict[str, T]:
        if not isinstance(value, Mapping):
            raise OffersRefused(pointer, "must be an object")
        return {
            text(key, below(pointer, key)): read(value[key], below(pointer, key)) for key in sorted(value)
        }

    return read_all

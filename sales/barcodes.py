"""
What the barcodes of a shop's own scales hold: the item, and its weight, price or count. Pure.

Such a code is an EAN-13 with a prefix from 20 to 29, which GS1 leaves to each country and shop to
lay out; so the layout is a setting, and the code is kept on receipts as it was scanned.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from stdnum import ean

from core.errors import Refused
from sales.articlecodes import find_gtin

LENGTH = 13
PATTERN = re.compile(r"(2\d+)(I+)(K?)(V+)C")

Holds = Literal["weight", "price", "quantity"]
ArticleBy = Literal["sku", "sku_unpadded", "gtin"]

# By GS1's General Specifications, 7.9: how each digit of a value counts in its check digit.
_WEIGHTS: dict[int, tuple[str, ...]] = {4: ("2-", "2-", "3", "5-"), 5: ("5+", "2-", "5-", "5+", "2-")}


class BadPattern(Refused):
    """The pattern does not describe a code of thirteen digits: prefix, item, value, check digit."""


class NotInStore(Refused):
    """The code is no in-store barcode that any layout describes, or one of its check digits is wrong."""


@dataclass(frozen=True, slots=True)
class Layout:
    """
    One way to read in-store barcodes.

    `pattern` is the prefix in digits, I for each digit of the item's number, K where a check digit
    of the value stands, V for each digit of the value with `decimals` decimals, C for the check digit.
    """

    pattern: str
    holds: Holds
    decimals: int
    article_by: ArticleBy

    def __post_init__(self) -> None:
        """Raise `BadPattern` when the pattern is none."""
        found = PATTERN.fullmatch(self.pattern)
        if len(self.pattern) != LENGTH or not found or len(found.group(1)) < len("20"):
            raise BadPattern(
                f"{self.pattern!r} is no pattern of 13 places: digits from 20 to 29, I.. for the item, "
                "K for the value's check digit if there is one, V.. for the value, C"
            )
        if found.group(3) and len(found.group(4)) not in _WEIGHTS:
            raise BadPattern("a check digit of the value is defined for values of 4 or 5 digits")

    @property
    def prefix(self) -> str:
        """The digits that mark codes of this layout."""
        return self.pattern[: self.pattern.index("I")]


@dataclass(frozen=True, slots=True)
class Decoded:
    """
    What an in-store barcode says: exactly one of `sku` and `gtin` names the article.

    The GTIN has fourteen digits, with a value of zero. `value` is kilograms, the price in the
    currency's major unit, or pieces, as `holds` says.
    """

    sku: str | None
    gtin: str | None
    holds: Holds
    value: Decimal


def is_in_store(code: str | None) -> bool:
    """Return whether `code` is an EAN-13 with a prefix from 20 to 29, whatever its check digits."""
    if code is None:
        return False
    digits = code.strip()
    if len(digits) == LENGTH + 1 and digits.startswith("0"):
        digits = digits[1:]
    return len(digits) == LENGTH and digits.isascii() and digits.isdigit() and digits.startswith("2")


def decode(code: str, layouts: Iterable[Layout]) -> Decoded:
    """Return what an in-store barcode says by the first of `layouts` that fits it; raises `NotInStore`."""
    found = find_decoded(code, layouts)
    if found is None:
        raise NotInStore(
            f"{code!r} is no in-store barcode that a layout describes, or a check digit is wrong"
        )
    return found


def find_decoded(code: str | None, layouts: Iterable[Layout]) -> Decoded | None:
    """Return the same, None where nothing fits; the longest prefix is tried first."""
    if code is None or not is_in_store(code) or find_gtin(code) is None:
        return None
    digits = code.strip()[-LENGTH:]
    for layout in sorted(layouts, key=lambda one: -len(one.prefix)):
        if digits.startswith(layout.prefix) and (read := _read(digits, layout)):
            return read
    return None


def _read(digits: str, layout: Layout) -> Decoded | None:
    item = _part(digits, layout.pattern, "I")
    value = _part(digits, layout.pattern, "V")
    check = _part(digits, layout.pattern, "K")
    if check and value_check_digit(value) != check:
        return None
    without_value = "".join(
        "0" if place in "KV" else digit for digit, place in zip(digits[:-1], layout.pattern[:-1], strict=True)
    )
    sku = item if layout.article_by == "sku" else item.lstrip("0") or "0"
    by_gtin = layout.article_by == "gtin"
    return Decoded(
        sku=None if by_gtin else sku,
        gtin="0" + without_value + ean.calc_check_digit(without_value) if by_gtin else None,
        holds=layout.holds,
        value=Decimal(value).scaleb(-layout.decimals),
    )


def _part(digits: str, pattern: str, place: str) -> str:
    return "".join(digit for digit, kind in zip(digits, pattern, strict=True) if kind == place)


def value_check_digit(value: str) -> str:
    """Return GS1's check digit of a price or weight of four or five digits."""
    total = sum(_weighed(int(digit), by) for digit, by in zip(value, _WEIGHTS[len(value)], strict=True))
    if len(value) == len("0000"):
        return str(total * 3 % 10)
    return _FIVE[total % 10]


def _weighed(digit: int, by: str) -> int:
    """Return a digit's weighted product by the rule called `by`: times two less tens, and so on."""
    times = digit * int(by[0])
    tens, ones = divmod(times, 10)
    match by[1:]:
        case "-":
            return (ones - tens) % 10
        case "+":
            return (ones + tens) % 10
        case _:
            return ones


_FIVE = {total: str(digit) for digit in range(10) for total in ((10 - _weighed(digit, "5-")) % 10,)}

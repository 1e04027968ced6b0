"""
Payment-card numbers in text: found so that they can be masked or refused, never kept.

A number counts when 13 to 19 digits, together or in groups parted by single
spaces, dots or hyphens, satisfy Luhn and begin like the numbers of a card
scheme (ISO/IEC 7812 issuer ranges as published by the schemes).
"""

import re
from collections.abc import Container, Iterator

from stdnum import luhn

SHORTEST, LONGEST = 13, 19
KEPT = 4
"""Digits that stay readable at the end of a masked number."""

# Lowest and highest beginning, lengths. Beginnings of one range have one length.
_SCHEMES: tuple[tuple[str, str, frozenset[int]], ...] = tuple(
    (low, high, frozenset(lengths))
    for low, high, lengths in (
        ("4", "4", (13, 16, 19)),  # Visa
        ("51", "55", (16,)),  # Mastercard
        ("2221", "2720", (16,)),
        ("34", "34", (15,)),  # American Express
        ("37", "37", (15,)),
        ("6011", "6011", range(16, 20)),  # Discover
        ("644", "649", range(16, 20)),
        ("65", "65", range(16, 20)),
        ("300", "305", (14, *range(16, 20))),  # Diners Club
        ("3095", "3095", (14, *range(16, 20))),
        ("36", "36", range(14, 20)),
        ("38", "39", (14, *range(16, 20))),
        ("3528", "3589", (15, *range(16, 20))),  # JCB
        ("2131", "2131", (15,)),
        ("1800", "1800", (15,)),
        ("62", "62", range(16, 20)),  # UnionPay
        ("81", "81", range(16, 20)),
        ("50", "50", range(13, 20)),  # Maestro
        ("56", "58", range(13, 20)),
        ("6304", "6304", range(13, 20)),
        ("6390", "6390", range(13, 20)),
        ("6759", "6759", range(13, 20)),
        ("6761", "6763", range(13, 20)),
        ("6767", "6767", range(13, 20)),
        ("2200", "2204", range(16, 20)),  # Mir
        ("9792", "9792", (16,)),  # Troy
    )
)

_SCHEMES_BY_FIRST = {
    first: tuple(scheme for scheme in _SCHEMES if scheme[0][0] <= first <= scheme[1][0])
    for first in "0123456789"
}
"""Those that a number's first digit leaves: all day tills send numbers of our own cards, which are nobody's."""

_RUN = re.compile(r"\d(?:[ .\-\u00a0\u2009\u202f\u2010-\u2013]?\d){12,}")
"""Enough digits in a row, at most one separator between two of them."""

_GROUP = re.compile(r"\d+")


def is_payment_card_number(digits: str) -> bool:
    """Say whether `digits` (ASCII) can be the number of a payment card."""
    length = len(digits)
    if not SHORTEST <= length <= LONGEST:
        return False
    for low, high, lengths in _SCHEMES_BY_FIRST.get(digits[0], ()):
        if length in lengths and low <= digits[: len(low)] <= high:
            return bool(luhn.is_valid(digits))
    return False


def payment_card_numbers(text: str) -> tuple[str, ...]:
    """Return the digits of every payment-card number that stands in `text`."""
    return tuple(digits for _, _, digits in _found(text))


def mask_payment_cards(text: str, own: Container[str] = frozenset()) -> str:
    """Return `text` with asterisks for all but the last digits of payment-card numbers not in `own`."""
    masked = text
    for start, end, digits in _found(text):
        if digits not in own:
            hidden = re.sub(r"\d", "*", masked[start:end], count=len(digits) - KEPT)
            masked = masked[:start] + hidden + masked[end:]
    return masked


def _found(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and digits of the numbers; they begin and end where groups of digits do."""
    if len(text) < SHORTEST:
        return
    for run in _RUN.finditer(text):
        digits = run[0]
        if digits.isdecimal() and digits.isascii():
            # As codes of articles stand there all day: one group.
            if is_payment_card_number(digits):
                yield *run.span(), digits
            continue
        groups = [match.span() for match in _GROUP.finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            taken = _number_from(text, groups, first)
            if taken:
                last, digits = taken
                yield groups[first][0], groups[last][1], digits
                first = last + 1
            else:
                first += 1


def _number_from(text: str, groups: list[tuple[int, int]], first: int) -> tuple[int, str] | None:
    """Return the last group and the digits of the longest number that begins with group `first`."""
    digits, found = "", None
    for last in range(first, len(groups)):
        start, end = groups[last]
        if len(digits) + end - start > LONGEST:
            break
        group = text[start:end]
        digits += group if group.isascii() else "".join(str(int(digit)) for digit in group)
        if is_payment_card_number(digits):
            found = last, digits
    return found

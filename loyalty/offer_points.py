"""What offers add to the points of a purchase: multipliers on parts of lines, and bonus points. Pure."""

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from core.money import split_largest_remainder
from core.records import record

Parts = tuple[tuple[int, Decimal], ...]
"""What a line comes to, in parts: so many minor units, that earn so many times as much."""


@record
class OfferPoints:
    """Points by offers: `bonus` for the whole, and the `parts` of those lines that earn otherwise than once."""

    bonus: int = 0
    parts: Mapping[int, Parts] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether offers add or take anything at all."""
        return bool(self.bonus or self.parts)

    def document(self) -> dict[str, Any] | None:
        """Return it as JSON; None where there is nothing to tell."""
        if not self:
            return None
        return {
            "bonus": self.bonus,
            "parts": {
                str(number): [[net, str(times)] for net, times in of_line]
                for number, of_line in self.parts.items()
            },
        }


NOTHING_ADDED: Final = OfferPoints()


def read_offer_points(document: Mapping[str, Any] | None) -> OfferPoints:
    """Return what `OfferPoints.document` wrote."""
    if not document:
        return NOTHING_ADDED
    parts = {
        int(number): tuple((net, Decimal(times)) for net, times in of_line)
        for number, of_line in document["parts"].items()
    }
    return OfferPoints(document["bonus"], parts)


def multiplied(amount: int, *, of: int, parts: Parts) -> Fraction:
    """
    Return `amount` with every part of it as many times as it earns.

    `of` is what the line came to, of which `amount` earns; what does not, such as a share of points that
    paid for it, is shared over the parts as money is, and the parts themselves share what the line came to.
    """
    weights = [max(0, net) for net, _ in parts]
    if of <= 0 or not any(weights):
        return Fraction(amount)
    shares = split_largest_remainder(of, weights)
    lost = split_largest_remainder(of - amount, shares) if of >= amount else [0] * len(shares)
    grown = amount - of if amount > of else 0
    total = sum(
        (
            Fraction(times) * (share - gone)
            for (_, times), share, gone in zip(parts, shares, lost, strict=True)
        ),
        Fraction(0),
    )
    return total + grown


def factor(parts: Parts) -> Fraction:
    """Return how many times as much as once a line earns in all."""
    whole = sum(max(0, net) for net, _ in parts)
    if not whole:
        return Fraction(1)
    return sum((Fraction(times) * max(0, net) for net, times in parts), Fraction(0)) / whole

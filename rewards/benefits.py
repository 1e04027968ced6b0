"""
Benefits at work: what an application takes off the units it works on.

Percent, nth and what is given per application are one amount, rounded once and shared over lines and units; amounts
and prices per unit fall on every unit itself. Points, gifts and vouchers take nothing off. Pure.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from core.money import half_up, split_largest_remainder
from rewards.offers import UNIT, AmountOff, Benefit, FixedPrice, Nth, Percent
from rewards.units import share_over_units

Total = Callable[[int], int]
"""From what is left of all units to the discount of an application."""
PerUnit = Callable[[int, int | None], int]
"""From what is left of a unit, and its measure in thousandths, to its discount."""
Piece = tuple[int, int]
"""So many units of a line, and what is left of each."""
Shares = list[list[Piece]]
"""For every piece: so many units with so much off each."""


class Worked(NamedTuple):
    """The units of one line that a benefit works on, in their order."""

    place: int
    measure: int | None
    pieces: list[Piece]


def percent_of(off: Decimal, most: int | None) -> Total:
    """Return what takes `off` percent, half up, at most `most`."""
    hundredths = int(off * 100)

    def total(left: int) -> int:
        amount = (left * hundredths + 5_000) // 10_000
        return amount if most is None or amount <= most else most

    return total


def total_of(benefit: Benefit) -> Total | None:
    """Return how `benefit` takes one amount off all units together, None when it does not work so."""
    match benefit:
        case Percent():
            return percent_of(benefit.off, benefit.max_amount)
        case Nth():
            return percent_of(benefit.off, None)
        case AmountOff(per=per) if per != UNIT:
            off = benefit.off
            return lambda left: min(left, off)
        case FixedPrice(per=per) if per != UNIT:
            price = benefit.price
            return lambda left: max(0, left - price)
    return None


def per_unit_of(benefit: Benefit) -> PerUnit | None:
    """Return how `benefit` takes something off every unit itself, None when it does not work so."""
    match benefit:
        case AmountOff(per=per) if per == UNIT:
            off = benefit.off
            return lambda left, measure: min(left, _by_measure(off, measure))
        case FixedPrice(per=per) if per == UNIT:
            price = benefit.price
            return lambda left, measure: max(0, left - _by_measure(price, measure))
    return None


def _by_measure(amount: int, measure: int | None) -> int:
    return amount if measure is None else half_up(Decimal(amount * measure).scaleb(-3))


def shared(worked: Sequence[Worked], total: Total) -> list[Shares]:
    """Return one amount shared by what is left: over the lines, then over each line's units; [] when it is nothing."""
    if len(worked) == 1:
        pieces = worked[0].pieces
        amount = total(
            pieces[0][0] * pieces[0][1] if len(pieces) == 1 else sum([c * left for c, left in pieces])
        )
        return [share_over_units(amount, pieces)] if amount > 0 else []
    lefts = [sum(count * left for count, left in line.pieces) for line in worked]
    amount = total(sum(lefts))
    if amount <= 0:
        return []
    shares = [amount] if len(lefts) == 1 else split_largest_remainder(amount, lefts)
    return [
        share_over_units(share, line.pieces) if share else [[(count, 0)] for count, _left in line.pieces]
        for share, line in zip(shares, worked, strict=True)
    ]


def unit_by_unit(worked: Sequence[Worked], per_unit: PerUnit) -> list[Shares]:
    """Return what every unit gets by itself; [] when all of it is nothing."""
    found = [[[(count, per_unit(left, line.measure))] for count, left in line.pieces] for line in worked]
    return found if any(amount for line in found for piece in line for _count, amount in piece) else []

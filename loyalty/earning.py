"""What a receipt earns, and how its points are shared over its lines. Pure."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.money import half_up, split_largest_remainder
from loyalty.offer_points import NOTHING_ADDED, OfferPoints, factor, multiplied
from loyalty.programme.rules import DEFAULT, DISCOUNT, TENDER, Programme
from sales.receipts import LIVE, SALE, PostedLine, PostedReceipt, TillIdentity

FINE = 10_000
"""So much finer than minor units lines are weighed when parts of them earn otherwise than once."""

POINTS_TENDER = "points"
"""The tender by which a till may state what was paid with points, where the programme makes them one."""


@dataclass(frozen=True, slots=True)
class Base:
    """
    What a basket's lines earn on.

    `weights` is each line's amount before points, by which its share is measured; `amounts` is
    what each earns on. Lines that earn nothing weigh nothing.
    """

    amounts: Mapping[int, int]
    weights: Mapping[int, int]

    @property
    def amount(self) -> int:
        """What all lines together earn on; never below zero."""
        return max(0, sum(self.amounts.values()))


def earning_base(
    lines: Sequence[PostedLine],
    points_amount: int,
    programme: Programme = DEFAULT,
    excluded: Collection[int] = (),
) -> Base:
    """
    Return what `lines` earn on, of which `points_amount` minor units were paid with points.

    Their totals after discounts, less the tax that is due where the programme says so, less
    the part paid with points, that is shared over all lines as points are; `excluded` are
    the numbers of lines that earn nothing. Never below zero.
    """
    if not points_amount and not excluded and not programme.net_of_tax:
        amounts = {line.line_number: line.total_amount for line in lines}
        return Base(amounts, amounts)
    points_parts = share_over_lines(points_amount, lines)
    weights: dict[int, int] = {}
    earning: dict[int, int] = {}
    for line in lines:
        if line.line_number in excluded:
            weights[line.line_number] = 0
            continue
        by_points = points_parts[line.line_number]
        tax = tax_before = 0
        if programme.net_of_tax:
            tax_before = tax_in(line.total_amount, line)
            tax = tax_in(taxable(line.total_amount, by_points, programme), line)
        weights[line.line_number] = line.total_amount - tax_before
        earning[line.line_number] = line.total_amount - tax - (0 if programme.earn_on_points else by_points)
    return Base(earning, weights)


def taxable(total: int, by_points: int, programme: Programme) -> int:
    """Return the amount, tax included, that tax is due on when a part of a line was paid with points (T-9)."""
    return total - by_points if programme.points_as == DISCOUNT else total


def tax_in(amount: int, line: PostedLine) -> int:
    """Return the tax that `amount` of a line includes, halves rounded away from zero."""
    if not line.tax_rate:
        return 0
    return half_up(amount * line.tax_rate / (100 + line.tax_rate))


def earned_shares(
    lines: Sequence[PostedLine],
    points_amount: int,
    currency: str,
    programme: Programme = DEFAULT,
    excluded: Collection[int] = (),
    *,
    offers: OfferPoints = NOTHING_ADDED,
) -> Mapping[int, int]:
    """
    Return the points that each line number earns, in a sale or in a basket that is not yet paid.

    With what `offers` add: every part of a line counts as many times as they say, rounded down once in
    all, and bonus points are shared over the lines as points are.
    """
    base = earning_base(lines, points_amount, programme, excluded)
    if not offers:
        return _shared(programme.points_for(base.amount, currency), base.weights)
    once, grown, weights = 0, Fraction(0), dict(base.weights)
    totals = {line.line_number: line.total_amount for line in lines}
    for number, amount in base.amounts.items():
        parts = offers.parts.get(number)
        if parts is None:
            once += amount
        else:
            grown += multiplied(amount, of=totals[number], parts=parts)
            weights[number] = math.floor(base.weights[number] * factor(parts) * FINE)
    weights = {
        number: weight if number in offers.parts else weight * FINE for number, weight in weights.items()
    }
    earned = _shared(programme.points_for(grown + once, currency), weights)
    bonus = _shared(offers.bonus, base.weights)
    return {number: points + bonus[number] for number, points in earned.items()}


def points_part(posted: PostedReceipt, programme: Programme = DEFAULT) -> int:
    """Return what the till says was paid with points: the points amount, and tenders where points are one."""
    by_tender = 0
    if programme.points_as == TENDER:
        by_tender = sum(tender.amount for tender in posted.tenders if tender.type == POINTS_TENDER)
    return posted.totals.points_amount + by_tender


def earned_on_receipt(
    posted: PostedReceipt,
    till: TillIdentity,
    programme: Programme,
    excluded: Collection[int] = (),
    offers: OfferPoints = NOTHING_ADDED,
) -> Mapping[int, int]:
    """
    Return the points that each line of `posted` earns on an account, whatever its card, with what `offers` add.

    Only a live sale in the store's currency earns.
    """
    if posted.type != SALE or posted.mode != LIVE or posted.currency != till.currency:
        return nothing(posted.lines)
    by_points = points_part(posted, programme)
    return earned_shares(posted.lines, by_points, posted.currency, programme, excluded, offers=offers)


def earned_points(
    posted: PostedReceipt, till: TillIdentity, programme: Programme, excluded: Collection[int] = ()
) -> int:
    """Return the points that `posted` earns on an account, whatever its card; see `earned_on_receipt`."""
    return sum(earned_on_receipt(posted, till, programme, excluded).values())


def nothing(lines: Sequence[PostedLine]) -> Mapping[int, int]:
    """Return a share of no points for each line."""
    return {line.line_number: 0 for line in lines}


def share_over_lines(points: int, lines: Sequence[PostedLine]) -> Mapping[int, int]:
    """
    Return the share of `points` of each line number, summing to `points` exactly.

    By the lines' net amounts before points, largest remainder, ties to the lower line
    number. Negative lines have no share; where no line is positive the lowest has all.
    """
    return _shared(points, {line.line_number: line.total_amount for line in lines})


def _shared(points: int, amounts: Mapping[int, int]) -> Mapping[int, int]:
    ordered = sorted(amounts)
    if not points or not ordered:
        return dict.fromkeys(ordered, 0)
    weights = [max(0, amounts[line_number]) for line_number in ordered]
    if not any(weights):
        weights[0] = 1
    return dict(zip(ordered, split_largest_remainder(points, weights), strict=True))

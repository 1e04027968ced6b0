"""What a receipt earns, and how its points are shared over its lines. Pure."""

from collections.abc import Mapping, Sequence

from core.money import split_largest_remainder
from loyalty.programme import Programme
from sales.receipts import LIVE, SALE, PostedLine, PostedReceipt, TillIdentity


def earning_base(posted: PostedReceipt) -> int:
    """Return the amount that earns: the lines' totals less what was paid with points, never below zero."""
    return max(0, sum(line.total_amount for line in posted.lines) - posted.totals.points_amount)


def earned_points(posted: PostedReceipt, till: TillIdentity, programme: Programme) -> int:
    """
    Return the points that `posted` earns on an account, whatever its card.

    Only a live sale in the store's currency earns.
    """
    if posted.type != SALE or posted.mode != LIVE or posted.currency != till.currency:
        return 0
    return programme.points_for(earning_base(posted), posted.currency)


def share_over_lines(points: int, lines: Sequence[PostedLine]) -> Mapping[int, int]:
    """
    Return the share of `points` of each line number, summing to `points` exactly.

    By the lines' net amounts before points, largest remainder, ties to the lower line
    number. Negative lines have no share; where no line is positive the lowest has all.
    """
    ordered = sorted(lines, key=lambda line: line.line_number)
    if not points or not ordered:
        return {line.line_number: 0 for line in ordered}
    weights = [max(0, line.total_amount) for line in ordered]
    if not any(weights):
        weights[0] = 1
    shares = split_largest_remainder(points, weights)
    return {line.line_number: share for line, share in zip(ordered, shares, strict=True)}

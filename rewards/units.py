"""
The units of a line, as runs of units that are alike.

A till may sell 100,000 pieces on one line, so there is never an object per unit. A line's units are numbered; a
run is a number of units in a row that are alike: (count, what is left of each to be paid in minor units, flags,
how many times points they earn or None). Runs are never changed, lists of runs never edited: whoever gives something
puts a new list in place of the old one, so that a snapshot of a basket is a handful of references. Pure.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import islice, repeat
from operator import mul
from typing import NamedTuple, Self

from core.money import half_up
from rewards.carts import PIECES, CartLine

Run = tuple[int, int, int, Decimal | None]
"""count, left of each, flags, times."""

DISCOUNTED = 1
"""The unit costs less than it did."""
CLOSED = 2
"""An offer that does not stack has claimed the unit: later discounts may not."""
FIRST_GROUP = 4
"""The flag of a book's first exclusive group; those of others follow."""

ONE = 1000
"""One piece, in the thousandths in which conditions count."""


SOLD_IN_PIECES = frozenset((None, PIECES))
"""The units of which whole numbers are pieces."""


PIECES_IN = {Decimal(pieces): pieces for pieces in range(1, 1_001)}
"""The quantities that tills state all day, as numbers of pieces; finding them is quicker than making them."""


Row = tuple[int, int, int, int, int, int | None]
"""A line's number, price, count of units, what each is worth, what they are worth together, and measure."""


class Lines(NamedTuple):
    """
    What the lines of a basket come to before any offer, column by column: by their places, in the order of their numbers.

    A weighed line is one unit; its measure is its quantity in thousandths, that of a line of pieces is None. Columns are made
    and read by what is written in C: an object per line took longer than most offers.
    """

    numbers: Sequence[int]
    prices: Sequence[int]
    """Per piece, kilogram and so on."""
    counts: Sequence[int]
    """Units."""
    lefts: Sequence[int]
    """What each unit costs."""
    grosses: Sequence[int]
    measures: Sequence[int | None]

    @classmethod
    def of(cls, cart: Sequence[CartLine]) -> Self:
        """Return what the lines of a cart come to, which stand in the order of their numbers."""
        if not cart:
            return cls((), (), (), (), (), ())
        numbers, quantities, units, prices = islice(zip(*cart, strict=True), 4)
        if not SOLD_IN_PIECES.issuperset(units):
            return cls._of_rows(map(_row, numbers, quantities, units, prices))
        try:
            return cls._of_pieces(numbers, prices, [*map(PIECES_IN.__getitem__, quantities)])
        except KeyError:
            return cls._of_rows(map(_row, numbers, quantities, units, prices))

    @classmethod
    def of_thousandths(
        cls,
        numbers: Sequence[int],
        quantities: Sequence[int],
        prices: Sequence[int],
        measured: Sequence[bool],
    ) -> Self:
        """Return lines of so many thousandths; `measured` are those whose unit is not one that whole numbers of are sold."""
        if not numbers:
            return cls((), (), (), (), (), ())
        counts, fractions = zip(*map(divmod, quantities, repeat(ONE)), strict=True)
        if not any(measured) and not any(fractions):
            return cls._of_pieces(numbers, prices, counts)
        return cls._of_rows(
            _by_measure(number, price, _rounded(quantity * price), quantity)
            if by_measure or fraction
            else _in_pieces(number, price, count)
            for number, quantity, price, by_measure, count, fraction in zip(
                numbers, quantities, prices, measured, counts, fractions, strict=True
            )
        )

    @classmethod
    def _of_pieces(cls, numbers: Sequence[int], prices: Sequence[int], counts: Sequence[int]) -> Self:
        grosses = [*map(mul, counts, prices)]
        return tuple.__new__(cls, (numbers, prices, counts, prices, grosses, (None,) * len(grosses)))

    @classmethod
    def _of_rows(cls, rows: Iterable[Row]) -> Self:
        return cls(*zip(*rows, strict=True))


def _row(number: int, quantity: Decimal, unit: str | None, price: int) -> Row:
    pieces = int(quantity)
    if pieces == quantity and unit in SOLD_IN_PIECES:
        return _in_pieces(number, price, pieces)
    return _by_measure(number, price, half_up(quantity * price), int(quantity * ONE))


def _in_pieces(number: int, price: int, count: int) -> Row:
    return number, price, count, price, count * price, None


def _by_measure(number: int, price: int, gross: int, measure: int) -> Row:
    return number, price, 1, gross, gross, measure


def _rounded(thousandths: int) -> int:
    """Return thousandths of minor units in minor units, half away from zero."""
    rounded = (2 * abs(thousandths) + ONE) // (2 * ONE)
    return rounded if thousandths >= 0 else -rounded


def left_of(runs: Sequence[Run]) -> int:
    """Return what is left to be paid for `runs`."""
    return sum(count * left for count, left, _flags, _times in runs)


class Pool:
    """
    The units of one line that one offer may claim, and what it has made of those it claimed.

    A condition claims from `runs` whose flags it may touch, always the first; `worked` are those on which the benefit
    may work, the same unless some are closed to discounts and the benefit has a selection of its own.
    """

    __slots__ = ("available", "made", "open_mask", "rest", "runs", "start")

    def __init__(self, runs: list[Run], mask: int, open_mask: int) -> None:
        self.runs = runs
        self.open_mask = open_mask
        self.rest = [0 if run[2] & mask else run[0] for run in runs]
        self.available = sum(self.rest)
        self.made: dict[int, list[Run]] = {}
        self.start = 0
        self._skip()

    def _skip(self) -> None:
        rest, start, end = self.rest, self.start, len(self.rest)
        while start < end and not rest[start]:
            start += 1
        self.start = start

    def worth(self) -> int:
        """Return what is left to be paid for the units that may be claimed."""
        runs, rest = self.runs, self.rest
        return sum(rest[slot] * runs[slot][1] for slot in range(self.start, len(rest)))

    def open_after(self, claimed: int) -> int:
        """Return on how many units a benefit with its own selection may work once `claimed` are claimed."""
        if not self.open_mask:
            return self.available - claimed
        found = 0
        for slot in range(self.start, len(self.rest)):
            count = self.rest[slot]
            taken = min(count, claimed)
            claimed -= taken
            if not self.runs[slot][2] & self.open_mask:
                found += count - taken
        return found

    def take(self, claimed: int, worked: int, *, own: bool) -> list[tuple[int, int, bool]]:
        """
        Return which units an application takes, as (place of the run, how many, whether the benefit works on them).

        The first `claimed` are the condition's. The benefit works on the first `worked` of them, or when it has its
        `own` selection on the first `worked` open ones after them.
        """
        found: list[tuple[int, int, bool]] = []
        rest = self.rest
        for slot in range(self.start, len(rest)):
            count = rest[slot]
            if not count:
                continue
            by_condition = min(count, claimed)
            claimed -= by_condition
            if own:
                if by_condition:
                    found.append((slot, by_condition, False))
                if worked and not self.runs[slot][2] & self.open_mask and count > by_condition:
                    more = min(count - by_condition, worked)
                    worked -= more
                    found.append((slot, more, True))
            else:
                at_work = min(by_condition, worked)
                worked -= at_work
                if at_work:
                    found.append((slot, at_work, True))
                if by_condition > at_work:
                    found.append((slot, by_condition - at_work, False))
            if not claimed and not (own and worked):
                break
        return found

    def put(self, slot: int, made: list[Run], taken: int) -> None:
        """Keep what the first `taken` units left of a run have become."""
        self.rest[slot] -= taken
        self.available -= taken
        into = self.made.setdefault(slot, [])
        for run in made:
            if into and into[-1][1:] == run[1:]:
                into[-1] = (into[-1][0] + run[0], *run[1:])
            else:
                into.append(run)
        if slot == self.start:
            self._skip()

    def result(self) -> list[Run]:
        """Return the line's units as they are now."""
        found: list[Run] = []
        made, rest = self.made, self.rest
        for slot, run in enumerate(self.runs):
            pieces = made.get(slot)
            if pieces is None:
                found.append(run)
                continue
            found.extend(pieces)
            # What was not claimable has rest 0 and nothing made, so whatever is left was claimable.
            if rest[slot]:
                found.append((rest[slot], *run[1:]))
        return found


def share_over_units(share: int, pieces: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """
    Return `share` divided over units by what is left of each, as (how many, how much each) for every piece.

    `pieces` are (count, left of each) in the order of the units. Largest remainder, ties to the first unit; the sum
    is exactly `share`.
    """
    if len(pieces) == 1:
        count, _left = pieces[0]
        amount, more = divmod(share, count)
        return [[(more, amount + 1), (count - more, amount)] if more else [(count, amount)]]
    whole = sum(count * left for count, left in pieces)
    each = [divmod(share * left, whole) for _count, left in pieces]
    over = share - sum(count * amount for (count, _left), (amount, _) in zip(pieces, each, strict=True))
    extra_of = [0] * len(pieces)
    if over:
        for index in sorted(range(len(pieces)), key=lambda at: (-each[at][1], at)):
            extra_of[index] = min(pieces[index][0], over)
            over -= extra_of[index]
            if not over:
                break
    shared = []
    for (count, _left), (amount, _), extra in zip(pieces, each, extra_of, strict=True):
        parts = [(extra, amount + 1), (count - extra, amount)]
        shared.append([part for part in parts if part[0]])
    return shared

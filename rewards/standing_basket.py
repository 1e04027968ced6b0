"""A basket under evaluation: what is left of its units, what was given so far, and what an offer may claim of it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from rewards.carts import Presented
from rewards.ready_offers import LiveOffer
from rewards.units import ONE, Lines, Pool, Run, left_of

USES, BUDGET = "uses", "budget"
"""Why an offer stopped: what was counted before leaves no further use, or too little amount."""


class Given:
    """What one offer gave: how often, how much on which line (by place), and how many points."""

    __slots__ = ("amount", "live", "per_line", "points", "times")

    def __init__(self, live: LiveOffer, times: int = 0, amount: int = 0, points: int = 0) -> None:
        self.live = live
        self.times = times
        self.amount = amount
        self.points = points
        self.per_line: dict[int, int] = {}


class Snapshot(NamedTuple):
    """The state of a basket that an evaluation can return to."""

    runs: list[list[Run] | None]
    net: list[int]
    given: int
    history: int
    counted: tuple[int, int]


class Basket:
    """
    A basket under evaluation: the lines by line number, what is left of their units, and what was given so far.

    `matching` are the places of the lines that each selection matches; `history` is what the runs were before which
    rank, for explanations.
    """

    __slots__ = (
        "dearest",
        "effort",
        "given",
        "gross_by_select",
        "history",
        "lines",
        "matching",
        "net",
        "net_before_vouchers",
        "notes",
        "planned",
        "presented",
        "refused",
        "runs",
        "steps",
    )

    def __init__(
        self, lines: Lines, matching: dict[int, list[int]], presented: Mapping[str, Presented]
    ) -> None:
        self.lines = lines
        self.matching = matching
        self.presented = presented
        self.net = list(lines.grosses)
        self.runs: list[list[Run] | None] = [None] * len(self.net)
        self.net_before_vouchers = 0
        self.given: list[Given] = []
        self.gross_by_select: dict[int, int] = {}
        self.history: list[tuple[int, list[list[Run] | None]]] = []
        self.dearest: dict[int, Sequence[int]] = {}
        self.refused: dict[int, str] = {}
        self.notes: list[tuple[str, str]] = []
        self.planned = 0
        self.steps = 0
        self.effort = 0

    @property
    def priced(self) -> list[int]:
        """The places of the lines that have a price: no offer looks at the others, which are deposits taken back."""
        return [place for place, price in enumerate(self.lines.prices) if price > 0]

    def lines_of(self, select: int) -> Sequence[int]:
        """Return the places of the lines that a selection matches, the dearest first, then by line number."""
        found = self.dearest.get(select)
        if found is None:
            found = self.matching.get(select, ())
            if len(found) > 1:
                prices = self.lines.prices
                found = sorted(
                    found, key=prices.__getitem__, reverse=True
                )  # a stable sort leaves ties by place
            self.dearest[select] = found
        return found

    def gross_of(self, select: int) -> int:
        """Return what the lines that a selection matches cost before discounts, claimed by others or not."""
        found = self.gross_by_select.get(select)
        if found is None:
            found = sum(map(self.lines.grosses.__getitem__, self.matching.get(select, ())))
            self.gross_by_select[select] = found
        return found

    def units(self, place: int) -> list[Run]:
        """Return the units of a line as they are now."""
        runs = self.runs[place]
        return [(self.lines.counts[place], self.lines.lefts[place], 0, None)] if runs is None else runs

    def runs_before(self, rank: int) -> list[list[Run] | None]:
        """Return the units of all lines as they were before the turn of the offer with this rank."""
        return next((runs for turn, runs in self.history if turn >= rank), self.runs)

    def changed(self, rank: int) -> list[list[Run] | None]:
        """Return the units of all lines to be changed by the offer with this rank; what they were is kept."""
        before = self.runs
        self.history.append((rank, before))
        self.runs = runs = before.copy()
        return runs

    def as_it_was(self, runs: list[list[Run] | None]) -> "Basket":
        """Return the basket with other units, for looking at only."""
        then = Basket(self.lines, self.matching, self.presented)
        then.runs, then.dearest = runs, self.dearest
        then.gross_by_select = self.gross_by_select
        return then

    def worked_on(self, runs: int) -> None:
        """Count runs of units that were looked at or made: on the way here, and on all ways that were tried."""
        self.steps += runs
        self.effort += runs

    def snapshot(self) -> Snapshot:
        """Return what `restore` needs."""
        return Snapshot(
            self.runs, self.net.copy(), len(self.given), len(self.history), (self.planned, self.steps)
        )

    def restore(self, before: Snapshot) -> None:
        """Make the basket what it was at a snapshot."""
        # Lists of runs are replaced by whoever changes something, never edited.
        self.runs, self.net = before.runs, before.net.copy()
        self.planned, self.steps = before.counted
        del self.given[before.given :]
        del self.history[before.history :]


class Claimable:
    """A basket as one offer sees it: what it may claim now. What a condition looks at."""

    __slots__ = ("basket", "heads", "mask", "open_mask", "pools", "presented")

    def __init__(self, basket: Basket, live: LiveOffer) -> None:
        self.basket = basket
        self.presented = basket.presented
        self.mask, self.open_mask = live.mask, live.open_mask
        self.pools: dict[int, Pool] = {}
        self.heads: dict[int, int] = {}

    def pool(self, place: int) -> Pool:
        """Return the units of a line with what this offer has claimed of them."""
        found = self.pools.get(place)
        if found is None:
            units = self.basket.units(place)
            self.basket.worked_on(len(units))
            found = self.pools[place] = Pool(units, self.mask, self.open_mask)
        return found

    def lines(self, select: int) -> Iterable[int]:
        """Return the places of the lines that match, the dearest first, without the first ones that are used up."""
        lines, pools = self.basket.lines_of(select), self.pools
        head = self.heads.get(select, 0)
        while head < len(lines) and (pool := pools.get(lines[head])) is not None and not pool.available:
            head += 1
        if not head:
            return lines
        self.heads[select] = head
        return islice(lines, head, None)

    def available(self, place: int) -> int:
        """Return how many units may be claimed."""
        return self.pool(place).available

    def all_units(self, select: int) -> dict[int, int]:
        """Return all units that a selection matches and that may be claimed."""
        return {place: count for place in self.lines(select) if (count := self.available(place))}

    def measure(self, place: int) -> int | None:
        """Return the thousandths that a weighed line counts for."""
        return self.basket.lines.measures[place]

    def whole_gross(self, select: int) -> int:
        """Return what all that is selected costs before discounts."""
        return self.basket.gross_of(select)

    def gross(self, place: int, count: int) -> int:
        """Return what so many units of a line cost before discounts."""
        return count * self.basket.lines.lefts[place]

    def net(self, place: int) -> int:
        """Return what is left of them."""
        return self.pool(place).worth()

    def suffices(self, select: int, needed: int) -> bool:
        """Return whether `needed` thousandths of what is selected are left to be claimed."""
        for place in self.lines(select):
            measure = self.measure(place)
            needed -= self.pool(place).available * (ONE if measure is None else measure)
            if needed <= 0:
                return True
        return False

    def whole(self) -> "Whole":
        """Return the same basket where every unit may be claimed."""
        return Whole(self.basket)


class Unclaimed:
    """A basket as one offer meets it, before its first application, for conditions that claim all they may of a line."""

    __slots__ = ("basket", "mask", "presented")

    def __init__(self, basket: Basket, mask: int) -> None:
        self.basket = basket
        self.presented = basket.presented
        self.mask = mask

    def lines(self, select: int) -> Iterable[int]:
        """Return the places of the lines that match, by line number: who takes all of them needs no other order."""
        return self.basket.matching.get(select, ())

    def available(self, place: int) -> int:
        """Return how many units may be claimed."""
        runs, mask = self.basket.runs[place], self.mask
        if runs is None or not mask:
            return self.basket.lines.counts[place]
        return sum([run[0] for run in runs if not run[2] & mask])

    def all_units(self, select: int) -> dict[int, int]:
        """Return all units that a selection matches and that may be claimed."""
        counts, runs, mask = self.basket.lines.counts, self.basket.runs, self.mask
        return {
            place: count
            for place in self.basket.matching.get(select, ())
            if (
                count := counts[place]
                if (units := runs[place]) is None or not mask
                else sum([run[0] for run in units if not run[2] & mask])
            )
        }

    def measure(self, place: int) -> int | None:
        """Return the thousandths that a weighed line counts for."""
        return self.basket.lines.measures[place]

    def whole_gross(self, select: int) -> int:
        """Return what all that is selected costs before discounts."""
        return self.basket.gross_of(select)

    def gross(self, place: int, count: int) -> int:
        """Return what so many units of a line cost before discounts."""
        return count * self.basket.lines.lefts[place]

    def net(self, place: int) -> int:
        """Return what is left of them."""
        runs, mask = self.basket.runs[place], self.mask
        if runs is None:
            return self.basket.lines.grosses[place]
        return sum([run[0] * run[1] for run in runs if not run[2] & mask])

    def whole(self) -> "Whole":
        """Return the same basket where every unit may be claimed."""
        return Whole(self.basket)


class Whole:
    """A basket as if nobody had claimed anything, after the discounts so far."""

    __slots__ = ("basket", "presented")

    def __init__(self, basket: Basket) -> None:
        self.basket = basket
        self.presented = basket.presented

    def lines(self, select: int) -> Iterable[int]:
        """Return the places of the lines that match, the dearest first."""
        return self.basket.lines_of(select)

    def available(self, place: int) -> int:
        """Return how many units there are."""
        return self.basket.lines.counts[place]

    def all_units(self, select: int) -> dict[int, int]:
        """Return all units that a selection matches."""
        counts = self.basket.lines.counts
        return {place: count for place in self.lines(select) if (count := counts[place])}

    def measure(self, place: int) -> int | None:
        """Return the thousandths that a weighed line counts for."""
        return self.basket.lines.measures[place]

    def whole_gross(self, select: int) -> int:
        """Return what all that is selected costs before discounts."""
        return self.basket.gross_of(select)

    def gross(self, place: int, count: int) -> int:
        """Return what so many units of a line cost before discounts."""
        return count * self.basket.lines.lefts[place]

    def net(self, place: int) -> int:
        """Return what is left of them."""
        return left_of(self.basket.units(place))

    def whole(self) -> "Whole":
        """Return itself."""
        return self

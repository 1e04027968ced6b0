"""
So many pieces of one selection, again and again, each line's units still alike: by a shorter way than plans.

It comes to what `rewards.applying` would give, which takes over where lines are weighed or their units differ. Beside the
offers of `rewards.at_once` these are what chains run: three for two, the second at half price, a price for four, points for two. Pure.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from core.money import split_largest_remainder
from rewards.offers import CHEAPEST
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import BUDGET, Basket, Given, marks, masks
from rewards.units import DISCOUNTED, ONE, Run

Found = list[tuple[int, Run]]
"""The places of lines, each with its one run."""
Take = tuple[int, int]
"""Which of the lines found, and how many of its units."""


class Share(NamedTuple):
    """What an application does on a line: the benefit works on the first `worked` of its units, and takes `off`."""

    worked: int
    off: int


def claimable(basket: Basket, live: LiveOffer) -> Found | None:
    """Return the lines that an offer may claim units of, the dearest first; None where one is weighed or its units differ."""
    assert live.needed is not None
    mask, found = masks(basket, live)[0], []
    for place in basket.lines_of(live.needed[0]):
        line, runs = basket.lines[place], basket.runs[place]
        if line.measure is not None or (runs is not None and len(runs) > 1):
            return None
        run: Run = (line.count, line.left, 0, None) if runs is None else runs[0]
        if not run[2] & mask:
            found.append((place, run))
    return found


def give_on_one_line(
    basket: Basket, live: LiveOffer, found: Found, times_left: int, amount_left: int
) -> Given | None:
    """Give all applications of an offer for which a single line has units: each is like the first."""
    assert live.needed is not None
    ((place, run),) = found
    count, left, _flags, times = run
    size = -(-live.needed[1] // ONE)
    most = min(count // size, times_left)
    share = _share_of_one(live, left, size)
    if not share.off and (live.discounts or not _gives(live, times)):
        return None
    if share.off and amount_left // share.off < most:
        basket.refused[live.rank] = BUDGET
        most = amount_left // share.off
    if not most:
        return None
    given = Given(live)
    given.times, given.points, given.amount = most, (live.points or 0) * most, share.off * most
    flags = marks(basket, live)
    pattern = _pattern(run, size, share, live, flags)
    basket.worked_on(len(pattern))
    basket.given.append(given)
    if live.add_up and not flags:
        return given
    rest = count - size * most
    runs = basket.changed(live.rank)
    runs[place] = made = _repeated(pattern, most)
    if rest:
        made.append((rest, *run[1:]))
    if given.amount:
        given.per_line[place] = given.amount
        basket.net[place] -= given.amount
    return given


def _share_of_one(live: LiveOffer, left: int, size: int) -> Share:
    """Return what an application does on a line that it claims all its units of."""
    worked = size if live.nth is None else min(size, live.nth.count)
    if live.total is not None:
        return Share(worked, live.total(worked * left))
    return Share(worked, worked * live.per_unit(left, None) if live.per_unit is not None else 0)


def _gives(live: LiveOffer, times: Decimal | None) -> bool:
    """Return whether a benefit that is no discount gives something on units that earn so many times points."""
    if live.multiplier is None:
        return live.points is None or live.points > 0
    return live.multiplied(times) != times


def _pattern(run: Run, count: int, share: Share, live: LiveOffer, flags: int) -> list[Run]:
    """Return what an application makes of so many units of a run."""
    _count, left, old, times = run
    flags |= old
    if live.multiplier is not None:
        return [(count, left, flags, live.multiplied(times))]
    if not share.off:
        return [(count, left, flags, times)]
    off, more = divmod(share.off, share.worked)
    pieces = [
        (more, left - off - 1, flags | DISCOUNTED, times),
        (share.worked - more, left - off, flags | (DISCOUNTED if off else 0), times),
        (count - share.worked, left, flags, times),
    ]
    return [piece for piece in pieces if piece[0]]


def _repeated(pattern: list[Run], repeats: int) -> list[Run]:
    """Return what an application makes of units, made so many times."""
    if len(pattern) > 1:
        return pattern * repeats
    return [(pattern[0][0] * repeats, *pattern[0][1:])]


class Bundles:
    """The applications of one offer on the lines found, as long as there are enough units."""

    def __init__(self, basket: Basket, live: LiveOffer, found: Found) -> None:
        assert live.needed is not None
        self.basket, self.live, self.found = basket, live, found
        self.size = -(-live.needed[1] // ONE)
        self.rest = [run[0] for _place, run in found]
        self.there = sum(self.rest)
        self.first = 0
        self.flags = marks(basket, live)
        self.made: list[list[Run]] = [[] for _ in found]
        self.given = Given(live)

    def takes(self) -> list[Take]:
        """Return what the next application claims: the first units of the dearest lines that have some left."""
        rest, needed, found = self.rest, self.size, []
        while not rest[self.first]:
            self.first += 1
        for index in range(self.first, len(rest)):
            if rest[index]:
                count = min(rest[index], needed)
                found.append((index, count))
                needed -= count
                if not needed:
                    break
        return found

    def shares(self, takes: list[Take]) -> dict[int, Share]:
        """Return by line what the benefit does on the claimed units."""
        live, found = self.live, self.found
        worked = takes if live.nth is None else list(self._nth(takes))
        if live.total is not None:
            if len(worked) == 1:
                index, count = worked[0]
                return {index: Share(count, live.total(count * found[index][1][1]))}
            worked = sorted(worked, key=lambda take: found[take[0]][0])
            lefts = [count * found[index][1][1] for index, count in worked]
            offs = split_largest_remainder(live.total(sum(lefts)), lefts)
            return {index: Share(count, off) for (index, count), off in zip(worked, offs, strict=True)}
        if live.per_unit is not None:
            per_unit = live.per_unit
            return {
                index: Share(count, count * per_unit(found[index][1][1], None)) for index, count in worked
            }
        return {index: Share(count, 0) for index, count in worked}

    def _nth(self, takes: list[Take]) -> Iterator[Take]:
        assert self.live.nth is not None
        found, lines, left = self.found, self.basket.lines, self.live.nth.count
        sign = 1 if self.live.nth.which == CHEAPEST else -1
        for index, count in sorted(
            takes, key=lambda take: (sign * lines[found[take[0]][0]].unit_price, found[take[0]][0])
        ):
            if not left:
                return
            yield index, min(count, left)
            left -= min(count, left)

    def gives(self, shares: dict[int, Share]) -> bool:
        """Return whether a benefit that is no discount gives something."""
        found = self.found
        return any(_gives(self.live, found[index][1][3]) for index in shares)

    def repeats(self, takes: list[Take]) -> int:
        """Return how often this application can be given in a row."""
        index, count = takes[0]
        return self.rest[index] // count if len(takes) == 1 else 1

    def give(self, takes: list[Take], shares: dict[int, Share], repeats: int) -> None:
        """Make of the claimed units what they become."""
        given = self.given
        given.times += repeats
        given.points += (self.live.points or 0) * repeats
        for index, count in takes:
            share = shares.get(index, NOTHING)
            self.rest[index] -= count * repeats
            self.there -= count * repeats
            pattern = _pattern(self.found[index][1], count, share, self.live, self.flags)
            made = _repeated(pattern, repeats)
            self.basket.worked_on(len(made))
            self.made[index] += made
            if share.off:
                place, off = self.found[index][0], share.off * repeats
                given.amount += off
                given.per_line[place] = given.per_line.get(place, 0) + off

    def settle(self) -> Given:
        """Write what was given into the basket, and return it."""
        basket, live, given = self.basket, self.live, self.given
        basket.given.append(given)
        if live.add_up and not self.flags:
            return given
        runs = basket.changed(live.rank)
        for (place, run), made, rest in zip(self.found, self.made, self.rest, strict=True):
            if made:
                runs[place] = [*made, (rest, *run[1:])] if rest else made
        for place, off in given.per_line.items():
            basket.net[place] -= off
        return given


NOTHING = Share(0, 0)

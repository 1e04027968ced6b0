"""
So many pieces of one selection, again and again, each line's units still alike: by a shorter way than plans.

It comes to what `rewards.applying` would give, which takes over where lines are weighed or their units differ. Beside the
offers of `rewards.at_once` these are what chains run: three for two, the second at half price, a price for four, points for two. Pure.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from core.money import split_largest_remainder
from rewards.offers import CHEAPEST
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import BUDGET, Basket, Given
from rewards.units import DISCOUNTED, Run

Found = list[tuple[int, Run]]
"""The places of lines, each with its one run."""
Take = tuple[int, int]
"""Which of the lines found, and how many of its units."""


Share = tuple[int, int]
"""What an application does on a line: on how many of its units, the first, the benefit works, and how much it takes off."""
NOTHING: Share = (0, 0)


def claimable(basket: Basket, live: LiveOffer) -> Found | None:
    """
    Return the lines that an offer may claim units of, the dearest first, or none where these are too few for it.

    Returns None where one is weighed, or its units differ.
    """
    assert live.needed is not None
    select, there, found = live.needed[0], 0, Found()
    places: Sequence[int] = basket.matching.get(select, ())
    if len(places) > 1:
        places = basket.lines_of(select)
    lines, units = basket.lines, basket.runs
    mask = live.mask
    for place in places:
        runs = units[place]
        if runs is None:
            run: Run = (lines.counts[place], lines.lefts[place], 0, None)
        else:
            run = runs[0]
            if len(runs) > 1:
                if left_open(runs, mask):
                    return None
                continue
            if run[2] & mask:
                continue
        if lines.measures[place] is not None:
            return None
        found.append((place, run))
        there += run[0]
    return found if there >= live.size else []


def left_open(runs: Sequence[Run], mask: int) -> bool:
    """Return whether there is a unit among `runs` that may be claimed."""
    for run in runs:  # noqa: SIM110 - thousands of times per basket at times, and `any` takes twice as long
        if not run[2] & mask:
            return True
    return False


def give_on_one_line(
    basket: Basket, live: LiveOffer, found: Found, times_left: int, amount_left: int
) -> Given | None:
    """Give all applications of an offer for which a single line has units: each is like the first."""
    ((place, run),) = found
    count, left, _flags, times = run
    size = live.size
    worked = size if live.nth is None else min(size, live.nth.count)
    if live.total is not None:
        off = live.total(worked * left)
    else:
        off = worked * live.per_unit(left, None) if live.per_unit is not None else 0
    if not off and (live.discounts or not _gives(live, times)):
        return None
    most = min(count // size, times_left)
    if off and amount_left // off < most:
        basket.refused[live.rank] = BUDGET
        most = amount_left // off
    if not most:
        return None
    given = Given(live, most, off * most, live.bonus * most)
    pattern = _pattern(run, size, (worked, off), live)
    basket.worked_on(len(pattern))
    basket.given.append(given)
    if live.add_up and not live.flags:
        return given
    rest = count - size * most
    basket.changed(live.rank)[place] = made = _repeated(pattern, most)
    if rest:
        made.append((rest, *run[1:]))
    if off:
        given.per_line[place] = given.amount
        basket.net[place] -= given.amount
    return given


def _gives(live: LiveOffer, times: Decimal | None) -> bool:
    """Return whether a benefit that is no discount gives something on units that earn so many times points."""
    if live.multiplier is None:
        return live.points is None or live.points > 0
    return live.multiplied(times) != times


def _pattern(run: Run, count: int, share: Share, live: LiveOffer) -> list[Run]:
    """Return what an application makes of so many units of a run."""
    _count, left, old, times = run
    flags = old | live.flags
    if live.multiplier is not None:
        return [(count, left, flags, live.multiplied(times))]
    worked, share_off = share
    if not share_off:
        return [(count, left, flags, times)]
    off, more = divmod(share_off, worked)
    if not more and worked == count:
        return [(count, left - off, flags | DISCOUNTED, times)]
    pieces = [
        (more, left - off - 1, flags | DISCOUNTED, times),
        (worked - more, left - off, flags | (DISCOUNTED if off else 0), times),
        (count - worked, left, flags, times),
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
        self.size = live.size
        self.rest = [run[0] for _place, run in found]
        self.there = sum(self.rest)
        self.first = 0
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
                return {index: (count, live.total(count * found[index][1][1]))}
            worked = sorted(worked, key=lambda take: found[take[0]][0])
            lefts = [count * found[index][1][1] for index, count in worked]
            offs = split_largest_remainder(live.total(sum(lefts)), lefts)
            return {index: (count, off) for (index, count), off in zip(worked, offs, strict=True)}
        if live.per_unit is not None:
            per_unit = live.per_unit
            return {index: (count, count * per_unit(found[index][1][1], None)) for index, count in worked}
        return {index: (count, 0) for index, count in worked}

    def _nth(self, takes: list[Take]) -> Iterator[Take]:
        assert self.live.nth is not None
        found, prices, left = self.found, self.basket.lines.prices, self.live.nth.count
        sign = 1 if self.live.nth.which == CHEAPEST else -1
        for index, count in sorted(
            takes, key=lambda take: (sign * prices[found[take[0]][0]], found[take[0]][0])
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
        given.points += self.live.bonus * repeats
        for index, count in takes:
            share = shares.get(index, NOTHING)
            self.rest[index] -= count * repeats
            self.there -= count * repeats
            pattern = _pattern(self.found[index][1], count, share, self.live)
            made = _repeated(pattern, repeats)
            self.basket.worked_on(len(made))
            self.made[index] += made
            if share[1]:
                place, off = self.found[index][0], share[1] * repeats
                given.amount += off
                given.per_line[place] = given.per_line.get(place, 0) + off

    def settle(self) -> Given:
        """Write what was given into the basket, and return it."""
        basket, live, given = self.basket, self.live, self.given
        basket.given.append(given)
        if live.add_up and not live.flags:
            return given
        runs = basket.changed(live.rank)
        for (place, run), made, rest in zip(self.found, self.made, self.rest, strict=True):
            if made:
                runs[place] = [*made, (rest, *run[1:])] if rest else made
        for place, off in given.per_line.items():
            basket.net[place] -= off
        return given

"""
Offers that take all units of what they are about at once: so much off something, off a whole basket, points on a department.

There is one application, and it leaves nothing for another. It comes to what `rewards.applying` would give by a plan, by a
shorter way: no unit has to be chosen. Most offers of a chain are of this kind, so this is where a quote's time goes. Pure.
"""

from collections.abc import Sequence

from core.money import split_largest_remainder
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import BUDGET, Basket, Given, Unclaimed
from rewards.units import DISCOUNTED, Run, share_over_units


def give_at_once(basket: Basket, live: LiveOffer, amount_left: int) -> Given | None:
    """Give what `live` gives and return it; None, with nothing given, where that is nothing or more than `amount_left`."""
    flags, mask = live.flags, live.mask
    places = basket.matching.get(live.plain) if live.plain is not None else _claimed(basket, live, mask)
    if not places:
        return None
    if live.discounts and len(places) == 1:
        return _take_off_one(basket, live, places[0], (flags, mask), amount_left)
    given = Given(live)
    if live.discounts:
        gives = _take_off(basket, given, places, (flags, mask), amount_left)
    elif live.multiplier is not None:
        gives = _multiply(basket, live, places, (flags, mask))
    else:
        gives = _hand_out(basket, live, places, (flags, mask))
    if not gives:
        return None
    given.times, given.points = 1, live.bonus
    basket.given.append(given)
    return given


def _claimed(basket: Basket, live: LiveOffer, mask: int) -> list[int]:
    """Return the places of the lines of which the condition claims units."""
    view = Unclaimed(basket, mask)
    claim = live.check.claim(view)
    if claim is None:
        return []
    return sorted(claim) if claim else [place for place in basket.priced if view.available(place)]


Flags = tuple[int, int]
"""What units that are claimed are marked with, and which of them may not be claimed."""


def _take_off_one(
    basket: Basket, live: LiveOffer, place: int, flags_and_mask: Flags, amount_left: int
) -> Given | None:
    """Take a discount off the units of a single line; return what was given, None as `give_at_once` does."""
    flags, mask = flags_and_mask
    runs = basket.units(place)
    if len(runs) == 1:
        count, left, old, _times = runs[0]
        if old & mask:
            return None
        share = (
            live.total(count * left)
            if live.total is not None
            else count * live.per_unit(left, basket.lines.measures[place])  # type: ignore[misc]
        )
    else:
        share = _share_of(live, runs, mask, None)  # a line of several units is not weighed
    if not 0 < share <= amount_left:
        if share > amount_left:
            basket.refused[live.rank] = BUDGET
        return None
    basket.changed(live.rank)[place] = (
        _reduced_alike(runs[0], share, flags)
        if len(runs) == 1
        else _reduced(runs, share, live, flags_and_mask)
    )
    basket.net[place] -= share
    given = Given(live, 1, share)
    given.per_line[place] = share
    basket.given.append(given)
    return given


def _share_of(live: LiveOffer, runs: list[Run], mask: int, measure: int | None) -> int:
    """Return what comes off the units of one line that may be claimed."""
    if live.total is not None:
        return live.total(sum([run[0] * run[1] for run in runs if not run[2] & mask]))
    assert live.per_unit is not None
    off = live.per_unit
    return sum([run[0] * off(run[1], measure) for run in runs if not run[2] & mask])


def _take_off(
    basket: Basket, given: Given, places: Sequence[int], flags_and_mask: Flags, amount_left: int
) -> bool:
    """Take a discount off the units of lines; return whether there was one, and enough was left for it."""
    live, (flags, mask) = given.live, flags_and_mask
    units = [basket.units(place) for place in places]
    if live.per_unit is None:
        shares = _shares(live, units, mask)
    else:
        measures = basket.lines.measures
        shares = [
            _share_of(live, runs, mask, measures[place]) for place, runs in zip(places, units, strict=True)
        ]
    given.amount = amount = sum(shares)
    if amount > amount_left:
        basket.refused[live.rank] = BUDGET
    if not 0 < amount <= amount_left:
        return False
    net, changed = basket.net, basket.changed(live.rank)
    for place, runs, share in zip(places, units, shares, strict=True):
        if len(runs) > 1:
            changed[place] = _reduced(runs, share, live, flags_and_mask)
        elif not runs[0][2] & mask:
            changed[place] = _reduced_alike(runs[0], share, flags)
        if share:
            given.per_line[place] = share
            net[place] -= share
    return True


def _shares(live: LiveOffer, units: list[list[Run]], mask: int) -> list[int]:
    """Return what comes off each line of one amount off them all; [0, ...] when that is nothing."""
    assert live.total is not None
    lefts = [
        (0 if runs[0][2] & mask else runs[0][0] * runs[0][1])
        if len(runs) == 1
        else sum([run[0] * run[1] for run in runs if not run[2] & mask])
        for runs in units
    ]
    if len(lefts) == 1:
        return [live.total(lefts[0])]
    amount = live.total(sum(lefts))
    return split_largest_remainder(amount, lefts) if amount else [0] * len(lefts)


def _reduced_alike(run: Run, share: int, flags: int) -> list[Run]:
    """Return units that were alike with `share` off them: the first ones bear the cents that cannot be divided."""
    count, left, old, times = run
    flags |= old
    if not share:
        return [(count, left, flags, times)]
    each, more = divmod(share, count)
    less = (count - more, left - each, flags | DISCOUNTED if each else flags, times)
    return [(more, left - each - 1, flags | DISCOUNTED, times), less] if more else [less]


def _reduced(runs: list[Run], share: int, live: LiveOffer, flags_and_mask: Flags) -> list[Run]:
    """Return a line's units with `share` off those that may be claimed."""
    flags, mask = flags_and_mask
    pieces = [(run[0], run[1]) for run in runs if not run[2] & mask]
    if not share:
        offs = [[(count, 0)] for count, _left in pieces]
    elif live.per_unit is None:
        offs = share_over_units(share, pieces)
    else:
        # A line of several units is not weighed.
        offs = [[(count, live.per_unit(left, None))] for count, left in pieces]
    parts = iter(offs)
    made: list[Run] = []
    for run in runs:
        _count, left, old, times = run
        if old & mask:
            made.append(run)
            continue
        flag = old | flags
        made += [(many, left - off, flag | DISCOUNTED if off else flag, times) for many, off in next(parts)]
    return made


def _multiply(basket: Basket, live: LiveOffer, places: Sequence[int], flags_and_mask: Flags) -> bool:
    """Let units earn more points; return whether any earns more than before."""
    (flags, mask), gains = flags_and_mask, False
    made: dict[int, list[Run]] = {}
    for place in places:
        made[place] = []
        for run in basket.units(place):
            count, left, old, times = run
            if old & mask:
                made[place].append(run)
                continue
            more = live.multiplied(times)
            gains = gains or more != times
            made[place].append((count, left, old | flags, more))
    if gains:
        runs = basket.changed(live.rank)
        for place, units in made.items():
            runs[place] = units
    return gains


def _hand_out(basket: Basket, live: LiveOffer, places: Sequence[int], flags_and_mask: Flags) -> bool:
    """Mark the units for which something is given that takes nothing off; return whether anything is given."""
    if live.points is not None and live.points <= 0:
        return False
    flags, mask = flags_and_mask
    if flags:
        runs = basket.changed(live.rank)
        for place in places:
            runs[place] = [
                run if run[2] & mask else (run[0], run[1], run[2] | flags, run[3])
                for run in basket.units(place)
            ]
    return True

"""
Offers that take all units of what they are about at once: so much off a whole basket, points on a department.

There is one application, and it leaves nothing for another. It comes to what `rewards.applying` would give by a plan, by a
shorter way: no unit has to be chosen. Pure.
"""

from collections.abc import Sequence

from rewards.benefits import Shares, Worked, shared, unit_by_unit
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import BUDGET, Basket, Given, Unclaimed, masks
from rewards.units import CLOSED, DISCOUNTED, Run


def give_at_once(basket: Basket, live: LiveOffer, amount_left: int) -> Given | None:
    """Give what `live` gives and return it; None, with nothing given, where that is nothing or more than `amount_left`."""
    mask = masks(basket, live)[0]
    view = Unclaimed(basket, mask)
    claim = live.check.claim(view)
    if claim is None:
        return None
    places = sorted(claim) if claim else [place for place in basket.priced if view.available(place)]
    if not places:
        return None
    given = Given(live)
    given.times, given.points = 1, live.points or 0
    if live.discounts:
        gives = _take_off(basket, given, places, mask, amount_left)
    elif live.multiplier is not None:
        gives = _multiply(basket, live, places, mask)
    else:
        gives = _hand_out(basket, live, places, mask)
    if not gives:
        return None
    basket.given.append(given)
    return given


def _flags(basket: Basket, live: LiveOffer) -> int:
    """Return what the units of an offer are marked with."""
    return (basket.flag_of(live.group) if live.group else 0) | (0 if live.stackable else CLOSED)


def _take_off(basket: Basket, given: Given, places: Sequence[int], mask: int, amount_left: int) -> bool:
    """Take a discount off the units of lines; return whether there was one, and enough was left for it."""
    live = given.live
    found = _discounts(basket, live, places, mask)
    given.amount = sum([off for _shares, off in found])
    if given.amount > amount_left:
        basket.refused[live.rank] = BUDGET
    if not 0 < given.amount <= amount_left:
        return False
    flags, net = _flags(basket, live), basket.net
    changed = basket.changed(live.rank)
    for place, (shares, amount) in zip(places, found, strict=True):
        made: list[Run] = []
        pieces = iter(shares)
        for run in basket.units(place):
            _count, left, old, times = run
            if old & mask:
                made.append(run)
                continue
            flag = old | flags
            made += [
                (many, left - off, flag | DISCOUNTED if off else flag, times) for many, off in next(pieces)
            ]
        changed[place] = made
        if amount:
            given.per_line[place] = amount
            net[place] -= amount
    return True


def _discounts(basket: Basket, live: LiveOffer, places: Sequence[int], mask: int) -> list[tuple[Shares, int]]:
    """Return for every line what comes off each of its runs that may be claimed, and in all."""
    worked = []
    for place in places:
        line, runs = basket.lines[place], basket.runs[place]
        pieces = (
            [(line.count, line.left)]
            if runs is None
            else [(run[0], run[1]) for run in runs if not run[2] & mask]
        )
        worked.append(Worked(place, line.measure, pieces))
    if live.total is not None:
        offs = shared(worked, live.total)
    else:
        assert live.per_unit is not None
        offs = unit_by_unit(worked, live.per_unit)
    return [(shares, sum([count * off for piece in shares for count, off in piece])) for shares in offs]


def _hand_out(basket: Basket, live: LiveOffer, places: Sequence[int], mask: int) -> bool:
    """Mark the units for which something is given that takes nothing off; return whether anything is given."""
    if live.points is not None and live.points <= 0:
        return False
    if flags := _flags(basket, live):
        runs = basket.changed(live.rank)
        for place in places:
            runs[place] = [
                run if run[2] & mask else (run[0], run[1], run[2] | flags, run[3])
                for run in basket.units(place)
            ]
    return True


def _multiply(basket: Basket, live: LiveOffer, places: Sequence[int], mask: int) -> bool:
    """Let units earn more points; return whether any earns more than before."""
    flags, gains = _flags(basket, live), False
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

"""
One offer at a time on a basket: planned, then given, again and again while its condition holds.

An application is planned on what the offer may still claim. When the units of its runs would allow the same
application several times more, all of these are given at once; so a line of 100,000 pieces costs no more than one of ten.
Pure.
"""

from collections.abc import Mapping

from rewards.at_once import give_at_once
from rewards.benefits import Worked, shared, unit_by_unit
from rewards.bundles import Bundles, Found, claimable, give_on_one_line
from rewards.carts import Left
from rewards.planning import Plan, planned
from rewards.ready_offers import WITHOUT_END, LiveOffer
from rewards.standing_basket import BUDGET, USES, Basket, Claimable, Given
from rewards.units import DISCOUNTED, ONE, Run

MOST_PLANNED = 20_000
"""Applications planned one by one on a basket; more stop the offer, and the evaluation says so."""
MOST_STEPS = 400_000
"""Runs of units looked at on a basket before no further offer is tried."""


def apply_one(basket: Basket, live: LiveOffer, lefts: Mapping[str, Left]) -> Given | None:
    """Give what `live` gives, as often as it may, and return it; None, with nothing changed, where it gives nothing."""
    if live.plain is not None:
        return give_at_once(basket, live, WITHOUT_END)
    if live.worth is not None and basket.gross_of(live.worth[0]) < live.worth[1]:
        return None
    found = claimable(basket, live) if live.alone else None
    if not found and (found is not None or (live.needed is not None and not may_suffice(basket, live))):
        return None
    left = lefts.get(live.code)
    times_left, amount_left = live.per_receipt, WITHOUT_END
    if live.counted or left is not None:
        times_left, amount_left = allowance(live, left)
    if times_left <= 0:
        _note_limit(basket, live)
        return None
    most = min(times_left, live.most)
    if found is not None and len(found) == 1:
        given = (
            None if _is_too_much(basket, live) else give_on_one_line(basket, live, found, most, amount_left)
        )
    else:
        given = _apply_again_and_again(basket, live, found, most, amount_left)
    if given is not None and given.times >= most:
        if times_left > live.most:
            basket.notes.append(("stopped", live.code))
        elif given.times != live.limits.per_receipt:
            _note_limit(basket, live)
    return given


def _apply_again_and_again(
    basket: Basket, live: LiveOffer, found: Found | None, times_left: int, amount_left: int
) -> Given | None:
    if live.at_once:
        return None if _is_too_much(basket, live) else give_at_once(basket, live, amount_left)
    if found is not None:
        return _give_bundles(Bundles(basket, live, found), times_left, amount_left)
    return _give_by_plans(Claimable(basket, live), live, times_left, amount_left)


def _give_bundles(bundles: Bundles, times_left: int, amount_left: int) -> Given | None:
    live, given, basket = bundles.live, bundles.given, bundles.basket
    while given.times < times_left and bundles.there >= bundles.size:
        if _is_too_much(basket, live):
            break
        takes = bundles.takes()
        shares = bundles.shares(takes)
        amount = sum([off for _worked, off in shares.values()])
        if not (amount if live.discounts else bundles.gives(shares)):
            break
        if amount > amount_left - given.amount:
            basket.refused[live.rank] = BUDGET
            break
        repeats = min(bundles.repeats(takes), times_left - given.times)
        if amount and repeats > 1:
            repeats = min(repeats, (amount_left - given.amount) // amount)
        bundles.give(takes, shares, repeats)
    return bundles.settle() if given.times else None


def _is_too_much(basket: Basket, live: LiveOffer) -> bool:
    """Count one more application that is worked out; return whether that is more than a basket gets."""
    if basket.planned >= MOST_PLANNED or basket.steps >= MOST_STEPS:
        basket.notes.append(("stopped", live.code))
        return True
    basket.planned += 1
    basket.effort += 1
    return False


def _give_by_plans(view: Claimable, live: LiveOffer, times_left: int, amount_left: int) -> Given | None:
    given = Given(live)
    while given.times < times_left and not _is_too_much(view.basket, live):
        plan = planned(view, live)
        if plan is None or not _give(view, plan, given, times_left - given.times, amount_left):
            break
        if plan.once or (live.alone and not view.suffices(*live.needed)):  # type: ignore[misc]
            break
    if not given.times:
        return None
    _settle(view, live, given)
    return given


def _note_limit(basket: Basket, live: LiveOffer) -> None:
    """Remember that uses that were counted before stopped an offer; its limit per receipt is no news."""
    if live.counted:
        basket.refused[live.rank] = USES


def may_suffice(basket: Basket, live: LiveOffer) -> bool:
    """Return whether there are as many units that `live` may claim as the first part of its condition needs."""
    assert live.needed is not None
    select, needed = live.needed
    mask = live.mask
    counts, measures, runs = basket.lines.counts, basket.lines.measures, basket.runs
    for place in basket.matching.get(select, ()):
        units, count, measure = runs[place], counts[place], measures[place]
        if units is not None and mask:
            count = sum([run[0] for run in units if not run[2] & mask])
        needed -= count * ONE if measure is None else count * measure
        if needed <= 0:
            return True
    return False


def allowance(live: LiveOffer, left: Left | None) -> tuple[int, int]:
    """Return how many applications, and how much discount, the limits of an offer still allow."""
    limits = live.limits
    times = live.per_receipt
    left = left or Left()
    if left.times is not None:
        times = min(times, left.times)
    if not live.counted:
        return times, WITHOUT_END
    for limit, rest in (
        (limits.uses, left.uses),
        (limits.per_member_day, left.member_day),
        (limits.per_member, left.member),
        (limits.per_store_day_uses, left.store_day_uses),
        (limits.per_store_week_uses, left.store_week_uses),
    ):
        if limit is not None:
            times = min(times, limit if rest is None else rest)
    amount = WITHOUT_END
    for limit, rest in (
        (limits.amount, left.amount),
        (limits.per_store_day_amount, left.store_day_amount),
        (limits.per_store_week_amount, left.store_week_amount),
    ):
        if limit is not None:
            amount = min(amount, limit if rest is None else rest)
    return times, amount


def spent_by_shopper(live: LiveOffer, left: Left | None) -> bool:
    """Return whether it is the shopper's own use that leaves nothing of an offer."""
    limits = live.limits
    return left is not None and (
        (limits.per_member_day is not None and left.member_day is not None and left.member_day <= 0)
        or (limits.per_member is not None and left.member is not None and left.member <= 0)
    )


def _give(view: Claimable, plan: Plan, given: Given, times_left: int, amount_left: int) -> bool:
    """Give a planned application, as often as the units alike allow it; return whether it gave something."""
    live, basket = given.live, view.basket
    offs = _discounts(view, plan, live)
    if live.discounts:
        if not offs:
            return False
    elif not _gives(view, plan, live):
        return False
    amount = sum(count * off for line in offs.values() for piece in line for count, off in piece)
    if amount > amount_left - given.amount:
        basket.refused[live.rank] = BUDGET
        return False
    repeats = _repeats(view, plan, live)
    if repeats > 1:
        repeats = min(repeats, times_left, (amount_left - given.amount) // amount if amount else repeats)
    given.times += repeats
    given.amount += amount * repeats
    given.points += live.bonus * repeats
    for place, takes in plan.takes.items():
        off = _put(view, live, place, takes=takes, offs=offs.get(place), repeats=repeats)
        if off:
            given.per_line[place] = given.per_line.get(place, 0) + off
    return True


def _discounts(view: Claimable, plan: Plan, live: LiveOffer) -> dict[int, list[list[tuple[int, int]]]]:
    """Return by place what comes off each worked piece of its units; empty when that is nothing."""
    if not live.discounts:
        return {}
    measures, pools = view.basket.lines.measures, view.pools
    worked = []
    for place in plan.takes:
        if place in plan.worked:
            runs = pools[place].runs
            pieces = [(count, runs[slot][1]) for slot, count, works in plan.takes[place] if works]
            worked.append(Worked(place, measures[place], pieces))
    if live.total is not None:
        offs = shared(worked, live.total)
    else:
        assert live.per_unit is not None
        offs = unit_by_unit(worked, live.per_unit)
    return {line.place: off for line, off in zip(worked, offs, strict=True)} if offs else {}


def _gives(view: Claimable, plan: Plan, live: LiveOffer) -> bool:
    """Return whether a benefit that is no discount gives something: points at all, or more of them than before."""
    if live.multiplier is None:
        return live.points is None or live.points > 0
    return any(
        works and live.multiplied(view.pools[place].runs[slot][3]) != view.pools[place].runs[slot][3]
        for place, takes in plan.takes.items()
        for slot, _count, works in takes
    )


def _repeats(view: Claimable, plan: Plan, live: LiveOffer) -> int:
    """Return how often this very application can be given in a row, because units of the same runs are left for it."""
    if plan.once or not live.repeatable:
        return 1
    if len(plan.takes) == 1:
        (place,) = plan.takes
        takes = plan.takes[place]
        if len(takes) == 1:
            return view.pools[place].rest[takes[0][0]] // takes[0][1]
    most = WITHOUT_END
    for place, takes in plan.takes.items():
        taken: dict[int, int] = {}
        for slot, count, _works in takes:
            taken[slot] = taken.get(slot, 0) + count
        rest = view.pools[place].rest
        most = min(most, *(rest[slot] // count for slot, count in taken.items()))
        if len(taken) > 1:
            return 1
    return most


def _put(
    view: Claimable,
    live: LiveOffer,
    place: int,
    *,
    takes: list[tuple[int, int, bool]],
    offs: list[list[tuple[int, int]]] | None,
    repeats: int,
) -> int:
    """Make of the taken units what they are now; return what came off them."""
    pool, off_here = view.pools[place], 0
    flags = live.flags
    made: dict[int, list[Run]] = {}
    taken: dict[int, int] = {}
    worked = 0
    for slot, count, works in takes:
        _count, left, before, times = pool.runs[slot]
        into = made.setdefault(slot, [])
        taken[slot] = taken.get(slot, 0) + count
        if not works or (offs is None and live.multiplier is None):
            into.append((count, left, before | flags, times))
        elif offs is None:
            into.append((count, left, before | flags, live.multiplied(times)))
        else:
            for many, off in offs[worked]:
                flag = before | flags | (DISCOUNTED if off else 0)
                into.append((many, left - off, flag, times))
                off_here += many * off
            worked += 1
    for slot, runs in made.items():
        pattern = runs if len(runs) == 1 else _merged(runs)
        if repeats > 1:
            alike = len(pattern) == 1
            pattern = [(pattern[0][0] * repeats, *pattern[0][1:])] if alike else pattern * repeats
        view.basket.worked_on(len(pattern))
        pool.put(slot, pattern, taken[slot] * repeats)
    return off_here * repeats


def _merged(runs: list[Run]) -> list[Run]:
    merged: list[Run] = []
    for run in runs:
        if merged and merged[-1][1:] == run[1:]:
            merged[-1] = (merged[-1][0] + run[0], *run[1:])
        else:
            merged.append(run)
    return merged


def _settle(view: Claimable, live: LiveOffer, given: Given) -> None:
    """Write what an offer gave into the basket."""
    basket = view.basket
    basket.given.append(given)
    for place, off in given.per_line.items():
        basket.net[place] -= off
    if live.add_up and not live.flags:
        return
    before = basket.runs
    basket.history.append((live.rank, before))
    basket.runs = before.copy()
    for place, pool in view.pools.items():
        if pool.made:
            basket.runs[place] = pool.result()

"""
The usual offer on the usual basket: so much off all units of something, each line's units still alike.

It comes to what `rewards.applying` would give in one application, by a shorter way; where a line's units differ, it leaves
the offer to that. Most offers of a chain are of this kind, so this is where a quote's time goes. Pure.
"""

from core.money import split_largest_remainder
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import Basket, Given
from rewards.units import CLOSED, DISCOUNTED, Run

Found = list[tuple[int, Run]]


def alike(basket: Basket, select: int) -> Found | None:
    """Return the lines that a selection matches, by place, each with its one run; None when a line's units differ."""
    found: Found = []
    lines, all_runs = basket.lines, basket.runs
    for place in basket.matching.get(select, ()):
        runs = all_runs[place]
        if runs is None:
            line = lines[place]
            found.append((place, (line.count, line.left, 0, None)))
        elif len(runs) == 1:
            found.append((place, runs[0]))
        else:
            return None
    return found


def apply_plain(basket: Basket, live: LiveOffer, found: Found) -> Given | None:
    """Give what `live` gives on the lines that are `found`; None, with nothing changed, where that is nothing."""
    flags = basket.flag_of(live.group) if live.group else 0
    mask = flags | CLOSED
    if not live.stackable:
        flags |= CLOSED
        mask |= DISCOUNTED
    if len(found) > 1:
        found = [each for each in found if not each[1][2] & mask]
    elif not found or found[0][1][2] & mask:
        return None
    shares = _shares(basket, live, found)
    if not any(shares):
        return None
    given = Given(live)
    given.times = 1
    per_line, net = given.per_line, basket.net
    runs = basket.changed(live.rank)
    for (place, run), share in zip(found, shares, strict=True):
        count, left, old, times = run
        flag = old | flags
        if not share:
            runs[place] = [(count, left, flag, times)]
            continue
        each, more = divmod(share, count)
        less = (count - more, left - each, flag | DISCOUNTED if each else flag, times)
        runs[place] = [(more, left - each - 1, flag | DISCOUNTED, times), less] if more else [less]
        per_line[place] = share
        net[place] -= share
    given.amount = sum(shares)
    basket.given.append(given)
    return given


def _shares(basket: Basket, live: LiveOffer, found: Found) -> list[int]:
    """Return what comes off each line."""
    if live.per_unit is not None:
        lines, off = basket.lines, live.per_unit
        return [run[0] * off(run[1], lines[place].measure) for place, run in found]
    assert live.total is not None
    if len(found) == 1:
        run = found[0][1]
        return [live.total(run[0] * run[1])]
    lefts = [run[0] * run[1] for _place, run in found]
    amount = live.total(sum(lefts))
    return split_largest_remainder(amount, lefts) if amount > 0 else []

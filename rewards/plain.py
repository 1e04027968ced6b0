"""
The usual offer on the usual basket: so much off all units of something, each line's units still alike.

It comes to what `rewards.applying` would give in one application, by a shorter way; where a line's units differ, it leaves
the offer to that. Most offers of a chain are of this kind, so this is where a quote's time goes. Pure.
"""

from core.money import split_largest_remainder
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import Basket, Given, masks
from rewards.units import CLOSED, DISCOUNTED, Run

Found = list[tuple[int, Run]]


def alike(basket: Basket, select: int) -> Found | None:
    """Return the lines that a selection matches, each with its one run; None when a line's units differ."""
    found: Found = []
    for place in basket.lines_of(select):
        runs = basket.runs[place]
        if runs is None:
            line = basket.lines[place]
            found.append((place, (line.count, line.left, 0, None)))
        elif len(runs) == 1:
            found.append((place, runs[0]))
        else:
            return None
    found.sort()
    return found


def apply_plain(basket: Basket, live: LiveOffer, found: Found) -> Given | None:
    """Give what `live` gives on the lines that are `found`; None, with nothing changed, where that is nothing."""
    mask, _open = masks(basket, live)
    if mask:
        found = [each for each in found if not each[1][2] & mask]
    shares = _shares(basket, live, found)
    if not any(shares):
        return None
    given = Given(live)
    given.times = 1
    flags = (basket.flag_of(live.group) if live.group else 0) | (0 if live.stackable else CLOSED)
    before = basket.runs
    basket.history.append((live.rank, before))
    basket.runs = runs = before.copy()
    for (place, run), share in zip(found, shares, strict=True):
        if not share:
            runs[place] = [(run[0], run[1], run[2] | flags, run[3])]
            continue
        count, left, old, times = run
        each, more = divmod(share, count)
        less = (count - more, left - each, old | flags | (DISCOUNTED if each else 0), times)
        runs[place] = [(more, left - each - 1, old | flags | DISCOUNTED, times), less] if more else [less]
        given.per_line[place] = share
        given.amount += share
        basket.net[place] -= share
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

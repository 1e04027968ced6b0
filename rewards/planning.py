"""The next application of an offer: which units its condition claims, and on which its benefit works. Pure."""

from typing import NamedTuple

from rewards.conditions import Claim
from rewards.offers import CHEAPEST
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import Claimable


class Plan(NamedTuple):
    """An application: the units it takes by place, the lines it works on, and whether it is the only one."""

    takes: dict[int, list[tuple[int, int, bool]]]
    worked: dict[int, int]
    once: bool


def planned(view: Claimable, live: LiveOffer) -> Plan | None:
    """Return the next application; None where the condition does not hold, or the benefit finds nothing to work on."""
    claim = live.check.claim(view)
    if claim is None:
        return None
    own, once = live.select is not None, False
    if not claim and not own:
        claim = {place: count for place in view.basket.priced if (count := view.available(place))}
        once = True
    worked = _worked(view, live, claim)
    if not worked:
        return None
    places = sorted(claim.keys() | worked.keys())
    takes = {
        place: view.pool(place).take(claim.get(place, 0), worked.get(place, 0), own=own) for place in places
    }
    return Plan(takes, worked, once)


def _worked(view: Claimable, live: LiveOffer, claim: Claim) -> Claim:
    """Return on how many units of which line the benefit works."""
    if live.select is None:
        units = claim
    else:
        units = {
            place: count
            for place in view.lines(live.select)
            if (count := view.pool(place).open_after(claim.get(place, 0)))
        }
    if live.nth is None or not units:
        return units
    prices, left, sign = view.basket.lines.prices, live.nth.count, 1 if live.nth.which == CHEAPEST else -1
    chosen: Claim = {}
    for place in sorted(units, key=lambda place: (sign * prices[place], place)):
        chosen[place] = min(units[place], left)
        left -= chosen[place]
        if not left:
            break
    return chosen

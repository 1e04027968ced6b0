"""What a rehearsal is reported as: figures by day, store and people, of whom nothing is told about fewer than ten. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from statistics import median_low
from typing import Any, Final

from rewards.rehearsals.sums import CELL, MARGIN, OfferSums

FEWEST: Final = 10
"""Nothing is told about fewer people than this."""
WORST: Final = 20
"""So many articles and companions are listed, the worst or most frequent first."""


def offer_results(
    sums: OfferSums, *, stores: Mapping[int, str], articles: Mapping[int, str], budget: Mapping[str, Any]
) -> dict[str, Any]:
    """
    Return what one offer came to as JSON; stores and articles by their codes.

    `budget` is what became of its limits. Amounts are in minor units; `cost` is what the baskets come to less than
    with the live offers alone, where `discount` is what the offer itself gives.
    """
    before, after, past = sums.net
    return {
        **{name: sums.total(name) for name in CELL},
        "net_before": before,
        "net_after": after,
        "cost": before - after,
        "past_discount": past,
        "days": _by(sums, "day", lambda cell: cell[1].isoformat()),
        "stores": _by(sums, "store_code", lambda cell: stores[cell[0]]),
        "gifts": [{"reward_code": code, "quantity": count} for code, count in sorted(sums.gifts.items())],
        "vouchers": [{"batch": code, "count": count} for code, count in sorted(sums.vouchers.items())],
        "beside": _beside(sums),
        "winners": winners(sums),
        "budget": dict(budget),
        "margin": _margin(sums, articles),
    }


def _by(sums: OfferSums, name: str, label: Callable[[tuple[int, date]], str]) -> list[dict[str, Any]]:
    found: dict[str, list[int]] = defaultdict(lambda: [0] * len(CELL))
    for place_and_day, cell in sums.cells.items():
        of = found[label(place_and_day)]
        for place, value in enumerate(cell):
            of[place] += value
    return [{name: key, **dict(zip(CELL, found[key], strict=True))} for key in sorted(found)]


def _beside(sums: OfferSums) -> list[dict[str, Any]]:
    ordered = sorted(sums.beside.items(), key=lambda pair: (-pair[1][0], pair[0]))
    return [
        {"offer_code": code, "baskets": baskets, "discount": own, "other_discount": other}
        for code, (baskets, own, other) in ordered[:WORST]
    ]


def _margin(sums: OfferSums, articles: Mapping[int, str]) -> dict[str, Any]:
    worst = sorted(sums.losing.items(), key=lambda pair: (-pair[1][1], pair[0]))[:WORST]
    return {
        **dict(zip(MARGIN, sums.margin, strict=True)),
        "articles": [{"sku": articles[key], "lines": lines, "lack": lack} for key, (lines, lack) in worst],
    }


def winners(sums: OfferSums) -> dict[str, Any]:
    """
    Return who gains most: how many people, the gain in the middle, what the best tenth has, bands, and groups.

    With fewer than ten people only that is said. Groups with fewer are put together with those of no group,
    bands with their neighbours.
    """
    taken = [(number, baskets, gain) for number, baskets, gain in sums.takers if gain > 0]
    if len(taken) < FEWEST:
        return {"accounts": None, "fewest": FEWEST, "groups": [], "bands": []}
    gains = sorted(gain for _, _, gain in taken)
    best = gains[-(len(gains) // FEWEST or 1) :]
    return {
        "accounts": len(gains),
        "fewest": FEWEST,
        "gain": sum(gains),
        "median": median_low(gains),
        "best_tenth": {"accounts": len(best), "gain": sum(best)} if len(best) >= FEWEST else None,
        "groups": _groups(sums, taken),
        "bands": bands(gains),
    }


def _groups(sums: OfferSums, taken: Iterable[tuple[int, int, int]]) -> list[dict[str, Any]]:
    found: dict[str | None, list[int]] = defaultdict(lambda: [0, 0, 0])
    for number, baskets, gain in taken:
        group = found[sums.people.groups[number]]
        group[0] += 1
        group[1] += baskets
        group[2] += gain
    for group_id in [key for key, (people, *_) in found.items() if key is not None and people < FEWEST]:
        small = found.pop(group_id)
        found[None] = [one + other for one, other in zip(found[None], small, strict=True)]
    # One small group alone would be told by what is left over.
    if 0 < found[None][0] < FEWEST:
        del found[None]
    rows = [
        {"group_id": key, "accounts": people, "baskets": baskets, "gain": gain}
        for key, (people, baskets, gain) in found.items()
        if people
    ]
    return sorted(rows, key=lambda row: (-int(row["gain"] or 0), str(row["group_id"])))


def bands(gains: Sequence[int]) -> list[dict[str, int]]:
    """
    Return how many people gain how much, in bands [from, to) that grow as 1, 2, 5, 10 do; `gains` ascend.

    A band with fewer than ten people is joined to the next one, the last to the one before it.
    """
    edges = _edges(gains[-1])
    rows: list[dict[str, int]] = []
    start = place = 0
    for edge in edges:
        count = 0
        while place + count < len(gains) and gains[place + count] < edge:
            count += 1
        if count >= FEWEST or edge == edges[-1]:
            rows.append(
                {"from": start, "to": edge, "accounts": count, "gain": sum(gains[place : place + count])}
            )
            start = edge
            place += count
    if len(rows) > 1 and rows[-1]["accounts"] < FEWEST:
        last = rows.pop()
        for name in ("accounts", "gain"):
            rows[-1][name] += last[name]
        rows[-1]["to"] = last["to"]
    return rows


def _edges(highest: int) -> list[int]:
    edges = [100]
    while edges[-1] <= highest:
        edges += [edges[-1] * 2, edges[-1] * 5, edges[-1] * 10]
    return [edge for number, edge in enumerate(edges) if number == 0 or edges[number - 1] <= highest]

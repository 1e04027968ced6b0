"""
A map of the themes: items as places, ties as roads, each theme an island.

The layout is worked out once and by rule, without chance, so that the same run gives the same map.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

STRONGEST: Final = 3
"""Ties drawn of each item, unless all are asked for."""

_ROUNDS: Final = 160
_ITEM_SPACE: Final = 1.0
_SEA: Final = 2.0
"""Free water between two islands."""
_STEPS: Final = 72
_WIDER: Final = 1.6
"""Screens are wider than high, so islands lie farther apart from left to right."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tie:
    """A rule between two items, with its evidence."""

    rule_number: int
    first: str
    second: str
    count: int
    households: int
    adjusted_lift: float
    group_id: str | None

    @property
    def weight(self) -> float:
        """How much it pulls: log(adjusted lift) · √count, as where themes are cut."""
        return max(0.0, float(np.log(self.adjusted_lift))) * sqrt(self.count)


@dataclass(frozen=True, slots=True)
class Place:
    """An item on the map: its theme, the baskets that hold it, and where it lies."""

    item: str
    group_id: str
    baskets: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Island:
    """A theme on the map: a round piece of land around (x, y)."""

    group_id: str
    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class ThemeMap:
    """Everything that is drawn, ties by weight, the heaviest first."""

    islands: tuple[Island, ...]
    places: tuple[Place, ...]
    ties: tuple[Tie, ...]


def draw_map(
    themes: Mapping[str, Sequence[str]], baskets: Mapping[str, int], ties: Sequence[Tie]
) -> ThemeMap:
    """
    Return the map of `themes` (items by group), with the `ties` between their items.

    Large themes lie in the middle; items that are tied lie close. Ties to items of no theme are left out.
    """
    theme_of = {item: group for group, items in themes.items() for item in items}
    kept = sorted(
        (tie for tie in ties if tie.first in theme_of and tie.second in theme_of),
        key=lambda tie: (-tie.weight, tie.rule_number),
    )
    order = sorted(
        (group for group in themes if themes[group]), key=lambda group: (-len(themes[group]), group)
    )
    radii = {group: _ITEM_SPACE * sqrt(len(themes[group])) for group in order}
    centres = _scatter(order, radii, kept, theme_of)
    places: list[Place] = []
    for group in order:
        items = list(themes[group])
        inside = [tie for tie in kept if theme_of[tie.first] == theme_of[tie.second] == group]
        spots = _spread(items, inside) * radii[group]
        x, y = centres[group]
        places += [
            Place(item, group, baskets.get(item, 0), round(float(x + dx), 4), round(float(y + dy), 4))
            for item, (dx, dy) in zip(items, spots, strict=True)
        ]
    islands = tuple(
        Island(group, round(x, 4), round(y, 4), round(radii[group], 4)) for group, (x, y) in centres.items()
    )
    return ThemeMap(islands, tuple(places), tuple(kept))


def strongest(ties: Sequence[Tie], each: int = STRONGEST) -> tuple[Tie, ...]:
    """Return those `ties` that are among the `each` heaviest of one of their items, in their order."""
    seen: dict[str, int] = {}
    kept: list[Tie] = []
    for tie in ties:
        if min(seen.get(tie.first, 0), seen.get(tie.second, 0)) < each:
            kept.append(tie)
        for item in (tie.first, tie.second):
            seen[item] = seen.get(item, 0) + 1
    return tuple(kept)


def _scatter(
    order: Sequence[str], radii: Mapping[str, float], ties: Sequence[Tie], theme_of: Mapping[str, str]
) -> dict[str, tuple[float, float]]:
    """Place the islands one by one as near to those they are tied to as there is room."""
    pulls: dict[tuple[str, str], float] = {}
    for tie in ties:
        one, other = theme_of[tie.first], theme_of[tie.second]
        for pair in ((one, other), (other, one)):
            pulls[pair] = pulls.get(pair, 0.0) + tie.weight
    centres: dict[str, tuple[float, float]] = {}
    for group in order:
        spots = [(0.0, 0.0)] if not centres else list(_free_spots(radii[group], centres, radii))
        centres[group] = min(spots, key=lambda spot: _effort(spot, group, centres, pulls))
    return centres


def _free_spots(
    radius: float, centres: Mapping[str, tuple[float, float]], radii: Mapping[str, float]
) -> list[tuple[float, float]]:
    """Return the places right beside an island where no other is in the way."""
    found: list[tuple[float, float]] = []
    for group, (x, y) in centres.items():
        reach = radii[group] + radius + _SEA
        for step in range(_STEPS):
            angle = 2 * pi * step / _STEPS
            spot = (x + reach * cos(angle), y + reach * sin(angle))
            if all(
                (spot[0] - cx) ** 2 + (spot[1] - cy) ** 2 >= (radii[other] + radius + _SEA) ** 2 - 1e-9
                for other, (cx, cy) in centres.items()
            ):
                found.append(spot)
    return found


def _effort(
    spot: tuple[float, float],
    group: str,
    centres: Mapping[str, tuple[float, float]],
    pulls: Mapping[tuple[str, str], float],
) -> float:
    """Return how far a place is from the middle, with a bonus for lying close to what it is tied to."""
    x, y = spot
    effort = (x / _WIDER) ** 2 + y**2
    total = sum(pulls.get((group, other), 0.0) for other in centres) or 1.0
    for other, (cx, cy) in centres.items():
        effort += 0.5 * pulls.get((group, other), 0.0) / total * (((x - cx) / _WIDER) ** 2 + (y - cy) ** 2)
    return effort


def _spread(items: Sequence[str], ties: Sequence[Tie]) -> Floats:
    """Return a place within the unit circle for each item: tied ones close, none on another (Fruchterman and Reingold)."""
    many = len(items)
    if many == 1:
        return np.zeros((1, 2))
    number = {item: place for place, item in enumerate(items)}
    pull = np.zeros((many, many))
    for tie in ties:
        one, other = number[tie.first], number[tie.second]
        pull[one, other] = pull[other, one] = tie.weight
    pull = np.sqrt(pull / (pull.max() or 1.0))
    angles = np.arange(many) * (pi * (3 - sqrt(5)))
    spots = np.sqrt((np.arange(many) + 0.5) / many)[:, None] * np.stack(
        [np.cos(angles), np.sin(angles)], axis=1
    )
    space = 1.2 / sqrt(many)
    for turn in range(_ROUNDS):
        between = spots[:, None, :] - spots[None, :, :]
        distance = np.maximum(np.sqrt((between**2).sum(axis=2)), 1e-3)
        push = space**2 / distance**2 - pull * distance / space
        np.fill_diagonal(push, 0.0)
        move = (between * push[:, :, None]).sum(axis=1) - 0.6 * spots
        length = np.maximum(np.sqrt((move**2).sum(axis=1)), 1e-9)
        warmth = 0.12 * (1 - turn / _ROUNDS)
        spots = spots + move / length[:, None] * np.minimum(length, warmth)[:, None]
    return _evened(spots - spots.mean(axis=0))


def _evened(spots: Floats) -> Floats:
    """Return `spots` within the unit circle, those in the crowded middle moved outwards until all have like room."""
    radii = np.sqrt((spots**2).sum(axis=1))
    ranks = np.empty(len(spots))
    ranks[np.argsort(radii, kind="stable")] = np.arange(len(spots))
    even = np.sqrt((ranks + 0.5) / len(spots))
    wanted = (radii / max(float(radii.max()), 1e-9) + 2 * even) / 3
    placed: Floats = spots * (wanted / np.maximum(radii, 1e-9))[:, None]
    room = 1.3 / sqrt(len(spots))
    for _turn in range(40):
        between = placed[:, None, :] - placed[None, :, :]
        distance = np.maximum(np.sqrt((between**2).sum(axis=2)), 1e-6)
        close = np.maximum(0.0, room - distance)
        np.fill_diagonal(close, 0.0)
        placed = placed + 0.25 * (between / distance[:, :, None] * close[:, :, None]).sum(axis=1)
    return placed

"""Shapes as if cut with scissors: straight cuts, none quite parallel, the same for the same seed."""

import hashlib
from collections.abc import Iterator
from math import cos, pi, sin

Points = list[tuple[float, float]]


def cut(width: float, height: float, seed: str, *, slack: float = 1.4, cuts: int = 2) -> str:
    """
    Return the SVG path of a sheet of `width` by `height` that stays within its box.

    Corners and the ends of each of the `cuts` along a side lie up to `slack` inside the box.
    """
    off = _offsets(seed, slack)
    corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    inward = [((0, 1), (1, 1)), ((-1, 0), (-1, 1)), ((0, -1), (-1, -1)), ((1, 0), (1, -1))]
    points: Points = []
    for side, (x, y) in enumerate(corners):
        end_x, end_y = corners[(side + 1) % 4]
        (along_x, along_y), (corner_x, corner_y) = inward[side]
        points.append((x + corner_x * next(off), y + corner_y * next(off)))
        for step in range(1, cuts):
            share = (step + (next(off) / slack - 0.5) * 0.5) / cuts
            inside = next(off) * 0.6
            points.append(
                (x + (end_x - x) * share + along_x * inside, y + (end_y - y) * share + along_y * inside)
            )
    return _path(points)


def blob(width: float, height: float, seed: str, *, sides: int = 9) -> str:
    """Return the SVG path of a rounded scrap with `sides` cuts that stays within its box."""
    off = _offsets(seed, 1.0)
    points: Points = []
    for side in range(sides):
        turn = (side + next(off) * 0.35) / sides
        reach = 0.5 * (0.86 + 0.14 * next(off))
        x, y = _direction(turn)
        points.append((width * (0.5 + reach * x), height * (0.5 + reach * y)))
    return _path(points)


def strip(width: float, height: float, seed: str, *, slack: float = 2.0, cuts: int = 6) -> str:
    """Return the SVG path of a band whose upper edge is cut by hand; the other edges are straight."""
    off = _offsets(seed, slack)
    points: Points = [(0.0, next(off))]
    points += [(width * step / cuts, next(off)) for step in range(1, cuts)]
    points += [(width, next(off)), (width, height), (0.0, height)]
    return _path(points)


def scallop(left: float, width: float, height: float, seed: str) -> str:
    """Return the SVG path of one stripe of an awning: straight above, a rounded tongue below."""
    off = _offsets(seed, 1.0)
    shoulder = height - width * (0.42 + 0.05 * next(off))
    tip = height - 0.6 * next(off)
    right = left + width
    bend = width * 0.08
    return (
        f"M{left:.2f} 0L{right:.2f} 0L{right:.2f} {shoulder:.2f}"
        f"C{right - bend:.2f} {tip + 0.6:.2f} {left + bend:.2f} {tip + 0.6:.2f} {left:.2f} {shoulder:.2f}z"
    )


def _offsets(seed: str, reach: float) -> Iterator[float]:
    """Yield numbers from 0 to `reach`, always the same for the same seed."""
    count = 0
    while True:
        for byte in hashlib.sha256(f"{seed}/{count}".encode()).digest():
            yield byte / 255 * reach
        count += 1


def _direction(turn: float) -> tuple[float, float]:
    """Return the unit vector at `turn` (1 is a whole turn)."""
    return cos(2 * pi * turn), sin(2 * pi * turn)


def _path(points: Points) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points) + "z"

"""How much each basket of a window says: those at its edges say little, so that a day that comes or goes changes little."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PEAK = 0.7
"""The place in the window, 0 being its first day and 1 its last, of the baskets that say most."""

WORTH = 1.25
"""A parabola's integral over that of its square: by it, faded baskets count as the baskets that they are worth."""

PARTS = 2**19
"""Weights are whole multiples of one over this, so that sums of them and of their squares are exact in whatever order."""


def fade(days: NDArray[np.integer], *, first: int, last: int) -> Floats:
    """
    Return the weight of baskets of these days, or weeks, of a window from `first` to `last`: 1.25 · (1 - x²).

    x is 0 at the peak, -1 and 1 at the window's edges. Of all weights parabolas (Epanechnikov 1969) change least when
    the window moves on; that the peak lies late keeps groups near to what households buy now.
    """
    place = np.clip((days - first + 0.5) / (last - first + 1), 0.0, 1.0)
    edge = np.where(place < PEAK, PEAK, 1.0 - PEAK)
    weight = WORTH * (1.0 - ((place - PEAK) / edge) ** 2)
    return np.asarray(np.maximum(np.rint(weight * PARTS), 1.0) / PARTS)


def faded(days: NDArray[np.integer]) -> Floats:
    """Return the weights of baskets whose days are all that the window holds."""
    if not len(days):
        return np.zeros(0)
    return fade(days, first=int(days.min()), last=int(days.max()))

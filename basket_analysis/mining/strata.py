"""Basket-size strata: big baskets contain everything, so chance is judged among baskets of like size."""

import numpy as np
from numpy.typing import NDArray

UPPER_SIZES = (1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 45)
"""The largest basket of each stratum, in distinct items; what is larger is the last stratum."""

STRATA = len(UPPER_SIZES) + 1


def stratum_of(sizes: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return the stratum 0..11 of each basket size."""
    return np.searchsorted(UPPER_SIZES, sizes).astype(np.int32)


def stratum_sizes(strata: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return how many baskets each stratum holds."""
    return np.bincount(strata, minlength=STRATA).astype(np.int64)

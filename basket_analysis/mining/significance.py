"""
What is more than chance: expected counts within size strata, z scores and Benjamini-Hochberg.

Almost every pair has a lift above 1, because big baskets contain everything. So two things are
taken to be independent only among baskets of like size; with n_s baskets in stratum s,

    E = Σ_s n_s · p_A(s) · p_C(s)        V = Σ_s n_s · p_A(s) · p_C(s) · (1 - p_A(s) · p_C(s))

and adjusted lift is count / E, z is (count - E) / √V.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.mining.compiled import compiled
from basket_analysis.mining.itemsets import Int32s, Int64s

Floats = NDArray[np.float64]

PAIRS_IN_MEMORY = 1 << 25
"""Up to so many pairs of items are ranked exactly; beyond, the unlikely half of q values is rounded."""

TAIL_BINS = 1 << 20
BLOCK_CELLS = 1 << 22
"""So many cells are counted in one walk over the baskets."""

CELLS_AT_ONCE = 1 << 19
"""So many of them are judged at once: that takes a hundred bytes for each."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected counts of some splits A → C under chance within strata, and their variances."""

    mean: Floats
    variance: Floats


@compiled
def _expect(  # noqa: PLR0917 - numba takes arrays, not objects
    strata: Int32s, antecedents: Int64s, consequents: Int64s, sizes: Int64s, mean: Floats, variance: Floats
) -> None:
    for row in range(len(antecedents)):
        for stratum in range(len(sizes)):
            size = float(sizes[stratum])
            both = float(strata[antecedents[row], stratum]) * float(strata[consequents[row], stratum])
            if both > 0.0:
                mean[row] += both / size
                variance[row] += both / size * (1.0 - both / (size * size))


def expect(strata: Int32s, antecedents: Int64s, consequents: Int64s, sizes: Int64s) -> Expectation:
    """Return the expectation of each split of row antecedents[i] and row consequents[i] of `strata`."""
    mean = np.zeros(len(antecedents))
    variance = np.zeros(len(antecedents))
    _expect(strata, antecedents, consequents, sizes, mean, variance)
    return Expectation(mean, variance)


def z_scores(counts: NDArray[np.integer], expectation: Expectation) -> Floats:
    """Return (count - E) / √V, 0 where there is no variance."""
    z = np.zeros(len(counts))
    spread = expectation.variance > 0
    z[spread] = (counts[spread] - expectation.mean[spread]) / np.sqrt(expectation.variance[spread])
    return z


def upper_tail(z: Floats, expectation: Expectation) -> Floats:
    """Return the probability of a normal score above `z`, 1 where there is no variance."""
    from scipy.special import ndtr  # noqa: PLC0415 - slow to import, needed by miners only

    tail: Floats = ndtr(-z)
    tail[expectation.variance <= 0] = 1.0
    return tail


class FalseDiscovery:
    """
    q values after Benjamini and Hochberg (1995): q(p) = min over p' ≥ p of p' · tests / rank of p'.

    The tests' probabilities are given as rising `values`, each so many times as `counts` says
    (once when it is not given); of equal ones the last rank counts.
    """

    def __init__(self, values: Floats, counts: Int64s | None = None) -> None:
        ranks = np.arange(1.0, len(values) + 1.0) if counts is None else np.cumsum(counts).astype(np.float64)
        tests = float(ranks[-1]) if len(ranks) else 0.0
        # In place: of many millions of tests each copy is a hundred megabytes.
        np.divide(tests, ranks, out=ranks)
        ranks *= values
        rising = ranks[::-1]
        np.minimum.accumulate(rising, out=rising)
        self._values = values
        self._least = np.minimum(ranks, 1.0, out=ranks)

    def q(self, tails: Floats) -> Floats:
        """Return the q value of each of `tails`, which are among the tests."""
        places = np.searchsorted(self._values, tails, side="left")
        least = np.ones(len(places))
        found = places < len(self._least)
        least[found] = self._least[places[found]]
        return least


PairCounter = Callable[[int, Int32s], None]
"""Fills rows with the baskets that items first, first + 1, … share with each other item; those before may stay 0."""


def pairs_of(table: BasketTable, items: Int64s) -> PairCounter:
    """Return what counts the pairs of `items`, which are codes of `table`, basket by basket."""
    ranks = np.full(len(table.items), -1, np.int32)
    ranks[items] = np.arange(len(items), dtype=np.int32)

    def count(first: int, counts: Int32s) -> None:
        _count_pairs(table.offsets, table.codes, ranks, first, counts)

    return count


def all_pairs(sizes: Int64s, strata: Int32s, count: PairCounter) -> FalseDiscovery:
    """
    Return how likely false findings are among all pairs of some items, frequent or not.

    `strata` has the counts per stratum of each of them, `sizes` those of all baskets; `count` counts the pairs.
    """
    items = len(strata)
    tests = items * (items - 1) // 2
    exact: list[Floats] = []
    bins = np.zeros(TAIL_BINS, np.int64)
    for first, last in _blocks(items, BLOCK_CELLS, end=items):
        counts = np.zeros((last - first, items), np.int32)
        count(first, counts)
        for low, high in _blocks(items, CELLS_AT_ONCE, end=last - first):
            one, other = np.triu_indices(high - low, first + low + 1, items)
            expectation = expect(strata, one + (first + low), other, sizes)
            counted = counts[low:high][one, other]
            tails = upper_tail(z_scores(counted, expectation), expectation)
            if tests > PAIRS_IN_MEMORY:
                unlikely = (tails >= 0.5) & (counted == 0)
                place = np.minimum(((tails[unlikely] - 0.5) * 2 * TAIL_BINS).astype(np.int64), TAIL_BINS - 1)
                bins += np.bincount(place, minlength=TAIL_BINS)
                tails = tails[~unlikely]
            exact.append(tails)
    ranked = np.concatenate([np.empty(0), *exact])
    exact.clear()
    ranked.sort()
    if not bins.any():
        return FalseDiscovery(ranked)
    edges = 0.5 + (np.arange(TAIL_BINS) + 1) / (2 * TAIL_BINS)
    values = np.concatenate([ranked, edges[bins > 0]])
    order = np.argsort(values, kind="stable")
    return FalseDiscovery(
        values[order], np.concatenate([np.ones(len(ranked), np.int64), bins[bins > 0]])[order]
    )


def _blocks(items: int, cells: int, *, end: int) -> Iterator[tuple[int, int]]:
    """Yield the rows before `end`, of `items` cells each, some at a time that have about so many `cells`."""
    rows = max(1, cells // max(items, 1))
    return ((first, min(first + rows, end)) for first in range(0, end, rows))


@compiled
def _count_pairs(offsets: Int64s, codes: Int32s, ranks: Int32s, first: int, counts: Int32s) -> None:
    """Count the baskets of each pair whose lower rank is first, first + 1, … as many as `counts` has rows."""
    held = np.empty(1024, np.int32)
    for basket in range(len(offsets) - 1):
        size = offsets[basket + 1] - offsets[basket]
        if size > len(held):
            held = np.empty(2 * size, np.int32)
        kept = 0
        for at in range(offsets[basket], offsets[basket + 1]):
            if ranks[codes[at]] >= first:
                held[kept] = ranks[codes[at]]
                kept += 1
        for one in range(kept):
            row = held[one] - first
            if row >= len(counts):
                break
            for other in range(one + 1, kept):
                counts[row, held[other]] += 1

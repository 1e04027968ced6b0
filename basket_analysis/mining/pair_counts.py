"""Frequent items and pairs out of a tally: what `FastMiner` would find at length two, without looking at baskets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from basket_analysis.mining.itemsets import Itemsets, Level
from basket_analysis.mining.strata import STRATA
from basket_analysis.mining.tallies import Tally

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SizeCounts:
    """Baskets by size stratum: of all, and of each code (a row each)."""

    baskets: Int64s
    items: Int32s

    def __len__(self) -> int:
        """Return the number of baskets."""
        return int(self.baskets.sum())


def size_counts(tally: Tally, numbers: Int64s) -> SizeCounts:
    """Return what `tally` says of baskets and single items; code c is called numbers[c] in it."""
    baskets = np.zeros(STRATA, np.int64)
    items = np.zeros((len(numbers), STRATA), np.int32)
    lower, higher, strata = tally.lower, tally.higher, tally.strata
    whole = (lower < 0) & (higher < 0)
    baskets[strata[whole]] = tally.counts[whole]
    single = (lower < 0) & (higher >= 0)
    codes = _codes(numbers, higher[single])
    known = codes >= 0
    items[codes[known], strata[single][known]] = tally.counts[single][known]
    return SizeCounts(baskets, items)


def _codes(numbers: Int64s, wanted: Int64s) -> Int64s:
    """Return the code of each number wanted, -1 where it is nobody's."""
    code_of = np.full(int(max(numbers.max(initial=-1), wanted.max(initial=-1))) + 2, -1, np.int64)
    code_of[numbers] = np.arange(len(numbers))
    return code_of[wanted]


@dataclass(frozen=True, slots=True)
class PairCounts:
    """
    All pairs of the items in at least `least` baskets, and how many hold each.

    Rank r is code codes[r]. `keys` are lower rank · len(codes) + higher rank, rising; `strata` has a row for each.
    """

    sizes: SizeCounts
    least: int
    codes: Int64s
    keys: Int64s
    strata: Int32s

    @property
    def itemsets(self) -> Itemsets:
        """The frequent items and pairs."""
        counts = self.strata.sum(axis=1, dtype=np.int64)
        frequent = counts >= self.least
        ranks = np.stack([self.keys // max(1, len(self.codes)), self.keys % max(1, len(self.codes))], axis=1)
        singles = self.sizes.items[self.codes]
        levels = (
            Level(self.codes.astype(np.int32)[:, None], singles.sum(axis=1, dtype=np.int64), singles),
            Level(self.codes[ranks[frequent]].astype(np.int32), counts[frequent], self.strata[frequent]),
        )
        return Itemsets(tuple(level for level in levels if len(level)), len(self.sizes), self.least)

    def count(self, first: int, counts: Int32s) -> None:
        """Fill `counts` with the baskets that ranks first, first + 1, … share with each higher one."""
        begin, end = np.searchsorted(
            self.keys, [first * len(self.codes), (first + len(counts)) * len(self.codes)]
        )
        keys = self.keys[begin:end]
        counts[keys // len(self.codes) - first, keys % len(self.codes)] = self.strata[begin:end].sum(axis=1)


def pair_counts(tally: Tally, numbers: Int64s, least: int) -> PairCounts:
    """Return the pairs of the items that at least `least` baskets hold, all of which were tracked; numbers as above."""
    sizes = size_counts(tally, numbers)
    codes = np.flatnonzero(sizes.items.sum(axis=1) >= least)
    rank_of = np.full(int(numbers.max(initial=-1)) + 2, -1, np.int64)
    rank_of[numbers[codes]] = np.arange(len(codes))
    lower, higher = tally.lower, tally.higher
    pairs = np.flatnonzero(lower >= 0)
    known = (lower[pairs] < len(rank_of)) & (higher[pairs] < len(rank_of))
    pairs = pairs[known]
    one, other = rank_of[lower[pairs]], rank_of[higher[pairs]]
    both = (one >= 0) & (other >= 0)
    pairs, one, other = pairs[both], one[both], other[both]
    keys, place = np.unique(np.minimum(one, other) * len(codes) + np.maximum(one, other), return_inverse=True)
    strata = np.zeros((len(keys), STRATA), np.int32)
    strata[place, tally.strata[pairs]] = tally.counts[pairs]
    return PairCounts(sizes, least, codes, keys, strata)

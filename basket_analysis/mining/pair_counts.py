"""Frequent items and pairs out of a tally: what `FastMiner` would find at length two, without looking at baskets."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from basket_analysis.mining.itemsets import Itemsets, Level
from basket_analysis.mining.strata import STRATA
from basket_analysis.mining.tallies import ITEM_BITS, STRATUM_BITS, Tally

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
    end = int(np.searchsorted(tally.keys, FIRST_PAIR))
    tally = Tally(tally.keys[:end], tally.counts[:end])
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
        keys = self.keys[frequent]
        ranks = np.stack([keys // max(1, len(self.codes)), keys % max(1, len(self.codes))], axis=1)
        singles = self.sizes.items[self.codes]
        levels = (
            Level(self.codes.astype(np.int32)[:, None], singles.sum(axis=1, dtype=np.int64), singles),
            Level(self.codes[ranks].astype(np.int32), counts[frequent], self.strata[frequent]),
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
    # A pair's sizes stand beside each other, so pairs are looked at once, and their sizes some at a time.
    counted = Tally(
        *(column[np.searchsorted(tally.keys, FIRST_PAIR) :] for column in (tally.keys, tally.counts))
    )
    begins = np.ones(len(counted), np.bool_)
    begins[1:] = (counted.keys[1:] >> STRATUM_BITS) != (counted.keys[:-1] >> STRATUM_BITS)
    pairs = Tally(counted.keys[begins], counted.counts[:0])
    lower, higher = pairs.lower, pairs.higher
    rank_of = np.full(int(max(numbers.max(initial=-1), higher.max(initial=-1))) + 2, -1, np.int32)
    rank_of[numbers[codes]] = np.arange(len(codes))
    one, other = rank_of[lower], rank_of[higher]
    kept = np.flatnonzero((one >= 0) & (other >= 0))
    keys = np.minimum(one, other)[kept].astype(np.int64) * len(codes) + np.maximum(one, other)[kept]
    order = np.argsort(keys)
    place = np.full(len(pairs.keys), -1, np.int64)
    place[kept[order]] = np.arange(len(kept))
    strata = np.zeros((len(keys), STRATA), np.int32)
    before = 0
    for first in range(0, len(counted), AT_ONCE):
        some = Tally(counted.keys[first : first + AT_ONCE], counted.counts[first : first + AT_ONCE])
        number = before + np.cumsum(begins[first : first + AT_ONCE])
        before = int(number[-1])
        row = place[number - 1]
        wanted = row >= 0
        strata[row[wanted], some.strata[wanted]] = some.counts[wanted]
    return PairCounts(sizes, least, codes, keys[order], strata)


FIRST_PAIR: Final = 1 << (ITEM_BITS + STRATUM_BITS)
"""Keys of pairs are from here on; those of single items and of the baskets are smaller."""

AT_ONCE: Final = 1 << 20
"""So many keys are looked at in one go, which bounds the memory."""

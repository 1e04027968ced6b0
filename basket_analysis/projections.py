"""Projections: the baskets that hold an item, laid out for the fast miner; compiled."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basket_analysis.compiled import compiled

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt32s = NDArray[np.uint32]
Ranks = NDArray[np.unsignedinteger]

INSERTION_SORTED = 48
"""Rows up to this long are sorted by insertion, which needs no memory but the row."""


class Rows(NamedTuple):
    """
    Baskets of at least two ranked items, one after the other, in order of their stratum.

    `ranks` has each row rising, closed by a mark above all ranks. The baskets that hold rank
    r are known by where in `ranks` it stands: holders[holder_pointers[r]:holder_pointers[r + 1]], rising.
    `ends` is where each stratum ends in `ranks`; `longest` is the longest row.
    """

    ranks: Ranks
    holder_pointers: Int64s
    holders: UInt32s
    ends: Int64s
    longest: int


@compiled
def count_by_stratum(offsets: Int64s, codes: Int32s, strata: Int32s, table: Int32s) -> None:
    """Add to table[item, stratum] the baskets that hold each item."""
    for basket in range(len(strata)):
        for at in range(offsets[basket], offsets[basket + 1]):
            table[codes[at], strata[basket]] += 1


@compiled
def arrange(  # noqa: PLR0917 - numba takes arrays, not objects
    begins: Int64s, stops: Int64s, strata: Int32s, codes: NDArray[Any], rank_of: NDArray[Any], ends: Int64s
) -> Rows:
    """
    Return baskets codes[begins[b]:stops[b]], given in order of their strata, as rows of ranks.

    rank_of[code] is the code's rank, or the mark, the number of ranks, when it has none.
    `ends` has a place for the end of each stratum, to be written.
    """
    mark = rank_of[-1]
    kept, holder_pointers = _count_ranked(begins, stops, codes, rank_of)
    ranks = np.empty(holder_pointers[mark] + (kept > 0).sum(), rank_of.dtype)
    holders = np.empty(holder_pointers[mark], np.uint32)  # unsigned: no index counts from the end
    fill = holder_pointers.copy()
    to = 0
    for row in range(len(begins)):
        if kept[row]:
            first = to
            for at in range(begins[row], stops[row]):
                rank = rank_of[codes[at]]
                if rank != mark:
                    ranks[to] = rank
                    to += 1
            _sort(ranks, first, to)
            for at in range(first, to):
                holders[fill[ranks[at]]] = at
                fill[ranks[at]] += 1
            ranks[to] = mark
            to += 1
        ends[strata[row]] = to
    for stratum in range(1, len(ends)):
        ends[stratum] = max(ends[stratum], ends[stratum - 1])
    longest = 0
    for length in kept:  # a loop: of an array's maximum or nothing numba makes two types on newer Pythons
        longest = max(longest, length)
    return Rows(ranks, holder_pointers, holders, ends, longest)


@compiled
def _count_ranked(
    begins: Int64s, stops: Int64s, codes: NDArray[Any], rank_of: NDArray[Any]
) -> tuple[Int32s, Int64s]:
    """Return how many ranked items each basket keeps, 0 below two, and where each rank's holders begin."""
    mark = rank_of[-1]
    kept = np.zeros(len(begins), np.int32)
    holder_pointers = np.zeros(mark + 2, np.int64)
    for row in range(len(begins)):
        size = 0
        for at in range(begins[row], stops[row]):
            size += 1 if rank_of[codes[at]] != mark else 0
        if size >= 2:
            kept[row] = size
            for at in range(begins[row], stops[row]):
                holder_pointers[np.int64(rank_of[codes[at]]) + 1] += 1
    holder_pointers[np.int64(mark) + 1] = 0
    for rank in range(mark):
        holder_pointers[rank + 1] += holder_pointers[rank]
    return kept, holder_pointers


@compiled
def _sort(ranks: NDArray[Any], first: int, last: int) -> None:
    """Sort ranks[first:last] in place."""
    if last - first > INSERTION_SORTED:
        ranks[first:last].sort()
        return
    for at in range(first + 1, last):
        rank = ranks[at]
        to = at
        while to > first and ranks[to - 1] > rank:
            ranks[to] = ranks[to - 1]
            to -= 1
        ranks[to] = rank

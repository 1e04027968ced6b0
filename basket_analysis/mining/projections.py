"""Projections: the baskets that hold an item, laid out for the fast miner; compiled."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from basket_analysis.mining.compiled import compiled

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt32s = NDArray[np.uint32]
Ranks = NDArray[np.unsignedinteger]

INSERTION_SORTED = 48
"""Rows up to this long are sorted by insertion alone."""


class Rows(NamedTuple):
    """
    Baskets of at least two ranked items, one after the other, in order of their stratum.

    `ranks` has each row rising, closed by a mark above all ranks. `ends` is where each stratum ends in
    `ranks`; `longest` is the longest row.
    """

    ranks: Ranks
    ends: Int64s
    longest: int


class Holders(NamedTuple):
    """
    The baskets that hold each rank, known by where in `Rows.ranks` it stands.

    Those of rank r are places[pointers[r]:pointers[r + 1]], rising.
    """

    pointers: Int64s
    places: UInt32s


@compiled
def count_items(codes: Int32s, counts: Int64s) -> None:
    """Add to counts[item] how often each item stands in `codes`; numpy would copy them first."""
    for code in codes:
        counts[code] += 1


@compiled
def count_by_stratum(offsets: Int64s, codes: Int32s, strata: Int32s, table: Int32s) -> None:
    """Add to table[item, stratum] the baskets that hold each item."""
    for basket in range(len(strata)):
        for at in range(offsets[basket], offsets[basket + 1]):
            table[codes[at], strata[basket]] += 1


@compiled
def arrange(  # noqa: PLR0917 - numba takes arrays, not objects
    begins: Int64s,
    stops: Int64s,
    strata: Int32s,
    codes: NDArray[Any],
    rank_of: NDArray[Any],
    ranked: int,
    ends: Int64s,
) -> Rows:
    """
    Return baskets codes[begins[b]:stops[b]], given in order of their strata, as rows of ranks.

    rank_of[code] is the code's rank, or the mark, the number of ranks, when it has none; no more than `ranked`
    codes have one. `ends` has a place for the end of each stratum, to be written.
    """
    mark = rank_of[-1]
    ranks = np.empty(ranked + len(begins), rank_of.dtype)
    longest: Any = np.int64(0)
    to = np.uint64(0)  # unsigned: no index counts from the end
    for row in range(len(begins)):
        first = to
        for at in range(begins[row], stops[row]):
            rank = rank_of[codes[at]]
            ranks[to] = rank
            to += np.uint64(rank != mark)
        size = np.int64(to - first)
        if size >= 2:
            _sort(ranks, np.int64(first), np.int64(to))
            longest = max(longest, size)
            ranks[to] = mark
            to += np.uint64(1)
        else:
            to = first
        ends[strata[row]] = to
    for stratum in range(1, len(ends)):
        ends[stratum] = max(ends[stratum], ends[stratum - 1])
    return Rows(ranks[: np.int64(to)], ends, longest)


@compiled
def find_holders(rows: Rows, ranks: int) -> Holders:
    """Return who holds each of `ranks`."""
    pointers = np.zeros(ranks + 2, np.int64)
    for at in range(len(rows.ranks)):
        pointers[np.int64(rows.ranks[at]) + 1] += 1
    pointers[ranks + 1] = 0
    for rank in range(ranks):
        pointers[rank + 1] += pointers[rank]
    places = np.empty(pointers[ranks], np.uint32)
    fill = pointers.copy()
    for at in range(len(rows.ranks)):
        holding = np.int64(rows.ranks[at])
        if holding < ranks:
            places[fill[holding]] = at
            fill[holding] += 1
    return Holders(pointers, places)


@compiled
def _sort(ranks: NDArray[Any], first: Any, last: Any) -> None:
    """Sort ranks[first:last] in place, by insertion, in large steps first where there are many (Shell 1959)."""
    step = np.int64(1)
    while (last - first) > INSERTION_SORTED * step:
        step = 3 * step + 1
    while step > 0:
        for at in range(first + step, last):
            rank = ranks[at]
            to: Any = at
            while to >= first + step and ranks[to - step] > rank:
                ranks[to] = ranks[to - step]
                to -= step
            ranks[to] = rank
        step //= 3

"""Projections: the baskets that hold an item, laid out for the fast miner; compiled."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basket_analysis.compiled import compiled

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt32s = NDArray[np.uint32]


class Rows(NamedTuple):
    """Baskets in order of their stratum: items by rank, and the baskets that hold each rank."""

    pointers: Int64s
    ranks: UInt32s
    strata: Int32s
    holder_pointers: Int64s
    holders: UInt32s


@compiled
def count_by_stratum(offsets: Int64s, codes: Int32s, strata: Int32s, table: Int32s) -> None:
    """Add to table[item, stratum] the baskets that hold each item."""
    for basket in range(len(strata)):
        for at in range(offsets[basket], offsets[basket + 1]):
            table[codes[at], strata[basket]] += 1


@compiled
def arrange(  # noqa: PLR0917 - numba takes arrays, not objects
    offsets: Int64s, codes: Int32s | UInt32s, strata: Int32s, order: Int64s, ranks: Int32s, items: int
) -> Rows:
    """Return the baskets of `order` that hold two or more ranked items, and who holds each item."""
    kept, holder_pointers = _count_ranked(offsets, codes, order, ranks, items)
    rows = 0
    for size in kept:
        rows += 1 if size else 0
    pointers = np.zeros(rows + 1, np.int64)
    row_strata = np.empty(rows, np.int32)
    holders = np.empty(holder_pointers[items], np.uint32)  # unsigned: no index counts from the end
    fill = holder_pointers.copy()
    row = 0
    for number in range(len(order)):
        if not kept[number]:
            continue
        basket = order[number]
        pointers[row + 1] = pointers[row] + kept[number]
        row_strata[row] = strata[basket]
        for at in range(offsets[basket], offsets[basket + 1]):
            rank = ranks[codes[at]]
            if rank >= 0:
                holders[fill[rank]] = row
                fill[rank] += 1
        row += 1
    row_ranks = np.empty(holder_pointers[items], np.uint32)
    put = pointers[:rows].copy()
    for rank in range(items):  # by rising rank, so that each row comes out sorted
        for at in range(holder_pointers[rank], holder_pointers[rank + 1]):
            row_ranks[put[holders[at]]] = rank
            put[holders[at]] += 1
    return Rows(pointers, row_ranks, row_strata, holder_pointers, holders)


@compiled
def _count_ranked(
    offsets: Int64s, codes: Int32s | UInt32s, order: Int64s, ranks: Int32s, items: int
) -> tuple[Int32s, Int64s]:
    """Return how many ranked items each basket keeps, 0 below two, and where each item's holders begin."""
    kept = np.zeros(len(order), np.int32)
    holder_pointers = np.zeros(items + 1, np.int64)
    for number in range(len(order)):
        basket = order[number]
        size = 0
        for at in range(offsets[basket], offsets[basket + 1]):
            size += 1 if ranks[codes[at]] >= 0 else 0
        if size >= 2:
            kept[number] = size
            for at in range(offsets[basket], offsets[basket + 1]):
                rank = ranks[codes[at]]
                if rank >= 0:
                    holder_pointers[rank + 1] += 1
    for rank in range(items):
        holder_pointers[rank + 1] += holder_pointers[rank]
    return kept, holder_pointers

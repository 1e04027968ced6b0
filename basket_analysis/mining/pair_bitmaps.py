"""Bitmaps of many projections laid in one walk over all baskets, for where pairs are fewer than what was bought; compiled."""

import numpy as np
from numpy.typing import NDArray

from basket_analysis.mining.compiled import compiled
from basket_analysis.mining.projections import Int32s, Int64s, Rows

Words = NDArray[np.uint64]


@compiled
def count_pairs(rows: Rows, ranks: int) -> tuple[Int32s, Int32s]:
    """Return how many baskets each of `ranks` shares with each higher one, and how many of each stratum hold it."""
    table = np.zeros((ranks, ranks), np.int32)
    held = np.zeros((ranks, len(rows.ends)), np.int32)
    one = np.uint64(1)
    at = np.uint64(0)
    stratum = 0
    while at < len(rows.ranks):
        while at >= rows.ends[stratum]:
            stratum += 1
        rank = rows.ranks[at]
        while rank < ranks:
            held[rank, stratum] += 1
            at += one
            following = rows.ranks[at]
            other = at
            while rows.ranks[other] < ranks:
                table[rank, rows.ranks[other]] += 1
                other += one
            rank = following
        at += one
    return table, held


@compiled
def lay(rows: Rows, first: int, places: Int32s, bits: Int64s, words: Words) -> None:
    """
    Set, for each basket that holds one of the ranks first, first + 1, …, its bit in the bitmap of each neighbour.

    places[r, n] is the word at which the bitmap of row r's neighbour of rank n begins; those that are not frequent
    have one where nobody looks. bits[r, s] is where in it the baskets of stratum s begin.
    """
    end = first + len(places)
    ranks = places.shape[1]
    one = np.uint64(1)
    at = np.uint64(0)
    stratum = 0
    following = np.zeros(len(bits), np.int64)
    for each in range(len(bits)):
        following[each] = bits[each, 0]
    while at < len(rows.ranks):
        while at >= rows.ends[stratum]:
            stratum += 1
            for each in range(len(bits)):
                following[each] = bits[each, stratum]
        while rows.ranks[at] < end:
            rank = rows.ranks[at]
            at += one
            if rank >= first:
                row = rank - first
                bit = following[row]
                following[row] = bit + 1
                word = np.int64(bit >> 6)
                mask = one << np.uint64(bit & 63)
                other = at
                while rows.ranks[other] < ranks:
                    words[places[row, rows.ranks[other]] + word] |= mask
                    other += one
        while rows.ranks[at] < ranks:
            at += one
        at += one

"""What the kernels of the fast miner hand to each other."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basket_analysis.mining.projections import Int32s, Int64s

Words = NDArray[np.uint64]


class Task(NamedTuple):
    """What to look for below sets of `length` items; new nodes are numbered from `base`."""

    length: int
    min_count: int
    max_length: int
    base: int
    room: int
    strata: int
    bitmap_words: int


class Found(NamedTuple):
    """Nodes found so far, in arrays with room for more."""

    parents: Int32s
    items: Int32s
    counts: Int32s
    strata: Int32s


class Labels(NamedTuple):
    """The nodes and the last items of the bitmaps on the stack."""

    nodes: Int32s
    names: Int32s


class Stack(NamedTuple):
    """One frame per depth: bitmaps of sets that differ in their last item, side by side."""

    at: Int64s
    rows: Int64s
    width: Int64s
    first: Int64s
    next: Int64s
    segments: Int64s


class Laid(NamedTuple):
    """
    The bitmaps of ranks first, first + 1, …, one after the other, a row for each frequent neighbour.

    `counts` has the baskets that each shares with every rank. Those of the rank of row r begin at word
    begins[r] of `words`, unless begins[r] is negative: none were wanted; segments[r] is where in them each stratum
    begins, in words, the width at the end.
    """

    first: int
    counts: Int32s
    words: Words
    begins: Int64s
    segments: Int64s

"""Frequent itemsets: the interface of all miners, the reference, and the fast one."""

from abc import ABC, abstractmethod
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import ceil
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.mining.eclat import Search, Tree, grow_tree
from basket_analysis.mining.strata import STRATA
from core.errors import Refused

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

MAX_ITEMSETS = 20_000_000
ANY_LENGTH = 1 << 30


class TooManyItemsets(Refused):
    """More sets are frequent than were asked for; a higher support or a shorter length helps."""


def minimum_count(min_support: Fraction, baskets: int) -> int:
    """Return how many of `baskets` must hold a set for it to be frequent: the share rounded up, at least 1."""
    return max(1, ceil(min_support * baskets))


@dataclass(frozen=True, slots=True)
class Level:
    """
    All frequent itemsets of one length.

    `items` has a row of rising codes for each, rows in lexicographic order. `strata` counts the
    baskets per size stratum, or has no columns when that was not asked for.
    """

    items: Int32s
    counts: Int64s
    strata: Int32s

    def __len__(self) -> int:
        """Return the number of itemsets."""
        return len(self.counts)


@dataclass(frozen=True)
class Itemsets:
    """Frequent itemsets by length; an itemset's number counts through the levels, singles first."""

    levels: tuple[Level, ...]
    baskets: int
    min_count: int

    def __len__(self) -> int:
        """Return the number of itemsets of all lengths."""
        return sum(len(level) for level in self.levels)

    @cached_property
    def counts(self) -> Int64s:
        """Baskets of every itemset, by number."""
        return np.concatenate([level.counts for level in self.levels] or [np.empty(0, np.int64)])

    @cached_property
    def strata(self) -> Int32s:
        """Baskets of every itemset per stratum, by number."""
        return np.concatenate([level.strata for level in self.levels] or [np.empty((0, STRATA), np.int32)])

    def rows(self, numbers: NDArray[np.integer], length: int) -> Int32s:
        """Return the codes of itemsets, all of one `length`, a row each."""
        rows: Int32s = self.levels[length - 1].items[numbers - self._first(length)]
        return rows

    def lengths(self, numbers: NDArray[np.integer]) -> Int64s:
        """Return how many items each itemset has."""
        return np.searchsorted(self._ends, numbers, side="right") + 1

    def codes(self, number: int) -> tuple[int, ...]:
        """Return the codes of one itemset."""
        length = bisect_right(self._ends, number) + 1
        return tuple(self.levels[length - 1].items[number - self._first(length)].tolist())

    @cached_property
    def _ends(self) -> list[int]:
        """How many itemsets there are up to each length."""
        return list(accumulate(len(level) for level in self.levels))

    def _first(self, length: int) -> int:
        return self._ends[length - 2] if length > 1 else 0


class Miner(ABC):
    """
    Finds the frequent itemsets of a basket table; every backend finds the same ones.

    After `fit`, `itemsets_` holds them. With `by_stratum` they carry their counts per size
    stratum, which rules need. More than `max_itemsets` raises TooManyItemsets before memory
    runs out.
    """

    name: ClassVar[str]

    def __init__(
        self,
        min_support: Fraction,
        *,
        max_length: int | None = None,
        max_itemsets: int = MAX_ITEMSETS,
        by_stratum: bool = False,
    ) -> None:
        self.min_support = min_support
        self.max_length = max_length
        self.max_itemsets = max_itemsets
        self.by_stratum = by_stratum
        self.itemsets_: Itemsets

    def fit(self, table: BasketTable) -> Self:
        """Find the itemsets of `table`; a table without baskets has none."""
        min_count = minimum_count(self.min_support, len(table))
        levels = self._levels(table, min_count) if len(table) else ()
        self.itemsets_ = Itemsets(tuple(level for level in levels if len(level)), len(table), min_count)
        return self

    @abstractmethod
    def _levels(self, table: BasketTable, min_count: int) -> tuple[Level, ...]:
        """Return the levels 1, 2, … of the sets in at least `min_count` baskets."""

    def _grow(self, table: BasketTable, min_count: int, *, strata: int = 0) -> Tree:
        """Return the tree of all frequent sets; raises TooManyItemsets as soon as they are, however many there would be."""
        tree = grow_tree(
            table.offsets,
            table.codes,
            table.strata,
            items=len(table.items),
            search=Search(
                min_count=min_count,
                max_length=self.max_length or ANY_LENGTH,
                room=self.max_itemsets,
                strata=strata,
            ),
        )
        if not tree.complete:
            raise self._refuse()
        return tree

    def _refuse(self) -> TooManyItemsets:
        return TooManyItemsets(
            f"more than {self.max_itemsets:,} itemsets are frequent: "
            "raise the support, or limit the length of sets or baskets"
        )


class FastMiner(Miner):
    """Eclat over projected bitmaps, compiled."""

    name = "fast"

    def _levels(self, table: BasketTable, min_count: int) -> tuple[Level, ...]:
        tree = self._grow(table, min_count, strata=STRATA if self.by_stratum else 0)
        levels = []
        depth = _depths(tree.parents)
        for length in range(1, int(depth.max(initial=0)) + 1):
            nodes = np.flatnonzero(depth == length)
            items = np.empty((len(nodes), length), np.int32)
            above: NDArray[np.signedinteger] = nodes
            for column in range(length):
                items[:, column] = tree.items[above]
                above = tree.parents[above]
            items.sort(axis=1)
            order = lexicographic_order(items, len(table.items))
            nodes = nodes[order]
            levels.append(Level(items[order], tree.counts[nodes].astype(np.int64), tree.strata[nodes]))
        return tuple(levels)


def _depths(parents: Int32s) -> Int32s:
    """Return the length of every node's set; a parent stands before its children."""
    depth = np.zeros(len(parents), np.int32)
    open_nodes = np.arange(len(parents))
    above = parents
    while len(open_nodes):
        depth[open_nodes] += 1
        further = above >= 0
        open_nodes = open_nodes[further]
        above = parents[above[further]]
    return depth


def lexicographic_order(rows: Int32s, items: int) -> Int64s:
    """Return what sorts `rows` of codes below `items`; several columns are packed into one key."""
    bits = max(1, (items - 1).bit_length())
    together = max(1, 63 // bits)
    keys = []
    for first in range(0, rows.shape[1], together):
        key = np.zeros(len(rows), np.int64)
        for column in rows[:, first : first + together].T:
            key = (key << bits) | column
        keys.append(key)
    return np.argsort(keys[0], kind="stable") if len(keys) == 1 else np.lexsort(keys[::-1])


class ReferenceMiner(Miner):
    """mlxtend's FP-growth on a sparse frame of the frequent items: slow, well known, and the measure of the other."""

    name = "mlxtend"

    def _levels(self, table: BasketTable, min_count: int) -> tuple[Level, ...]:
        import pandas as pd  # noqa: PLC0415 - a second to import, for the reference alone
        from mlxtend.frequent_patterns import fpgrowth  # noqa: PLC0415
        from scipy.sparse import csr_array  # noqa: PLC0415

        frequent = np.flatnonzero(table.item_counts >= min_count)
        if not len(frequent):
            return ()
        self._grow(table, min_count)  # mlxtend would lay out all of them first, however many
        shape = (len(table), len(table.items))
        matrix = csr_array((np.ones(len(table.codes), np.bool_), table.codes, table.offsets), shape=shape)
        sparse: Any = pd.DataFrame.sparse
        frame = sparse.from_spmatrix(matrix[:, frequent])
        # Half a basket below the count, so that no float rounds a set away or in.
        found = fpgrowth(frame, (min_count - 0.5) / len(table), use_colnames=True, max_len=self.max_length)
        counts = np.rint(found["support"].to_numpy() * len(table)).astype(np.int64)
        by_length: dict[int, list[tuple[list[int], int]]] = {}
        for itemset, count in zip(found["itemsets"], counts.tolist(), strict=True):
            codes = frequent[sorted(itemset)].tolist()
            by_length.setdefault(len(codes), []).append((codes, count))
        levels = []
        for length in sorted(by_length):
            rows = sorted(by_length[length])
            items = np.array([row for row, _ in rows], np.int32)
            levels.append(
                Level(items, np.array([count for _, count in rows], np.int64), self._strata(table, items))
            )
        return tuple(levels)

    def _strata(self, table: BasketTable, itemsets: Int32s) -> Int32s:
        if not self.by_stratum:
            return np.empty((len(itemsets), 0), np.int32)
        baskets = np.repeat(np.arange(len(table)), np.diff(table.offsets))
        order = np.argsort(table.codes, kind="stable")
        holders = np.split(baskets[order], np.cumsum(table.item_counts)[:-1])
        strata = np.empty((len(itemsets), STRATA), np.int32)
        for number, itemset in enumerate(itemsets.tolist()):
            shared = holders[itemset[0]]
            for item in itemset[1:]:
                shared = np.intersect1d(shared, holders[item], assume_unique=True)
            strata[number] = np.bincount(table.strata[shared], minlength=STRATA)
        return strata

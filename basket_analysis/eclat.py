"""
The fast miner: Eclat over projected bitmaps.

Items are taken from the rarest to the most frequent. The baskets of one item are its
projection; what else is frequent there is counted basket by basket and only then laid out as
bitmaps, one bit per basket of the projection. Deeper sets are intersections of these bitmaps,
shrunk to the words that still hold a basket. Bits lie by basket-size stratum, so that counts per
stratum fall out of the same pass. A projection whose bitmaps would outgrow their memory is mined
as a smaller set of baskets instead.

After Zaki, "Scalable Algorithms for Association Mining" (2000), and the projections of
Han, Pei and Yin, "Mining Frequent Patterns without Candidate Generation" (2000).
"""

from dataclasses import dataclass

import numpy as np

from basket_analysis.bitmaps import Task, descend
from basket_analysis.projections import Int32s, Int64s, Rows, arrange, count_by_stratum

BITMAP_WORDS = 1 << 23
"""Words of 64 baskets that the bitmaps of one projection may take: 64 MB."""


@dataclass(frozen=True, slots=True)
class Search:
    """How far to look: `max_length` items a set, `room` sets in all, counts for `strata` strata (0: none)."""

    min_count: int
    max_length: int
    room: int
    strata: int
    bitmap_words: int = BITMAP_WORDS


@dataclass(frozen=True, slots=True)
class Tree:
    """
    Frequent itemsets as a prefix tree: node n is the set of node `parents[n]` and `items[n]`.

    Single items have the parent -1; a parent stands before its children. `strata` holds the
    counts per stratum, without columns when none were asked for. A tree with more sets than
    there is room for is not `complete` and holds some of them only.
    """

    parents: Int32s
    items: Int32s
    counts: Int32s
    strata: Int32s
    complete: bool


@dataclass(frozen=True, slots=True)
class _Projection:
    """
    The baskets that hold a set of `length` - 1 items.

    The item of rank r, counted from the rarest, is called names[r] outside and makes the set
    to that of node nodes[r].
    """

    rows: Rows
    nodes: Int32s
    names: Int32s
    length: int


def grow_tree(offsets: Int64s, codes: Int32s, strata: Int32s, *, items: int, search: Search) -> Tree:
    """
    Return every set of items that `search` asks for.

    Basket b holds codes[offsets[b]:offsets[b + 1]], each of 0..items - 1 at most once, and
    belongs to stratum strata[b].
    """
    counts = np.bincount(codes, minlength=items)
    frequent = np.flatnonzero(counts >= search.min_count)
    by_rarity: Int32s = frequent[np.argsort(counts[frequent], kind="stable")].astype(np.int32)
    singles = len(by_rarity)
    roots = Tree(
        parents=np.full(singles, -1, np.int32),
        items=by_rarity,
        counts=counts[by_rarity].astype(np.int32),
        strata=_single_strata(offsets, codes, strata, items, search.strata)[by_rarity],
        complete=singles <= search.room,
    )
    if not roots.complete or singles < 2 or search.max_length < 2:
        return roots
    ranks = np.full(items, -1, np.int32)
    ranks[by_rarity] = np.arange(singles, dtype=np.int32)
    rows = arrange(offsets, codes, strata, np.argsort(strata, kind="stable"), ranks, singles)
    grown = [roots]
    complete = _grow(
        grown, _Projection(rows, np.arange(singles, dtype=np.int32), by_rarity, length=1), search
    )
    return Tree(
        parents=np.concatenate([part.parents for part in grown]),
        items=np.concatenate([part.items for part in grown]),
        counts=np.concatenate([part.counts for part in grown]),
        strata=np.concatenate([part.strata for part in grown]),
        complete=complete,
    )


def _single_strata(offsets: Int64s, codes: Int32s, strata: Int32s, items: int, count: int) -> Int32s:
    table = np.zeros((items, count), np.int32)
    if count:
        count_by_stratum(offsets, codes, strata, table)
    return table


def _grow(grown: list[Tree], projection: _Projection, search: Search) -> bool:
    """Add to `grown` what lies below the projection's nodes; return False when there was no room for all."""
    rows, names = projection.rows, projection.names
    base = sum(len(part.items) for part in grown)
    task = Task(
        length=projection.length,
        min_count=search.min_count,
        max_length=search.max_length,
        base=base,
        room=search.room - base,
        strata=search.strata,
        bitmap_words=search.bitmap_words,
    )
    found, postponed, complete = descend(rows, projection.nodes, names, task)
    grown.append(Tree(found.parents, found.items, found.counts, found.strata, complete=complete))
    if not complete:
        return False
    rank_of = np.full(int(names.max()) + 1, -1, np.int64)
    rank_of[names] = np.arange(len(names))
    for rank, first, count in postponed.tolist():
        below = found.items[first : first + count]
        ranks = np.full(len(names), -1, np.int32)
        ranks[rank_of[below]] = np.arange(count, dtype=np.int32)
        holders = rows.holders[rows.holder_pointers[rank] : rows.holder_pointers[rank + 1]].astype(np.int64)
        smaller = arrange(rows.pointers, rows.ranks, rows.strata, holders, ranks, count)
        nodes = np.arange(base + first, base + first + count, dtype=np.int32)
        if not _grow(grown, _Projection(smaller, nodes, below, projection.length + 1), search):
            return False
    return True

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
from numpy.typing import NDArray

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
    grown = [roots]
    complete = _grow(grown, _whole(offsets, codes, strata, by_rarity, search), search)
    return Tree(
        parents=np.concatenate([part.parents for part in grown]),
        items=np.concatenate([part.items for part in grown]),
        counts=np.concatenate([part.counts for part in grown]),
        strata=np.concatenate([part.strata for part in grown]),
        complete=complete,
    )


def _whole(offsets: Int64s, codes: Int32s, strata: Int32s, by_rarity: Int32s, search: Search) -> _Projection:
    """Return all baskets as the projection on nothing."""
    order = np.argsort(strata, kind="stable")
    ends = np.zeros(search.strata or 1, np.int64)
    ordered = strata[order] if search.strata else np.zeros(len(strata), np.int32)
    rank_of = _rank_of(by_rarity, int(codes.max()) + 1)
    rows = arrange(offsets[:-1][order], offsets[1:][order], ordered, codes, rank_of, ends)
    return _Projection(rows, np.arange(len(by_rarity), dtype=np.int32), by_rarity, length=1)


def _rank_of(codes: NDArray[np.integer], items: int) -> NDArray[np.unsignedinteger]:
    """Return the rank of each of `items` codes, the mark for those without; the last one is nobody's."""
    mark = len(codes)
    kind = np.uint16 if mark < 1 << 16 else np.uint32
    rank_of: NDArray[np.unsignedinteger] = np.full(items + 1, mark, kind)
    rank_of[codes] = np.arange(mark)
    return rank_of


def _single_strata(offsets: Int64s, codes: Int32s, strata: Int32s, items: int, count: int) -> Int32s:
    table = np.zeros((items, count), np.int32)
    if count:
        count_by_stratum(offsets, codes, strata, table)
    return table


def _grow(grown: list[Tree], projection: _Projection, search: Search) -> bool:
    """Add to `grown` what lies below the projection's nodes; return False when there was no room for all."""
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
    found, postponed, complete = descend(projection.rows, projection.nodes, projection.names, task)
    grown.append(Tree(found.parents, found.items, found.counts, found.strata, complete=complete))
    if not complete:
        return False
    marks = np.flatnonzero(projection.rows.ranks == len(projection.names)) if len(postponed) else postponed
    for rank, first, count in postponed.tolist():
        below = found.items[first : first + count]
        nodes = np.arange(base + first, base + first + count, dtype=np.int32)
        if not _grow(grown, _smaller(projection, rank, below, nodes, marks), search):
            return False
    return True


def _smaller(projection: _Projection, rank: int, names: Int32s, nodes: Int32s, marks: Int64s) -> _Projection:
    """Return the projection on `rank` too, for its children called `names`; `marks` is where rows end."""
    rows = projection.rows
    place = np.empty(int(projection.names.max()) + 1, np.int64)
    place[projection.names] = np.arange(len(projection.names))
    holders = rows.holders[rows.holder_pointers[rank] : rows.holder_pointers[rank + 1]].astype(np.int64)
    stops = marks[np.searchsorted(marks, holders)]
    strata = np.searchsorted(rows.ends, holders, side="right").astype(np.int32)
    rank_of = _rank_of(place[names], len(projection.names))
    ends = np.zeros(len(rows.ends), np.int64)
    smaller = arrange(holders + 1, stops, strata, rows.ranks, rank_of, ends)
    return _Projection(smaller, nodes, names, projection.length + 1)

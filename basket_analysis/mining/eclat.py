"""
The fast miner: Eclat over projected bitmaps.

Items are taken from the rarest to the most frequent. The baskets of one item are its
projection; what else is frequent there is counted basket by basket and only then laid out as
bitmaps, one bit per basket of the projection. Deeper sets are intersections of these bitmaps,
shrunk to the words that still hold a basket. Bits lie by basket-size stratum, so that counts per
stratum fall out of the same pass. Where pairs are few beside what was bought, many projections are
laid in one walk over all baskets; else each rank's baskets are walked by themselves. A projection
whose bitmaps would outgrow their memory is mined as a smaller set of baskets instead.

After Zaki, "Scalable Algorithms for Association Mining" (2000), and the projections of
Han, Pei and Yin, "Mining Frequent Patterns without Candidate Generation" (2000).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from basket_analysis.mining.bitmap_stacks import Found, Laid, Task
from basket_analysis.mining.bitmaps import descend, descend_laid
from basket_analysis.mining.pair_bitmaps import count_pairs, lay
from basket_analysis.mining.projections import (
    Int32s,
    Int64s,
    Rows,
    arrange,
    count_by_stratum,
    count_items,
    find_holders,
)

BITMAP_WORDS = 1 << 23
"""Words of 64 baskets that the bitmaps of one projection, or of some laid together, may take: 64 MB."""

BOUGHT_PER_PAIR = 1
"""Projections are laid together where there are so many times as many items bought as pairs of ranks …"""

TOGETHER_AT_MOST = 4096
"""… and no more ranks than this, so that tables of their pairs stay small: 64 MB."""


@dataclass(frozen=True, slots=True)
class Search:
    """How far to look: `max_length` items a set, `room` sets in all, counts for `strata` strata (0: none)."""

    min_count: int
    max_length: int
    room: int
    strata: int
    bitmap_words: int = BITMAP_WORDS
    bought_per_pair: int = BOUGHT_PER_PAIR


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
    counts = np.zeros(items, np.int64)
    count_items(codes, counts)
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
    complete = _grow(grown, _whole(offsets, codes, strata, roots, items=items, search=search), search)
    return Tree(
        parents=np.concatenate([part.parents for part in grown]),
        items=np.concatenate([part.items for part in grown]),
        counts=np.concatenate([part.counts for part in grown]),
        strata=np.concatenate([part.strata for part in grown]),
        complete=complete,
    )


def _whole(
    offsets: Int64s, codes: Int32s, strata: Int32s, roots: Tree, *, items: int, search: Search
) -> _Projection:
    """Return all baskets as the projection on nothing."""
    ends = np.zeros(search.strata or 1, np.int64)
    begins, stops, ordered = offsets[:-1], offsets[1:], np.zeros(len(strata), np.int32)
    if search.strata:
        order = np.argsort(strata.astype(np.int8), kind="stable")
        begins, stops, ordered = begins[order], stops[order], strata[order]
        del order
    bought = int(roots.counts.sum(dtype=np.int64))
    rows = arrange(begins, stops, ordered, codes, _rank_of(roots.items, items), bought, ends)
    return _Projection(rows, np.arange(len(roots.items), dtype=np.int32), roots.items, length=1)


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
    ranks = len(projection.names)
    if ranks > TOGETHER_AT_MOST or ranks * ranks * search.bought_per_pair > len(projection.rows.ranks):
        return _grow_one_by_one(grown, projection, search, 0, ranks)
    table, held = count_pairs(projection.rows, ranks)
    widths = np.cumsum((held + 63) // 64, axis=1, dtype=np.int64)
    children = (np.triu(table, 1) >= search.min_count).sum(axis=1)
    deeper = (children >= 2) & (projection.length + 2 <= search.max_length)
    wanted = deeper | ((children > 0) & (search.strata > 0))
    words = np.where(wanted, (children + 1) * widths[:, -1], 0)
    for first, end in _together(words, search.bitmap_words):
        if words[first] > search.bitmap_words:
            complete = _grow_one_by_one(grown, projection, search, first, end)
        else:
            segments = np.concatenate([np.zeros((end - first, 1), np.int64), widths[first:end]], axis=1)
            counts = table[first:end]
            laid = _lay(
                projection.rows, counts, first, words[first:end], segments, min_count=search.min_count
            )
            task = _task(grown, projection, search)
            longest = projection.rows.longest
            found, complete = descend_laid(laid, projection.nodes, projection.names, longest, task)
            grown.append(_tree(found, complete=complete))
        if not complete:
            return False
    return True


def _together(words: Int64s, room: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of ranks whose bitmaps fit into `room` together; one that does not fit alone is alone."""
    first, taken = 0, 0
    for rank, wanted in enumerate(words.tolist()):
        if rank > first and taken + wanted > room:
            yield first, rank
            first, taken = rank, 0
        taken += wanted
    if first < len(words):
        yield first, len(words)


def _lay(rows: Rows, counts: Int32s, first: int, words: Int64s, segments: Int64s, *, min_count: int) -> Laid:
    """Return the bitmaps of the ranks that `counts` has rows for; each has one row more, for what is not frequent."""
    begins = np.cumsum(words) - words
    frequent = np.triu(counts >= min_count, first + 1)
    child = np.cumsum(frequent, axis=1, dtype=np.int32) - np.int32(1)
    children = frequent.sum(axis=1)
    widths = np.where(words > 0, segments[:, -1], 0)
    places = begins[:, None] + np.where(frequent, child, children[:, None]) * widths[:, None]
    bitmaps = np.zeros(int(words.sum()) + _spare(segments), np.uint64)
    # What nobody wants is laid behind all others, where nobody looks.
    places[words == 0] = int(words.sum())
    lay(rows, first, places.astype(np.int32), segments[:, :-1] * 64, bitmaps)
    return Laid(first, counts, bitmaps, np.where(words > 0, begins, -1), segments)


def _spare(segments: Int64s) -> int:
    return int(segments[:, -1].max(initial=0)) + 1


def _task(grown: list[Tree], projection: _Projection, search: Search) -> Task:
    base = sum(len(part.items) for part in grown)
    return Task(
        length=projection.length,
        min_count=search.min_count,
        max_length=search.max_length,
        base=base,
        room=search.room - base,
        strata=search.strata,
        bitmap_words=search.bitmap_words,
    )


def _tree(found: Found, *, complete: bool) -> Tree:
    return Tree(found.parents, found.items, found.counts, found.strata, complete=complete)


def _grow_one_by_one(
    grown: list[Tree], projection: _Projection, search: Search, first: int, end: int
) -> bool:
    """Add to `grown` what lies below some ranks, whose holders are walked one by one; False as above."""
    task = _task(grown, projection, search)
    holders = find_holders(projection.rows, len(projection.names))
    nodes, names = projection.nodes, projection.names
    found, postponed, complete = descend(projection.rows, holders, nodes, names, first, end, task)
    grown.append(_tree(found, complete=complete))
    if not complete:
        return False
    marks = np.flatnonzero(projection.rows.ranks == len(names)) if len(postponed) else postponed
    for rank, begin, count in postponed.tolist():
        below = found.items[begin : begin + count]
        places = holders.places[holders.pointers[rank] : holders.pointers[rank + 1]].astype(np.int64)
        numbers = np.arange(task.base + begin, task.base + begin + count, dtype=np.int32)
        if not _grow(grown, _smaller(projection, places, below, numbers, marks), search):
            return False
    return True


def _smaller(
    projection: _Projection, holders: Int64s, names: Int32s, nodes: Int32s, marks: Int64s
) -> _Projection:
    """Return the projection on a rank's `holders` too, for its children called `names`; `marks` is where rows end."""
    rows = projection.rows
    place = np.empty(int(projection.names.max()) + 1, np.int64)
    place[projection.names] = np.arange(len(projection.names))
    stops = marks[np.searchsorted(marks, holders)]
    strata = np.searchsorted(rows.ends, holders, side="right").astype(np.int32)
    rank_of = _rank_of(place[names], len(projection.names))
    ends = np.zeros(len(rows.ends), np.int64)
    ranked = int((stops - holders - 1).sum())
    smaller = arrange(holders + 1, stops, strata, rows.ranks, rank_of, ranked, ends)
    return _Projection(smaller, nodes, names, projection.length + 1)

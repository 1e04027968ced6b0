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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from basket_analysis.compiled import compiled

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt32s = NDArray[np.uint32]
Words = NDArray[np.uint64]

BITMAP_WORDS = 1 << 23
"""Words of 64 baskets that the bitmaps of one projection may take: 64 MB."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_FOUR = np.uint64(4)
_TOP = np.uint64(56)
_PAIRS = np.uint64(0x5555555555555555)
_NIBBLES = np.uint64(0x3333333333333333)
_BYTES = np.uint64(0x0F0F0F0F0F0F0F0F)
_SUM = np.uint64(0x0101010101010101)


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
    The baskets that hold a set of `length` - 1 items, in order of their stratum.

    Items go by rank, from the rarest: item r is called names[r] outside, and makes the set to
    that of node nodes[r].
    """

    pointers: Int64s
    ranks: UInt32s
    strata: Int32s
    holder_pointers: Int64s
    holders: UInt32s
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
    singles = len(frequent)
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
    rows = _arrange(offsets, codes, strata, np.argsort(strata, kind="stable"), ranks, singles)
    grown = [roots]
    complete = _grow(
        grown, _Projection(*rows, np.arange(singles, dtype=np.int32), by_rarity, length=1), search
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
        _count_by_stratum(offsets, codes, strata, table)
    return table


def _grow(grown: list[Tree], rows: _Projection, search: Search) -> bool:
    """Add to `grown` what lies below the nodes of `rows`; return False when there was no room for all."""
    base = sum(len(part.items) for part in grown)
    parents, items, counts, strata, postponed, complete = _descend(
        rows.pointers, rows.ranks, rows.strata, rows.holder_pointers, rows.holders, rows.nodes, rows.names,
        rows.length, search.min_count, search.max_length, base, search.room - base, search.strata,
        search.bitmap_words,
    )  # fmt: skip
    grown.append(Tree(parents, items, counts, strata, complete=bool(complete)))
    if not complete:
        return False
    rank_of = np.full(int(rows.names.max()) + 1, -1, np.int64)
    rank_of[rows.names] = np.arange(len(rows.names))
    for rank, first, count in postponed.tolist():
        below = items[first : first + count]
        ranks = np.full(len(rows.names), -1, np.int32)
        ranks[rank_of[below]] = np.arange(count, dtype=np.int32)
        holders = rows.holders[rows.holder_pointers[rank] : rows.holder_pointers[rank + 1]].astype(np.int64)
        nodes = np.arange(base + first, base + first + count, dtype=np.int32)
        arranged = _arrange(rows.pointers, rows.ranks, rows.strata, holders, ranks, count)
        if not _grow(grown, _Projection(*arranged, nodes, below, rows.length + 1), search):
            return False
    return True


@compiled
def _count_by_stratum(offsets: Int64s, codes: Int32s, strata: Int32s, table: Int32s) -> None:
    for basket in range(len(strata)):
        for at in range(offsets[basket], offsets[basket + 1]):
            table[codes[at], strata[basket]] += 1


@compiled
def _arrange(  # noqa: C901, PLR0912, PLR0917 - a counting sort there and back, in one piece for the compiler
    offsets: Int64s, codes: Int32s | UInt32s, strata: Int32s, order: Int64s, ranks: Int32s, items: int
) -> tuple[Int64s, UInt32s, Int32s, Int64s, UInt32s]:
    """Return the baskets of `order` that hold two or more ranked items, and who holds each item."""
    kept = np.zeros(len(order), np.int32)
    rows = 0
    holder_pointers = np.zeros(items + 1, np.int64)
    for number in range(len(order)):
        basket = order[number]
        for at in range(offsets[basket], offsets[basket + 1]):
            if ranks[codes[at]] >= 0:
                kept[number] += 1
        if kept[number] >= 2:
            rows += 1
            for at in range(offsets[basket], offsets[basket + 1]):
                rank = ranks[codes[at]]
                if rank >= 0:
                    holder_pointers[rank + 1] += 1
    for rank in range(items):
        holder_pointers[rank + 1] += holder_pointers[rank]
    pointers = np.zeros(rows + 1, np.int64)
    row_strata = np.empty(rows, np.int32)
    holders = np.empty(holder_pointers[items], np.uint32)  # unsigned: no index counts from the end
    fill = holder_pointers.copy()
    row = 0
    for number in range(len(order)):
        if kept[number] < 2:
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
    return pointers, row_ranks, row_strata, holder_pointers, holders


@compiled
def _longer(array: NDArray[Any], used: int, needed: int) -> NDArray[Any]:
    """Return `array`, or a longer copy of its first `used` rows when it has no room for `needed`."""
    size = len(array)
    if needed <= size:
        return array
    while size < needed:
        size *= 2
    longer = np.zeros((size, *array.shape[1:]), array.dtype)
    longer[:used] = array[:used]
    return longer


@compiled
def _overlap(bitmaps: Words, mine: int, yours: int, first: int, last: int) -> int:
    """Count the baskets that two bitmaps share in their words first..last - 1."""
    count = _ZERO
    for word in range(first, last):  # LLVM knows this idiom and counts with the processor's instruction
        bits = bitmaps[mine + word] & bitmaps[yours + word]
        bits = bits - ((bits >> _ONE) & _PAIRS)
        bits = (bits & _NIBBLES) + ((bits >> _TWO) & _NIBBLES)
        bits = (bits + (bits >> _FOUR)) & _BYTES
        count += (bits * _SUM) >> _TOP
    return int(count)


@compiled
def _shrink(  # noqa: PLR0917 - numba takes arrays, not objects
    bitmaps: Words,
    frame: int,
    rows: Int64s,
    count: int,
    mine: int,
    to: int,
    width: int,
    old: Int64s,
    new: Int64s,
) -> int:
    """
    Write the overlaps of bitmap `mine` with `rows` of the frame to `to`, without the words that hold nobody.

    `old` and `new` are where each stratum begins in a bitmap, before and after. Return the new width.
    """
    kept = 0
    for stratum in range(len(old) - 1):
        new[stratum] = kept
        for word in range(old[stratum], old[stratum + 1]):
            bits = bitmaps[mine + word]
            if bits != _ZERO:
                for row in range(count):
                    bitmaps[to + row * width + kept] = bitmaps[frame + rows[row] * width + word] & bits
                kept += 1
    new[len(old) - 1] = kept
    if kept < width:
        for row in range(1, count):
            for word in range(kept):
                bitmaps[to + row * kept + word] = bitmaps[to + row * width + word]
    return kept


@compiled
def _descend(  # noqa: C901, PLR0912, PLR0915, PLR0917 - one loop nest; split, its state would travel in a dozen arrays
    pointers: Int64s,
    row_ranks: UInt32s,
    row_strata: Int32s,
    holder_pointers: Int64s,
    holders: UInt32s,
    nodes: Int32s,
    names: Int32s,
    length: int,
    min_count: int,
    max_length: int,
    base: int,
    room: int,
    strata: int,
    bitmap_words: int,
) -> tuple[Int32s, Int32s, Int32s, Int32s, Int64s, bool]:
    """Return the nodes below `nodes`, the items postponed (rank, first node, nodes), and whether that is all."""
    items = len(nodes)
    used = 0
    out_parents = np.empty(1024, np.int32)
    out_items = np.empty(1024, np.int32)
    out_counts = np.empty(1024, np.int32)
    out_strata = np.zeros((1024, strata), np.int32)
    postponed = np.empty((items, 3), np.int64)
    postponements = 0

    deepest = 2
    for row in range(len(row_strata)):
        deepest = max(deepest, pointers[row + 1] - pointers[row])
    deepest = min(deepest, max_length - length + 1) + 2
    # One frame per depth: sets that differ in their last item, whose bitmaps lie side by side.
    segments = np.zeros((deepest, max(strata, 1) + 1), np.int64)
    frame_at = np.zeros(deepest, np.int64)
    frame_rows = np.zeros(deepest, np.int64)
    frame_width = np.zeros(deepest, np.int64)
    frame_first = np.zeros(deepest, np.int64)
    frame_next = np.zeros(deepest, np.int64)
    bitmaps = np.zeros(1024, np.uint64)
    row_nodes = np.zeros(1024, np.int32)
    row_names = np.zeros(1024, np.int32)
    found_rows = np.zeros(1024, np.int64)

    position = pointers[: len(row_strata)].copy()  # where in its row each basket's next item stands
    counts = np.zeros(items, np.int32)
    local = np.full(items, -1, np.int32)
    bit_of = np.zeros(max(strata, 1), np.int64)
    for rank in range(items):
        first, last = holder_pointers[rank], holder_pointers[rank + 1]
        counts[rank + 1 :] = 0
        for holder in range(first, last):
            row = holders[holder]
            for at in range(position[row] + 1, pointers[row + 1]):
                counts[row_ranks[at]] += 1
        found = 0
        for other in range(rank + 1, items):
            if counts[other] >= min_count:
                found += 1
        if used + found > room:
            return (
                out_parents[:used],
                out_items[:used],
                out_counts[:used],
                out_strata[:used],
                postponed[:0],
                False,
            )
        out_parents = _longer(out_parents, used, used + found)
        out_items = _longer(out_items, used, used + found)
        out_counts = _longer(out_counts, used, used + found)
        out_strata = _longer(out_strata, used, used + found)
        row_nodes = _longer(row_nodes, 0, found)
        row_names = _longer(row_names, 0, found)
        start = used
        for other in range(rank + 1, items):
            local[other] = -1
            if counts[other] >= min_count:
                out_parents[used] = nodes[rank]
                out_items[used] = names[other]
                out_counts[used] = counts[other]
                local[other] = used - start
                row_nodes[used - start] = base + used
                row_names[used - start] = names[other]
                used += 1

        bit_of[:] = 0
        for holder in range(first, last):
            bit_of[row_strata[holders[holder]] if strata else 0] += 1
        width = 0
        for stratum in range(len(bit_of)):
            segments[0, stratum] = width
            words = (bit_of[stratum] + 63) // 64
            bit_of[stratum] = width * 64
            width += words
        segments[0, len(bit_of)] = width
        deeper = found >= 2 and length + 2 <= max_length
        laid = deeper and found * width <= bitmap_words
        if deeper and not laid:
            postponed[postponements] = (rank, start, found)
            postponements += 1
        if laid:
            bitmaps = _longer(bitmaps, 0, found * width)
            bitmaps[: found * width] = _ZERO
        for holder in range(first, last):
            row = holders[holder]
            if found and (laid or strata):
                stratum = row_strata[row] if strata else 0
                word = bit_of[stratum] >> 6
                bit = _ONE << np.uint64(bit_of[stratum] & 63)
                bit_of[stratum] += 1
                for at in range(position[row] + 1, pointers[row + 1]):
                    mine = local[row_ranks[at]]
                    if mine >= 0:
                        if laid:
                            bitmaps[mine * width + word] |= bit
                        if strata:
                            out_strata[start + mine, stratum] += 1
            position[row] += 1
        if not laid:
            continue

        depth = 0
        frame_at[0], frame_rows[0], frame_width[0], frame_first[0], frame_next[0] = 0, found, width, 0, 0
        while depth >= 0:
            this = frame_next[depth]
            rows, width, frame = frame_rows[depth], frame_width[depth], frame_at[depth]
            if this >= rows - 1:
                depth -= 1
                continue
            frame_next[depth] += 1
            left = frame_first[depth]
            below = left + rows
            row_nodes = _longer(row_nodes, below, below + rows)
            row_names = _longer(row_names, below, below + rows)
            found_rows = _longer(found_rows, 0, rows)
            mine = frame + this * width
            found = 0
            for other in range(this + 1, rows):
                count = _overlap(bitmaps, mine, frame + other * width, 0, width)
                if count < min_count:
                    continue
                if used >= room:
                    return (
                        out_parents[:used],
                        out_items[:used],
                        out_counts[:used],
                        out_strata[:used],
                        postponed[:0],
                        False,
                    )
                out_parents = _longer(out_parents, used, used + 1)
                out_items = _longer(out_items, used, used + 1)
                out_counts = _longer(out_counts, used, used + 1)
                out_strata = _longer(out_strata, used, used + 1)
                out_parents[used] = row_nodes[left + this]
                out_items[used] = row_names[left + other]
                out_counts[used] = count
                for stratum in range(strata):
                    out_strata[used, stratum] = _overlap(
                        bitmaps,
                        mine,
                        frame + other * width,
                        segments[depth, stratum],
                        segments[depth, stratum + 1],
                    )
                row_nodes[below + found] = base + used
                row_names[below + found] = row_names[left + other]
                found_rows[found] = other
                used += 1
                found += 1
            if found < 2 or length + 2 + depth >= max_length:
                continue
            to = frame + rows * width
            bitmaps = _longer(bitmaps, to, to + found * width)
            frame_width[depth + 1] = _shrink(
                bitmaps, frame, found_rows, found, mine, to, width, segments[depth], segments[depth + 1]
            )
            depth += 1
            frame_at[depth], frame_rows[depth], frame_first[depth], frame_next[depth] = to, found, below, 0
    return (
        out_parents[:used],
        out_items[:used],
        out_counts[:used],
        out_strata[:used],
        postponed[:postponements],
        True,
    )

"""
The machine-code half of the fast miner: bitmaps of projections and their intersections.

Every function here is compiled and works on arrays that its caller owns; arrays that may have to
grow come back in the result. Names as in eclat.py, which is the place to begin reading.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from basket_analysis.mining.bitmap_stacks import Found, Labels, Laid, Stack, Task, Words
from basket_analysis.mining.compiled import compiled
from basket_analysis.mining.projections import Holders, Int32s, Int64s, Rows

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_FOUR = np.uint64(4)
_TOP = np.uint64(56)
_PAIRS = np.uint64(0x5555555555555555)
_NIBBLES = np.uint64(0x3333333333333333)
_BYTES = np.uint64(0x0F0F0F0F0F0F0F0F)
_SUM = np.uint64(0x0101010101010101)


@compiled
def _longer(array: NDArray[Any], used: int, needed: int) -> NDArray[Any]:
    """Return `array`, or a longer copy of its first `used` places when it has no room for `needed`."""
    size = len(array)
    if needed <= size:
        return array
    while size < needed:
        size *= 2
    longer = np.zeros(size, array.dtype)
    for at in range(used):  # a loop: the messages of a slice that does not fit take seconds to compile
        longer[at] = array[at]
    return longer


@compiled
def _longer_rows(array: Int32s, used: int, needed: int) -> Int32s:
    """Return `array` as above, of rows."""
    size = len(array)
    if needed <= size:
        return array
    while size < needed:
        size *= 2
    longer = np.zeros((size, array.shape[1]), np.int32)
    for at in range(used):
        for column in range(array.shape[1]):
            longer[at, column] = array[at, column]
    return longer


@compiled
def _roomy(found: Found, used: int, needed: int) -> Found:
    """Return `found` with room for `needed` nodes."""
    if needed <= len(found.parents):
        return found
    return Found(
        _longer(found.parents, used, needed),
        _longer(found.items, used, needed),
        _longer(found.counts, used, needed),
        _longer_rows(found.strata, used, needed),
    )


@compiled
def _labelled(labels: Labels, used: int, needed: int) -> Labels:
    """Return `labels` with room for `needed` of them."""
    if needed <= len(labels.nodes):
        return labels
    return Labels(_longer(labels.nodes, used, needed), _longer(labels.names, used, needed))


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
def descend_laid(laid: Laid, nodes: Int32s, names: Int32s, longest: int, task: Task) -> tuple[Found, bool]:
    """Return the nodes below the ranks of `laid`, and whether that is all; the rest as `descend`."""
    found = _nothing(task.strata)
    used = 0
    stack = _empty_stack(longest, laid.segments.shape[1] - 1, task)
    labels = Labels(np.zeros(1024, np.int32), np.zeros(1024, np.int32))
    bitmaps = np.zeros(1024, np.uint64)
    local = np.full(len(nodes), -1, np.int32)
    for row in range(len(laid.counts)):
        rank = laid.first + row
        counts = laid.counts[row]
        children = _frequent(counts, rank, task.min_count)
        if used + children > task.room:
            return _trimmed(found, used), False
        if children == 0:
            continue
        found = _roomy(found, used, used + children)
        labels = _labelled(labels, 0, children)
        _name_children(found, used, labels, local, counts, nodes[rank], names, rank, task)
        width = laid.segments[row, -1]
        if laid.begins[row] >= 0:
            bitmaps = _longer(bitmaps, 0, children * width)
            _take(laid, row, children, bitmaps, stack, found.strata[used:])
        used += children
        if laid.begins[row] >= 0 and children >= 2 and task.length + 2 <= task.max_length:
            _open(stack, children, width)
            found, used, labels, bitmaps, complete = _intersect(found, used, labels, bitmaps, stack, task)
            if not complete:
                return _trimmed(found, used), False
    return _trimmed(found, used), True


@compiled
def _take(  # noqa: PLR0917 - numba takes arrays, not objects
    laid: Laid, row: int, children: int, bitmaps: Words, stack: Stack, strata: Int32s
) -> None:
    """Copy a row's bitmaps into the first frame, and count them by stratum where that is asked."""
    width = laid.segments[row, -1]
    for word in range(children * width):
        bitmaps[word] = laid.words[laid.begins[row] + word]
    for stratum in range(laid.segments.shape[1]):
        stack.segments[0, stratum] = laid.segments[row, stratum]
    for child in range(children):
        for stratum in range(strata.shape[1]):
            begin, end = laid.segments[row, stratum], laid.segments[row, stratum + 1]
            strata[child, stratum] = _overlap(bitmaps, child * width, child * width, begin, end)


@compiled
def descend(  # noqa: PLR0917 - numba takes arrays, not objects
    rows: Rows, holders: Holders, nodes: Int32s, names: Int32s, first: int, end: int, task: Task
) -> tuple[Found, Int64s, bool]:
    """
    Return the nodes below the ranks `first` to before `end`, and whether that is all.

    The item of rank r makes node nodes[r] and is called names[r]. Ranks whose bitmaps would
    not fit are postponed: (rank, its first child among the nodes found, its children).
    """
    found = _nothing(task.strata)
    used = 0
    postponed = np.empty((end - first, 3), np.int64)
    postponements = 0
    stack = _empty_stack(rows.longest, len(rows.ends), task)
    labels = Labels(np.zeros(1024, np.int32), np.zeros(1024, np.int32))
    bitmaps = np.zeros(1024, np.uint64)
    counts = np.zeros(len(nodes), np.int32)
    local = np.full(len(nodes), -1, np.int32)
    for rank in range(first, end):
        _count_neighbours(rows, holders, rank, counts)
        children = _frequent(counts, rank, task.min_count)
        if used + children > task.room:
            return _trimmed(found, used), postponed[:0], False
        if children == 0:
            continue
        found = _roomy(found, used, used + children)
        labels = _labelled(labels, 0, children)
        _name_children(found, used, labels, local, counts, nodes[rank], names, rank, task)
        begins = _segment(rows, holders, rank, stack.segments[0])
        width = stack.segments[0, -1]
        deeper = children >= 2 and task.length + 2 <= task.max_length
        laid = deeper and children * width <= task.bitmap_words
        if deeper and not laid:
            postponed[postponements] = (rank, used, children)
            postponements += 1
        if laid:
            bitmaps = _longer(bitmaps, 0, children * width)
            for word in range(children * width):
                bitmaps[word] = _ZERO
        if laid or task.strata:
            _lay_bits(rows, holders, rank, local, bitmaps, width if laid else 0, begins, found.strata[used:])
        used += children
        if laid:
            _open(stack, children, width)
            found, used, labels, bitmaps, complete = _intersect(found, used, labels, bitmaps, stack, task)
            if not complete:
                return _trimmed(found, used), postponed[:0], False
    return _trimmed(found, used), postponed[:postponements], True


@compiled
def _frequent(counts: Int32s, rank: int, min_count: int) -> int:
    """Return how many of the higher ranks share so many baskets with `rank`."""
    children = 0
    for other in range(rank + 1, len(counts)):
        children += 1 if counts[other] >= min_count else 0
    return children


@compiled
def _open(stack: Stack, children: int, width: int) -> None:
    """Make the bitmaps of `children` the first frame."""
    stack.at[0], stack.rows[0], stack.width[0], stack.first[0], stack.next[0] = 0, children, width, 0, 0


@compiled
def _nothing(strata: int) -> Found:
    return Found(
        np.empty(1024, np.int32),
        np.empty(1024, np.int32),
        np.empty(1024, np.int32),
        np.zeros((1024, strata), np.int32),
    )


@compiled
def _trimmed(found: Found, used: int) -> Found:
    return Found(found.parents[:used], found.items[:used], found.counts[:used], found.strata[:used])


@compiled
def _empty_stack(longest: int, strata: int, task: Task) -> Stack:
    """Return a stack as deep as the largest basket may lead."""
    depths = min(max(longest, 2), task.max_length - task.length + 1) + 2
    return Stack(
        np.zeros(depths, np.int64),
        np.zeros(depths, np.int64),
        np.zeros(depths, np.int64),
        np.zeros(depths, np.int64),
        np.zeros(depths, np.int64),
        np.zeros((depths, strata + 1), np.int64),
    )


@compiled
def _count_neighbours(rows: Rows, holders: Holders, rank: int, counts: Int32s) -> None:
    """Count the baskets that each higher rank shares with `rank`."""
    for other in range(rank + 1, len(counts)):
        counts[other] = 0
    for holder in range(holders.pointers[rank], holders.pointers[rank + 1]):
        at = np.uint64(holders.places[holder]) + _ONE
        while rows.ranks[at] < len(counts):
            counts[rows.ranks[at]] += 1
            at += _ONE


@compiled
def _name_children(  # noqa: PLR0917 - numba takes arrays, not objects
    found: Found,
    used: int,
    labels: Labels,
    local: Int32s,
    counts: Int32s,
    parent: int,
    names: Int32s,
    rank: int,
    task: Task,
) -> None:
    """Write a node for each frequent neighbour of `rank`, and its place among them to `local`."""
    child = 0
    for other in range(rank + 1, len(counts)):
        local[other] = -1
        if counts[other] >= task.min_count:
            found.parents[used + child] = parent
            found.items[used + child] = names[other]
            found.counts[used + child] = counts[other]
            local[other] = child
            labels.nodes[child] = task.base + used + child
            labels.names[child] = names[other]
            child += 1


@compiled
def _segment(rows: Rows, holders: Holders, rank: int, segments: Int64s) -> Int64s:
    """Write where in a bitmap of the holders of `rank` each stratum begins, in words; return it in bits."""
    places = holders.places[holders.pointers[rank] : holders.pointers[rank + 1]]
    before = 0
    for stratum in range(len(rows.ends)):
        until = np.searchsorted(places, rows.ends[stratum])
        segments[stratum + 1] = segments[stratum] + (until - before + 63) // 64
        before = until
    return segments[:-1] * 64


@compiled
def _lay_bits(  # noqa: PLR0917 - numba takes arrays, not objects
    rows: Rows,
    holders: Holders,
    rank: int,
    local: Int32s,
    bitmaps: Words,
    width: int,
    begins: Int64s,
    strata: Int32s,
) -> None:
    """Set the bits of the frequent neighbours of `rank` unless `width` is 0, and count them by stratum."""
    by_stratum = strata.shape[1] > 0
    stratum = 0
    bit_at = begins[0]
    for holder in range(holders.pointers[rank], holders.pointers[rank + 1]):
        at = np.uint64(holders.places[holder]) + _ONE
        while at > rows.ends[stratum]:
            stratum += 1
            bit_at = begins[stratum]
        word = bit_at >> 6
        bit = _ONE << np.uint64(bit_at & 63)
        bit_at += 1
        while rows.ranks[at] < len(local):
            child = local[rows.ranks[at]]
            if child >= 0:
                if width:
                    bitmaps[child * width + word] |= bit
                if by_stratum:
                    strata[child, stratum] += 1
            at += _ONE


@compiled
def _intersect(  # noqa: PLR0917 - numba takes arrays, not objects
    found: Found, used: int, labels: Labels, bitmaps: Words, stack: Stack, task: Task
) -> tuple[Found, int, Labels, Words, bool]:
    """Find all sets below the first frame of `stack`, depth first; stop when there is no room for more."""
    siblings = np.zeros(stack.rows[0], np.int64)
    depth = 0
    while depth >= 0:
        this, rows, width, frame = stack.next[depth], stack.rows[depth], stack.width[depth], stack.at[depth]
        if this >= rows - 1:
            depth -= 1
            continue
        stack.next[depth] += 1
        below = stack.first[depth] + rows
        labels = _labelled(labels, below, below + rows)
        found = _roomy(found, used, used + rows)
        children = _extend(found, used, labels, bitmaps, stack, depth, siblings, task)
        used += children
        if used > task.room:
            return found, used, labels, bitmaps, False
        if children < 2 or task.length + 2 + depth >= task.max_length:
            continue
        to = frame + rows * width
        bitmaps = _longer(bitmaps, to, to + children * width)
        depth += 1
        stack.at[depth], stack.rows[depth], stack.first[depth], stack.next[depth] = to, children, below, 0
        _shrink(bitmaps, stack, depth, siblings, frame + this * width)
    return found, used, labels, bitmaps, True


@compiled
def _extend(  # noqa: PLR0917 - numba takes arrays, not objects
    found: Found,
    used: int,
    labels: Labels,
    bitmaps: Words,
    stack: Stack,
    depth: int,
    siblings: Int64s,
    task: Task,
) -> int:
    """Join the frame's last taken set with each later one; write those that are frequent, return how many."""
    this, width, frame, left = stack.next[depth] - 1, stack.width[depth], stack.at[depth], stack.first[depth]
    below = left + stack.rows[depth]
    mine = frame + this * width
    children = 0
    for other in range(this + 1, stack.rows[depth]):
        yours = frame + other * width
        count = _overlap(bitmaps, mine, yours, 0, width)
        if count < task.min_count:
            continue
        node = used + children
        found.parents[node] = labels.nodes[left + this]
        found.items[node] = labels.names[left + other]
        found.counts[node] = count
        for stratum in range(task.strata):
            found.strata[node, stratum] = _overlap(
                bitmaps, mine, yours, stack.segments[depth, stratum], stack.segments[depth, stratum + 1]
            )
        labels.nodes[below + children] = task.base + node
        labels.names[below + children] = labels.names[left + other]
        siblings[children] = other
        children += 1
    return children


@compiled
def _shrink(bitmaps: Words, stack: Stack, depth: int, siblings: Int64s, mine: int) -> None:
    """Fill the frame at `depth` with the overlaps of bitmap `mine`, without the words that hold nobody."""
    frame, to, width = stack.at[depth - 1], stack.at[depth], stack.width[depth - 1]
    old, new = stack.segments[depth - 1], stack.segments[depth]
    kept = 0
    for stratum in range(len(old) - 1):
        new[stratum] = kept
        for word in range(old[stratum], old[stratum + 1]):
            bits = bitmaps[mine + word]
            if bits != _ZERO:
                for row in range(stack.rows[depth]):
                    bitmaps[to + row * width + kept] = bitmaps[frame + siblings[row] * width + word] & bits
                kept += 1
    new[-1] = kept
    stack.width[depth] = kept
    if kept < width:  # close up the rows
        for row in range(1, stack.rows[depth]):
            for word in range(kept):
                bitmaps[to + row * kept + word] = bitmaps[to + row * width + word]

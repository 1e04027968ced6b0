"""
Tallies: how many baskets of each size hold an item or a pair, as sorted keys that can be added and taken away.

A key is (lower item, higher item, size stratum) in 64 bits; a single item stands beside nothing, and nothing beside
nothing stands for all baskets. Tallies of two days add up to the tally of both.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.mining.compiled import compiled

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

STRATUM_BITS = 4
ITEM_BITS = 28
ITEM_MASK = (1 << ITEM_BITS) - 1
STRATUM_MASK = (1 << STRATUM_BITS) - 1
HIGHEST_ITEM = ITEM_MASK - 1
"""Items are numbered from 0 to this."""

_HEADER = struct.Struct("<4sI")
_MARK = b"tly1"
_FIRST_SLOTS = 1 << 12
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Rising `keys` and how many baskets stand behind each; counts are positive, but in what is to be taken away."""

    keys: Int64s
    counts: Int64s

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self.keys)

    def __add__(self, other: "Tally") -> "Tally":
        """Return what both count together; keys whose baskets come to nothing are gone."""
        return added((self, other))

    def __neg__(self) -> "Tally":
        """Return what takes this away."""
        return Tally(self.keys, -self.counts)

    def same_as(self, other: "Tally") -> bool:
        """Return whether both count the same."""
        return np.array_equal(self.keys, other.keys) and np.array_equal(self.counts, other.counts)

    @property
    def lower(self) -> Int64s:
        """The lower item of each key, -1 where it has none: single items and the baskets themselves."""
        return (self.keys >> (ITEM_BITS + STRATUM_BITS)) - 1

    @property
    def higher(self) -> Int64s:
        """The higher item of each key, or the single one; -1 for the baskets themselves."""
        return ((self.keys >> STRATUM_BITS) & ITEM_MASK) - 1

    @property
    def strata(self) -> Int64s:
        """The size stratum of each key."""
        return self.keys & STRATUM_MASK


NOTHING = Tally(np.empty(0, np.int64), np.empty(0, np.int64))


def added(tallies: tuple[Tally, ...] | list[Tally]) -> Tally:
    """Return the sum of `tallies`, the largest of which costs a copy and no more."""
    if not tallies:
        return NOTHING
    largest = max(range(len(tallies)), key=lambda number: len(tallies[number]))
    rest = [tally for number, tally in enumerate(tallies) if number != largest and len(tally)]
    total = tallies[largest]
    if not rest:
        return _without_zeros(total.keys, total.counts)
    change = _summed(
        np.concatenate([tally.keys for tally in rest]), np.concatenate([tally.counts for tally in rest])
    )
    place = np.searchsorted(total.keys, change.keys)
    known = np.zeros(len(change), np.bool_)
    inside = place < len(total)
    known[inside] = total.keys[place[inside]] == change.keys[inside]
    counts = total.counts.copy()
    counts[place[known]] += change.counts[known]
    keys = total.keys
    if not known.all():
        keys = np.insert(keys, place[~known], change.keys[~known])
        counts = np.insert(counts, place[~known], change.counts[~known])
    return _without_zeros(keys, counts)


def _summed(keys: Int64s, counts: Int64s) -> Tally:
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.empty(0, np.int64)
    return Tally(keys[first], np.add.reduceat(counts, first) if len(keys) else counts)


def _without_zeros(keys: Int64s, counts: Int64s) -> Tally:
    kept = counts != 0
    return Tally(keys, counts) if kept.all() else Tally(keys[kept], counts[kept])


def tally_of(
    table: BasketTable, numbers: Int64s, tracked: Flags, *, first: int = 0, end: int | None = None
) -> Tally:
    """
    Return the tally of the baskets `first` to before `end` of `table`.

    Code c is called numbers[c]; pairs are counted of the codes that are `tracked`, single items of all.
    """
    slots = np.zeros(_FIRST_SLOTS, np.int64), np.zeros(_FIRST_SLOTS, np.int64)
    keys, counts = _count(
        table.offsets,
        table.codes,
        table.strata,
        numbers,
        tracked,
        first,
        len(table) if end is None else end,
        *slots,
    )
    used = np.flatnonzero(counts)
    keys, counts = keys[used], counts[used]
    order = np.argsort(keys)
    return Tally(keys[order], counts[order])


@compiled
def _count(  # noqa: PLR0917 - numba takes arrays, not objects
    offsets: Int64s,
    codes: Int32s,
    strata: Int32s,
    numbers: Int64s,
    tracked: Flags,
    first: int,
    end: int,
    keys: Int64s,
    counts: Int64s,
) -> tuple[Int64s, Int64s]:
    """Count keys in a table of slots, found by hashing; a slot without count is free."""
    used = 0
    held = np.empty(1024, np.int64)
    for basket in range(first, end):
        begin, stop = offsets[basket], offsets[basket + 1]
        stratum = np.int64(strata[basket])
        size = stop - begin
        while (used + 1 + size * (size + 1) // 2) * 2 > len(keys):
            keys, counts = _spread(keys, counts)
        if size > len(held):
            held = np.empty(2 * size, np.int64)
        used += _add(keys, counts, stratum)
        kept = 0
        for at in range(begin, stop):
            number = numbers[codes[at]] + 1
            used += _add(keys, counts, (number << STRATUM_BITS) | stratum)
            if tracked[codes[at]]:
                held[kept] = number
                kept += 1
        for one in range(kept):
            for other in range(one + 1, kept):
                low = min(held[one], held[other])
                high = max(held[one], held[other])
                used += _add(keys, counts, (((low << ITEM_BITS) | high) << STRATUM_BITS) | stratum)
    return keys, counts


@compiled
def _add(keys: Int64s, counts: Int64s, key: Any) -> int:
    """Count `key` once more; return 1 where it is new, else 0."""
    mask = len(keys) - 1
    slot = np.int64((np.uint64(key) * _SPREAD) >> np.uint64(24)) & mask
    while counts[slot] != 0:
        if keys[slot] == key:
            counts[slot] += 1
            return 0
        slot = (slot + 1) & mask
    keys[slot] = key
    counts[slot] = 1
    return 1


@compiled
def _spread(keys: Int64s, counts: Int64s) -> tuple[Int64s, Int64s]:
    """Return the slots in twice as many."""
    wider = np.zeros(2 * len(keys), np.int64)
    wider_counts = np.zeros(2 * len(keys), np.int64)
    mask = len(wider) - 1
    for old in range(len(keys)):
        if counts[old]:
            slot = np.int64((np.uint64(keys[old]) * _SPREAD) >> np.uint64(24)) & mask
            while wider_counts[slot] != 0:
                slot = (slot + 1) & mask
            wider[slot] = keys[old]
            wider_counts[slot] = counts[old]
    return wider, wider_counts


def pack(tally: Tally) -> bytes:
    """Return `tally` as bytes: steps between keys, then counts, byte by byte of equal weight, deflated."""
    steps = np.diff(tally.keys, prepend=np.int64(0))
    planes = b"".join(_planes(values) for values in (steps, tally.counts))
    return _HEADER.pack(_MARK, len(tally)) + zlib.compress(planes, 1)


def unpack(packed: bytes) -> Tally:
    """Return the tally that `pack` made into bytes."""
    mark, size = _HEADER.unpack_from(packed)
    if mark != _MARK:
        raise ValueError("this is no tally")
    planes = np.frombuffer(zlib.decompress(memoryview(packed)[_HEADER.size :]), np.uint8).reshape(2, 8, size)
    steps, counts = (
        np.ascontiguousarray(part.T).view("<i8").reshape(size).astype(np.int64) for part in planes
    )
    return Tally(np.cumsum(steps, dtype=np.int64), counts)


def _planes(values: Int64s) -> bytes:
    planes: NDArray[Any] = values.astype("<i8").view(np.uint8).reshape(len(values), 8).T
    return planes.tobytes()

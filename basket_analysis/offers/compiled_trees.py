"""
Grown trees for a compiled loop: several times faster than LightGBM's own prediction, and the same to the bit.

LightGBM follows one row through each tree, and waits at nearly every node for a guess that failed. Here (QuickScorer, Lucchese et al.
2015, by rows instead of by thresholds) all nodes of a tree are asked, of many rows in one instruction: each crosses
out the leaves that a row cannot reach any more, and the first one left is where it ends. Pure.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import Int32s
from basket_analysis.mining.compiled import compiled
from basket_analysis.offers.relevance_purchases import Floats

Doubles = NDArray[np.float64]
Masks = NDArray[np.uint32]

MOST_LEAVES: Final = 32
"""Leaves are the bits of a number."""

CATEGORICAL: Final = 1
DEFAULT_LEFT: Final = 2
MISSING: Final = 12
MISSING_IS_ZERO: Final = 4
MISSING_IS_NAN: Final = 8
"""Bits of what LightGBM calls the type of a decision."""

ZERO: Final = np.float32(1e-35)
"""What is not further from 0 than this LightGBM takes for 0."""

LARGEST: Final = np.finfo(np.float32).max
"""What is more counts as so much: where only NaN is told apart the threshold is infinite, and nothing is more."""

TILE: Final = 64
"""So many rows are asked at once: with all their columns they fit into the nearest memory."""


class TreesUnknownError(ValueError):
    """Trees of a kind that this module does not follow: categories, zeros for what is missing, many leaves, several outputs."""


@dataclass(frozen=True, slots=True)
class FlatTrees:
    """
    The nodes of trees one after the other, and their leaves; a row is worth the sum of its leaves, tree by tree.

    A node asks whether a row's `column`, times `sign`, is more than `bound`: if so, only the leaves in `left_over` remain. NaN is not.
    Leaves are in the order in which who is never more comes first.
    """

    first_nodes: Int32s
    """Where the nodes of each tree begin; one more than there are trees."""
    first_leaves: Int32s
    column: Int32s
    sign: Floats
    bound: Floats
    left_over: Masks
    value: Doubles
    columns: int

    def predict(self, rows: Floats) -> Doubles:
        """Return the raw scores of `rows`, as `Booster.predict(rows, raw_score=True)` does."""
        if rows.shape[1] != self.columns:
            raise ValueError(f"{rows.shape[1]} columns instead of {self.columns}")
        found = np.zeros(len(rows), np.float64)
        nodes = (self.first_nodes, self.column, self.sign, self.bound, self.left_over)
        _judge(np.ascontiguousarray(rows, np.float32), *nodes, self.first_leaves, self.value, _PLACES, found)
        return found


def flat_trees(text: str) -> FlatTrees:
    """Return the trees of a model as LightGBM writes it; raises TreesUnknownError."""
    head, *trees = text.partition("\nend of trees")[0].split("\nTree=")
    told = _entries(head)
    if told.get("num_tree_per_iteration") != "1" or "average_output" in head.splitlines():
        raise TreesUnknownError
    parts = [_flat(_entries(tree)) for tree in trees]
    empty: tuple[NDArray[Any], ...] = (np.empty(0),) * 5
    column, sign, bound, left_over, value = (
        np.concatenate(of_all) for of_all in zip(empty, *parts, strict=True)
    )
    return FlatTrees(
        first_nodes=np.cumsum([0, *(len(part[0]) for part in parts)]).astype(np.int32),
        first_leaves=np.cumsum([0, *(len(part[4]) for part in parts)]).astype(np.int32),
        column=column.astype(np.int32),
        sign=sign.astype(np.float32),
        bound=bound.astype(np.float32),
        left_over=left_over.astype(np.uint32),
        value=value,
        columns=int(told["max_feature_idx"]) + 1,
    )


def _entries(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _flat(tree: dict[str, str]) -> tuple[NDArray[Any], ...]:
    """Return the columns, signs, bounds and masks of a tree's nodes, and the values of its leaves in order."""
    value = np.array(tree["leaf_value"].split(), np.float64)
    if int(tree["num_cat"]) or tree.get("is_linear", "0") != "0" or len(value) > MOST_LEAVES:
        raise TreesUnknownError
    if len(value) == 1:
        return *(np.empty(0),) * 4, value
    kind = np.array(tree["decision_type"].split(), int)
    threshold = np.array(tree["threshold"].split(), np.float64)
    if (kind & CATEGORICAL).any() or ((kind & MISSING) == MISSING_IS_ZERO).any():
        raise TreesUnknownError
    if (np.abs(threshold) < ZERO).any():
        raise TreesUnknownError
    # A 32-bit value is at most the threshold where it is at most the last 32-bit value that is; -ZERO itself counts as 0.
    most = threshold.astype(np.float32)
    most = np.where((most > threshold) | (most == -ZERO), np.nextafter(most, np.float32(-np.inf)), most)
    # NaN goes where the decision says; where nothing was missing when trees grew it counts as 0.
    nan_left = np.where((kind & MISSING) == MISSING_IS_NAN, (kind & DEFAULT_LEFT) > 0, threshold >= 0)
    left, right = (np.array(tree[name].split(), int) for name in ("left_child", "right_child"))
    order, left_over = _masks(np.where(nan_left, left, right), np.where(nan_left, right, left))
    column = np.array(tree["split_feature"].split(), int)
    bound = np.where(nan_left, most, -np.nextafter(most, np.float32(np.inf)))
    return column, np.where(nan_left, 1, -1), bound, left_over, value[order]


def _masks(below: NDArray[Any], above: NDArray[Any]) -> tuple[list[int], NDArray[Any]]:
    """Return leaves in order, and for each node which places of them are left over for who is above; leaves count down from -1."""
    order: list[int] = []
    left_over = np.full(len(below), 2**MOST_LEAVES - 1, np.int64)

    def walk(node: int) -> None:
        if node < 0:
            order.append(-1 - node)
            return
        first = len(order)
        walk(below[node])
        left_over[node] -= (1 << len(order)) - (1 << first)
        walk(above[node])

    walk(0)
    return order, left_over


DE_BRUIJN: Final = 0x077CB531
"""Times a power of two, its highest five bits are others for each power (Leiserson, Prokop and Randall 1998)."""

_PLACES: Final = np.zeros(MOST_LEAVES, np.int32)
_PLACES[[((DE_BRUIJN << place) & 0xFFFFFFFF) >> 27 for place in range(MOST_LEAVES)]] = np.arange(MOST_LEAVES)


@compiled
def _judge(  # noqa: PLR0917 - a kernel
    rows: Floats,
    first_nodes: Int32s,
    column: Int32s,
    sign: Floats,
    bound: Floats,
    left_over: Masks,
    first_leaves: Int32s,
    value: Doubles,
    places: Int32s,
    found: Doubles,
) -> None:
    """Add to `found` what each tree says of each row."""
    tile = np.zeros((rows.shape[1], TILE), np.float32)
    leaves = np.empty(TILE, np.uint32)
    for first in range(0, len(rows), TILE):
        count = min(TILE, len(rows) - first)
        for row in range(count):
            for place in range(rows.shape[1]):
                value_of = rows[first + row, place]
                tile[place, row] = LARGEST if value_of > LARGEST else value_of  # noqa: FURB136 - NaN stays
        for tree in range(len(first_nodes) - 1):
            leaves[:] = np.uint32(0xFFFFFFFF)
            for node in range(first_nodes[tree], first_nodes[tree + 1]):
                values = tile[column[node]]
                factor, least, mask = sign[node], bound[node], left_over[node]
                for row in range(TILE):
                    leaves[row] &= mask if values[row] * factor > least else np.uint32(0xFFFFFFFF)
            for row in range(count):
                bit = leaves[row] & (~leaves[row] + np.uint32(1))
                leaf = places[np.uint32(bit * np.uint32(DE_BRUIJN)) >> np.uint32(27)]
                found[first + row] += value[first_leaves[tree] + leaf]

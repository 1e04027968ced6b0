"""
What members alike tell about each other: EASE, common factors and nearest neighbours, by kernels between households.

There are fewer households than articles, so all are computed from the kernel of a sample of households: memory is
bounded by the sample, and work per member by what the sample bought. Pure.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import lapack

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.mining.compiled import compiled
from basket_analysis.offers.relevance_purchases import Floats

Sparse = Any
"""A scipy matrix in rows (CSR), members by items, of 32-bit floats."""

ByItem = Any
"""The same in columns (CSC)."""


@dataclass(frozen=True, slots=True)
class Score:
    """
    A score of every item for some members, worked out in full or only where it is asked for.

    It is weights · `learnt`, which a sample or its stores told; EASE takes a member's own history out before it
    divides by its diagonal, and adds it again.
    """

    weights: Floats
    learnt: ByItem
    own: Sparse | None = None
    diagonal: Floats | None = None

    def of_all(self) -> Floats:
        """Return the scores of all items, a row for each member."""
        scores = np.ascontiguousarray((self.learnt.T @ self.weights.T).T, np.float32)
        if self.own is not None and self.diagonal is not None:
            add_sparse(scores, -self.own)
            scores /= self.diagonal
            add_sparse(scores, self.own)
        return scores

    def at(self, rows: Int64s, items: Int32s) -> Floats:
        """Return the scores at pairs: some hundred times less work than `of_all` for what a list is made of."""
        scores = np.empty(len(rows), np.float32)
        _at_pairs(
            self.weights, rows, items, self.learnt.indptr, self.learnt.indices, self.learnt.data, scores
        )
        if self.own is not None and self.diagonal is not None and len(rows):
            own = np.asarray(self.own[rows, items], np.float32).ravel()
            scores = (scores - own) / self.diagonal[items] + own
        return scores


@compiled
def _dot(row: Floats, places: Int32s, values: Floats, first: int, last: int) -> float:
    """Return the sum of row[places] · values from `first` to before `last`: four sums, since one waits for itself."""
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    place = first
    while place + 4 <= last:
        one += row[places[place]] * values[place]
        two += row[places[place + 1]] * values[place + 1]
        three += row[places[place + 2]] * values[place + 2]
        four += row[places[place + 3]] * values[place + 3]
        place += 4
    while place < last:
        one += row[places[place]] * values[place]
        place += 1
    return (one + two) + (three + four)


@compiled
def _at_pairs(  # noqa: PLR0917 - a kernel
    weights: Floats,
    rows: Int64s,
    items: Int32s,
    starts: Int32s,
    learnt: Int32s,
    values: Floats,
    found: Floats,
) -> None:
    for pair in range(len(rows)):
        weight = weights[rows[pair]]
        first, last = starts[items[pair]], starts[items[pair] + 1]
        found[pair] = _dot(weight, learnt, values, first, last)


def overlaps(histories: Sparse, by_item: ByItem) -> Floats:
    """Return histories · byᵀ, a row for each history and a column for each household of `by_item`."""
    found = np.zeros((histories.shape[0], by_item.shape[0]), np.float32)
    _overlap(
        histories.indptr,
        histories.indices,
        histories.data,
        by_item.indptr,
        by_item.indices,
        by_item.data,
        found,
    )
    return found


@compiled
def _overlap(  # noqa: PLR0917 - a kernel
    starts: Int32s,
    items: Int32s,
    values: Floats,
    item_starts: Int32s,
    households: Int32s,
    weights: Floats,
    found: Floats,
) -> None:
    for row in range(len(starts) - 1):
        mine = found[row]
        for place in range(starts[row], starts[row + 1]):
            value = values[place]
            for other in range(item_starts[items[place]], item_starts[items[place] + 1]):
                mine[households[other]] += value * weights[other]


def kernel_of(histories: Sparse, by_item: ByItem) -> Floats:
    """Return histories · historiesᵀ of a sample, `by_item` the same in columns; each pair is worked out once."""
    found = np.zeros((histories.shape[0], histories.shape[0]), np.float32)
    _overlap_once(
        histories.indptr,
        histories.indices,
        histories.data,
        by_item.indptr,
        by_item.indices,
        by_item.data,
        found,
    )
    _mirror(found.T)
    return found


@compiled
def _overlap_once(  # noqa: PLR0917 - a kernel
    starts: Int32s,
    items: Int32s,
    values: Floats,
    item_starts: Int32s,
    households: Int32s,
    weights: Floats,
    found: Floats,
) -> None:
    """Do as `_overlap` on and below the diagonal; the households of an item rise."""
    for row in range(len(starts) - 1):
        mine = found[row]
        for place in range(starts[row], starts[row + 1]):
            value = values[place]
            for other in range(item_starts[items[place]], item_starts[items[place] + 1]):
                if households[other] > row:
                    break
                mine[households[other]] += value * weights[other]


@dataclass(frozen=True, slots=True)
class Ease:
    """
    EASE (Steck 2019) learnt from a sample of households, without ever building its matrix of items by items.

    With P = (XᵀX + λI)⁻¹ the weights are I - P / diag P; by the household kernel K = XXᵀ + λI,
    P = (I - XᵀK⁻¹X) / λ. `inverse` is K⁻¹, `diagonal` λ · diag P, `regularisation` λ.
    """

    sample: ByItem
    inverse: Floats
    diagonal: Floats
    regularisation: float

    def score(self, histories: Sparse, own: Int32s) -> Score:
        """
        Return for each row of `histories` the score of items: how much the rest of the history speaks for them.

        `own` is a history's own row in the sample, or -1: of the sample XXᵀK⁻¹ is known to be I - λK⁻¹.
        """
        weights = np.empty((histories.shape[0], len(self.inverse)), np.float32)
        known, others = np.flatnonzero(own >= 0), np.flatnonzero(own < 0)
        weights[known] = self.inverse[own[known]] * np.float32(-self.regularisation)
        weights[known, own[known]] += 1
        if len(others):
            weights[others] = overlaps(histories[others], self.sample) @ self.inverse
        return Score(weights, self.sample, histories, self.diagonal)


def learn_ease(histories: Sparse, regularisation: float) -> Ease:
    """Return EASE learnt from the `histories` of a sample."""
    sample = histories.tocsc()
    kernel = kernel_of(histories, sample)
    kernel[np.diag_indices(len(kernel))] += regularisation
    inverse = inverted(kernel)
    explained = np.zeros(sample.shape[1])
    _explain(sample.indptr, sample.indices, sample.data, inverse, explained)
    return Ease(sample, inverse, np.maximum(1 - explained, 1e-6).astype(np.float32), regularisation)


def inverted(kernel: Floats) -> Floats:
    """Return the inverse of a symmetric `kernel` whose diagonal outweighs it; the kernel is used up."""
    if not len(kernel):
        return kernel
    # The transpose is what LAPACK calls a matrix in columns: worked on in place.
    factor, _ = lapack.spotrf(kernel.T, lower=1, overwrite_a=1, clean=0)
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    _mirror(inverse.T)
    return np.ascontiguousarray(inverse.T)


@compiled
def _mirror(matrix: Floats) -> None:
    """Write what stands above the diagonal below it."""
    for row in range(len(matrix)):
        for column in range(row):
            matrix[row, column] = matrix[column, row]


@compiled
def _explain(starts: Int32s, households: Int32s, values: Floats, inverse: Floats, explained: Floats) -> None:
    """Write for each item x how much of it others explain, x'K^-1 x, by its buyers alone; K^-1 is symmetric."""
    for item in range(len(starts) - 1):
        total = 0.0
        for one in range(starts[item], starts[item + 1]):
            row = inverse[households[one]]
            part = _dot(row, households, values, starts[item], one)
            total += (2 * part + row[households[one]] * values[one]) * values[one]
        explained[item] = total


@dataclass(frozen=True, slots=True)
class Factors:
    """The strongest common factors of a sample's histories, in which frequent items weigh less, by its kernel."""

    sample: ByItem
    directions: Floats
    weight_of: Floats
    of_sample: Floats
    """How strongly each household of the sample has each factor."""

    def score(self, histories: Sparse, own: Int32s) -> Score:
        """
        Return for each row of `histories` how much of every item its factors explain.

        `own` is a history's own row in the sample, or -1.
        """
        strengths = np.empty((histories.shape[0], self.directions.shape[1]), np.float32)
        known, others = np.flatnonzero(own >= 0), np.flatnonzero(own < 0)
        strengths[known] = self.of_sample[own[known]]
        if len(others):
            alike = overlaps(times_columns(histories[others], self.weight_of), self.sample)
            strengths[others] = alike @ self.directions
        return Score(np.asarray(strengths @ self.directions.T, np.float32), self.sample)


def learn_factors(histories: Sparse, buyers: NDArray[Any], *, count: int) -> Factors:
    """Return the `count` strongest factors of a sample; `buyers` are the households that ever bought each item."""
    weight_of: Floats = (np.maximum(buyers, 1) ** -0.25).astype(np.float32)
    weighted = times_columns(histories, weight_of)
    sample = weighted.tocsc()
    kernel = kernel_of(weighted, sample)
    # A few rounds of turning a random plane towards the strongest directions: a whole decomposition costs many times more.
    plane = np.random.default_rng(1).standard_normal((len(kernel), count + SPARE), np.float32)
    for _ in range(ROUNDS):
        plane = scipy.linalg.qr(kernel @ plane, mode="economic", check_finite=False)[0]
    values, vectors = scipy.linalg.eigh(plane.T @ kernel @ plane, check_finite=False)
    kept = np.flatnonzero(values > WEAKEST * values.max(initial=0))[-count:]
    directions = np.ascontiguousarray(plane @ vectors[:, kept] / np.sqrt(values[kept]), np.float32)
    return Factors(sample, directions, weight_of, kernel @ directions)


SPARE = 16
"""So many directions more than wanted are turned, since the last ones settle slowly."""

ROUNDS = 6
WEAKEST = 1e-4
"""Directions that explain less than this share of the strongest one are noise."""

BLOCK = 100
"""So many members are worked on at once: a block by all articles is what stands in memory."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest households of a sample, by the cosine of histories in which rare items weigh more."""

    sample: ByItem
    weight_of: Floats
    nearest: int

    def weights(self, histories: Sparse, own: Int32s) -> Floats:
        """
        Return how much each household of the sample counts for each history; rows sum to one.

        `own` is a history's own row in the sample, which does not count, or -1.
        """
        alike = overlaps(cosines(histories, self.weight_of), self.sample)
        rows = np.flatnonzero(own >= 0)
        alike[rows, own[rows]] = 0
        nearest = min(self.nearest, alike.shape[1])
        if nearest < alike.shape[1]:
            least = np.partition(alike, -nearest, axis=1)[:, -nearest][:, None]
            alike[alike < least] = 0
        alike *= alike
        alike /= np.maximum(alike.sum(axis=1, keepdims=True), 1e-9)
        return alike


def learn_neighbours(histories: Sparse, buyers: NDArray[Any], *, nearest: int) -> Neighbours:
    """Return the neighbourhoods of a sample; `buyers` are the households that ever bought each item."""
    weight_of = np.log(histories.shape[0] / np.maximum(buyers, 1)).clip(0).astype(np.float32)
    return Neighbours(cosines(histories, weight_of).tocsc(), weight_of, nearest)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far items are bought by the same households of a sample: the cosine of their buyers, drawn to 0 where they are few."""

    sample: ByItem

    def to_own(self, histories: Sparse, rows: Int64s, items: Int32s, group: Int32s) -> tuple[Floats, Floats]:
        """
        Return for pairs of a history (`rows` rise) and an item, which it does not hold, how like it is to what the history holds of its `group`
        (0 is none).

        Once of what is likest, once added up by how much of each the history holds; 0 where it holds nothing of the group.
        """
        closest, together = np.zeros((2, len(rows)), np.float32)
        own = (histories.indptr, histories.indices, histories.data)
        buyers = (self.sample.indptr, self.sample.indices, self.sample.data)
        marked = np.zeros(self.sample.shape[0], np.float32)
        _compare(rows, items, group, *own, *buyers, marked, closest, together)
        return closest, together


def learn_likeness(histories: Sparse) -> Likeness:
    """Return how like items are by the `histories` of a sample."""
    sample = histories.tocsc()
    sample.sort_indices()
    length = np.sqrt(np.asarray(sample.multiply(sample).sum(axis=0)).ravel()) + 1
    sample.data /= np.repeat(length, np.diff(sample.indptr)).astype(np.float32)
    return Likeness(sample)


@compiled
def _compare(  # noqa: C901, PLR0917 - a kernel
    rows: Int64s,
    items: Int32s,
    group: Int32s,
    own_starts: Int32s,
    own_items: Int32s,
    own_values: Floats,
    starts: Int32s,
    households: Int32s,
    values: Floats,
    marked: Floats,
    closest: Floats,
    together: Floats,
) -> None:
    last = 0
    while last < len(rows):
        first, row = last, rows[last]
        while last < len(rows) and rows[last] == row:
            last += 1
        for place in range(own_starts[row], own_starts[row + 1]):
            own, unmarked = own_items[place], True
            for pair in range(first, last):
                item = items[pair]
                if group[item] != group[own] or not group[own]:
                    continue
                if unmarked:
                    unmarked = False
                    for one in range(starts[own], starts[own + 1]):
                        marked[households[one]] = values[one]
                alike = 0.0
                for one in range(starts[item], starts[item + 1]):
                    alike += values[one] * marked[households[one]]
                closest[pair] = max(closest[pair], alike)
                together[pair] += alike * own_values[place]
            if not unmarked:
                for one in range(starts[own], starts[own + 1]):
                    marked[households[one]] = 0


def cosines(histories: Sparse, weight_of: Floats) -> Sparse:
    """Return `histories`, items weighted, with rows of length one."""
    return unit_rows(times_columns(histories, weight_of))


def times_columns(matrix: Sparse, weight_of: Floats) -> Sparse:
    """Return `matrix` with each column times its weight."""
    return sp.csr_matrix(
        (matrix.data * weight_of[matrix.indices], matrix.indices, matrix.indptr), matrix.shape
    )


def unit_rows(matrix: Sparse) -> Sparse:
    """Return `matrix` with rows of length one; empty ones stay empty."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sp.diags((1 / np.maximum(length, 1e-9)).astype(np.float32)) @ matrix).tocsr()


def add_sparse(dense: Floats, matrix: Sparse) -> None:
    """Add `matrix` to `dense` in place."""
    owner = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    dense[owner, matrix.indices] += matrix.data

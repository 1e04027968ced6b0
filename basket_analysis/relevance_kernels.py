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

from basket_analysis.baskets import Int32s
from basket_analysis.compiled import compiled
from basket_analysis.relevance_purchases import Floats

Sparse = Any
"""A scipy matrix in rows (CSR), members by items, of 32-bit floats."""


@dataclass(frozen=True, slots=True)
class Ease:
    """
    EASE (Steck 2019) learnt from a sample of households, without ever building its matrix of items by items.

    With P = (XᵀX + λI)⁻¹ the weights are I - P / diag P; by the household kernel K = XXᵀ + λI,
    P = (I - XᵀK⁻¹X) / λ. `inverse` is K⁻¹, `diagonal` λ · diag P.
    """

    sample: Sparse
    inverse: Floats
    diagonal: Floats
    regularisation: float

    def score(self, histories: Sparse) -> Floats:
        """Return for each row of `histories` a score of every item: how much the rest of the history speaks for it."""
        weights = np.asarray((histories @ self.sample.T).todense(), np.float32) @ self.inverse
        scores = times_sparse(weights, self.sample)
        add_sparse(scores, -histories)
        scores /= self.diagonal
        add_sparse(scores, histories)
        return scores


def learn_ease(sample: Sparse, regularisation: float) -> Ease:
    """Return EASE learnt from the histories of `sample`."""
    households = sample.shape[0]
    kernel = np.asarray((sample @ sample.T).todense(), np.float32)
    kernel[np.diag_indices(households)] += regularisation
    factor = scipy.linalg.cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
    inverse = scipy.linalg.cho_solve(factor, np.eye(households, dtype=np.float32), check_finite=False)
    inverse = np.ascontiguousarray(inverse, np.float32)
    by_item = sample.tocsc()
    explained = np.zeros(sample.shape[1])
    _explain(by_item.indptr, by_item.indices, by_item.data, inverse, explained)
    diagonal = np.maximum(1 - explained, 1e-6).astype(np.float32)
    return Ease(sample, inverse, diagonal, regularisation)


@compiled
def _explain(starts: Int32s, households: Int32s, values: Floats, inverse: Floats, explained: Floats) -> None:
    """Write for each item x how much of it others explain, x'K^-1 x, by its buyers alone."""
    for item in range(len(starts) - 1):
        total = 0.0
        for one in range(starts[item], starts[item + 1]):
            row = inverse[households[one]]
            part = 0.0
            for other in range(starts[item], starts[item + 1]):
                part += row[households[other]] * values[other]
            total += part * values[one]
        explained[item] = total


@dataclass(frozen=True, slots=True)
class Factors:
    """The strongest common factors of a sample's histories, in which frequent items weigh less, by its kernel."""

    sample: Sparse
    directions: Floats
    weight_of: Floats

    def score(self, histories: Sparse) -> Floats:
        """Return for each row of `histories` how much of every item its factors explain."""
        weighted = histories @ sp.diags(self.weight_of)
        alike = np.asarray((weighted @ self.sample.T).todense(), np.float32)
        weights = (alike @ self.directions) @ self.directions.T
        return times_sparse(np.asarray(weights, np.float32), self.sample)


def learn_factors(sample: Sparse, buyers: NDArray[Any], *, count: int) -> Factors:
    """Return the `count` strongest factors of `sample`; `buyers` are the households that ever bought each item."""
    weight_of: Floats = (np.maximum(buyers, 1) ** -0.25).astype(np.float32)
    weighted = (sample @ sp.diags(weight_of)).tocsr()
    kernel = np.asarray((weighted @ weighted.T).todense(), np.float32)
    # A few rounds of turning a random plane towards the strongest directions: a whole decomposition costs many times more.
    plane = np.random.default_rng(1).standard_normal((len(kernel), count + SPARE), np.float32)
    for _ in range(ROUNDS):
        plane = scipy.linalg.qr(kernel @ plane, mode="economic", check_finite=False)[0]
    values, vectors = scipy.linalg.eigh(plane.T @ kernel @ plane, check_finite=False)
    kept = np.flatnonzero(values > WEAKEST * values.max(initial=0))[-count:]
    directions = (plane @ vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    return Factors(weighted, np.ascontiguousarray(directions), weight_of)


SPARE = 16
"""So many directions more than wanted are turned, since the last ones settle slowly."""

ROUNDS = 6
WEAKEST = 1e-4
"""Directions that explain less than this share of the strongest one are noise."""

BLOCK = 200
"""So many members are worked on at once: a block by all articles is what stands in memory."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest households of a sample, by the cosine of histories in which rare items weigh more."""

    sample: Sparse
    weight_of: Floats
    nearest: int

    def weights(self, histories: Sparse, own: Int32s) -> Sparse:
        """
        Return how much each household of the sample counts for each history; rows sum to one.

        `own` is a history's own row in the sample, which does not count, or -1.
        """
        alike = np.asarray((cosines(histories, self.weight_of) @ self.sample.T).todense(), np.float32)
        rows = np.flatnonzero(own >= 0)
        alike[rows, own[rows]] = 0
        nearest = min(self.nearest, alike.shape[1])
        if nearest < alike.shape[1]:
            least = np.partition(alike, -nearest, axis=1)[:, -nearest][:, None]
            alike[alike < least] = 0
        alike *= alike
        alike /= np.maximum(alike.sum(axis=1, keepdims=True), 1e-9)
        return sp.csr_matrix(alike)


def learn_neighbours(sample: Sparse, buyers: NDArray[Any], *, nearest: int) -> Neighbours:
    """Return the neighbourhoods of `sample`; `buyers` are the households that ever bought each item."""
    weight_of = np.log(sample.shape[0] / np.maximum(buyers, 1)).clip(0).astype(np.float32)
    return Neighbours(cosines(sample, weight_of), weight_of, nearest)


def cosines(histories: Sparse, weight_of: Floats) -> Sparse:
    """Return `histories`, items weighted, with rows of length one."""
    weighted = histories @ sp.diags(weight_of)
    return unit_rows(weighted)


def unit_rows(matrix: Sparse) -> Sparse:
    """Return `matrix` with rows of length one; empty ones stay empty."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sp.diags((1 / np.maximum(length, 1e-9)).astype(np.float32)) @ matrix).tocsr()


def times_sparse(dense: Floats, matrix: Sparse) -> Floats:
    """Return `dense` times `matrix`, in the order of rows."""
    return np.ascontiguousarray((matrix.T.tocsr() @ dense.T).T)


def add_sparse(dense: Floats, matrix: Sparse) -> None:
    """Add `matrix` to `dense` in place."""
    owner = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    dense[owner, matrix.indices] += matrix.data

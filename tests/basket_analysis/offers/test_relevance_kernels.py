"""EASE and common factors by the kernel of households, against their definitions."""

import numpy as np
import pytest
import scipy.sparse as sp

from basket_analysis.offers.relevance_kernels import (
    inverted,
    kernel_of,
    learn_ease,
    learn_factors,
    learn_likeness,
    learn_neighbours,
    overlaps,
)

OF_EIGHT = np.array([*range(8), -1, -1, -1, -1])
"""The rows of twelve households in a sample of the first eight."""


@pytest.fixture
def histories():
    chance = np.random.default_rng(3)
    dense = (chance.random((12, 30)) < 0.3) * chance.random((12, 30))
    return sp.csr_matrix(dense.astype(np.float32))


class TestEase:
    def test_is_what_its_definition_says(self, histories):
        dense = histories.toarray().astype(np.float64)
        inverse = np.linalg.inv(dense.T @ dense + 5 * np.eye(30))
        weights = np.eye(30) - inverse / np.diag(inverse)
        found = learn_ease(histories, 5.0).score(histories, np.full(12, -1)).of_all()
        np.testing.assert_allclose(found, dense @ weights, atol=1e-4)

    def test_scores_households_that_it_was_not_learnt_from(self, histories):
        dense = histories.toarray().astype(np.float64)
        sample, other = histories[:8], histories[8:]
        inverse = np.linalg.inv(dense[:8].T @ dense[:8] + 5 * np.eye(30))
        weights = np.eye(30) - inverse / np.diag(inverse)
        np.testing.assert_allclose(
            learn_ease(sample, 5.0).score(other, np.full(4, -1)).of_all(), dense[8:] @ weights, atol=1e-4
        )

    def test_gives_those_of_the_sample_what_it_gives_others_with_their_histories(self, histories):
        ease = learn_ease(histories[:8], 5.0)
        np.testing.assert_allclose(
            ease.score(histories, OF_EIGHT).of_all(),
            ease.score(histories, np.full(12, -1)).of_all(),
            atol=1e-4,
        )


class TestFactors:
    def test_give_those_of_the_sample_what_they_give_others_with_their_histories(self, histories):
        factors = learn_factors(histories[:8], np.ones(30), count=4)
        np.testing.assert_allclose(
            factors.score(histories, OF_EIGHT).of_all(),
            factors.score(histories, np.full(12, -1)).of_all(),
            atol=1e-4,
        )

    def test_are_the_strongest_directions_of_the_weighted_histories(self, histories):
        buyers = np.asarray((histories > 0).sum(axis=0)).ravel()
        weighted = histories.toarray() * np.maximum(buyers, 1) ** -0.25
        left, strengths, right = np.linalg.svd(weighted, full_matrices=False)
        found = learn_factors(histories, buyers, count=4).score(histories, np.full(12, -1)).of_all()
        np.testing.assert_allclose(found, left[:, :4] * strengths[:4] @ right[:4], atol=1e-3)

    def test_say_nothing_where_there_is_nobody(self, histories):
        nobody = histories[:0]
        assert (
            learn_factors(nobody, np.zeros(30), count=4).score(histories, np.full(12, -1)).of_all().tolist()
            == [[0.0] * 30] * 12
        )


class TestNeighbours:
    def test_weigh_the_nearest_and_never_the_household_itself(self, histories):
        buyers = np.asarray((histories > 0).sum(axis=0)).ravel()
        neighbours = learn_neighbours(histories, buyers, nearest=3)
        weights = neighbours.weights(histories, np.arange(12))
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
        assert ((weights > 0).sum(axis=1) <= 3).all()
        assert not np.diag(weights).any()


class TestLikeness:
    def test_compares_items_with_those_of_their_group_that_a_history_holds(self, histories):
        group = (np.arange(30) % 4).astype(np.int32)
        rows, items = (
            places.astype(kind)
            for places, kind in zip(np.nonzero(histories.toarray() == 0), "li", strict=True)
        )
        closest, together = learn_likeness(histories).to_own(histories, rows, items, group)
        dense = histories.toarray().astype(np.float64)
        shrunk = dense / (np.linalg.norm(dense, axis=0) + 1)
        alike = (shrunk.T @ shrunk) * (group[:, None] == group) * (group > 0)
        told = [alike[item] * (dense[row] > 0) for row, item in zip(rows, items, strict=True)]
        np.testing.assert_allclose(closest, [one.max() for one in told], atol=1e-6)
        np.testing.assert_allclose(
            together, [one @ dense[row] for one, row in zip(told, rows, strict=True)], atol=1e-5
        )
        assert closest.max() > 0

    def test_leaves_what_it_learnt_from_as_it_was(self, histories):
        before = histories.copy()
        learn_likeness(histories)
        assert (before != histories).nnz == 0


class TestScore:
    def test_is_the_same_at_pairs_as_in_full(self, histories):
        rows, items = np.divmod(np.arange(360), 30)
        for found in (
            learn_ease(histories[:8], 5.0).score(histories, OF_EIGHT),
            learn_factors(histories, np.ones(30), count=4).score(histories, np.arange(12)),
        ):
            told = found.at(rows, items.astype(np.int32))
            np.testing.assert_allclose(told, found.of_all()[rows, items], atol=1e-5)


class TestKernel:
    def test_is_what_overlaps_all_with_all_to_the_bit(self, histories):
        by_item = histories.tocsc()
        assert kernel_of(histories, by_item).tobytes() == overlaps(histories, by_item).tobytes()


class TestInverted:
    def test_undoes_its_kernel(self, histories):
        kernel = overlaps(histories, histories.tocsc()) + 3 * np.eye(12, dtype=np.float32)
        np.testing.assert_allclose(inverted(kernel.copy()) @ kernel, np.eye(12), atol=1e-5)

"""EASE by the kernel of households, against its definition."""

import numpy as np
import pytest
import scipy.sparse as sp

from basket_analysis.relevance_kernels import learn_ease, learn_neighbours


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
        found = learn_ease(histories, 5.0).score(histories)
        np.testing.assert_allclose(found, dense @ weights, atol=1e-4)

    def test_scores_households_that_it_was_not_learnt_from(self, histories):
        dense = histories.toarray().astype(np.float64)
        sample, other = histories[:8], histories[8:]
        inverse = np.linalg.inv(dense[:8].T @ dense[:8] + 5 * np.eye(30))
        weights = np.eye(30) - inverse / np.diag(inverse)
        np.testing.assert_allclose(learn_ease(sample, 5.0).score(other), dense[8:] @ weights, atol=1e-4)


class TestNeighbours:
    def test_weigh_the_nearest_and_never_the_household_itself(self, histories):
        buyers = np.asarray((histories > 0).sum(axis=0)).ravel()
        neighbours = learn_neighbours(histories, buyers, nearest=3)
        weights = neighbours.weights(histories, np.arange(12)).toarray()
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
        assert ((weights > 0).sum(axis=1) <= 3).all()
        assert not np.diag(weights).any()

import numpy as np
import pytest

from basket_analysis.distinct import distinct


class TestDistinct:
    @pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8])
    @pytest.mark.parametrize("size", [0, 1, 2, 1000])
    def test_finds_what_numpy_finds(self, kind, size):
        values = np.random.default_rng(size).integers(0, 200, size).astype(kind)
        found = distinct(values)
        assert found.dtype == kind
        assert np.array_equal(found, np.unique(values))

    def test_leaves_what_it_was_given_as_it_was(self):
        values = np.array([3, 1, 3, 2])
        assert distinct(values).tolist() == [1, 2, 3]
        assert values.tolist() == [3, 1, 3, 2]

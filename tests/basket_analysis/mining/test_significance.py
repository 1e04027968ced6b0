from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basket_analysis.mining import significance
from basket_analysis.mining.itemsets import FastMiner
from basket_analysis.mining.significance import FalseDiscovery, all_pairs, pairs_of
from tests.basket_analysis.baskets_made import table_of


class TestFalseDiscovery:
    def test_gives_the_q_values_of_the_classic_example(self):
        """Benjamini and Hochberg 1995, section 4: of fifteen tests the first four are found at 5 %."""
        tails = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459,
            0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
        ]  # fmt: skip
        q = FalseDiscovery(np.array(tails)).q(np.array(tails))
        assert (q <= 0.05).sum() == 4
        assert q[0] == pytest.approx(0.0015)
        assert q[3] == pytest.approx(0.0095 * 15 / 4)
        assert np.all(np.diff(q) >= 0)

    def test_ranks_equal_ones_alike(self):
        tails = np.array([0.01, 0.01, 0.02])
        assert FalseDiscovery(tails).q(tails).tolist() == pytest.approx([0.015, 0.015, 0.02])

    @given(tails=st.lists(st.sampled_from([0.0, 0.01, 0.2, 0.5, 1.0]), min_size=1, max_size=30))
    def test_counts_repeated_values_like_a_list_of_them(self, tails):
        values, counts = np.unique(tails, return_counts=True)
        short, long = FalseDiscovery(values, counts), FalseDiscovery(np.sort(tails))
        assert short.q(values).tolist() == pytest.approx(long.q(values).tolist())


class TestAllPairs:
    @pytest.fixture
    def table(self):
        generator = np.random.default_rng(3)
        return table_of([set(generator.zipf(1.3, size) % 70) for size in generator.integers(1, 12, 400)])

    def ranked(self, table):
        singles = FastMiner(Fraction(1, 100), max_length=1, by_stratum=True).fit(table).itemsets_.levels[0]
        count = pairs_of(table, singles.items[:, 0].astype(np.int64))
        return all_pairs(table.stratum_sizes, singles.strata, count)

    def test_finds_the_same_in_many_blocks(self, table, monkeypatch):
        tails = np.geomspace(1e-9, 1, 50)
        whole = self.ranked(table).q(tails)
        monkeypatch.setattr(significance, "BLOCK_CELLS", 150)
        monkeypatch.setattr(significance, "CELLS_AT_ONCE", 60)
        assert self.ranked(table).q(tails).tolist() == whole.tolist()

    def test_rounds_only_what_is_unlikely_when_pairs_are_too_many(self, table, monkeypatch):
        tails = np.geomspace(1e-9, 1, 500)
        whole = self.ranked(table).q(tails)
        monkeypatch.setattr(significance, "PAIRS_IN_MEMORY", 0)
        rounded = self.ranked(table).q(tails)
        sure = whole < 0.5
        assert sure.any()
        assert rounded[sure].tolist() == whole[sure].tolist()
        assert rounded == pytest.approx(whole, rel=1e-5)

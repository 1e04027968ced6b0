import numpy as np
import pytest

from basket_analysis.groups.fading import PEAK, fade, faded


class TestFade:
    def test_says_little_at_the_edges_and_most_at_the_peak(self):
        weights = fade(np.arange(364), first=0, last=363)
        assert weights.argmax() == int(PEAK * 364)
        assert weights[0] < 0.01 > 0.7 * weights[-1]
        assert (weights > 0).all()

    def test_counts_baskets_as_what_they_are_worth(self):
        weights = fade(np.repeat(np.arange(364), 3), first=0, last=363)
        assert weights.sum() == pytest.approx((weights**2).sum(), rel=1e-3)

    def test_changes_less_when_the_window_moves_than_equal_weights_do(self):
        days = np.arange(371)
        before = np.where(days < 364, fade(days, first=0, last=363), 0.0)
        after = np.where(days >= 7, fade(days, first=7, last=370), 0.0)
        flat = np.isin(days, [*range(7), *range(364, 371)]).sum() / 364
        assert ((after - before) ** 2).sum() / (before**2).sum() < 0.3 * flat

    def test_knows_a_single_day_and_none(self):
        assert faded(np.array([8_000, 8_000])) == pytest.approx([1.25 * (1 - ((0.5 - PEAK) / PEAK) ** 2)] * 2)
        assert len(faded(np.array([], np.int32))) == 0

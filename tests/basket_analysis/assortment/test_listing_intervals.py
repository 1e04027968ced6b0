import numpy as np
import pytest

from basket_analysis.assortment.listing_intervals import (
    LEAST_VARIATION,
    MANY_SALES,
    chance_of_none,
    value_of_sales,
)

DRAWN = 10_000


def quantiles(expected, dispersion=0.2, variation=0.5):
    low, high = value_of_sales(np.array([expected]), np.array([dispersion]), np.array([variation]))
    return float(low[0]), float(high[0])


def drawn(expected, dispersion, variation, seed=7):
    """Draw what items bring of which anything is sold: a rate, so many sales, and the value of each."""
    random = np.random.default_rng(seed)
    rates = expected * random.gamma(1 / dispersion, dispersion, int(4 * DRAWN / min(1.0, expected)))
    sales = random.poisson(rates)
    sales = sales[sales > 0][:DRAWN]
    assert len(sales) == DRAWN
    squared = np.log1p(variation**2)
    values = np.exp(random.normal(-squared / 2, np.sqrt(squared), sales.sum()))
    return np.bincount(np.repeat(np.arange(len(sales)), sales), weights=values)


class TestValueOfSales:
    @pytest.mark.parametrize("expected", [0.02, 0.5, 3.0, 20.0, 100.0])
    @pytest.mark.parametrize("dispersion", [0.01, 0.2, 1.0])
    @pytest.mark.parametrize("variation", [0.2, 0.5, 1.0])
    def test_holds_four_fifths_of_what_is_drawn_and_leaves_a_tenth_on_either_side(
        self, expected, dispersion, variation
    ):
        taken = drawn(expected, dispersion, variation)
        low, high = quantiles(expected, dispersion, variation)
        assert (taken < low).mean() == pytest.approx(0.1, abs=0.025)
        assert (taken > high).mean() == pytest.approx(0.1, abs=0.025)

    def test_is_one_sale_where_hardly_anything_is_sold(self):
        deviation = np.sqrt(np.log1p(0.5**2))
        low, high = quantiles(1e-6)
        assert low == pytest.approx(np.exp(-1.2815516 * deviation - deviation**2 / 2), rel=1e-3)
        assert high == pytest.approx(np.exp(1.2815516 * deviation - deviation**2 / 2), rel=1e-3)
        assert quantiles(0.0) == pytest.approx((low, high), rel=1e-3)

    def test_leads_from_few_sales_to_many_without_a_step(self):
        for dispersion in (0.01, 0.2):
            few, many = (quantiles(MANY_SALES * part, dispersion) for part in (1.0, 1.001))
            assert few == pytest.approx(many, rel=0.03)

    @pytest.mark.parametrize("dispersion", [1.0, 3.0, 9.0])
    def test_leads_there_without_a_step_where_stores_differ_widely_too(self, dispersion):
        few, many = (quantiles(MANY_SALES * part, dispersion) for part in (1.0, 1.001))
        # The lower ends are of a few sales: they are apart by a third of one at the most, of thirty.
        assert few[0] == pytest.approx(many[0], abs=0.3)
        assert few[1] == pytest.approx(many[1], rel=0.01)

    @pytest.mark.parametrize("dispersion", [1.0, 3.0])
    def test_leaves_out_what_sells_nothing_of_often_sold_and_uneven_items_too(self, dispersion):
        taken = drawn(200.0, dispersion, 0.5)
        low, high = quantiles(200.0, dispersion)
        assert (taken < low).mean() == pytest.approx(0.1, abs=0.025)
        assert (taken > high).mean() == pytest.approx(0.1, abs=0.025)

    def test_says_the_same_of_an_item_whatever_stands_beside_it(self):
        expected = np.array([0.1, 0.9, 1.1, 4.0, 6.0, 29.0, 31.0, 400.0])
        same = np.full(len(expected), 0.2), np.full(len(expected), 0.5)
        low, high = value_of_sales(expected, *same)
        for number, one in enumerate(expected):
            assert quantiles(one) == pytest.approx((low[number], high[number]), rel=1e-4)
        assert (np.diff(low) > 0).all()
        assert (np.diff(high) > 0).all()

    def test_knows_no_item_that_sells_at_one_price_only(self):
        assert quantiles(2.0, 0.2, 0.0) == quantiles(2.0, 0.2, LEAST_VARIATION)

    def test_is_empty_for_no_items(self):
        low, high = value_of_sales(np.zeros(0), np.zeros(0), np.zeros(0))
        assert (len(low), len(high)) == (0, 0)

    @pytest.mark.parametrize("expected", [1e-300, 1.0, 30.0, 1e12])
    @pytest.mark.parametrize("dispersion", [0.0, 1e30])
    @pytest.mark.parametrize("variation", [0.0, 1e30])
    def test_stays_a_finite_interval_for_any_store(self, expected, dispersion, variation):
        low, high = quantiles(expected, dispersion, variation)
        assert 0 <= low <= high < np.inf


class TestChanceOfNone:
    @pytest.mark.parametrize("expected", [0.05, 1.0, 20.0])
    @pytest.mark.parametrize("dispersion", [0.0, 0.5, 3.0])
    def test_is_the_share_of_drawn_items_that_sell_nothing(self, expected, dispersion):
        random = np.random.default_rng(3)
        rates = expected * (random.gamma(1 / dispersion, dispersion, DRAWN) if dispersion else np.ones(DRAWN))
        (chance,) = chance_of_none(np.array([expected]), np.array([dispersion]))
        assert chance == pytest.approx((random.poisson(rates) == 0).mean(), abs=0.015)

"""Histories made with a known effect, so that intervals can be held against the truth."""

from datetime import date, timedelta

import numpy as np
import pytest

from basket_analysis.assortment.effects import (
    AFTER_WEEKS,
    BEFORE_WEEKS,
    Effect,
    began_to_sell,
    held,
    measure_effect,
    stopped_selling,
)

SEED = 20261122
DECIDED = date(2026, 3, 2)


def histories(random, *, stores, sales, apart, change):
    """
    Values by store and week: season, sizes, growth that differs by `apart` between stores, and chance.

    The first store changes by the share `change`; the truth is what that is worth per week to it.
    """
    sizes = sales * random.lognormal(0, 0.4, stores + 1)
    season = 1 + 0.25 * np.sin(np.arange(BEFORE_WEEKS + AFTER_WEEKS) / 3 + random.uniform(0, 6))
    growth = np.exp(random.normal(0, apart, stores + 1))
    means = sizes[:, None] * season
    means[:, BEFORE_WEEKS:] *= growth[:, None]
    truth = float(means[0, BEFORE_WEEKS:].mean() * change * 100 * np.exp(0.08))
    means[0, BEFORE_WEEKS:] *= 1 + change
    counts = random.poisson(means)
    values = np.array([[random.lognormal(0, 0.4, count).sum() * 100 for count in row] for row in counts])
    return values, truth


def measured(values):
    return measure_effect(
        values[0, :BEFORE_WEEKS],
        values[0, BEFORE_WEEKS:],
        values[1:, :BEFORE_WEEKS],
        values[1:, BEFORE_WEEKS:],
    )


class TestMeasureEffect:
    @pytest.mark.parametrize(
        ("stores", "sales", "apart", "change"),
        [(10, 20, 0.1, 0.3), (10, 20, 0.2, -0.5), (4, 20, 0.1, 0.3), (10, 4, 0.1, 0.5), (10, 60, 0.05, 0.0)],
    )
    def test_holds_the_truth_about_four_times_of_five(self, stores, sales, apart, change):
        random = np.random.default_rng(SEED)
        inside, errors, sizes = [], [], []
        for _ in range(200):
            values, truth = histories(random, stores=stores, sales=sales, apart=apart, change=change)
            found = measured(values)
            inside.append(found.low <= truth <= found.high)
            errors.append(found.effect - truth)
            sizes.append(found.high - found.low)
        assert 0.72 <= np.mean(inside) <= 0.91
        assert abs(np.mean(errors)) < 0.15 * np.mean(sizes)

    def test_takes_out_what_all_stores_had_in_common(self):
        values = np.outer([1000.0, 2000, 500, 800], [1.0] * BEFORE_WEEKS + [3.0] * AFTER_WEEKS)
        found = measured(values)
        assert (found.effect, found.expected, found.comparisons) == (0, 3000, 3)

    def test_gives_a_store_that_never_sold_the_kind_all_that_it_sells(self):
        values = np.full((6, BEFORE_WEEKS + AFTER_WEEKS), 400.0)
        values[0, :BEFORE_WEEKS] = 0
        assert measured(values).effect == 400

    def test_says_nothing_with_too_few_stores_or_without_their_sales(self):
        values = np.full((3, BEFORE_WEEKS + AFTER_WEEKS), 400.0)
        assert measured(values) is None
        assert measured(np.zeros((9, BEFORE_WEEKS + AFTER_WEEKS))) is None

    def test_is_less_sure_the_more_stores_grew_apart(self):
        widths = []
        for apart in (0.02, 0.4):
            values, _ = histories(np.random.default_rng(SEED), stores=10, sales=100, apart=apart, change=0)
            found = measured(values)
            widths.append(found.high - found.low)
        assert widths[1] > 2 * widths[0]


class TestHeld:
    @pytest.mark.parametrize(("effect", "agrees"), [(100, True), (125, True), (160, False), (40, False)])
    def test_lets_both_intervals_give_way(self, effect, agrees):
        found = Effect(effect, effect - 20, effect + 20, 0, 0, 0, 5)
        assert held(found, 100, 80, 130) is agrees


def days(*numbers):
    return [DECIDED + timedelta(days=number) for number in numbers]


class TestBeganToSell:
    def test_is_the_first_day_with_a_sale_after_the_decision(self):
        assert began_to_sell(days(9, 3, 5, 12), decided=DECIDED) == DECIDED + timedelta(days=3)

    @pytest.mark.parametrize("sold", [days(), days(3), days(3, 4), days(-9, -3, -1, 0)])
    def test_is_not_told_from_single_sales_or_earlier_ones(self, sold):
        assert began_to_sell(sold, decided=DECIDED) is None


class TestStoppedSelling:
    def test_is_the_day_after_the_last_sale(self):
        daily = days(*range(-60, 5))
        assert stopped_selling(
            daily, decided=DECIDED, today=DECIDED + timedelta(days=30)
        ) == DECIDED + timedelta(days=5)

    def test_is_no_earlier_than_the_decision(self):
        daily = days(*range(-60, -10))
        assert stopped_selling(
            daily, decided=DECIDED, today=DECIDED + timedelta(days=30)
        ) == DECIDED + timedelta(days=1)

    def test_waits_longer_for_what_sells_seldom(self):
        seldom = days(*range(-90, 1, 15))
        told = [
            stopped_selling(seldom, decided=DECIDED, today=DECIDED + timedelta(days=n)) for n in (14, 30, 50)
        ]
        assert told == [None, None, DECIDED + timedelta(days=1)]

    def test_is_not_told_while_it_sells_or_when_it_never_did(self):
        assert (
            stopped_selling(days(*range(-60, 30)), decided=DECIDED, today=DECIDED + timedelta(days=30))
            is None
        )
        assert stopped_selling([], decided=DECIDED, today=DECIDED + timedelta(days=30)) is None

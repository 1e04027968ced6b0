import numpy as np
import pytest

from basket_analysis.assortment.listing_values import QUARTER, ListingValues, Stretch
from basket_analysis.assortment.store_baskets import StoreBaskets

WEEKS, WEEKLY = 26, 40


def chain(rates, *, value=300, spread=0.0, seed=11):
    """
    Return baskets of stores that sell item 0 in the share `rates` of their baskets, and item 1 in all of them.

    The last store never sells item 0. A sale of item 0 brings `value` on the mean, with `spread` as standard deviation.
    """
    random = np.random.default_rng(seed)
    per_store = WEEKS * WEEKLY
    store = np.repeat(np.arange(len(rates) + 1, dtype=np.int32), per_store)
    week = np.tile(np.repeat(np.arange(WEEKS, dtype=np.int32), WEEKLY), len(rates) + 1)
    with_it = np.flatnonzero(random.random(len(store)) < np.append(rates, 0.0)[store])
    worth = np.rint(100 * (value + spread * random.standard_normal(len(with_it)))).astype(np.int64)
    return StoreBaskets(
        stores=tuple(f"s{number:02}" for number in range(len(rates) + 1)),
        items=("new", "staple"),
        households=0,
        basket=np.append(np.arange(len(store)), with_it).astype(np.int32),
        item=np.append(np.ones(len(store)), np.zeros(len(with_it))).astype(np.int32),
        value=np.append(np.full(len(store), 10_000), worth),
        store=store,
        household=np.full(len(store), -1, np.int32),
        week=week,
        type_of=np.array([0, 1], np.int32),
        category_of=np.array([0, 0], np.int32),
        weeks=WEEKS,
    )


def worth(table, stretch=QUARTER):
    """Return what the item would bring to the store that never sold it."""
    (found,) = ListingValues(table).of(len(table.stores) - 1, np.array([0]), stretch)
    return found


class TestListingValues:
    def test_is_worth_the_rate_of_other_stores_over_the_baskets_of_this_one(self):
        found = worth(chain([0.1] * 20, value=300))
        assert found.per_week == pytest.approx(0.1 * WEEKLY * 300, rel=0.05)
        assert found.low < found.per_week < found.high

    def test_has_no_more_than_chance_in_it_where_stores_are_alike(self):
        found = worth(chain([0.1] * 20, value=300))
        sales = 0.1 * WEEKLY * QUARTER.weeks
        assert (found.high - found.low) / found.per_week == pytest.approx(
            2 * 1.28155 / np.sqrt(sales), rel=0.15
        )

    def test_is_wider_by_how_far_stores_differ(self):
        rates = 0.1 * np.array([0.5, 1.5] * 10)
        found = worth(chain(rates, value=300))
        relative = np.sqrt(0.25 * (1 + 1 / 20) + 1 / (0.1 * WEEKLY * QUARTER.weeks))
        assert (found.high - found.low) / found.per_week == pytest.approx(2 * 1.28155 * relative, rel=0.15)

    def test_is_wider_by_how_far_sales_differ(self):
        one, other = (worth(chain([0.01] * 20, value=600, spread=spread)) for spread in (0, 250))
        assert other.low / other.per_week < one.low / one.per_week
        assert (other.high - other.low) / other.per_week > 1.03 * (one.high - one.low) / one.per_week

    def test_is_narrower_over_a_longer_time(self):
        table = chain([0.1] * 20)
        short, long = (worth(table, Stretch(weeks)) for weeks in (4, 40))
        assert short.per_week == long.per_week
        assert short.low < long.low < long.high < short.high

    def test_counts_the_weeks_on_sale_only(self):
        table = chain([0.1] * 20)
        whole, half = worth(table), worth(table, Stretch(13, on_sale=0.5))
        assert half.per_week == pytest.approx(whole.per_week / 2, abs=1)
        assert half.high < whole.high

    def test_is_one_sale_at_the_most_where_the_item_hardly_sells(self):
        found = worth(chain([0.1] * 20, value=1_300), Stretch(13, on_sale=0.001))
        # On the mean hardly any; where anything is sold it is one for about 1,300, so 100 a week.
        assert found.low == found.per_week == 5
        assert 100 < found.high < 130

    @pytest.mark.parametrize("value", [-300, 0])
    def test_holds_what_is_taken_back_or_given_away(self, value):
        found = worth(chain([0.1] * 5, value=value))
        assert found.low <= found.per_week <= found.high

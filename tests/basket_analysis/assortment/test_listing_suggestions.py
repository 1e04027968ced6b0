"""Listing suggestions of stores made by hand: who sells what is known, so is who should."""

import numpy as np
import pytest

from basket_analysis.assortment.listing_suggestions import ListingSuggestions
from basket_analysis.assortment.store_baskets import StoreBaskets
from basket_analysis.assortment.store_sales import SalesTable
from basket_analysis.assortment.suggestions import Assortment, AssortmentSettings

WEEKS = 12
SETTINGS = AssortmentSettings(min_store_baskets=100)
KINDS = np.arange(8, dtype=np.int32) // 2
ALWAYS, MISSED, RARE = 0, 6, 7


def stores(*, sellers=range(1, 6), stores=6, rare_buyers=9, households=20, seldom=False):
    """
    Six stores that sell six articles; the seventh is sold by `sellers` to half of their households.

    If `seldom`, two households of a store buy it, once each, far apart.
    Households of store 0 know the seventh from store 1. The eighth has few buyers. Everybody has a card.
    """
    random = np.random.default_rng(5)
    rows = []
    for store in range(stores):
        for number in range(households):
            for week in range(WEEKS):
                items = {ALWAYS, *random.choice(6, 3, replace=False).tolist()}
                bought = (number, week) in {(0, 0), (1, WEEKS - 1)} if seldom else number % 2
                if store in sellers and bought:
                    items.add(MISSED)
                if store == 2 and number < rare_buyers:
                    items.add(RARE)
                rows.append((store, store * households + number, week, items))
            if store == 0 and number < 12 and 1 in sellers and not seldom:
                rows.append((1, number, WEEKS - 1, {MISSED}))
    pairs = [(number, item) for number, row in enumerate(rows) for item in sorted(row[3])]
    basket, item = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    store, household, week = (np.array([row[place] for row in rows], np.int32) for place in range(3))
    value = np.full(len(item), 1000, np.int64)
    sales = SalesTable(
        basket=basket, article=item, value=value, store=store, household=household, week=week, type_of=KINDS, stores=stores,
        weeks=WEEKS,
    )  # fmt: skip
    baskets = StoreBaskets(
        stores=tuple(f"s{number}" for number in range(stores)), items=tuple(f"i{number}" for number in range(8)),
        households=stores * households, basket=basket, item=item, value=value * 100, store=store, household=household,
        week=week, type_of=KINDS, category_of=KINDS, weeks=WEEKS,
    )  # fmt: skip
    return sales, baskets


def suggestions(groups=None, settings=SETTINGS, **options):
    sales, baskets = stores(**options)
    return ListingSuggestions(Assortment(settings).fit(sales, groups, everybody=baskets), baskets)


class TestListingSuggestions:
    def test_are_what_other_stores_sell_and_this_one_never_did(self):
        (one,) = suggestions().suggest(0)
        assert (one.kind, one.article, one.rank) == ("list", MISSED, 1)
        # Ten of twenty baskets a week there, at 1,000, and nothing of its type is sold here.
        assert 8_000 <= one.value_per_week <= 11_000
        assert 0 < one.low <= one.value_per_week <= one.high

    def test_may_bring_nothing_where_so_little_is_sold(self):
        sales, baskets = stores(stores=31, sellers=range(1, 31), seldom=True)
        made = ListingSuggestions(Assortment(SETTINGS).fit(sales, None, everybody=baskets), baskets)
        (one,) = made.suggest(0)
        # Twenty baskets a week, and two sales in 240 elsewhere: 2.2 in a quarter on the mean, none in more than a tenth of all cases.
        (worth,) = (each.worth for each in made._ranker.rank("s0", top=5) if each.item == f"i{MISSED}")
        assert worth.unsold == pytest.approx(np.exp(-13 / 6), abs=0.01)
        assert (one.low, one.high) == (0, worth.high)
        assert 0 < worth.low < one.value_per_week < one.high

    def test_say_who_sells_and_who_buys_it(self):
        (one,) = suggestions().suggest(0)
        assert (one.evidence["chain_stores"], one.evidence["stores"]) == (5, 5)
        assert (one.households, one.evidence["own_households"]) == (62, 12)
        assert one.evidence["penetration"] == pytest.approx(62 / 112, abs=1e-4)

    def test_name_the_groups_of_the_store_that_buy_it(self):
        groups = np.array([0] * 20 + [0, 1] * 50, np.int32)
        (one,) = suggestions(groups).suggest(0)
        # All of the store's households are of group 0, of the chain's 70 of 120; 12 of them buy it.
        assert one.evidence["groups"] == [[0, 12, pytest.approx(120 / 70, abs=0.01)]]
        assert one.group == 1

    def test_rest_on_thirty_households_at_least(self):
        assert all(one.article != RARE for store in range(6) for one in suggestions().suggest(store))

    def test_are_none_for_a_store_with_few_baskets(self):
        assert suggestions(settings=AssortmentSettings(min_store_baskets=100_000)).suggest(0) == []

    def test_are_none_in_a_chain_of_one_store(self):
        assert suggestions(stores=1, sellers=[]).suggest(0) == []

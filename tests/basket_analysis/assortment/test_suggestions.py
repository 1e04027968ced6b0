"""Stores made by hand, whose right suggestions are known before they are asked for."""

import numpy as np
import pytest

from basket_analysis.assortment.store_baskets import StoreBaskets
from basket_analysis.assortment.store_sales import SalesTable, article_statistics
from basket_analysis.assortment.suggestions import Assortment, AssortmentSettings

TEA, HERBAL, BREAD, BUTTER, HONEY = range(5)
TYPES = np.array([0, 0, 1, 2, 3], np.int32)
SETTINGS = AssortmentSettings(min_store_baskets=20)
WEEKS = 10


class Shop:
    """Collects baskets of stores and makes the table of them."""

    def __init__(self):
        self.baskets = []

    def sell(self, store, household, week, prices):
        self.baskets.append((store, household, week, prices))

    def table(self, *, stores):
        lines = [
            (number, article, price)
            for number, (_, _, _, prices) in enumerate(self.baskets)
            for article, price in prices.items()
        ]
        basket, article, value = (np.array(column) for column in zip(*lines, strict=True))
        store, household, week, _ = zip(*self.baskets, strict=True)
        return SalesTable(
            basket=basket.astype(np.int32),
            article=article.astype(np.int32),
            value=value.astype(np.int64),
            store=np.array(store, np.int32),
            household=np.array(household, np.int32),
            week=np.array(week, np.int32),
            type_of=TYPES,
            stores=stores,
            weeks=WEEKS,
        )


def of_kind(suggestions, kind):
    return [suggested for suggested in suggestions if suggested.kind == kind]


@pytest.fixture
def two_teas():
    """Forty households: all buy bread; the odd ones change between two teas, the even ones know one only."""
    shop = Shop()
    for household in range(40):
        for week in range(WEEKS):
            tea = HERBAL if household % 2 and week % 2 else TEA
            shop.sell(0, household, week, {tea: 500, BREAD: 300})
    return shop.table(stores=1)


class TestArticleStatistics:
    def test_counts_revenue_per_week_and_households(self, two_teas):
        rows = article_statistics(two_teas).set_index("article")
        assert rows.loc[BREAD, "revenue"] == 40 * 300
        assert rows.loc[TEA, "revenue"] == (20 * 500 * 10 + 20 * 500 * 5) / WEEKS
        assert rows.loc[[TEA, HERBAL, BREAD], "households"].tolist() == [40, 20, 40]

    def test_calls_households_exclusive_that_bought_no_other_article_of_the_type(self, two_teas):
        rows = article_statistics(two_teas).set_index("article")
        assert rows.loc[TEA, "exclusive"] == 20
        assert rows.loc[HERBAL, "exclusive"] == 0
        assert rows.loc[BREAD, "exclusive"] == 40

    def test_lets_substitutes_catch_what_is_bought_at_other_times(self, two_teas):
        rows = article_statistics(two_teas).set_index("article")
        assert rows.loc[BREAD, "transfer"] == 0
        # Its buyers have ten occasions of tea, five of them without it; the type's mean is 1/3 of 600 occasions.
        assert rows.loc[HERBAL, "transfer"] == pytest.approx((5 + 2 * (200 / 600)) / 12)
        assert 0 < rows.loc[TEA, "transfer"] < rows.loc[HERBAL, "transfer"]

    def test_gives_no_halo_to_what_is_in_ordinary_baskets(self, two_teas):
        rows = article_statistics(two_teas).set_index("article")
        # All baskets are worth 800; without one of two articles at random 400 remain.
        assert rows.loc[BREAD, "halo"] == 500 - 400
        assert rows.loc[TEA, "halo"] == 0

    def test_says_the_same_whatever_the_order_of_lines(self, two_teas):
        order = np.random.default_rng(7).permutation(len(two_teas.basket))
        shuffled = SalesTable(
            **{
                **two_teas.__dict__,
                "basket": two_teas.basket[order],
                "article": two_teas.article[order],
                "value": two_teas.value[order],
            }
        )
        columns = ["store", "article", "revenue", "transfer", "error"]
        ours, theirs = article_statistics(two_teas)[columns], article_statistics(shuffled)[columns]
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


class TestSuggest:
    def test_keeps_what_nothing_replaces(self, two_teas):
        kept = of_kind(Assortment(SETTINGS).fit(two_teas).suggest(0), "keep")
        assert [suggested.article for suggested in kept] == [BREAD, TEA]
        assert kept[0].evidence["exclusive_households"] == 40

    @pytest.mark.parametrize(("both", "alone"), [(0, 40), (4, None), (12, 28), (36, None)])
    def test_says_of_no_few_that_they_buy_nothing_else_of_its_kind(self, both, alone):
        shop = Shop()
        for household in range(40):
            for week in range(WEEKS):
                shop.sell(
                    0, household, week, {HERBAL if household < both and week == 3 else TEA: 500, BREAD: 300}
                )
        suggested = Assortment(SETTINGS).fit(shop.table(stores=1)).suggest(0)
        tea = next(one for one in suggested if one.article == TEA)
        assert tea.evidence["exclusive_households"] == alone

    def test_delists_first_what_a_substitute_catches(self, two_teas):
        first = of_kind(Assortment(SETTINGS).fit(two_teas).suggest(0), "delist")[0]
        # Herbal tea has twenty buyers in the whole chain: too few to speak of.
        assert first.article == TEA
        assert (first.other, first.evidence["substitute_households"]) == (HERBAL, 20)

    def test_says_nothing_of_what_fewer_than_thirty_households_bought(self, two_teas):
        suggestions = Assortment(SETTINGS).fit(two_teas).suggest(0)
        assert suggestions
        assert HERBAL not in {suggested.article for suggested in suggestions}
        assert min(suggested.households for suggested in suggestions) >= 30

    def test_is_silent_about_a_store_with_few_baskets(self, two_teas):
        settings = AssortmentSettings(min_store_baskets=401)
        assert Assortment(settings).fit(two_teas).suggest(0) == []

    def test_holds_the_value_inside_its_interval(self, two_teas):
        for suggested in Assortment(SETTINGS).fit(two_teas).suggest(0):
            assert 0 <= suggested.low <= suggested.value_per_week <= suggested.high

    def test_never_shows_fewer_than_ten_people(self):
        shop = Shop()
        for household in range(60):
            for week in range(WEEKS):
                tea = HERBAL if household < 9 and week == 0 else TEA
                shop.sell(0, household, week, {tea: 500})
        suggestions = Assortment(SETTINGS).fit(shop.table(stores=1)).suggest(0)
        assert [suggested.article for suggested in of_kind(suggestions, "delist")] == [TEA]
        assert all(suggested.other is None for suggested in suggestions)

    def test_names_only_substitutes_that_are_rarely_in_one_basket_with_it(self):
        shop = Shop()
        for household in range(40):
            for week in range(WEEKS):
                # Butter goes into the same baskets as tea; herbal tea is bought instead of it.
                shop.sell(0, household, week, {HERBAL: 500} if week % 2 else {TEA: 500, BUTTER: 200})
                if week == 9:
                    shop.sell(0, household, week, {BUTTER: 200})
        table = SalesTable(
            **{**shop.table(stores=1).__dict__, "type_of": np.array([0, 0, 1, 0, 3], np.int32)}
        )
        first = of_kind(Assortment(SETTINGS).fit(table).suggest(0), "keep")[0]
        named = {one["article"]: one for one in first.evidence["substitutes"]}
        assert set(named) <= {TEA, HERBAL}
        assert all(one["adjusted_lift"] < 0.8 for one in named.values())

    def test_says_what_each_substitute_would_catch(self, two_teas):
        suggestions = Assortment(SETTINGS).fit(two_teas).suggest(0)
        tea = next(one for one in suggestions if one.article == TEA)
        (herbal,) = tea.evidence["substitutes"]
        caught = tea.evidence["revenue_per_week"] * tea.evidence["transfer"]
        assert (herbal["article"], herbal["share"], herbal["adjusted_lift"]) == (HERBAL, 1.0, 0.0)
        assert herbal["catches"] == pytest.approx(caught, abs=1)
        assert tea.evidence["own_per_week"] == pytest.approx(tea.evidence["revenue_per_week"] - caught, abs=1)

    def test_catches_nothing_with_articles_of_no_type(self, two_teas):
        table = SalesTable(**{**two_teas.__dict__, "type_of": np.full(5, -1, np.int32)})
        for suggested in Assortment(SETTINGS).fit(table).suggest(0):
            assert (suggested.evidence["transfer"], suggested.evidence["substitutes"]) == (0, [])

    def test_says_what_the_best_buyers_would_miss(self):
        shop = Shop()
        for household in range(50):
            for week in range(WEEKS):
                best = household < 10
                shop.sell(0, household, week, {BREAD: 900, HONEY: 800} if best else {BREAD: 300, TEA: 100})
                if household < 40 and week == 0:
                    shop.sell(0, household, week, {HONEY: 800})
        kept = of_kind(Assortment(SETTINGS).fit(shop.table(stores=1)).suggest(0), "keep")
        honey = next(one for one in kept if one.article == HONEY).evidence
        assert honey["best_buyers"] == 10
        assert honey["best_buyers_share"] == pytest.approx(110 / 140, abs=1e-4)

    def test_counts_what_people_without_card_bought_too(self, two_teas):
        everybody = StoreBaskets(
            stores=("s",), items=tuple("abcde"), households=40, basket=two_teas.basket, item=two_teas.article,
            value=two_teas.value * 200, store=two_teas.store, household=two_teas.household, week=two_teas.week,
            type_of=TYPES, category_of=TYPES, weeks=WEEKS,
        )  # fmt: skip
        alone = Assortment(SETTINGS).fit(two_teas).suggest(0)
        all_of_them = Assortment(SETTINGS).fit(two_teas, everybody=everybody).suggest(0)
        for one, other in zip(alone, all_of_them, strict=True):
            assert other.value_per_week == pytest.approx(2 * one.value_per_week, abs=1)
            assert (one.evidence["card_share"], other.evidence["card_share"]) == (1.0, 0.5)

    def test_names_the_groups_that_the_store_serves_more_than_the_chain(self):
        shop = Shop()
        for store in range(2):
            for household in range(40):
                for week in range(WEEKS):
                    shop.sell(store, store * 40 + household, week, {BREAD: 300, TEA: 200})
        groups = np.array([0] * 30 + [1] * 10 + [1] * 40, np.int32)
        here = Assortment(SETTINGS).fit(shop.table(stores=2), groups).suggest(0)[0]
        assert here.evidence["groups"] == [[0, 30, 2.0]]

    def test_is_quiet_without_a_single_known_household(self):
        shop = Shop()
        shop.sell(0, 0, 0, {TEA: 500})
        empty = shop.table(stores=1)
        nothing = {
            name: getattr(empty, name)[:0]
            for name in ("basket", "article", "value", "store", "household", "week")
        }
        fitted = Assortment(SETTINGS).fit(SalesTable(**{**empty.__dict__, **nothing}))
        assert (fitted.suggest(0), fitted.place_together(0, [(TEA, BREAD)])) == ([], [])

    def test_names_the_group_that_buys_it_most(self):
        shop = Shop()
        for household in range(80):
            for week in range(WEEKS):
                shop.sell(0, household, week, {BREAD: 300, **({TEA: 500} if household < 40 else {})})
        groups = np.repeat(np.array([1, 0], np.int32), 40)
        suggestions = Assortment(SETTINGS).fit(shop.table(stores=1), groups).suggest(0)
        assert {s.article: s.group for s in of_kind(suggestions, "keep")} == {TEA: 1, BREAD: None}


class TestPlaceTogether:
    @pytest.fixture
    def tied_elsewhere(self):
        shop = Shop()
        for store in range(3):
            for household in range(40):
                for week in range(WEEKS):
                    with_honey = week < (8 if store else 2)
                    shop.sell(
                        store,
                        store * 40 + household,
                        week,
                        {TEA: 500, **({HONEY: 900} if with_honey else {})},
                    )
        return Assortment(SETTINGS).fit(shop.table(stores=3))

    def test_values_what_similar_stores_sell_more_of_together(self, tied_elsewhere):
        (together,) = tied_elsewhere.place_together(0, [(TEA, HONEY)])
        # Forty baskets with tea a week; 80 % hold honey there, 20 % here.
        assert together.value_per_week == round(40 * 0.6 * 900)
        assert (together.evidence["share_here"], together.evidence["share_similar"]) == (0.2, 0.8)
        assert (together.article, together.other, together.rank) == (TEA, HONEY, 1)

    def test_leaves_pairs_alone_that_are_tied_here_already(self, tied_elsewhere):
        assert tied_elsewhere.place_together(1, [(TEA, HONEY)]) == []
        assert tied_elsewhere.place_together(0, [(TEA, BREAD)]) == []

    @pytest.mark.parametrize(("buyers", "told"), [(1, 0), (9, 0), (10, 1)])
    def test_tells_nothing_of_fewer_than_ten_people_however_often_they_came(self, buyers, told):
        shop = Shop()
        for store in range(3):
            for household in range(40):
                for week in range(WEEKS):
                    one = store * 40 + (household if store else household % buyers)
                    shop.sell(store, one, week, {TEA: 500, **({HONEY: 900} if store else {})})
        fitted = Assortment(SETTINGS).fit(shop.table(stores=3))
        assert len(fitted.place_together(0, [(TEA, HONEY)])) == told

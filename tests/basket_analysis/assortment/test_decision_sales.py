"""Sales made up at random: what is asked of them is counted once more, line by line."""

import tracemalloc
from datetime import date, timedelta

import numpy as np
import pytest

from basket_analysis.assortment import decision_sales
from basket_analysis.assortment.decision_sales import EPOCH, DecisionSales, Window
from basket_analysis.assortment.effects import AFTER_WEEKS, BEFORE_WEEKS
from basket_analysis.reading import ArticleKinds, SoldLines

SEED = 23
FIRST = date(2026, 1, 5)
DAYS = 150
WINDOW = Window(FIRST + timedelta(days=91))
STORES = np.array([3, 5, 8, 13, 21, 34], np.int32)
CURRENCIES = dict.fromkeys(STORES.tolist(), "CZK")
KINDS = [("DAIRY", "MILK"), ("DAIRY", "MILK"), ("DAIRY", None), ("BREAD", None), (None, None)]


def sold_lines(*, lines, articles=40):
    random = np.random.default_rng(SEED)
    baskets = lines // 5
    return SoldLines(
        basket=random.integers(0, baskets, lines).astype(np.int32),
        article=random.integers(0, articles, lines).astype(np.int32),
        value=random.integers(1, 5000, lines),
        store_id=random.choice(STORES, baskets),
        member=np.full(baskets, -1, np.int32),
        day=(random.integers(0, DAYS, baskets) + (FIRST - EPOCH).days).astype(np.int32),
        members=(),
        articles=tuple(
            ArticleKinds(
                100 + number,
                f"sku{number}",
                None,
                *KINDS[number] if number < 5 else (f"C{number}", None),
                None,
            )
            for number in range(articles)
        ),
        first_day=FIRST,
        following_day=FIRST + timedelta(days=DAYS),
    )


@pytest.fixture(scope="module")
def sold():
    return sold_lines(lines=20_000)


def counted(sold, numbers):
    """Return what a loop over the lines finds by store and week of the window."""
    found = np.zeros((len(STORES), BEFORE_WEEKS + AFTER_WEEKS))
    for basket, article, value in zip(sold.basket, sold.article, sold.value, strict=True):
        week = (int(sold.day[basket]) - (WINDOW.start - EPOCH).days) // 7
        if article in numbers and 0 <= week < found.shape[1]:
            found[STORES.tolist().index(sold.store_id[basket]), week] += value
    return found


class TestDecisionSales:
    @pytest.mark.parametrize(
        ("number", "kin"), [(0, {0, 1}), (2, {0, 1, 2}), (3, {3}), (4, {4}), (None, set(range(40)))]
    )
    def test_sums_by_week_what_the_lines_say(self, sold, monkeypatch, number, kin):
        monkeypatch.setattr(decision_sales, "AT_ONCE", 999)
        sales = DecisionSales(sold, CURRENCIES, [] if number is None else [100 + number])
        article = None if number is None else 100 + number
        assert (sales.by_week(WINDOW, article_id=article) == counted(sold, kin)).all()

    def test_knows_the_days_on_which_a_store_sold_an_article(self, sold):
        lines = (sold.article == 2) & (sold.store_id[sold.basket] == 8)
        days = sorted({EPOCH + timedelta(days=int(day)) for day in sold.day[sold.basket[lines]]})
        assert DecisionSales(sold, CURRENCIES, [102]).days_sold(8, 102) == days

    def test_compares_with_the_same_stores_whatever_else_is_asked_about(self, sold):
        few, all_ = (DecisionSales(sold, CURRENCIES, asked) for asked in ([102], range(100, 140)))
        found = few.comparable(WINDOW, store_id=8, article_id=102)
        assert len(found) == len(STORES) - 1
        assert found == all_.comparable(WINDOW, store_id=8, article_id=102)

    def test_knows_nothing_of_an_article_that_was_never_sold(self, sold):
        sales = DecisionSales(sold, CURRENCIES, [999])
        assert sales.days_sold(8, 999) == []
        assert not sales.by_week(WINDOW, article_id=999).any()

    def test_gives_no_wrong_answer_about_what_it_did_not_keep(self, sold):
        with pytest.raises(KeyError):
            DecisionSales(sold, CURRENCIES, [100]).days_sold(8, 110)

    def test_keeps_no_more_than_is_asked_about(self):
        many = sold_lines(lines=1_000_000)
        tracemalloc.start()
        sales = DecisionSales(many, CURRENCIES, [103])
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert sales.days_sold(8, 103)
        assert held < 4 * len(many.article)

"""Baskets read back from a real database, where every row was put by hand."""

from datetime import date

import numpy as np
import pytest
from sqlalchemy import update

from basket_analysis import reading
from basket_analysis.reading import read_sold_lines
from core.binary_copy import read_columns
from sales.models import ReceiptLine
from tests.basket_analysis.shop_made import NOW, Shop

FIRST, FOLLOWING = date(2026, 11, 2), date(2026, 11, 16)
MONDAY, NEXT_MONDAY = FIRST, date(2026, 11, 9)


@pytest.fixture
def shop(sessions):
    with sessions.begin() as session:
        yield Shop(session)


def read(shop):
    shop.write()
    return read_sold_lines(shop.session, first_day=FIRST, following_day=FOLLOWING)


def values(sold):
    return sorted(zip(sold.basket.tolist(), sold.article.tolist(), sold.value.tolist(), strict=True))


class TestReadSoldLines:
    def test_reads_nothing_from_an_empty_shop(self, shop):
        sold = read(shop)
        assert (len(sold.basket), len(sold.store_id), sold.members, sold.articles) == (0, 0, (), ())
        assert len(sold.basket_table("category")) == 0
        assert len(sold.sales_table().basket) == 0

    def test_knows_who_bought_what_where_and_when(self, shop):
        tea, milk = shop.article("1"), shop.article("2", category="MILK")
        ada = shop.member("ada")
        shop.receipt(MONDAY, [(tea, 2, 500), (milk, 1, 300)], member=ada)
        shop.receipt(NEXT_MONDAY, [(milk, 1, 300)])
        sold = read(shop)
        assert values(sold) == [(0, 0, 1000), (0, 1, 300), (1, 1, 300)]
        assert sold.members == (ada,)
        assert sold.member.tolist() == [0, -1]
        assert (sold.day[1] - sold.day[0], sold.store_id.tolist()) == (7, [shop.store_id] * 2)

    def test_holds_the_period_half_open(self, shop):
        tea = shop.article("1")
        for day in (date(2026, 11, 1), FIRST, date(2026, 11, 15), FOLLOWING):
            shop.receipt(day, [(tea, 1, 500)])
        assert len(read(shop).basket) == 2

    def test_leaves_out_what_was_voided_brought_back_or_only_trained(self, shop):
        tea = shop.article("1")
        voided = shop.receipt(MONDAY, [(tea, 1, 500)])
        shop.receipt(MONDAY, [], kind="void", of=voided)
        whole = shop.receipt(MONDAY, [(tea, 2, 500)])
        shop.receipt(NEXT_MONDAY, [(tea, 2, 500, 1)], kind="return", of=whole)
        partly = shop.receipt(MONDAY, [(tea, 4, 500)])
        shop.receipt(NEXT_MONDAY, [(tea, 1, 500, 1)], kind="return", of=partly)
        kept = shop.receipt(MONDAY, [(tea, 1, 700)])
        undone = shop.receipt(NEXT_MONDAY, [(tea, 1, 700, 1)], kind="return", of=kept)
        shop.receipt(NEXT_MONDAY, [], kind="void", of=undone)
        shop.receipt(MONDAY, [(tea, 1, 500)], mode="training")
        assert sorted(read(shop).value.tolist()) == [700, 1500]

    def test_hears_of_what_came_back_only_up_to_a_day(self, shop):
        tea = shop.article("1")
        brought_back = shop.receipt(MONDAY, [(tea, 2, 500)])
        shop.receipt(NEXT_MONDAY, [(tea, 1, 500, 1)], kind="return", of=brought_back)
        voided = shop.receipt(MONDAY, [(tea, 1, 300)])
        shop.receipt(NEXT_MONDAY, [(tea, 1, 300, 1)], kind="void", of=voided)
        assert values(read(shop)) == [(0, 0, 500)]

        def heard(before):
            return read_sold_lines(
                shop.session, first_day=FIRST, following_day=FOLLOWING, heard_before=before
            )

        assert values(heard(NEXT_MONDAY)) == [(0, 0, 1000), (1, 0, 300)]
        assert values(heard(FOLLOWING)) == [(0, 0, 500)]

    def test_leaves_out_fuel_coupons_deposits_and_unknown_articles(self, shop):
        tea = shop.article("1")
        fuel = shop.article("2", department="FUEL")
        coupon = shop.article("3", category="COUPON/MISC ITEMS")
        shop.receipt(MONDAY, [(tea, 1, 500), (fuel, 30, 200), (coupon, 1, 1), (tea, 1, -300), (None, 1, 100)])
        assert values(read(shop)) == [(0, 0, 500)]

    def test_counts_baskets_of_objectors_for_nobody_and_those_of_companies_not_at_all(self, shop):
        tea = shop.article("1")
        shop.receipt(MONDAY, [(tea, 1, 500)], member=shop.member("objects", profiling_objected_at=NOW))
        shop.receipt(MONDAY, [(tea, 1, 500)], member=shop.member("firm", company_id="27074358"))
        sold = read(shop)
        assert (sold.member.tolist(), sold.members) == ([-1], ())


class TestAnArticleImportedMeanwhile:
    def test_is_known_with_the_lines_that_name_it(self, sessions, monkeypatch):
        with sessions.begin() as session:
            shop = Shop(session)
            shop.receipt(MONDAY, [(shop.article("2"), 1, 500), (None, 1, 300)])
            shop.write()

        def read_after_import(driver, query, columns):
            if "article_id" in query:
                with sessions.begin() as other:
                    shop.session = other
                    other.execute(
                        update(ReceiptLine)
                        .where(ReceiptLine.article_id.is_(None))
                        .values(article_id=shop.article("1"))
                    )
            return read_columns(driver, query, columns)

        monkeypatch.setattr(reading, "read_columns", read_after_import)
        with sessions.begin() as session:
            sold = read_sold_lines(session, first_day=FIRST, following_day=FOLLOWING)
        found = [
            (sold.articles[at].sku, value)
            for at, value in zip(sold.article.tolist(), sold.value.tolist(), strict=True)
        ]
        assert sorted(found) == [("1", 300), ("2", 500)]


class TestSoldLines:
    def test_makes_baskets_of_each_level_without_what_has_no_name_there(self, shop):
        tea, herbal = shop.article("1"), shop.article("2", kind="HERBAL TEA")
        loose = shop.article("3", category=None, kind=None)
        shop.receipt(MONDAY, [(tea, 1, 500), (herbal, 1, 500), (loose, 1, 100)], member=shop.member("ada"))
        shop.receipt(MONDAY, [(loose, 1, 100)])
        sold = read(shop)
        assert sold.basket_table("article").items == ("1", "2", "3")
        assert sold.basket_table("type").items == ("BLACK TEA", "HERBAL TEA")
        categories = sold.basket_table("category")
        assert (categories.items, len(categories), categories.owners.tolist()) == (("TEA",), 1, [0])

    def test_makes_the_table_of_known_members_in_whole_weeks(self, shop):
        tea, milk = shop.article("1"), shop.article("2", kind=None)
        ada = shop.member("ada")
        shop.receipt(MONDAY, [(tea, 1, 500), (tea, 1, 400)], member=ada)
        shop.receipt(date(2026, 11, 15), [(milk, 1, 300)], member=ada)
        shop.receipt(MONDAY, [(tea, 1, 500)])
        table = read(shop).sales_table()
        assert table.value.tolist() == [900, 300]
        assert (table.week.tolist(), table.weeks, table.stores) == ([0, 1], 2, 1)
        np.testing.assert_array_equal(table.type_of, [0, -1])

"""Sales in figures."""

from dataclasses import replace
from datetime import timedelta

from sales.figures import latest_business_date, open_flags, sales_by_store, sales_by_week
from tests.shop import Shop


class TestWeek:
    def of(self, shop: Shop):
        monday = shop.today - timedelta(days=shop.today.weekday())
        with shop.sessions.begin() as session:
            return sales_by_week(session, since=monday, until=monday + timedelta(weeks=1), currency="CZK")

    def test_tells_baskets_with_and_without_card(self, shop: Shop):
        shop.post(shop.sale(5000))
        shop.post(shop.sale(7000, card_number=None))
        (week,) = self.of(shop)
        assert (week.baskets, week.baskets_with_card) == (2, 1)
        assert (week.amount, week.amount_with_card) == (12000, 5000)

    def test_takes_off_what_came_back(self, shop: Shop):
        sale = shop.sale(5000)
        shop.post(sale)
        shop.post(replace(shop.back(sale, {1: "1"}), totals=replace(sale.totals, payable_amount=5000)))
        (week,) = self.of(shop)
        assert (week.baskets, week.amount) == (1, 0)

    def test_leaves_out_training(self, shop: Shop):
        shop.post(shop.sale(5000, mode="training"))
        assert self.of(shop) == []


class TestStores:
    def test_are_told_by_what_they_took(self, shop: Shop):
        shop.post(shop.sale(5000))
        with shop.sessions.begin() as session:
            (store,) = sales_by_store(
                session, since=shop.today, until=shop.today + timedelta(days=1), currency="CZK"
            )
            assert (store.amount, store.baskets, store.baskets_with_card) == (5000, 1, 1)
            assert latest_business_date(session) == shop.today


class TestFlags:
    def test_that_are_open_are_counted_by_code(self, shop: Shop):
        shop.post(shop.sale(5000, card_number="2990000000040"))
        with shop.sessions.begin() as session:
            assert open_flags(session)["unknown_card"] == 1

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from customers.queries import CardNotFound
from loyalty.queries import answer_from_books, is_birthday
from tests.shop import CARD, Shop


class TestCardView:
    def test_shows_a_member_with_points(self, shop: Shop):
        shop.enrol(CARD, birth_date=date(1990, 11, 21))
        shop.post(shop.sale(94000, business_date=shop.today - timedelta(days=30)))
        shop.post(shop.sale(12000))
        shop.reserve(40)
        assert shop.card() == {
            "card_number": CARD,
            "state": "active",
            "member": {"greeting": "Žofie N.", "tier": None, "birthday": True},
            "tier": None,
            "points": {
                "balance": 1020,
                "available": 900,
                "pending": 120,
                "reserved": 40,
                "spendable_now": 900,
                "spendable_value": 9000,
                "expiring": [],
            },
            "vouchers": [],
            "rewards": [],
            "messages": [],
        }

    def test_tells_of_points_that_end_within_thirty_days(self, shop: Shop):
        shop.enrol(CARD, language="sk")
        day = date(2024, 12, 15)
        shop.post(shop.sale(4000, business_date=day, closed_at=shop.now - timedelta(days=700)))
        shop.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
        assert shop.card()["messages"] == []
        shop.now = datetime(2026, 12, 1, 12, tzinfo=UTC)
        assert shop.card()["messages"] == ["40 bodov prepadne po 31. 12. 2026"]
        answer = shop.post(shop.sale(100))
        assert answer["messages"] == ["40 bodov prepadne po 31. 12. 2026"]
        shop.now = datetime(2026, 12, 24, 12, tzinfo=UTC)
        assert shop.card()["messages"] == ["Posledné dni: 40 bodov prepadne po 31. 12. 2026"]

    def test_lets_nobody_but_a_member_spend(self, shop: Shop):
        shop.post(shop.sale(500, business_date=shop.today - timedelta(days=30)))
        shown = shop.card()
        assert (shown["member"], shown["points"]["available"], shown["points"]["spendable_now"]) == (
            None,
            5,
            0,
        )

    def test_does_not_know_a_number_never_seen(self, shop: Shop):
        for number in ("2990000000033", "2990000000018", "", "x"):
            with pytest.raises(CardNotFound):
                shop.card(number)


class TestIsBirthday:
    def test_comes_once_a_year(self):
        born = date(1990, 11, 21)
        assert [day for day in range(1, 31) if is_birthday(born, date(2026, 11, day))] == [21]

    def test_of_a_leap_day_is_the_last_of_february(self):
        born = date(2000, 2, 29)
        assert is_birthday(born, date(2026, 2, 28))
        assert not is_birthday(born, date(2028, 2, 28))
        assert is_birthday(born, date(2028, 2, 29))
        assert not is_birthday(born, date(2026, 3, 31))
        assert not is_birthday(born, date(2026, 3, 1))


class TestAnswerFromBooks:
    def test_says_what_an_imported_receipt_did(self, shop: Shop):
        sale = shop.sale(10000)
        told = shop.post(sale)
        with shop.sessions.begin() as session:
            session.execute(text("update receipt set answer = null"))
            remembered = answer_from_books(
                session,
                till=shop.till,
                business_date=sale.business_date,
                receipt_id=told["receipt_id"],
                now=shop.now,
            )
        assert remembered == told
        again = shop.settle(sale)
        assert again.answer == {**told, "replayed": True}

    def test_says_what_an_imported_return_did(self, shop: Shop):
        sale = shop.sale(10000, 500)
        back = shop.back(sale, {1: "1"})
        shop.post(sale)
        told = shop.post(back)
        with shop.sessions.begin() as session:
            session.execute(text("update receipt set answer = null"))
        assert shop.settle(back).answer == {**told, "replayed": True}

"""Points as people look at them."""

from datetime import timedelta

from sqlalchemy import select

from core.keyset import Ask
from customers.models import Card
from loyalty.figures import outstanding, points_by_week
from loyalty.statements import balances, list_entries, lots_of, points_of_receipt
from sales.models import Receipt
from tests.shop import CARD, OTHER_CARD, Shop


def account_of(session, card=CARD):
    return session.scalar(select(Card.account_id).where(Card.card_number == card))


class TestStatement:
    def test_tells_every_entry_with_what_it_changed(self, shop: Shop):
        sale = shop.sale(94000, 5000)
        shop.post(sale)
        shop.post(shop.back(sale, {2: "1"}))
        with shop.sessions.begin() as session:
            ask = Ask(sort="booked_at")
            entries = list_entries(session, ask, account_id=account_of(session)).rows
        assert [(entry.reason, entry.points) for entry in entries] == [("earn", 990), ("reverse", -50)]

    def test_belongs_to_one_account(self, shop: Shop):
        shop.post(shop.sale(94000))
        with shop.sessions.begin() as session:
            other = account_of(session, OTHER_CARD)
            assert list_entries(session, Ask(sort="booked_at"), account_id=other).rows == ()
            assert lots_of(session, account_id=other) == []

    def test_shows_lots_by_their_end(self, shop: Shop):
        shop.post(shop.sale(7000))
        shop.post(shop.sale(5000, business_date=shop.today - timedelta(days=60)))
        with shop.sessions.begin() as session:
            lots = lots_of(session, account_id=account_of(session))
        assert [lot.remaining for lot in lots] == [50, 70]
        assert all(lot.last_day and (lot.last_day + timedelta(days=1)).day == 1 for lot in lots)

    def test_adds_up_to_the_balance(self, shop: Shop):
        sale = shop.sale(94000, 5000)
        shop.post(sale)
        shop.post(shop.back(sale, {1: "1"}))
        with shop.sessions.begin() as session:
            account_id = account_of(session)
            entries = list_entries(session, Ask(sort="booked_at"), account_id=account_id).rows
            held = balances(session, [account_id])
        assert sum(entry.points for entry in entries) == held[account_id] == sum(shop.stands()[:2])

    def test_says_what_one_receipt_did(self, shop: Shop):
        sale = shop.sale(94000)
        shop.post(sale)
        with shop.sessions.begin() as session:
            day, receipt_id = session.execute(select(Receipt.business_date, Receipt.receipt_id)).one()
            assert points_of_receipt(session, business_date=day, receipt_id=receipt_id) == {"earn": 940}


class TestProgramme:
    def test_counts_what_moved_by_week(self, shop: Shop):
        sale = shop.sale(94000, 5000)
        shop.post(sale)
        shop.post(shop.back(sale, {2: "1"}))
        monday = shop.today - timedelta(days=shop.today.weekday())
        with shop.sessions.begin() as session:
            (week,) = points_by_week(session, since=monday, until=monday + timedelta(weeks=1))
        assert (week.monday, week.issued, week.spent, week.expired) == (monday, 940, 0, 0)

    def test_owes_what_all_accounts_hold(self, shop: Shop):
        shop.post(shop.sale(94000))
        shop.post(shop.sale(6000, card_number=OTHER_CARD))
        with shop.sessions.begin() as session:
            owed = outstanding(session)
        assert (owed.points, owed.accounts) == (1000, 2)
        assert sum(points for _month, points in owed.by_month) == 1000

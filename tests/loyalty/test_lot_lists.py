from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from core.keyset import Ask
from customers.models import Card
from loyalty.lot_lists import Ending, endings, list_lots, lots_of
from tests.shop import CARD, OTHER_CARD, Shop


def account_of(session, card=CARD):
    return session.scalar(select(Card.account_id).where(Card.card_number == card))


class TestLotsOf:
    def test_shows_lots_by_their_end(self, shop: Shop):
        shop.post(shop.sale(7000))
        shop.post(shop.sale(5000, business_date=shop.today - timedelta(days=60)))
        with shop.sessions.begin() as session:
            lots = lots_of(session, account_id=account_of(session))
            assert lots_of(session, account_id=account_of(session, OTHER_CARD)) == []
        assert [lot.remaining for lot in lots] == [50, 70]
        assert all(lot.last_day and (lot.last_day + timedelta(days=1)).day == 1 for lot in lots)


class TestEndings:
    def test_sum_what_ends_on_one_day_with_what_is_pending_apart(self, shop: Shop):
        for days in (0, 60, 61):
            shop.post(shop.sale(7000, business_date=shop.today.replace(day=15) - timedelta(days=days)))
        with shop.sessions.begin() as session:
            lots = lots_of(session, account_id=account_of(session))
        found = endings(lots, shop.now)
        assert found == [
            Ending(lots[0].last_day, pending=False, points=140),
            Ending(lots[-1].last_day, pending=True, points=70),
        ]


class TestListLots:
    def test_tells_what_became_of_every_lot(self, shop: Shop):
        shop.enrol(CARD)
        for days in (800, 60, 30):
            shop.post(shop.sale(7000, business_date=shop.today - timedelta(days=days)))
        shop.post(shop.sale(500))
        shop.post(shop.paid_with(shop.reserve(70), totals=(1000,)))
        with shop.sessions.begin() as session:
            ask = Ask(sort="business_date")
            page = list_lots(session, ask, account_id=account_of(session))
            held = list_lots(
                session, Ask(sort="earned", filters={"held": "yes"}), account_id=account_of(session)
            )
        assert [lot.state(shop.now) for lot in page.rows] == [
            "expired",
            "used",
            "available",
            "pending",
            "pending",
        ]
        assert [lot.receipt and lot.receipt.receipt_number for lot in page.rows][:2] == ["000001", "000002"]
        assert [lot.remaining for lot in held.rows] == [3, 5, 70]

    def test_shows_a_debt_as_a_debt(self, shop: Shop):
        shop.enrol(CARD)
        sale = shop.sale(10000, business_date=shop.today - timedelta(days=20))
        shop.post(sale)
        shop.post(shop.paid_with(shop.reserve(100), totals=(1000,)))
        shop.post(shop.back(sale, {1: "1"}))
        with shop.sessions.begin() as session:
            (lot,) = list_lots(
                session, Ask(sort="remaining", filters={"held": "yes"}), account_id=account_of(session)
            ).rows
        assert (lot.state(datetime(2026, 11, 21, tzinfo=UTC)), lot.remaining, lot.last_day) == (
            "debt",
            -100,
            None,
        )

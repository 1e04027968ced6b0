"""The statement of an account."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from core.i18n import show_date
from core.ids import uuid7
from core.keyset import Ask
from customers.models import Card
from loyalty.adjustments import Wish, request_adjustment
from loyalty.claims import claim_receipt
from loyalty.explanations import explain, pieces_in_words
from loyalty.linking import link_card
from loyalty.offer_points import OfferPoints
from loyalty.statements import balances, list_statement, points_of_receipt
from sales.models import Receipt
from tests.pos_api.test_offers import live
from tests.shop import CARD, OTHER_CARD, Shop

ALWAYS = {"condition": {"kind": "always"}}


def account_of(session, card=CARD):
    return session.scalar(select(Card.account_id).where(Card.card_number == card))


def statement(shop: Shop, card: str = CARD, **ask: Any):
    with shop.sessions.begin() as session:
        wanted = Ask(**{"sort": "booked_at", **ask})
        return list_statement(session, wanted, account_id=account_of(session, card))


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """A card with one entry of almost every kind, in the order in which the tests name them."""
    shop.enrol(CARD)
    old = shop.sale(30000, business_date=shop.today - timedelta(days=60))
    shop.post(old)
    paid = shop.paid_with(shop.reserve(100), totals=(4000,))
    shop.later(minutes=1)
    shop.post(paid)
    shop.later(minutes=1)
    shop.release(shop.reserve(5))
    shop.hand_over(shop.reserve(10))
    shop.later(minutes=1)
    back = shop.back(paid, {1: "1"})
    shop.post(back)
    shop.later(minutes=1)
    shop.post(shop.void(back))
    with shop.sessions.begin() as session:
        wish = Wish(account_of(session), None, 40, "goodwill", "sorry for the wait")
        request_adjustment(session, adjustment_id=uuid7(), wish=wish, actor="ann", role="desk", now=shop.now)
    return shop


class TestListStatement:
    def test_adds_up_from_entry_to_entry(self, busy: Shop):
        lines = statement(busy).rows
        running = 0
        for line in lines:
            running += line.points
            assert line.balance == running
        assert running == sum(busy.stands()[:2])

    def test_tells_the_same_balances_page_by_page_in_either_order_and_filtered(self, busy: Shop):
        whole = {line.entry_id: line.balance for line in statement(busy).rows}
        for descending in (False, True):
            page, seen = statement(busy, limit=2, descending=descending), {}
            while True:
                seen |= {line.entry_id: line.balance for line in page.rows}
                if page.following is None:
                    break
                page = statement(busy, limit=2, descending=descending, after=page.following)
            assert seen == whole
        for line in statement(busy, filters={"reason": "spend"}).rows:
            assert line.balance == whole[line.entry_id]

    def test_explains_every_entry(self, busy: Shop):
        told = [explain(line, "en") for line in statement(busy).rows]
        first = "Earned on receipt 000001, S1; available at once, ending on Sep 30, 2028"
        assert told[0] == first
        for words in (
            "Earned on receipt 000002, S1; pending until Dec 5, 2026, ending on Nov 30, 2028",
            "Set aside for a purchase in S1",
            "Spent on receipt 000002, S1",
            "No longer set aside: the points were not spent in time, or given up",
            "Spent at the counter of S1",
            "Given back: goods of receipt 000002, paid with points, were returned on 000003",
            "Taken back: goods of receipt 000002 were returned on 000003",
            "Put back: the return 000003 was voided by 000004",
            "Given by ann: Goodwill",
        ):
            assert words in told, told

    def test_explains_in_four_languages(self, busy: Shop):
        for line in statement(busy).rows:
            assert len({explain(line, language) for language in ("en", "cs", "sk", "pl")}) == 4

    def test_names_the_lots_that_points_came_from(self, busy: Shop):
        line = statement(busy, filters={"reason": "reserve"}).rows[0]
        assert pieces_in_words(line, "en") == "−100 in the lot of Sep 22, 2026, ending on Sep 30, 2028"

    def test_can_be_narrowed_to_days_and_to_one_lot(self, busy: Shop):
        old = (busy.today - timedelta(days=60)).isoformat()
        assert [line.reason for line in statement(busy, filters={"until": old}).rows] == ["earn"]
        assert "earn" in {line.reason for line in statement(busy, filters={"since": old}).rows}
        given = statement(busy, filters={"reason": "adjust"}).rows[0]
        lot = str(given.pieces[0].lot_id)
        assert [line.entry_id for line in statement(busy, filters={"lot": lot}).rows] == [given.entry_id]
        assert statement(busy, filters={"lot": "nonsense"}).rows == ()

    def test_belongs_to_one_account(self, busy: Shop):
        assert statement(busy, OTHER_CARD).rows == ()


class TestSalesThatCameLater:
    def test_say_that_they_were_claimed_or_given_to_the_card(self, shop: Shop):
        shop.enrol(CARD)
        claimed, linked = (shop.sale(10000, card_number=None) for _ in range(2))
        for posted in (claimed, linked):
            shop.post(posted)
        shop.later(days=3)
        with shop.sessions.begin() as session:
            member_id = session.scalar(select(Card.member_id).where(Card.card_number == CARD))
            receipt = shop.name_of(claimed)
            claim_receipt(
                session, member_id=member_id, receipt=receipt, amount=10000, now=shop.now, actor="ann"
            )
            receipt_id = session.scalar(
                select(Receipt.receipt_id).where(Receipt.receipt_number == linked.receipt_number)
            )
            link_card(
                session,
                business_date=linked.business_date,
                receipt_id=receipt_id,
                card_number=CARD,
                now=shop.now,
                actor="ann",
            )
        first, second = (explain(line, "en") for line in statement(shop).rows)
        day = show_date(shop.today, "en")
        assert first.endswith(f"ending on Nov 30, 2028; paid without the card and claimed on {day}")
        assert second.endswith(f"ending on Nov 30, 2028; given to the card on {day}")


class TestSalesWithOffers:
    def test_say_what_offers_added(self, shop: Shop):
        shop.enrol(CARD)
        shop.post(shop.sale(10000))
        (line,) = statement(shop).rows
        assert line.receipt is not None
        parts = {1: ((10000, Decimal(2)),)}
        for added, words in (
            (OfferPoints(bonus=50), "; 50 points of it a bonus from offers"),
            (OfferPoints(parts=parts), "; multiplied by offers"),
            (OfferPoints(1, parts), "; multiplied by offers; 1 point of it a bonus from offers"),
            (OfferPoints(), ""),
        ):
            with shop.sessions.begin() as session:
                session.execute(update(Receipt).values(offer_points=added.document()))
            (line,) = statement(shop).rows
            assert explain(line, "en").partition("ending on Nov 30, 2028")[2] == words

    def test_name_the_offers_that_gave_points_and_no_others(self, shop: Shop):
        shop.enrol(CARD)
        bonus = {"kind": "points", "points": 50}
        double = {"kind": "points_multiplier", "times": "2"}
        live(
            shop.sessions,
            {"code": "A", "name": {"en": "Double", "cs": "Dvakrát"}, "benefit": double} | ALWAYS,
            {"code": "B", "name": {"en": "Gold bonus"}, "benefit": bonus} | ALWAYS,
            {"code": "C", "name": {"en": "Less"}, "benefit": {"kind": "percent", "off": "1"}} | ALWAYS,
        )
        shop.post(shop.sale(10000))
        (line,) = statement(shop).rows
        assert explain(line, "en").endswith(
            "; multiplied by offers; 50 points of it a bonus from offers (Double, Gold bonus)"
        )
        assert explain(line, "cs").endswith("(Dvakrát, Gold bonus)")


class TestBalances:
    def test_are_the_sums_of_the_statements(self, busy: Shop):
        with busy.sessions.begin() as session:
            held = balances(session, [account_of(session)])
        assert list(held.values()) == [statement(busy).rows[-1].balance]

    def test_say_what_one_receipt_did(self, shop: Shop):
        shop.post(shop.sale(94000))
        with shop.sessions.begin() as session:
            day, receipt_id = session.execute(select(Receipt.business_date, Receipt.receipt_id)).one()
            assert points_of_receipt(session, business_date=day, receipt_id=receipt_id) == {"earn": 940}

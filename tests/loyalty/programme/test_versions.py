"""One version of the programme through all that a till does: card, quote, reservation, receipt, return."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select

from loyalty.programme.rules import CurrencyRule, Excluded, Programme
from loyalty.quotes.baskets import quote_basket
from loyalty.quotes.returns import Wanted, quote_return
from loyalty.redemptions import NotEnoughPoints, NotInSteps, NotRegistered
from sales.baskets import Basket, BasketLine
from sales.models import Article, Receipt
from sales.receipts import Tender, Totals
from tests.shop import CARD, OTHER_CARD

RULES = Programme(
    currencies={"CZK": CurrencyRule(points=1, per=100, point_value=20)},
    excluded=Excluded(departments=frozenset({"bottles"}), articles=frozenset({"sku3"})),
    pending_days=0,
    ending="day",
    ending_months=1,
    minimum=50,
    step=10,
    share_percent=50,
    hold_minutes=30,
    unregistered_spend=True,
)


@pytest.fixture
def ruled(shop):
    """A shop under `RULES` with a member who has 1000 points, and a known article of what earns nothing."""
    shop.approve(RULES, shop.today - timedelta(days=1))
    shop.enrol(CARD)
    with shop.sessions.begin() as session:
        session.execute(
            insert(Article).values(sku="sku2", name="bottle", unit="pcs", tax_rate=21, department="bottles")
        )
    assert shop.points(shop.sale(100_000)) == {
        "earned": 1000,
        "balance": 1000,
        "available": 1000,
        "expiring": [{"points": 1000, "on": "2026-12-21"}],
    }
    return shop


def basket(*amounts, points=0, card=CARD):
    lines = tuple(
        BasketLine(number, Decimal(1), amount, sku=f"sku{number}", tax_rate=Decimal(21))
        for number, amount in enumerate(amounts, 1)
    )
    return Basket(currency="CZK", lines=lines, card_number=card, points_to_spend=points)


def quoted(shop, *amounts, **options):
    with shop.sessions.begin() as session:
        return quote_basket(session, till=shop.till, basket=basket(*amounts, **options), now=shop.now)


class TestQuotes:
    def test_promise_what_the_receipt_earns(self, ruled):
        quote = quoted(ruled, 20_000, 5000, 3000)
        # The bottle is left out; nobody knows sku3, so its being left out by name means nothing.
        assert quote["points"]["to_earn"] == 230
        assert ruled.points(ruled.sale(20_000, 5000, 3000))["earned"] == 230

    def test_cut_points_to_steps_and_to_the_share_of_the_bill(self, ruled):
        quote = quoted(ruled, 9990, points=777)
        # Half of 99.90 is worth 249 points of 0.20; whole steps of ten make 240.
        assert (quote["points"]["spendable_now"], quote["points"]["spendable_value"]) == (240, 4800)
        assert quote["totals"]["points_amount"] == 4800
        assert quoted(ruled, 9990, points=49)["totals"]["points_amount"] == 0
        assert quoted(ruled, 1000, points=100)["points"]["spendable_now"] == 0

    def test_promise_unregistered_cards_what_they_may_spend(self, ruled):
        ruled.post(ruled.sale(10_000, card_number=OTHER_CARD))
        assert quoted(ruled, 9990, points=100, card=OTHER_CARD)["totals"]["points_amount"] == 2000
        assert ruled.card(OTHER_CARD)["points"]["spendable_now"] == 100
        assert ruled.reserve(100, OTHER_CARD).value_amount == 2000


class TestCards:
    def test_show_what_can_be_spent_in_whole_steps(self, ruled):
        ruled.reserve(990)
        ruled.post(ruled.sale(3500))
        points = ruled.card()["points"]
        assert (points["available"], points["spendable_now"], points["spendable_value"]) == (45, 0, 0)
        ruled.post(ruled.sale(1000))
        points = ruled.card()["points"]
        assert (points["available"], points["spendable_now"], points["spendable_value"]) == (55, 50, 1000)


class TestReservations:
    @pytest.mark.parametrize("points", [1, 40, 55, 1005])
    def test_break_a_rule_when_they_are_too_small_or_not_in_steps(self, ruled, points):
        with pytest.raises(NotInSteps):
            ruled.reserve(points)
        with pytest.raises(NotEnoughPoints):
            ruled.reserve(1010)

    def test_last_as_long_as_the_version_says(self, ruled):
        held = ruled.reserve(100)
        assert held.expires_at == ruled.now + timedelta(minutes=30)
        ruled.later(minutes=29)
        assert ruled.stands() == (900, 0, 100)
        ruled.later(minutes=2)
        assert ruled.stands() == (1000, 0, 0)

    def test_need_a_member_under_the_contracts_own_rules(self, shop):
        shop.post(shop.sale(100_000, business_date=shop.today - timedelta(days=20)))
        with pytest.raises(NotRegistered):
            shop.reserve(10)

    def test_keep_their_value_when_a_point_becomes_worth_more(self, ruled):
        dearer = replace(RULES, currencies={"CZK": CurrencyRule(1, 100, 30)}, hold_minutes=120)
        ruled.approve(dearer, ruled.today + timedelta(days=2))
        ruled.later(days=2, hours=-12, minutes=-5)
        held = ruled.reserve(100)
        ruled.later(minutes=10)
        assert ruled.reserve(100).value_amount == 3000
        sale = ruled.paid_with(held)
        assert sale.totals.points_amount == 2000
        assert ruled.post(sale)["flags"] == [
            {"code": "unknown_article", "detail": "nobody has heard of sku1", "line_number": 1}
        ]


class TestReceipts:
    def test_keep_the_version_and_the_lines_left_out(self, ruled):
        ruled.post(ruled.sale(20_000, 5000))
        with ruled.sessions() as session:
            kept = session.execute(
                select(Receipt.programme_version, Receipt.excluded_lines).order_by(Receipt.received_at)
            ).all()
        assert [tuple(row) for row in kept] == [(1, None), (1, [2])]

    def test_that_pay_more_with_points_than_they_may_are_flagged(self, ruled):
        held = ruled.reserve(100)
        assert ("over_redeemed", None) in ruled.flags(ruled.paid_with(held, totals=(3999,)))
        held = ruled.reserve(100)
        assert ruled.flags(ruled.paid_with(held, totals=(4000,))) == []

    def test_come_late_under_the_rules_of_their_business_date(self, ruled):
        late = ruled.sale(20_000, 5000, business_date=ruled.today - timedelta(days=2))
        answer = ruled.points(late)
        assert (answer["earned"], answer["pending_until"]) == (250, "2026-12-03")

    def test_may_state_points_as_a_tender_where_they_are_one(self, ruled):
        ruled.approve(replace(RULES, points_as="tender"), ruled.today + timedelta(days=2))
        ruled.later(days=2)
        held = ruled.reserve(100)
        sale = ruled.sale(
            10_000,
            redemption_ids=(str(held.redemption_id),),
            tenders=(Tender("points", 2000), Tender("cash", 8000)),
            totals=Totals(payable_amount=10_000),
        )
        answer = ruled.post(sale)
        assert (answer["points"]["earned"], answer["points"]["spent"]) == (80, 100)
        assert {flag["code"] for flag in answer["flags"]} == {"unknown_article"}
        with ruled.sessions.begin() as session:
            quote = quote_return(
                session,
                till=ruled.till,
                original=ruled.name_of(sale),
                lines=[Wanted(1, Decimal(1))],
                now=ruled.now,
            )
        assert quote["totals"]["refund_amount"] == 8000


class TestReturns:
    def test_give_points_back_at_the_value_they_had(self, ruled):
        sale = ruled.paid_with(ruled.reserve(300), totals=(9000, 9000))
        ruled.post(sale)
        ruled.approve(
            replace(RULES, currencies={"CZK": CurrencyRule(5, 100, 99)}), ruled.today + timedelta(days=2)
        )
        ruled.later(days=3)
        with ruled.sessions.begin() as session:
            quote = quote_return(
                session,
                till=ruled.till,
                original=ruled.name_of(sale),
                lines=[Wanted(1, Decimal(1))],
                now=ruled.now,
            )
        assert quote["lines"][0]["refund_amount"] == 9000 - 3000
        assert (quote["points"]["returned"], quote["points"]["reversed"]) == (150, 120 // 2)
        answer = ruled.points(ruled.back(sale, {1: "1"}))
        assert (answer["returned"], answer["reversed"]) == (150, 60)

    def test_leave_lots_of_before_their_own_end(self, ruled):
        before = ruled.card()["points"]["expiring"]
        ruled.approve(replace(RULES, ending="never"), ruled.today + timedelta(days=2))
        ruled.later(days=3)
        ruled.post(ruled.sale(5000))
        assert ruled.card()["points"]["expiring"] == before
        ruled.later(days=60)
        assert ruled.stands() == (50, 0, 0)

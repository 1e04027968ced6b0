"""Vouchers and gift cards at the till simulator: what lowers the bill, what pays for it, and what is given along."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from core import clock
from core.database import Sessions
from rewards.gift_cards.operations import Teller, gift_card, issue_gift_card
from rewards.offer_decisions import stop_offer
from rewards.offer_operations import import_document
from tests.journey.test_till import open_till, pay, put, scan
from tests.web.house import House

pytestmark = pytest.mark.browser
VOUCHER = "TILLVOUCHER"
OFFERS: list[dict[str, Any]] = [
    {"code": "TILLMUG", "name": {"en": "A mug with honey"}, "audience": {"who": "everyone"},
     "condition": {"kind": "items", "select": {"skus": ["20311"]}, "quantity": "1"},
     "benefit": {"kind": "gift", "reward": "TILLMUG", "quantity": 1}},
]  # fmt: skip


@pytest.fixture
def till(page: Page, journey_house: House) -> Page:
    return open_till(page, journey_house)


@pytest.fixture
def rough_till(browser: Browser, address: str, journey_house: House) -> Iterator[Page]:
    """A till whose console may report answers that are no success: they are what the test is about."""
    context = browser.new_context(base_url=address, locale="en-GB")
    yield open_till(context.new_page(), journey_house)
    context.close()


@dataclass
class Counter:
    """What lies behind the till."""

    sessions: Sessions

    def issue(self, amount: int) -> str:
        with self.sessions.begin() as session:
            teller = Teller(clock.now(), "test")
            return issue_gift_card(session, amount=amount, currency="CZK", teller=teller).gift_card_number

    def held(self, number: str) -> int:
        with self.sessions() as session:
            return gift_card(session, number).balance

    def tenders(self) -> list[tuple[str, int]]:
        """Return how the newest receipt was paid."""
        with self.sessions() as session:
            question = text("select tenders from receipt order by receipt_id desc limit 1")
            return [(one["type"], one["amount"]) for one in session.execute(question).scalar_one()]

    def state_of(self, voucher: str) -> str:
        with self.sessions() as session:
            question = text("select state from voucher where voucher_code = :code")
            return str(session.execute(question, {"code": voucher}).scalar_one())


@pytest.fixture
def counter(journey_app: Flask) -> Iterator[Counter]:
    """A store with a mug to give along, and a voucher of twenty crowns that lies in a drawer."""
    sessions = journey_app.extensions["web"].sessions
    document = {
        "format": 1,
        "offers": OFFERS,
        "rewards": [{"code": "TILLMUG", "name": {"en": "Blue mug"}, "stock": {"S1": 5}}],
        "vouchers": [{"batch": "TILLV", "value_amount": 2000, "currency": "CZK", "codes": [VOUCHER]}],
    }
    with sessions.begin() as session:
        import_document(session, document=document, actor="test", now=clock.now(), live=True)
    yield Counter(sessions)
    with sessions.begin() as session:
        for offer in OFFERS:
            stop_offer(session, offer_code=offer["code"], actor="test", now=clock.now(), reason="over")


def lay_down(till: Page, code: str) -> None:
    till.get_by_label("Voucher or gift card").fill(code)
    till.get_by_label("Voucher or gift card").press("Enter")


class TestCodes:
    def test_lower_the_bill_pay_for_it_and_are_printed(self, counter: Counter, till: Page):
        """129.90 less 20.00 is 109.90, of which a gift card of 50.00 pays all that it holds."""
        card = counter.issue(5000)
        put(till, "med")
        expect(till.locator("#till-given")).to_have_text("Give along: Blue mug (1)")
        lay_down(till, VOUCHER.lower())
        expect(till.locator("#till-total")).to_have_text(re.compile(r"109\.90"))
        scan(till, card)
        expect(till.locator("#till-codes")).to_contain_text(re.compile(rf"…{card[-4:]}: .*50\.00"))
        expect(till.locator("#till-total")).to_have_text(re.compile(r"59\.90"))
        pay(till)
        expect(till.locator("#till-paper")).to_contain_text("Gift card")
        expect(till.locator("#till-paper")).to_contain_text("59.90")
        expect(till.locator("#till-paper")).not_to_contain_text("totals_mismatch")
        expect(till.locator("#till-codes li")).to_have_count(0)
        assert counter.tenders() == [("gift_card", 5000), ("cash", 5990)]
        assert (counter.held(card), counter.state_of(VOUCHER)) == (0, "redeemed")

    def test_pay_no_more_than_is_due(self, counter: Counter, till: Page):
        card = counter.issue(50000)
        put(till, "Čaj")
        lay_down(till, card)
        expect(till.locator("#till-total")).to_have_text(re.compile(r"\b0\.00"))
        pay(till)
        expect(till.locator("#till-paper")).to_contain_text("Gift card")
        expect(till.locator("#till-codes li")).to_have_count(0)
        ((kind, amount),) = counter.tenders()
        assert (kind, counter.held(card)) == ("gift_card", 50000 - amount)

    def test_keep_their_money_when_the_sale_is_refused(self, rough_till: Page, counter: Counter):
        card = counter.issue(5000)
        put(rough_till, "Čaj")
        lay_down(rough_till, card)
        expect(rough_till.locator("#till-codes li")).to_have_count(1)
        refused = {"type": "invalid_content", "title": "Refused", "status": 422, "detail": "by this test"}
        rough_till.route("**/pos/v1/receipts", lambda route: route.fulfill(status=422, json=refused))
        pay(rough_till)
        expect(rough_till.locator("#till-problem")).to_contain_text("by this test")
        expect(rough_till.locator("#till-codes li")).to_have_count(1)
        assert counter.held(card) == 5000
        rough_till.unroute("**/pos/v1/receipts")
        pay(rough_till)
        expect(rough_till.locator("#till-paper")).to_contain_text("Gift card")
        assert counter.held(card) == 0

    def test_of_nobody_are_said_to_be(self, till: Page):
        put(till, "Čaj")
        lay_down(till, "NOSUCHVOUCHER")
        expect(till.locator("#till-messages")).to_contain_text("NOSUCHVOUCHER")
        till.get_by_role("button", name="Remove: Voucher NOSUCHVOUCHER").click()
        expect(till.locator("#till-messages")).not_to_contain_text("NOSUCHVOUCHER")

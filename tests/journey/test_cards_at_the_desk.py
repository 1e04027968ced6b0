"""A lost card blocked and replaced, and an alert decided, by hand in a browser."""

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from core import clock
from tests.journey.test_counter_to_screen import sign_in
from tests.web.house import House

pytestmark = pytest.mark.browser

LOST, NEW = "2990000002006", "2990000002013"


def post(app: Flask, house: House, card: str, number: str) -> None:
    line = {
        "line_number": 1,
        "sku": "10452",
        "quantity": "1",
        "unit_price": 10000,
        "total_amount": 10000,
        "tax_rate": "12",
    }
    body = {
        "type": "sale",
        "business_date": clock.business_day(clock.now(), "Europe/Prague").isoformat(),
        "receipt_number": number,
        "closed_at": clock.now().isoformat(),
        "operator_code": "12",
        "currency": "CZK",
        "card_number": card,
        "lines": [line],
        "totals": {"payable_amount": 10000},
    }
    key = {"Authorization": f"Bearer {house.keys['S1']}"}
    assert app.test_client().post("/pos/v1/receipts", json=body, headers=key).status_code == 201


class TestALostCard:
    def test_is_blocked_and_replaced_and_nothing_is_lost(
        self, page: Page, journey_app: Flask, journey_house: House
    ):
        sign_in(page, journey_house.people["desk"])
        page.get_by_role("link", name="Cards", exact=True).click()
        page.get_by_role("link", name="Put into stock").click()
        page.get_by_label("First number").fill(LOST)
        page.get_by_label("Last number").fill(NEW)
        page.get_by_role("button", name="Put into stock").click()
        expect(page.get_by_text("2 cards are in stock now.")).to_be_visible()
        page.get_by_text(LOST).click()
        page.get_by_role("button", name="Issue without a name").click()
        expect(page.get_by_text("It earns from now on.")).to_be_visible()
        post(journey_app, journey_house, LOST, "J1")
        block = page.locator("form[action$='/block']")
        block.get_by_label("Reason").fill("Lost on the tram")
        block.get_by_role("button", name="Block").click()
        expect(page.get_by_text("Blocked: Lost on the tram")).to_be_visible()
        replace = page.locator("form[action$='/replace']")
        replace.get_by_label("New card number").fill(NEW)
        replace.get_by_label("Reason").fill("Lost on the tram")
        replace.get_by_role("button", name="Replace").click()
        expect(page.get_by_role("heading", name=f"Card {NEW}")).to_be_visible()
        expect(page.locator("dl.facts")).to_contain_text("100")
        expect(page.get_by_role("link", name=LOST)).to_be_visible()


class TestAnAlert:
    def test_is_looked_at_and_dismissed_with_a_reason(
        self, page: Page, journey_app: Flask, journey_house: House
    ):
        for number in range(4):
            post(journey_app, journey_house, "2990000000026", f"A{number}")
        sign_in(page, journey_house.people["store_manager"])
        page.get_by_role("link", name="Alerts").click()
        page.locator("tbody tr", has_text="Card used very often").first.click()
        panel = page.locator("#panel")
        expect(panel).to_contain_text("A3")
        panel.get_by_label("Reason").fill("A club buys for its match")
        panel.get_by_role("button", name="Nothing was wrong").click()
        expect(page.get_by_text("Dismissed: nothing was wrong.")).to_be_visible()

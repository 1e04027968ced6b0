"""An offer, from a pattern to the first quote that gets it, by hand, in a browser."""

from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from core import clock
from loyalty.rehearsals.plans import ask_for_rehearsal, newest_open
from loyalty.rehearsals.rehearsing import run_rehearsal
from rewards.offer_decisions import stop_offer
from tests.journey.test_counter_to_screen import sign_in
from tests.web.house import House

pytestmark = pytest.mark.browser

CODE = "HALF-PRICE-HONEY"


def rehearse(app: Flask) -> None:
    """Do what the rehearsal's button asks the job for."""
    web, now = app.extensions["web"], clock.now()
    with web.sessions.begin() as session:
        rehearsal_id = ask_for_rehearsal(
            session,
            offers=[newest_open(session, CODE)],
            first_day=now.date() - timedelta(days=1),
            following_day=now.date() + timedelta(days=1),
            store_ids=(1, 2),
            actor="marketing",
            now=now,
        )
    run_rehearsal(web.sessions, data=web.data, rehearsal_id=rehearsal_id, business_day=now.date())


class TestOffer:
    def test_is_built_tried_approved_and_given(self, page: Page, journey_app: Flask, journey_house: House):
        sign_in(page, journey_house.people["marketing"])
        page.get_by_role("link", name="Offers", exact=True).click()
        page.get_by_role("link", name="New offer").first.click()
        page.get_by_role("link", name="Percent off").click()
        effect = page.locator("#effect")
        expect(effect).to_contain_text("Name the offer in at least one language")
        page.get_by_label("Goods: Category, brand or article").press_sequentially("hon")
        page.get_by_role("checkbox", name="Category Honey").check()
        page.get_by_label("Percent", exact=True).fill("50")
        page.get_by_label("For whom").select_option("everyone")
        page.get_by_label("English").fill("Half price honey")
        page.get_by_label("English").press("Tab")
        expect(effect).to_contain_text("from the category Honey gets a discount of 50%")
        expect(page.locator("#sample")).to_contain_text("Med 500 g")
        with page.expect_response(
            lambda answer: "/offers/new" in answer.url and answer.request.method == "POST"
        ):
            page.get_by_role("button", name="Make one that fits").click()
        expect(effect).to_contain_text("On this basket")
        expect(effect).to_contain_text("\N{MINUS SIGN}CZK\N{NO-BREAK SPACE}64.95")
        # Another kind of benefit brings other gaps; what was chosen stays.
        page.get_by_label("What is given").select_option("points")
        expect(page.get_by_label("Points", exact=True)).to_be_visible()
        page.get_by_label("What is given").select_option("percent")
        expect(page.get_by_role("checkbox", name="Category Honey")).to_be_checked()
        expect(page.get_by_label("Percent", exact=True)).to_have_value("50")
        page.get_by_role("button", name="Save as draft").click()
        expect(page.get_by_text("Rehearsal on past baskets")).to_be_visible()
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        address = page.url

        rehearse(journey_app)
        page.context.clear_cookies()
        sign_in(page, journey_house.people["administrator"])
        page.goto(address)
        page.get_by_role("button", name="Approve").click()
        expect(page.locator(".badge", has_text="Runs")).to_be_visible()
        answer = journey_app.test_client().post(
            "/pos/v1/quotes",
            json={
                "currency": "CZK",
                "lines": [
                    {"line_number": 1, "sku": "20311", "quantity": "1", "unit": "pcs", "unit_price": 12990}
                ],
            },
            headers={"Authorization": f"Bearer {journey_house.keys['S1']}"},
        )
        assert answer.get_json()["lines"][0]["discount_amount"] == 6495
        with journey_app.extensions["web"].sessions.begin() as session:
            stop_offer(session, offer_code=CODE, actor="test", now=clock.now(), reason="the test is over")

"""A sale whose card nobody knew gets its member, by hand, in a browser."""

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.journey.test_counter_to_screen import sign_in
from tests.web.house import CARDS, House
from tests.web.test_queue import Counter

pytestmark = pytest.mark.browser


class TestUnknownCard:
    def test_is_linked_from_the_queue_by_keyboard_and_its_points_are_booked(
        self, page: Page, journey_house: House, journey_app: Flask
    ):
        sold = Counter(journey_app, journey_house).post()
        sign_in(page, journey_house.people["desk"])
        page.keyboard.press("g")
        page.keyboard.press("q")
        expect(page.get_by_role("heading", name="Work queue")).to_be_visible()
        page.goto(f"/queue/?state=open&q={sold['receipt_number']}")
        page.keyboard.press("j")
        page.keyboard.press("x")
        expect(page.locator("[data-picked]")).to_have_text("1")
        page.keyboard.press("Enter")
        panel = page.locator("#panel")
        expect(panel).to_contain_text("was never issued")
        panel.get_by_label("Card number").fill(CARDS[1])
        panel.get_by_label("Card number").press("Enter")
        expect(page.get_by_text("Linked: 100 points were booked.")).to_be_visible()

"""A version of the programme, from marketing's form to a second person's approval, by hand, in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journey.test_counter_to_screen import sign_in
from tests.web.house import House

pytestmark = pytest.mark.browser


class TestProgramme:
    def test_is_drafted_by_one_and_approved_by_another(self, page: Page, journey_house: House):
        sign_in(page, journey_house.people["marketing"])
        page.get_by_role("link", name="Programme").click()
        expect(page.get_by_role("heading", name="In force")).to_be_visible()
        page.get_by_role("link", name="New version").click()
        expect(page.locator("#effect")).to_contain_text("Nothing: these are the rules that hold already.")
        page.get_by_label("What for").fill("Two points for every koruna in December")
        page.get_by_label("Points", exact=True).fill("2")
        page.get_by_label("Days until points can be spent").fill("0")
        page.get_by_label("Days until points can be spent").press("Tab")
        effect = page.locator("#effect")
        expect(effect).to_contain_text("2 points for every")
        expect(effect).to_contain_text("on the day of the purchase")
        page.get_by_label("Days until points can be spent").fill("never")
        page.get_by_label("Days until points can be spent").press("Tab")
        expect(effect).to_contain_text("Correct what is marked")
        page.get_by_label("Days until points can be spent").fill("7")
        page.get_by_role("button", name="Save as draft").click()
        expect(page.get_by_text("Drafted. A second person approves it.")).to_be_visible()
        expect(page.get_by_role("button", name="Withdraw")).to_be_visible()
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        address = page.url

        page.context.clear_cookies()
        sign_in(page, journey_house.people["administrator"])
        page.goto(address)
        expect(page.get_by_text("7 days after the purchase").first).to_be_visible()
        page.get_by_role("button", name="Approve").click()
        expect(page.locator(".badge", has_text=re.compile("^Planned$"))).to_be_visible()
        page.get_by_role("link", name="Programme").first.click()
        expect(page.get_by_role("link", name=re.compile(r"^Version \d+$")).first).to_be_visible()

"""Points that one person asks for and another approves, by hand, in a browser."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journey.test_counter_to_screen import sign_in
from tests.web.house import House

pytestmark = pytest.mark.browser


class TestAdjustment:
    def test_above_the_limit_goes_from_the_desk_to_marketing_and_into_the_statement(
        self, page: Page, browser: Browser, address: str, journey_house: House
    ):
        sign_in(page, journey_house.people["desk"])
        page.goto(f"/members/{journey_house.members[2]}")
        page.get_by_role("link", name="Adjust points").click()
        page.get_by_label("Points", exact=True).fill("1 200")
        page.get_by_label("Reason").select_option(label="After a complaint")
        page.get_by_label("In words").fill("The coffee machine was broken twice")
        page.get_by_role("button", name="Adjust points").click()
        expect(page.get_by_text("waits for somebody else to approve it")).to_be_visible()
        expect(page.get_by_role("button", name="Approve and book")).to_have_count(0)
        other = browser.new_context(base_url=address, locale="en-GB").new_page()
        other.set_default_timeout(30_000)
        sign_in(other, journey_house.people["marketing"])
        other.get_by_role("link", name="Adjustments").click()
        other.get_by_role("link", name="Waits for approval").click()
        other.locator("tbody tr").first.locator("td").nth(1).click()
        panel = other.locator("#panel")
        expect(panel).to_contain_text("What approving changes")
        panel.get_by_label("Your words").fill("as agreed on the phone")
        panel.get_by_role("button", name="Approve and book").click()
        expect(other.get_by_text("Approved and booked.")).to_be_visible()
        other.get_by_role("link", name="Čeněk Příhoda").first.click()
        expect(other.locator(".tile", has_text="Available now")).to_contain_text("1,200")
        other.get_by_role("link", name="The whole statement").click()
        expect(other.locator("tbody tr").first).to_contain_text("Given by desk, approved by marketing")
        expect(other.locator("tbody tr").first).to_contain_text("+1,200")
        other.context.close()

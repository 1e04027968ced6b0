"""From the till to the member's page, by hand, in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journey.rest import at_rest
from tests.web.house import CARDS, PASSWORD, House

pytestmark = pytest.mark.browser


def sign_in(page: Page, login: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    # The sign-in page has a heading too: only another address means that somebody is in.
    page.wait_for_url(lambda address: "/sign-in" not in address)


class TestSale:
    def test_in_the_simulator_shows_up_as_points_on_the_member_s_page(self, page: Page, journey_house: House):
        sign_in(page, journey_house.people["administrator"])
        page.get_by_role("link", name="Till simulator").click()
        page.get_by_role("button", name="Make a key for this till").click()
        expect(page.get_by_text("The till has a key of its own now")).to_be_visible()
        page.get_by_label("Card").first.fill(CARDS[2])
        page.get_by_role("button", name="Look up").click()
        expect(page.locator("#till-member")).to_contain_text("0 points available")
        page.get_by_label("Article", exact=True).fill("med")
        expect(page.get_by_role("option", name="Med 500 g")).to_be_visible()
        page.get_by_label("Article", exact=True).press("Enter")
        page.get_by_label("Quantity: Med 500 g").fill("2")
        page.get_by_label("Quantity: Med 500 g").press("Tab")
        expect(page.locator("#till-total")).to_have_text(re.compile(r"259\.80"))
        page.get_by_role("button", name="Pay in cash").click()
        paper = page.locator("#till-paper")
        expect(paper).to_contain_text("Získáno 259 bodů")
        expect(paper).to_have_attribute("data-earned", "259")
        page.keyboard.press("Escape")
        page.locator("#search").fill(CARDS[2])
        page.locator("#search").press("Enter")
        expect(page.get_by_role("heading", name="Čeněk Příhoda")).to_be_visible()
        expect(page.locator(".tile", has=page.locator(".tile-label", has_text="Pending"))).to_contain_text(
            "259"
        )
        page.get_by_role("link", name="Show").first.click()
        panel = page.locator("#panel")
        expect(panel).to_contain_text("Med 500 g")
        expect(panel).to_contain_text("259.80")
        page.keyboard.press("Escape")
        expect(panel).to_be_empty()


class TestManager:
    def test_answers_a_suggestion_in_the_side_panel(self, page: Page, journey_house: House):
        sign_in(page, journey_house.people["store_manager"])
        page.keyboard.press("g")
        page.keyboard.press("a")
        expect(page.get_by_role("heading", name="Assortment of Brno")).to_be_visible()
        page.locator("tbody tr").first.locator("td").nth(4).click()
        panel = page.locator("#panel")
        expect(panel.get_by_role("heading", name=re.compile("Čaj 40 g")).first).to_be_visible()
        panel.get_by_label("Reason").fill("Asked for at the counter every day")
        panel.get_by_role("button", name="Accept").click()
        expect(page.get_by_text("The effect is measured after six weeks.")).to_be_visible()
        expect(page.locator("tbody tr").first).to_contain_text("Accepted")


class TestKeyboard:
    def test_walks_the_rows_and_opens_them(self, page: Page, journey_house: House):
        sign_in(page, journey_house.people["administrator"])
        page.goto("/receipts/")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("#panel h2").first).to_contain_text("Receipt")
        expect(page.locator("tr.is-current")).to_have_count(1)
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        expect(page.locator("#search")).to_be_focused()

    def test_goes_into_the_navigation_of_a_narrow_page_and_back_out(self, page: Page, journey_house: House):
        page.set_viewport_size({"width": 390, "height": 844})
        sign_in(page, journey_house.people["administrator"])
        menu = page.get_by_role("button", name="Menu")
        menu.press("Enter")
        expect(page.get_by_role("link", name="Overview")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Overview")).to_be_hidden()
        expect(menu).to_be_focused()
        expect(menu).to_have_attribute("aria-expanded", "false")

    def test_is_explained_on_demand(self, page: Page, journey_house: House):
        sign_in(page, journey_house.people["administrator"])
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_contain_text("Next and previous row")


class TestCharts:
    def test_are_drawn_under_the_strict_policy_and_have_their_table(self, page: Page, journey_house: House):
        sign_in(page, journey_house.people["administrator"])
        page.goto("/groups/")
        expect(page.locator("[data-chart] svg").first).to_be_visible()
        page.get_by_text("Show as table").first.click()
        expect(page.locator(".chart-behind table").first).to_contain_text("Tea and honey")

    def test_follow_the_theme(self, page: Page, journey_house: House):
        sign_in(page, journey_house.people["administrator"])
        page.goto("/groups/")
        expect(page.locator("[data-chart] svg").first).to_be_visible()
        light = page.locator("[data-chart]").first.inner_html()
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        expect(page.locator("[data-chart]").first).not_to_have_js_property("innerHTML", light)

    def test_keep_their_words_within_a_narrow_screen(self, page: Page, journey_house: House):
        page.set_viewport_size({"width": 375, "height": 800})
        sign_in(page, journey_house.people["administrator"])
        page.goto("/groups/")
        expect(page.locator("[data-chart] svg text").first).to_be_visible()
        page.evaluate("""() => {  // the longest name and amounts to either side
            const chart = document.querySelector("[data-chart]"), options = JSON.parse(chart.dataset.chart);
            options.yAxis.data = ["Laundry detergents & household cleaning needs", "Meat"];
            options.yAxis.axisLabel.width = 200;
            Object.assign(options.xAxis, { min: -13500, max: 13500 });
            options.grid.right = 12;
            options.series[0].data = [{ value: -10000, label: { position: "left" } }, { value: 10000 }];
            chart.dataset.chart = JSON.stringify(options);
            document.documentElement.dataset.theme = "dark";
        }""")
        expect(page.locator("[data-chart]").first).to_contain_text("Meat")
        outside = at_rest(
            page,
            """() => {
            const frame = document.querySelector("[data-chart] svg").getBoundingClientRect();
            const words = [...document.querySelectorAll("[data-chart] svg")[0].querySelectorAll("text")];
            const boxes = words.map((one) => one.getBoundingClientRect());
            const beyond = boxes.filter((box) => box.left < frame.left || box.right > frame.right).length;
            const values = boxes.filter((_box, place) => /\\d/.test(words[place].textContent));
            const names = boxes.filter((box) => !values.includes(box));
            const over = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
            return [beyond, values.some((value) => names.some((name) => over(value, name))), values.length];
        }""",
        )
        assert outside == [0, False, 2]


class TestMapOfThemes:
    def test_is_scrolled_on_a_narrow_screen_not_squeezed(self, page: Page, journey_house: House):
        page.set_viewport_size({"width": 375, "height": 800})
        sign_in(page, journey_house.people["marketing"])
        page.goto("/groups/map/")
        canvas = page.locator("#chart-map")
        expect(canvas.locator("svg")).to_contain_text("Tea and honey")
        before = at_rest(
            page,
            """() => {
            const map = document.getElementById("chart-map");
            return [map.clientWidth, map.parentElement.clientWidth, map.clientHeight];
        }""",
        )
        assert before[0] > 2 * before[1]
        assert page.evaluate("document.documentElement.scrollWidth") == 375
        page.get_by_role("button", name="Closer").click()
        expect(canvas).not_to_have_js_property("clientHeight", before[2])
        page.get_by_role("button", name="Whole map").click()
        expect(canvas).to_have_js_property("clientHeight", before[2])


class TestLists:
    def test_sort_and_filter_without_leaving_the_page(self, page: Page, journey_house: House):
        sign_in(page, journey_house.people["administrator"])
        page.goto("/receipts/")
        page.get_by_role("link", name="Paid").click()
        expect(page).to_have_url(re.compile("sort=-payable_amount"))
        page.locator("summary", has_text="Card").click()
        page.get_by_label("With card", exact=True).check()
        page.get_by_role("button", name="Apply").first.click()
        expect(page).to_have_url(re.compile("card=yes"))
        expect(page.locator(".chip.is-on")).to_contain_text("With card")


class TestLayout:
    @pytest.mark.parametrize("width", [1280, 768, 640, 390])
    def test_never_scrolls_sideways(self, page: Page, journey_house: House, width: int):
        page.set_viewport_size({"width": width, "height": 900})
        sign_in(page, journey_house.people["administrator"])
        for place in (
            "/",
            "/groups/",
            "/groups/g1",
            "/members/",
            f"/members/{journey_house.members[0]}",
            "/assortment/",
            "/receipts/",
            "/queue/",
            "/till/",
            "/jobs/",
            f"/jobs/{journey_house.job_id}",
            "/people/new",
            "/design/",
        ):
            page.goto(place)
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, place

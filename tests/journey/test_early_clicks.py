"""What is pressed while a page's scripts are still on their way, in a browser that gets them late or never."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect

from rewards.vouchers.batches import Batch, put_batch
from rewards.vouchers.issue import take_codes
from tests.journey.test_counter_to_screen import sign_in
from tests.web.house import House

pytestmark = pytest.mark.browser

SCRIPTS = re.compile(r"/(js/(app|editor)\.js|vendor/htmx\.min\.js)")

WAITING = 15_000
"""Milliseconds in which the sign of waiting comes or goes, on a machine that is busy."""


@pytest.fixture
def slow(browser: Browser, address: str, journey_house: House) -> Iterator[Page]:
    """An administrator's page; scripts that a test withholds may be reported in its console."""
    context = browser.new_context(base_url=address, locale="en-GB", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    sign_in(page, journey_house.people["administrator"])
    yield page
    context.close()


def hold(page: Page) -> list[Route]:
    """Let no script through that answers what is pressed; return where those that are asked for wait."""
    held: list[Route] = []

    def wait(route: Route) -> None:
        held.append(route)

    page.route(SCRIPTS, wait)
    return held


def let_go(page: Page, held: list[Route]) -> None:
    known = list(held)
    for route in known:
        route.continue_()
    page.unroute(SCRIPTS)
    # Asked for meanwhile.
    for route in held[len(known) :]:
        route.continue_()


@contextmanager
def withheld(page: Page, place: str) -> Iterator[None]:
    """Open `place` without its scripts; they come at the end."""
    held = hold(page)
    page.goto(place, wait_until="commit")
    yield
    let_go(page, held)


def until(page: Page, reached: Callable[[], object]) -> None:
    """Wait, while the page works, until something was reached; whoever called finds out if it never was."""
    for _ in range(WAITING // 50):
        if reached():
            break
        page.wait_for_timeout(50)


def pressed(page: Page) -> None:
    """Wait until the page has taken a press in, and see that nothing came of it yet."""
    expect(page.locator("html.waiting")).to_have_count(1, timeout=WAITING)


class TestEarlyPress:
    def test_on_a_row_opens_the_panel_once_scripts_have_come(self, slow: Page):
        with withheld(slow, "/receipts/"):
            slow.locator("tbody tr").first.locator("td").nth(3).click()
            pressed(slow)
            expect(slow.locator("#panel")).to_be_empty()
        expect(slow.locator("#panel h2").first).to_contain_text("Receipt")
        expect(slow).to_have_url(re.compile("/receipts/$"))
        expect(slow.locator("html.waiting")).to_have_count(0, timeout=WAITING)

    def test_on_a_link_to_the_panel_opens_it_there(self, slow: Page):
        with withheld(slow, "/receipts/"):
            slow.locator("tbody tr").first.locator("a.row-link").click()
            pressed(slow)
        expect(slow.locator("#panel h2").first).to_contain_text("Receipt")
        expect(slow).to_have_url(re.compile("/receipts/$"))

    def test_on_a_button_that_only_a_script_answers_is_done_later_and_once(self, slow: Page):
        with withheld(slow, "/receipts/"):
            for _ in range(3):
                slow.get_by_role("button", name="Keyboard shortcuts").click()
            pressed(slow)
            expect(slow.get_by_role("dialog")).to_be_hidden()
        expect(slow.get_by_role("dialog")).to_be_visible()
        slow.keyboard.press("Escape")
        expect(slow.get_by_role("dialog")).to_be_hidden()

    def test_a_choice_that_sends_its_form_is_sent(self, slow: Page):
        before = slow.locator("select[name=weeks]").input_value()
        wanted = next(
            value
            for value in slow.locator("select[name=weeks] option").evaluate_all(
                "all => all.map(o => o.value)"
            )
            if value != before
        )
        held = hold(slow)
        slow.goto("/", wait_until="commit")
        slow.locator("select[name=weeks]").select_option(wanted)
        with slow.expect_navigation():
            let_go(slow, held)
        expect(slow.locator("select[name=weeks] option[selected]")).to_have_attribute("value", wanted)

    def test_goes_its_plain_way_where_scripts_never_come(self, slow: Page):
        slow.route(SCRIPTS, lambda route: route.abort())
        slow.goto("/receipts/")
        slow.locator("tbody tr").first.locator("a.row-link").click()
        expect(slow).to_have_url(re.compile("/receipts/.+"))
        expect(slow.locator("h1")).to_contain_text("Receipt")

    def test_waits_ten_seconds_at_most_where_it_can_do_without(self, slow: Page):
        hold(slow)
        slow.clock.install()
        slow.goto("/receipts/", wait_until="commit")
        slow.locator("tbody tr").first.wait_for()
        # From here on the page's time passes by our hand only, however slow the machine.
        slow.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
        slow.locator("tbody tr").first.locator("a.row-link").click()
        slow.clock.run_for(9_000)
        pressed(slow)
        slow.clock.run_for(2_000)
        expect(slow).to_have_url(re.compile("/receipts/.+"))


class TestPressedTwice:
    def test_a_form_is_sent_once_and_after_its_answer_again(self, slow: Page):
        held: list[Route] = []

        def wait(route: Route) -> None:
            held.append(route)

        slow.goto("/account/password")
        slow.route("**/account/password", wait)
        for _answer in range(2):
            # The mouse knows nothing of the page that is on its way; a locator would wait for it.
            box = slow.locator("main form button").first.bounding_box()
            assert box is not None
            for _ in range(3):
                slow.mouse.click(box["x"] + 5, box["y"] + 5)
            until(slow, lambda: held)
            slow.wait_for_timeout(300)
            assert [route.request.method for route in held] == ["POST"]
            with slow.expect_navigation():
                held.pop().continue_()

    def test_what_is_printed_in_a_tab_of_its_own_is_asked_for_once_and_nothing_waits_for_it(
        self, slow: Page, journey_app: Flask
    ):
        now, batch = datetime.now(UTC), Batch("TABS", names={"en": "Tabs"})
        with journey_app.extensions["web"].sessions.begin() as session:
            put_batch(session, batch, actor="test", now=now)
            take_codes(
                session, batch_code="TABS", codes=["7Q4M-9XKD-2R"], today=now.date(), actor="test", now=now
            )
        asked: list[str] = []
        slow.context.on("request", lambda request: asked.append(request.method))
        slow.goto("/vouchers/batches/TABS")
        asked.clear()
        box = slow.get_by_role("button", name="Print open ones").bounding_box()
        assert box is not None
        with slow.context.expect_page():
            for _ in range(3):
                slow.mouse.click(box["x"] + 5, box["y"] + 5)
        until(slow, lambda: "POST" in asked)
        slow.wait_for_timeout(300)
        assert asked.count("POST") == 1
        expect(slow.locator("html.waiting")).to_have_count(0, timeout=WAITING)


class TestAFormOnItsWay:
    def test_is_sent_once_however_often_it_is_pressed_and_again_after_escape(self, slow: Page):
        sent: list[str] = []

        def stop(route: Route) -> None:
            if route.request.method == "POST":
                sent.append(route.request.url)
                # No page comes of it: as when it is stopped on its way.
                route.fulfill(status=204)
            else:
                route.continue_()

        def press(times_sent: int) -> None:
            save.click()
            until(slow, lambda: len(sent) >= times_sent)
            slow.wait_for_timeout(200)
            assert len(sent) == times_sent

        slow.route("**/programme/new", stop)
        slow.goto("/programme/new")
        slow.get_by_label("What for").fill("Something that is thought better of")
        save = slow.get_by_role("button", name="Save as draft")
        press(1)
        press(1)
        slow.keyboard.press("Escape")
        press(2)

"""The till simulator, by hand, in a browser."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import delete, insert, select

from core import clock
from loyalty.programme.changes import approve_version, draft_version
from loyalty.programme.rules import Programme
from rewards.offer_decisions import stop_offer
from rewards.offer_operations import import_document
from sales.models import Article, ArticlePrice
from tests.journey.test_counter_to_screen import sign_in
from tests.web.house import CARDS, House

pytestmark = pytest.mark.browser

WEDGE = """async (code) => {
  document.activeElement.blur();
  for (const key of [...code, "Enter"]) document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}"""

CAMERA = """
  window.BarcodeDetector = class {
    static getSupportedFormats() { return Promise.resolve(["ean_13", "qr_code"]); }
    detect() { return Promise.resolve(window.seen ? [{ rawValue: window.seen }] : []); }
  };
"""
"""No browser on Linux reads bar codes by itself: here the reading is made up."""

READ_ROWS = """async (address) => {
  const { readRow } = await import(address);
  const bars = "1010001101010011101011110111010001001011001101010100001010000101000010111010010000101100110101";
  const row = [..."0".repeat(12) + bars + "0".repeat(12)].flatMap((bar) => Array(3).fill(bar === "1" ? 20 : 235));
  let chance = 12345;
  const next = () => (chance = (chance * 1103515245 + 12345) % 2147483648) / 2147483648;
  let seen = 0;
  for (let picture = 0; picture < 3000; picture += 1) {
    const stripes = [];
    while (stripes.length < 640) stripes.push(...Array(Math.ceil(next() * (picture % 12 + 1))).fill(next() < 0.5 ? 20 : 235));
    if (readRow(Float32Array.from(stripes))) seen += 1;
  }
  return [[row, row.toReversed()].map((one) => readRow(Float32Array.from(one))), seen];
}"""
"""Rows of brightness through 4006381333931, and through stripes that chance has drawn."""


def open_till(page: Page, house: House) -> Page:
    """Sign in and give the till a key."""
    sign_in(page, house.people["administrator"])
    page.goto("/till/")
    page.get_by_role("button", name="Make a key for this till").click()
    expect(page.get_by_text("The till has a key of its own now")).to_be_visible()
    return page


@pytest.fixture
def till(page: Page, journey_house: House) -> Page:
    """A till whose console must stay silent."""
    return open_till(page, journey_house)


@pytest.fixture
def rough_till(browser: Browser, address: str, journey_house: House) -> Iterator[Page]:
    """A till whose console may report answers that are no success: they are what the test is about."""
    context = browser.new_context(base_url=address, locale="en-GB", permissions=["camera"])
    context.add_init_script(CAMERA)
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield open_till(page, journey_house)
    context.close()


def give_points(till: Page, house: House, card: str, points: int) -> None:
    """Let a card have points that can be spent."""
    day = datetime.now(UTC) - timedelta(days=60)
    amount = points * 100
    line = {
        "line_number": 1,
        "sku": "10452",
        "quantity": "1",
        "unit_price": amount,
        "total_amount": amount,
        "tax_rate": "12",
    }
    body = {
        "type": "sale",
        "business_date": day.date().isoformat(),
        "receipt_number": f"past-{card}",
        "closed_at": day.isoformat(),
        "currency": "CZK",
        "card_number": card,
        "lines": [line],
        "totals": {"payable_amount": amount},
    }
    key = {"Authorization": f"Bearer {house.keys['S1']}"}
    assert till.request.post("/pos/v1/receipts", data=body, headers=key).status == 201


def new_member(till: Page, house: House, card: str = "2990000000743") -> str:
    """Enrol somebody whom no other journey gives or takes anything; returns the card."""
    body = {
        "card_number": card,
        "given_name": "Olga",
        "family_name": "Dlouhá",
        "email": f"olga{card}@example.com",
        "language": "en",
    }
    key = {"Authorization": f"Bearer {house.keys['S1']}"}
    assert till.request.post("/pos/v1/members", data=body, headers=key).status == 201
    return card


def put(till: Page, words: str) -> None:
    till.get_by_label("Article", exact=True).fill(words)
    expect(till.locator("#till-found [role=option]").first).to_be_visible()
    till.get_by_label("Article", exact=True).press("Enter")


def scan(till: Page, code: str) -> None:
    till.evaluate(WEDGE, code)


def pay(till: Page) -> None:
    till.get_by_role("button", name="Pay in cash").click()


class TestLoading:
    def test_nothing_can_be_pressed_before_every_script_has_come(self, page: Page, journey_house: House):
        sign_in(page, journey_house.people["administrator"])
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route("**/js/till/scanner.js*", hold)
        page.goto("/till/", wait_until="commit")
        button = page.get_by_role("button", name="Make a key for this till")
        expect(button).to_be_disabled()
        expect(page.get_by_label("Card").first).to_be_disabled()
        for _ in range(300):
            if held:
                break
            page.wait_for_timeout(100)
        assert held
        expect(button).to_be_disabled()
        for route in held:
            route.continue_()
        expect(button).to_be_enabled()


class TestSale:
    def test_is_scanned_quoted_paid_with_points_brought_back_and_voided(
        self, till: Page, journey_house: House
    ):
        paper = till.locator("#till-paper")
        give_points(till, journey_house, CARDS[1], 500)
        scan(till, CARDS[1])
        expect(till.locator("#till-member")).to_contain_text("500 points available")
        put(till, "med")
        put(till, "Čaj")
        expect(till.locator("#till-total")).to_have_text(re.compile(r"189\.80"))
        expect(till.locator("#till-earns")).to_have_text("Points that this earns: 189")
        till.get_by_label("Points to spend").fill("9000")
        till.get_by_label("Points to spend").press("Tab")
        expect(till.locator("#till-messages")).to_contain_text("500")
        expect(till.locator("#till-total")).to_have_text(re.compile(r"139\.80"))
        expect(till.locator("#till-earns")).to_have_text("Points that this earns: 139")
        pay(till)
        expect(paper).to_have_attribute("data-earned", "139")
        expect(paper).to_contain_text("139.80")
        expect(paper).not_to_contain_text("quote")

        till.get_by_role("button", name="Return or void").click()
        till.locator("#till-recent-list button").first.click()
        till.get_by_label("Brought back: Med 500 g").fill("1")
        till.get_by_label("Brought back: Med 500 g").press("Tab")
        expect(till.locator("#return-total")).to_have_text(re.compile(r"95\.\d\d"))
        till.get_by_role("button", name="Hand back the money").click()
        expect(paper).to_contain_text("Return")
        expect(paper).to_contain_text("Handed back")
        expect(paper).not_to_contain_text("totals_mismatch")

        till.locator("#till-recent-list button").first.click()
        till.get_by_role("button", name="Void the whole receipt").click()
        expect(paper).to_contain_text("Void")
        till.get_by_role("button", name="Sale", exact=True).click()
        scan(till, CARDS[1])
        expect(till.locator("#till-member")).to_contain_text("500 points available")

    def test_takes_codes_from_the_camera(self, rough_till: Page):
        rough_till.get_by_role("button", name="Scan with the camera").click()
        expect(rough_till.locator("#till-video")).to_be_visible()
        rough_till.evaluate(f"window.seen = '{CARDS[0]}'")
        expect(rough_till.locator("#till-member")).to_contain_text("points available")
        expect(rough_till.locator("#till-video")).to_be_hidden()

    def test_reads_a_card_by_camera_where_the_browser_reads_no_codes(self, till: Page):
        assert not till.evaluate("'BarcodeDetector' in window")
        till.get_by_role("button", name="Scan with the camera").click()
        expect(till.locator("#till-card")).to_have_value(CARDS[0])
        expect(till.locator("#till-member")).to_contain_text("points available")
        expect(till.locator("#till-video")).to_be_hidden()

    def test_reads_bars_either_way_and_nothing_in_what_are_none(self, till: Page):
        assert till.evaluate(READ_ROWS, till.evaluate("JSON.parse(till.dataset.modules).barcode")) == [
            ["4006381333931", "4006381333931"],
            0,
        ]

    def test_says_that_a_code_is_nobody_s(self, rough_till: Page):
        scan(rough_till, "2990000000071")
        expect(rough_till.locator("#till-problem")).to_contain_text(
            "Neither a card nor an article has the code"
        )


class TestStores:
    @pytest.fixture
    def cheaper(self, journey_app: Flask) -> Iterator[None]:
        """Tea costs less in the second store."""
        sessions, priced = journey_app.extensions["web"].sessions, datetime.now(UTC).date()
        with sessions.begin() as session:
            tea = session.scalar(select(Article.article_id).where(Article.sku == "10452"))
            session.execute(
                insert(ArticlePrice).values(store_id=2, article_id=tea, price=5490, valid_from=priced)
            )
        yield
        with sessions.begin() as session:
            session.execute(delete(ArticlePrice))

    @pytest.mark.usefixtures("cheaper")
    def test_charge_their_own_prices_for_what_lies_in_the_basket_already(self, till: Page):
        put(till, "Čaj")
        expect(till.locator("#till-total")).to_have_text(re.compile(r"59\.90"))
        till.locator("#till-setting summary").click()
        till.locator("#till-store").select_option("S2")
        expect(till.locator("#till-total")).to_have_text(re.compile(r"54\.90"))
        till.locator("#till-store").select_option("S1")
        expect(till.locator("#till-total")).to_have_text(re.compile(r"59\.90"))


class TestOffers:
    @pytest.fixture
    def live(self, journey_app: Flask) -> Iterator[None]:
        """Honey costs less, and tea does from the second piece on."""
        offers = [
            {
                "code": code,
                "condition": {"kind": "items", "select": {"skus": [sku]}, "quantity": quantity},
                "benefit": {"kind": "percent", "off": "50"},
            }
            for code, sku, quantity in (("SIMHONEY", "20311", "1"), ("SIMTEA", "10452", "2"))
        ]
        sessions = journey_app.extensions["web"].sessions
        document = {"format": 1, "offers": offers}
        with sessions.begin() as session:
            import_document(session, document=document, actor="test", now=clock.now(), live=True)
        yield
        with sessions.begin() as session:
            for offer in offers:
                stop_offer(session, offer_code=offer["code"], actor="test", now=clock.now(), reason="over")

    @pytest.mark.usefixtures("live")
    def test_are_shown_with_what_they_took_off_and_what_others_lack(self, till: Page):
        scan(till, CARDS[0])
        put(till, "med")
        expect(till.locator("#till-lines .second")).to_contain_text("20311 · ")
        expect(till.locator("#till-total")).to_have_text(re.compile(r"64\.95"))
        put(till, "Čaj")
        expect(till.locator("#till-missing")).to_contain_text("SIMTEA")
        pay(till)
        expect(till.locator("#till-paper")).not_to_contain_text("quote")

    def test_to_come_are_offered_and_answered(self, rough_till: Page):
        """What is offered next comes from a night's rankings (see `test_right_offer`); here it is put into the quote."""
        told = {
            "decision_id": "01890000-0000-7000-8000-000000000001",
            "headline": "Med",
            "reason": "Goes well",
        }
        heard: list[dict] = []

        def quoted(route: Route) -> None:
            answer = route.fetch()
            route.fulfill(response=answer, json=answer.json() | {"next_offers": [told]})

        def answered(route: Route) -> None:
            heard.append(route.request.post_data_json)
            route.fulfill(status=204)

        rough_till.route("**/pos/v1/quotes", quoted)
        rough_till.route("**/pos/v1/reactions", answered)
        scan(rough_till, CARDS[0])
        put(rough_till, "Čaj")
        rough_till.get_by_role("button", name="Never again: Med").click()
        expect(rough_till.get_by_text("The answer is kept")).to_be_visible()
        expect(rough_till.locator("#till-next")).to_be_hidden()
        assert heard == [
            {
                "card_number": CARDS[0],
                "decision_id": told["decision_id"],
                "reaction": "never",
                "scope": "item",
            }
        ]


class TestPointsAsTender:
    @pytest.fixture
    def tender(self, journey_app: Flask) -> Iterator[None]:
        """Points are a means of payment for a while, as was approved some days ago."""
        sessions = journey_app.extensions["web"].sessions
        start = clock.now().date() - timedelta(days=2)

        def approve(programme: Programme) -> None:
            at = clock.now() - timedelta(days=5)
            with sessions.begin() as session:
                number = draft_version(
                    session,
                    programme=programme,
                    valid_from=start,
                    note="test",
                    actor="first",
                    now=at,
                )
                approve_version(session, version=number, seen=at, actor="second", now=at)

        approve(Programme(points_as="tender"))
        yield
        # Of two that start on one day the one holds that was approved last.
        approve(Programme())

    @staticmethod
    def read_receipts(till: Page) -> list[dict]:
        """Return what the till posts from now on."""
        posted: list[dict] = []
        till.on(
            "request",
            lambda request: (
                posted.append(request.post_data_json) if request.url.endswith("/pos/v1/receipts") else None
            ),
        )
        return posted

    @pytest.mark.usefixtures("tender")
    def test_are_stated_as_what_paid_for_the_whole_bill(self, till: Page, journey_house: House):
        posted = self.read_receipts(till)
        paper = till.locator("#till-paper")
        card = new_member(till, journey_house, "2990000000750")
        give_points(till, journey_house, card, 500)
        scan(till, card)
        expect(till.locator("#till-member")).to_contain_text("500 points available")
        put(till, "med")
        till.get_by_label("Points to spend").fill("300")
        till.get_by_label("Points to spend").press("Tab")
        expect(till.locator("#till-total")).to_have_text(re.compile(r"99\.90"))
        pay(till)
        expect(paper).to_have_attribute("data-earned", "99")
        expect(paper).to_contain_text("129.90")
        expect(paper).to_contain_text("Points")
        for complaint in ("quote", "totals_mismatch"):
            expect(paper).not_to_contain_text(complaint)
        assert posted[0]["tenders"] == [{"type": "points", "amount": 3000}, {"type": "cash", "amount": 9990}]
        assert posted[0]["totals"]["points_amount"] == 0
        assert posted[0]["totals"]["payable_amount"] == 12990

        till.get_by_role("button", name="Return or void").click()
        till.locator("#till-recent-list button").first.click()
        till.get_by_label("Brought back: Med 500 g").fill("1")
        till.get_by_label("Brought back: Med 500 g").press("Tab")
        expect(till.locator("#return-total")).to_have_text(re.compile(r"99\.90"))
        till.get_by_role("button", name="Hand back the money").click()
        expect(paper).to_contain_text("Handed back")
        expect(paper).not_to_contain_text("totals_mismatch")
        till.get_by_role("button", name="Sale", exact=True).click()
        scan(till, card)
        expect(till.locator("#till-member")).to_contain_text("500 points available")

    @pytest.mark.usefixtures("tender")
    def test_pay_a_whole_bill_alone(self, till: Page, journey_house: House):
        posted = self.read_receipts(till)
        card = new_member(till, journey_house, "2990000000767")
        give_points(till, journey_house, card, 5000)
        scan(till, card)
        put(till, "med")
        till.get_by_role("button", name="As many as possible").click()
        expect(till.locator("#till-total")).to_have_text(re.compile(r"\D0\.00"))
        pay(till)
        expect(till.locator("#till-paper")).to_have_attribute("data-earned", "0")
        expect(till.locator("#till-paper")).not_to_contain_text("totals_mismatch")
        assert posted[0]["tenders"] == [{"type": "points", "amount": 12990}]

    @pytest.mark.usefixtures("tender")
    def test_are_stated_so_offline_as_well(self, till: Page, journey_house: House):
        card = new_member(till, journey_house, "2990000000774")
        give_points(till, journey_house, card, 40)
        till.get_by_label("Offline").check()
        till.get_by_label("Card").first.fill(card)
        till.get_by_role("button", name="Look up").click()
        expect(till.locator("#till-member")).to_contain_text("40 points can be spent offline")
        put(till, "Sušenky")
        till.get_by_role("button", name="As many as possible").click()
        expect(till.locator("#till-total")).to_have_text(re.compile(r"30\.90"))
        pay(till)
        queue = "localStorage.getItem(`till-queue ${document.getElementById('till-store').value}`)"
        till.wait_for_function(f"(JSON.parse({queue}) || []).length > 0")
        kept = json.loads(till.evaluate(queue))
        assert kept[0]["tenders"] == [{"type": "points", "amount": 400}, {"type": "cash", "amount": 3090}]
        till.get_by_label("Offline").uncheck()
        expect(till.get_by_text("Receipts sent: 1")).to_be_visible()
        till.get_by_label("Card").first.fill(card)
        till.get_by_role("button", name="Look up").click()
        expect(till.locator("#till-member")).to_contain_text("0 points available")


class TestOffline:
    def test_keeps_receipts_and_sends_them_when_the_line_is_back(self, till: Page):
        till.get_by_label("Offline").check()
        for _ in range(2):
            till.get_by_label("Card").first.fill(CARDS[0])
            till.get_by_role("button", name="Look up").click()
            put(till, "Sušenky")
            pay(till)
            expect(till.locator("#till-paper")).to_contain_text("The till is offline")
        expect(till.locator("#till-queue")).to_contain_text("2 to be sent")
        till.reload()
        expect(till.locator("#till-queue")).to_contain_text("2 to be sent")
        till.get_by_role("button", name="Send now").click()
        expect(till.get_by_text("Receipts sent: 2")).to_be_visible()
        expect(till.locator("#till-queue")).to_be_hidden()

    def test_lets_points_be_spent_within_what_the_till_took_along(self, till: Page, journey_house: House):
        card = new_member(till, journey_house)
        give_points(till, journey_house, card, 40)
        till.get_by_label("Offline").check()
        till.get_by_label("Card").first.fill(card)
        till.get_by_role("button", name="Look up").click()
        expect(till.locator("#till-member")).to_contain_text("40 points can be spent offline")
        put(till, "Sušenky")
        expect(till.locator("#till-total")).to_have_text(re.compile(r"34\.90"))
        till.get_by_role("button", name="As many as possible").click()
        expect(till.locator("#till-total")).to_have_text(re.compile(r"30\.90"))
        pay(till)
        till.get_by_label("Card").first.fill(card)
        till.get_by_role("button", name="Look up").click()
        expect(till.locator("#till-member")).to_contain_text("0 points can be spent offline")
        till.get_by_label("Offline").uncheck()
        expect(till.get_by_text("Receipts sent: 1")).to_be_visible()
        till.get_by_role("button", name="Look up").click()
        expect(till.locator("#till-member")).to_contain_text("0 points available")

    def test_keeps_a_receipt_that_the_server_did_not_answer(self, rough_till: Page):
        put(rough_till, "Sušenky")
        expect(rough_till.locator("#till-earns")).to_be_visible()
        rough_till.route("**/pos/v1/receipts", lambda route: route.fulfill(status=503, body="{}"), times=1)
        pay(rough_till)
        expect(rough_till.locator("#till-queue")).to_contain_text("1 to be sent")
        rough_till.get_by_role("button", name="Send now").click()
        expect(rough_till.locator("#till-queue")).to_be_hidden()

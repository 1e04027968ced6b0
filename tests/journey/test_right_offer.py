"""
A customer, a till, the desk and the printer: what is refused once is gone everywhere, and the night learns of it.

A town of its own, imported from files; its nights, its run of catalogs and its server are the real ones.
"""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from basket_analysis.offers.lists import offers_of_members
from catalogs.opening import next_monday
from catalogs.runs.drafting import draft_run
from catalogs.runs.handovers import ask_for_handover, take_handover
from catalogs.runs.jobs import run_job, waiting_jobs
from catalogs.runs.operations import HANDOVER_JOB, approve_run, ask_for_proof, start_run
from catalogs.runs.run import Recipe
from contacts.models import OutgoingMail
from core import clock
from core.database import Sessions, make_engine, make_sessions
from customers.models import Member
from sales.models import Article
from sales.operations import add_till
from tests.journey.conftest import at_once
from tests.journey.town import Town, build_town, night
from tests.web.conftest import PASSWORD, settings_for
from web.operations import add_person
from wsgi import create_app

ROLES = ("marketing", "administrator", "desk")


@dataclass
class Place:
    """A served town: where it answers, and the key of its till."""

    app: Flask
    sessions: Sessions
    town: Town
    address: str
    key: str

    def quote(self, *skus: str) -> list[dict[str, Any]]:
        """Return what the till of the store is to offer to the member of the journey beside a basket."""
        lines = [
            {
                "line_number": number,
                "sku": sku,
                "quantity": "1",
                "unit": "pcs",
                "unit_price": 1000,
                "tax_rate": "12",
            }
            for number, sku in enumerate(skus, start=1)
        ]
        body = {"card_number": self.town.cards[0], "currency": "CZK", "lines": lines}
        request = Request(
            f"{self.address}/pos/v1/quotes",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)["next_offers"]

    def member(self) -> UUID:
        """Return the member of the journey."""
        with self.sessions() as session:
            return session.scalars(select(Member.member_id).where(Member.member_code == "m000")).one()

    def mails(self, kind: str) -> list[OutgoingMail]:
        """Return the mails of a kind to the member, the newest first."""
        with self.sessions() as session:
            return list(
                session.scalars(
                    select(OutgoingMail)
                    .where(OutgoingMail.kind == kind, OutgoingMail.member_id == self.member())
                    .order_by(OutgoingMail.queued_at.desc())
                )
            )

    def ranked(self) -> dict[str, list[int]]:
        """Return the articles that the served night ranked for the member, by list."""
        member = self.member()
        with self.sessions() as session:
            offers = offers_of_members(session, [member])[member]
        return {
            "all": [offer.article_id for offer in offers.all],
            "new": [offer.article_id for offer in offers.new],
        }

    def work(self) -> None:
        """Do what the scheduler would do next."""
        for job, day in waiting_jobs(self.sessions):
            done = run_job(
                self.sessions, data=self.town.folder, job=job, business_day=day, workers=1, wait=False
            )
            assert done.state == "completed", done.error


@pytest.fixture(scope="module")
def place(make_database, tmp_path_factory) -> Iterator[Place]:
    engine = make_engine(make_database())
    sessions, folder = make_sessions(engine), tmp_path_factory.mktemp("town")
    town = build_town(sessions, folder, now=clock.now())
    with sessions.begin() as session:
        key = add_till(session, store_code="S1", till_code="T2", now=town.now, actor="test")
        for role in ROLES:
            add_person(
                session, login=role, role=role, name=f"Person {role}", store_code=None, password=PASSWORD,
                language="en", actor="test", now=town.now,
            )  # fmt: skip
    night(sessions, town, town.today, now=clock.now())
    app = create_app(sessions, settings_for(folder))
    server = make_server("127.0.0.1", 0, at_once(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Place(app, sessions, town, f"http://127.0.0.1:{server.port}", key)
    server.shutdown()
    thread.join()
    server.server_close()
    engine.dispose()


def approved_run(place: Place) -> UUID:
    """Draft a run for all groups, prove it, and let another person approve it; nothing is printed yet."""
    start = next_monday(place.town.today)
    recipe = Recipe(
        name="Advent",
        theme="trh",
        size="A4",
        channels=("print",),
        valid_from=start,
        valid_to=start + timedelta(days=14),
        group_ids=(),
        hold_out=Decimal(0),
    )
    with place.sessions.begin() as session:
        run_id = draft_run(session, recipe, day=place.town.today, actor="marketing", now=clock.now())
        ask_for_proof(session, run_id=run_id, actor="marketing", now=clock.now())
    place.work()
    with place.sessions.begin() as session:
        approve_run(session, run_id=run_id, actor="administrator", now=clock.now())
        start_run(session, run_id=run_id, actor="marketing", now=clock.now())
    place.work()
    return run_id


def printed(place: Place, run_id: UUID) -> Path:
    """Hand a run over to the printer; return the one file of all copies."""
    with place.sessions.begin() as session:
        handover_id = ask_for_handover(
            session, run_id=run_id, kind="print", job=HANDOVER_JOB, actor="marketing", now=clock.now()
        )
    place.work()
    with place.sessions.begin() as session:
        return (
            place.town.folder
            / take_handover(session, handover_id=handover_id, actor="marketing", now=clock.now()).path
        )


def pages_of(path: Path, name: str) -> str:
    """Return the words of the pages from the greeting of `name` to that of the next reader."""
    text = subprocess.run(
        ["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True
    ).stdout
    pages = text.split("\f")
    first = next(number for number, page in enumerate(pages) if name in page)
    rest = [number for number, page in enumerate(pages) if number > first and "Dobrý den" in page]
    return "\n".join(pages[first : rest[0] if rest else None])


def words_of(path: Path) -> str:
    return subprocess.run(
        ["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True
    ).stdout


def flat(words: str) -> str:
    return re.sub(r"\s+", " ", words.replace("\N{NO-BREAK SPACE}", " ")).casefold()


class TestWhatIsRefused:
    def test_is_gone_everywhere_and_the_next_night_ranks_differently(self, place: Place, browser: Browser):
        run_id = approved_run(place)
        customer = browser.new_context(
            base_url=place.address, locale="en-GB", viewport={"width": 390, "height": 844}
        )
        people = browser.new_context(base_url=place.address, locale="en-GB")
        account, desk = customer.new_page(), people.new_page()
        errors: list[str] = []
        for page in (account, desk):
            page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: errors.append(str(error)))

        self.enter_account(place, account)
        offered = account.locator("#offers h3").all_inner_texts()
        at_till = [offer["headline"] for offer in place.quote(place.town.skus["Sůl"])]
        both = [name for name in at_till if name in offered]
        assert both, (offered, at_till)
        refused = both[0]
        article = self.article(place, refused)
        assert article in place.ranked()["all"] + place.ranked()["new"]

        self.refuse_at_the_desk(place, desk, refused)

        account.reload()
        expect(account.locator("#offers")).not_to_contain_text(refused)
        account.goto("/my/told")
        expect(account.locator("main")).to_contain_text(refused)
        assert refused not in [offer["headline"] for offer in place.quote(place.town.skus["Sůl"])]
        assert refused in place.mails("answer_thanks")[0].text
        file = printed(place, run_id)
        assert flat(refused) not in flat(pages_of(file, "Žofie Říhová"))
        assert flat(refused) in flat(words_of(file)), "others are offered it still"

        night(
            place.sessions,
            place.town,
            place.town.today + timedelta(days=1),
            now=clock.now() + timedelta(days=1, hours=4),
        )
        assert article not in place.ranked()["all"] + place.ranked()["new"]
        customer.close()
        people.close()
        assert errors == []

    @staticmethod
    def enter_account(place: Place, account: Page) -> None:
        account.goto("/my/")
        account.get_by_label("Number of your card").fill(place.town.cards[0])
        account.get_by_role("button", name="Send me a code").click()
        expect(account.get_by_label("Code from the mail")).to_be_visible()
        code, _long = re.findall(r"\b(?:[0-9A-Z]{4}-)+[0-9A-Z]{2,4}\b", place.mails("sign_in_code")[0].text)
        account.get_by_label("Code from the mail").fill(code)
        account.get_by_role("button", name="Sign in").click()
        expect(account.locator("#offers")).to_be_visible()

    @staticmethod
    def refuse_at_the_desk(place: Place, desk: Page, refused: str) -> None:
        desk.goto("/")
        desk.get_by_label("Login").fill("desk")
        desk.get_by_label("Password").fill(PASSWORD)
        desk.keyboard.press("Enter")
        desk.get_by_role("searchbox").fill(place.town.cards[0])
        desk.keyboard.press("Enter")
        expect(desk.get_by_role("heading", name="Žofie Říhová", level=1)).to_be_visible()
        desk.get_by_role("navigation", name="Parts").get_by_role("link", name="Offers").click()
        # By its headline: another offer's reason may name the very same article.
        card = desk.locator(
            "#member-offers li.card", has=desk.get_by_role("heading", name=refused, exact=True)
        )
        expect(card).to_be_visible()
        card.get_by_role("button", name="Never").click()
        # From then on no reason names it either.
        expect(desk.locator("#member-offers li.card", has_text=refused)).to_have_count(0)
        refusal = desk.locator("#member-offers tr", has_text=refused)
        expect(refusal.get_by_role("button", name="Take back")).to_be_visible()

    @staticmethod
    def article(place: Place, name: str) -> int:
        with place.sessions() as session:
            return session.scalars(select(Article.article_id).where(Article.name == name)).one()

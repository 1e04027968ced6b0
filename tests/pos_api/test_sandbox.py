"""The sandbox: as real as the house, and nothing of it is ever in the house."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from cli import regulars
from core.database import Sessions, drop_sandbox, make_engine, make_sessions, open_sandbox, sandbox_url
from core.verification import verify
from loyalty.verification import CHECKS
from pos_api import examples
from pos_api.app import register
from pos_api.sandbox import CARDS, give_key
from tests.pos_api.conftest import Chain, TillClient, code_of, open_chain


@dataclass
class Both:
    house: Chain
    trial: TillClient
    sandbox: Sessions

    def another(self, till_code: str) -> TillClient:
        return TillClient(self.house.app, give(self.sandbox, till_code), till_code=till_code)


def give(sandbox: Sessions, till_code: str) -> str:
    with sandbox.begin() as session:
        return give_key(
            session,
            store_code="S1",
            till_code=till_code,
            currency="CZK",
            timezone="Europe/Prague",
            now=datetime.now(UTC),
        )


@pytest.fixture(scope="class")
def both(make_database: Callable[[], str]) -> Iterator[Both]:
    """A house and its sandbox, served by one application, for all tests of a class."""
    url = make_database()
    engines = [make_engine(place, pool_size=2, lock_timeout=5) for place in (url, open_sandbox(url))]
    live, sandbox = map(make_sessions, engines)
    app = Flask("tills")
    register(app, live, sandbox)
    yield Both(open_chain(app, live), TillClient(app, give(sandbox, "T1")), sandbox)
    assert not [verdict for verdict in verify(sandbox, CHECKS) if not verdict.ok]
    for engine in engines:
        engine.dispose()
    drop_sandbox(url)


class TestKey:
    def test_comes_with_cards_that_are_what_they_are_called(self, both: Both):
        shown = {}
        for card in CARDS:
            answer = both.trial.get(f"/cards/{card.card_number}")
            if answer.status_code == 200:
                body = answer.get_json()
                points = body["points"]
                shown[card.card_number] = (body["state"], points["available"], points["pending"])
        assert shown == {
            "2990000000019": ("active", 1000, 100),
            "2990000000026": ("active", 0, 0),
            "2990000000033": ("issued", 300, 0),
            "2990000000040": ("stock", 0, 0),
            "2990000000057": ("stock", 0, 0),
            "2990000000064": ("blocked", 200, 0),
            "2990000000071": ("replaced", 500, 0),
            "2990000000088": ("active", 500, 0),
        }

    def test_may_be_given_again_without_making_anything_twice(self, both: Both):
        second = both.another("T2")
        assert second.get("/cards/2990000000019").get_json()["points"]["available"] == 1000

    def test_is_unknown_when_its_words_are_turned_round(self, both: Both):
        for key, was, now in ((both.trial.key, "rgs_", "rgl_"), (both.house.till.key, "rgl_", "rgs_")):
            turned = TillClient(both.house.app, key.replace(was, now))
            assert code_of(turned.get("/cards/2990000000019")) == "unauthenticated"

    def test_gets_a_snapshot_of_the_sandbox_only(self, both: Both):
        cards = {card["card_number"] for card in both.trial.get("/snapshot").get_json()["payload"]["cards"]}
        not_shown = {"2990000000040", "2990000000057", "2990000000095"}
        assert cards == {card.card_number for card in CARDS} - not_shown


class TestReceipts:
    def test_are_as_real_as_in_the_house_and_never_in_it(self, both: Both):
        sale = both.trial.post("/receipts", examples.SALE)
        assert sale.status_code == 201
        codes = {flag["code"] for flag in sale.get_json()["flags"]}
        assert not codes & {"unknown_card", "unknown_article"}
        assert both.trial.post("/receipts", examples.RETURN).get_json()["points"]["reversed"]
        for name in examples.REDEMPTIONS:
            answer = both.trial.post("/redemptions", examples.REDEMPTIONS[name]["value"])
            assert answer.status_code == 201, answer.get_json()
        assert both.trial.post("/members", examples.MEMBERS["member"]["value"]).status_code == 201
        wish = examples.REPLACEMENTS["lost"]["value"]
        assert both.trial.post("/cards/2990000000026/replace", wish).status_code == 200
        live = both.house.till
        assert live.get("/cards/2990000000019").get_json()["points"]["balance"] == 0
        assert live.get("/cards/2990000000026").status_code == 404
        assert live.get("/receipts/S1/T1/2026-11-21/000123").status_code == 404
        with both.house.sessions.begin() as session:
            for table in ("receipt", "ledger_entry", "member", "lot", "article", "receipt_flag"):
                assert session.scalar(text(f"select count(*) from {table}")) == 0, table


class TestSandbox:
    def test_is_refused_where_nobody_opened_one(self, database_url: str):
        live, sandbox = (make_engine(url, pool_size=1) for url in (database_url, sandbox_url(database_url)))
        app = Flask("tills")
        register(app, make_sessions(live), make_sessions(sandbox))
        for _ in range(3):
            answer = TillClient(app, "rgs_0123456789ab_" + "0" * 64).get("/cards/1")
            assert code_of(answer) == "unauthenticated"
        for engine in (live, sandbox):
            engine.dispose()

    def test_is_refused_by_an_application_that_can_have_none(self, chain: Chain):
        assert code_of(TillClient(chain.app, "rgs_0_0").get("/cards/1")) == "unauthenticated"

    def test_is_opened_kept_up_with_the_house_and_thrown_away_by_commands(self, database_url: str):
        def run(*arguments: str) -> str:
            done = CliRunner().invoke(regulars, arguments, env={"DATABASE_URL": database_url})
            assert done.exit_code == 0, done.output
            return done.stdout

        printed = json.loads(run("sandbox", "key", "--store", "X1", "--json"))
        assert printed["key"].startswith("rgs_")
        assert len(printed["cards"]) == len(CARDS)
        opened = make_engine(sandbox_url(database_url), role=None)
        with opened.begin() as connection:
            connection.execute(text("drop schema public cascade; create schema public"))
        run("db", "upgrade")
        with opened.connect() as connection:
            assert connection.scalar(text("select count(*) from receipt")) == 0
        opened.dispose()
        assert "gone" in run("sandbox", "empty", "--yes")
        assert "no sandbox" in run("sandbox", "empty", "--yes")

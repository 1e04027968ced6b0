"""Suggestions of two nights for one store, written by hand."""

import json
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from basket_analysis.analysis_runs import begin_run, serve_run, store_suggestions
from basket_analysis.assortment.suggestion_changes import changes_since_last_run
from basket_analysis.assortment.suggestion_lists import (
    all_suggestions,
    counts_by_kind,
    decide,
    substitutes_of,
    undo_decision,
)
from basket_analysis.commands import assortment
from basket_analysis.models import SuggestionDecision
from core.commandline import Workplace
from core.ids import uuid7
from tests.basket_analysis.shop_made import NOW, Shop

DAY = date(2026, 11, 15)


def suggestion(store_id, kind, rank, article, value, *, other=None, evidence=None):
    return {
        "suggestion_id": uuid7(), "store_id": store_id, "kind": kind, "rank": rank, "article_id": article,
        "other_article_id": other, "value_per_week": value, "low": value - 10, "high": value + 10, "households": 40,
        "baskets": 60, "group_id": None, "evidence": evidence or {},
    }  # fmt: skip


def serve(session, day, rows):
    run_id = begin_run(
        session,
        business_day=day,
        now=NOW + timedelta(days=(day - DAY).days),
        version="",
        parameters={},
        inputs={},
    )
    store_suggestions(session, run_id=run_id, rows=rows)
    serve_run(session, run_id=run_id, now=NOW)


@pytest.fixture
def store(sessions):
    with sessions.begin() as session:
        shop = Shop(session)
        tea, bread, salt, fish = (shop.article(name) for name in ("tea", "bread", "salt", "fish"))
        here = shop.store_id
        serve(session, DAY, [
            suggestion(here, "keep", 1, tea, 100), suggestion(here, "keep", 2, bread, 90),
            suggestion(here, "list", 1, salt, 50), suggestion(here, "place_together", 1, tea, 30, other=bread),
        ])  # fmt: skip
        told = {"substitutes": [
            {"article": fish, "share": 0.75, "catches": 12, "households": 11, "adjusted_lift": 0.2},
            {"article": salt, "share": 0.25, "catches": 4, "households": 10, "adjusted_lift": 0.0},
        ]}  # fmt: skip
        serve(session, DAY + timedelta(days=1), [
            suggestion(here, "delist", 1, salt, 5, other=fish, evidence=told), suggestion(here, "keep", 2, tea, 150),
            suggestion(here, "keep", 1, bread, 95), suggestion(here, "place_together", 1, tea, 31, other=fish),
        ])  # fmt: skip
    return SimpleNamespace(store_id=here)


class TestAllSuggestions:
    def test_are_in_the_order_of_kinds_and_ranks(self, sessions, store):
        with sessions() as session:
            rows = all_suggestions(session, store_id=store.store_id)
            kept = all_suggestions(session, store_id=store.store_id, kind="keep")
        assert [(row.kind, row.rank) for row in rows] == [
            ("delist", 1), ("keep", 1), ("keep", 2), ("place_together", 1),
        ]  # fmt: skip
        assert [row.article for row in kept] == ["bread", "tea"]


class TestSubstitutesOf:
    def test_name_what_catches_most_first(self, sessions, store):
        with sessions() as session:
            (row,) = all_suggestions(session, store_id=store.store_id, kind="delist")
            found = substitutes_of(session, row)
        assert [(one.article, one.catches, one.households) for one in found] == [
            ("fish", 12, 11),
            ("salt", 4, 10),
        ]


class TestChangesSinceLastRun:
    def test_tell_what_came_went_and_moved(self, sessions, store):
        with sessions() as session:
            changes = changes_since_last_run(session, store.store_id)
        assert changes.previous_day == DAY
        assert [(view.kind, view.article) for view in changes.new] == [
            ("delist", "salt"),
            ("place_together", "tea"),
        ]
        assert [(gone.kind, gone.article, gone.other) for gone in changes.gone] == [
            ("list", "salt", None), ("place_together", "tea", "bread"),
        ]  # fmt: skip
        assert [(moved.view.article, moved.before) for moved in changes.moved] == [("tea", 100)]

    def test_are_none_before_the_second_run(self, sessions):
        with sessions() as session:
            assert changes_since_last_run(session, 1).previous_day is None


class TestDecide:
    def answer(self, session, row, store, decision):
        decide(
            session, suggestion_id=row.suggestion_id, store_id=store.store_id, decision=decision, reason="because",
            actor="m", now=NOW,
        )  # fmt: skip

    def test_keeps_every_answer_and_shows_the_newest(self, sessions, store):
        with sessions.begin() as session:
            row = all_suggestions(session, store_id=store.store_id)[0]
            self.answer(session, row, store, "accepted")
            self.answer(session, row, store, "rejected")
            shown = all_suggestions(session, store_id=store.store_id)[0]
            kept = session.scalars(
                select(SuggestionDecision.decision).order_by(SuggestionDecision.decision_id)
            ).all()
        assert (shown.decision, shown.reason) == ("rejected", "because")
        assert kept == ["accepted", "rejected"]

    def test_is_taken_back_by_a_further_entry(self, sessions, store):
        with sessions.begin() as session:
            row = all_suggestions(session, store_id=store.store_id)[0]
            self.answer(session, row, store, "accepted")
            assert counts_by_kind(session, store_id=store.store_id).get("delist") is None
            for _ in range(2):
                undo_decision(
                    session, suggestion_id=row.suggestion_id, store_id=store.store_id, actor="m", now=NOW
                )
            shown = all_suggestions(session, store_id=store.store_id)[0]
            kept = session.scalars(
                select(SuggestionDecision.decision).order_by(SuggestionDecision.decision_id)
            ).all()
            assert counts_by_kind(session, store_id=store.store_id)["delist"] == 1
        assert (shown.decision, shown.reason, shown.decided_by, shown.decided_at) == (None, None, None, None)
        assert kept == ["accepted", "undone"]


class TestAssortmentCommand:
    @pytest.fixture
    def told(self, store, tmp_path, database_url):
        workplace = Workplace(tmp_path, database_url)
        yield lambda *arguments: CliRunner().invoke(assortment, arguments, obj=workplace)
        workplace.close()

    def test_shows_one_kind_when_asked(self, told):
        found = json.loads(told("S1", "--kind", "keep", "--json").stdout)["suggestions"]
        assert [(row["kind"], row["rank"]) for row in found] == [("keep", 1), ("keep", 2)]

    def test_names_substitutes(self, told):
        (delist,) = json.loads(told("S1", "--kind", "delist", "--json").stdout)["suggestions"]
        assert [one["article"] for one in delist["evidence"]["substitutes"]] == ["fish", "salt"]
        assert "fish would catch" in told("S1").stdout

    def test_says_when_there_is_nothing_of_a_kind(self, told):
        asked = told("S1", "--kind", "list")
        assert (asked.exit_code, asked.stdout) == (0, "")

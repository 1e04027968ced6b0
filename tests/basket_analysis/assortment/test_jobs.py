"""The night's suggestions where a chain is odd: empty, tiny, unfiled, or with costs."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from basket_analysis.analysis_runs import begin_run
from basket_analysis.assortment.effect_jobs import measure_decisions
from basket_analysis.assortment.jobs import suggest_assortment
from basket_analysis.models import ServedRun, Suggestion
from core.jobs import Shift
from core.progress import silent
from sales.models import Store, Till
from tests.basket_analysis.shop_made import NOW, Shop

DAY = date(2026, 11, 15)
WEEKS = 12


def run(sessions, tmp_path):
    told = Shift(sessions, tmp_path, DAY, NOW, silent)
    with sessions.begin() as session:
        begin_run(session, business_day=DAY, now=NOW, version="", parameters={}, inputs={})
    found = suggest_assortment(told)
    measure_decisions(told)
    with sessions() as session:
        assert session.scalar(select(ServedRun.run_id)) is not None
        return found, session.scalars(select(Suggestion)).all()


class Town(Shop):
    """Forty members who come every week to the store that is set."""

    def people(self, count=40):
        return [self.member(f"m{self.store_id}-{number:02}") for number in range(count)]

    def trade(self, people, basket):
        for member in people:
            for week in range(WEEKS):
                self.receipt(DAY - timedelta(days=7 * week), basket(week), member=member)

    def open_another(self, code):
        self.store_id = self._add(
            Store, Store.store_id, store_code=code, name=code, currency="CZK", timezone="Europe/Prague"
        )
        self.till_id = self._add(Till, Till.till_id, store_id=self.store_id, till_code="T1")


class TestSuggestAssortment:
    def test_is_quiet_where_nobody_is_known(self, sessions, tmp_path):
        with sessions.begin() as session:
            town = Town(session)
            tea = town.article("tea")
            for number in range(600):
                town.receipt(DAY - timedelta(days=number % 80), [(tea, 1, 500)])
            town.write()
        found, rows = run(sessions, tmp_path)
        assert (found["stores"], rows) == (0, [])

    def test_is_quiet_about_a_store_that_only_takes_back(self, sessions, tmp_path):
        with sessions.begin() as session:
            town = Town(session)
            tea = town.article("tea")
            for number in range(600):
                town.receipt(DAY - timedelta(days=number % 80), [(tea, -1, 500)], kind="return")
            town.write()
        found, rows = run(sessions, tmp_path)
        assert (found["stores"], rows) == (0, [])

    @pytest.mark.parametrize("unfiled", [False, True])
    def test_keeps_the_only_article_of_the_only_store(self, sessions, tmp_path, unfiled):
        with sessions.begin() as session:
            town = Town(session)
            tea = town.article(
                "tea", **({"category": None, "kind": None, "department": None} if unfiled else {})
            )
            town.trade(town.people(50), lambda _week: [(tea, 1, 500)])
            town.write()
        _, rows = run(sessions, tmp_path)
        assert [(row.kind, row.value_per_week, row.other_article_id) for row in rows] == [
            ("delist", round(50 * 500 * WEEKS / 52), None),
            ("keep", round(50 * 500 * WEEKS / 52), None),
        ]
        assert {row.evidence["transfer"] for row in rows} == {0}

    def test_suggests_by_what_other_stores_sell_and_speaks_of_margin_where_costs_are_known(
        self, sessions, tmp_path
    ):
        with sessions.begin() as session:
            town = Town(session)
            bread = town.article("bread", category="BREAD", kind="BREAD")
            honey = town.article("honey", category="HONEY", kind="HONEY")
            session.execute(
                text("update article set price = 112, cost = 70 where article_id = :a"), {"a": honey}
            )
            for number in range(4):
                if number:
                    town.open_another(f"S{number + 1}")
                sells = number > 0
                town.trade(
                    town.people(45),
                    lambda _week, sells=sells: [(bread, 1, 300), *([(honey, 1, 100)] if sells else [])],
                )
            town.write()
        _, rows = run(sessions, tmp_path)
        (listed,) = [row for row in rows if row.kind == "list"]
        assert (listed.article_id, listed.households, listed.evidence["chain_stores"]) == (honey, 135, 3)
        # Of 112 with tax 100 are the store's, and 70 the cost: 30 of 112.
        assert listed.evidence["margin_per_week"] == round(listed.value_per_week * 30 / 112)
        assert all(row.households >= 30 for row in rows)
        assert "margin_per_week" not in next(row for row in rows if row.article_id == bread).evidence

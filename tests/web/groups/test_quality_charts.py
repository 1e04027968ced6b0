"""Quality of runs on the screen: what each figure says, and which nights were turned away."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert

from basket_analysis.groups.quality_lists import RunQualityView
from basket_analysis.models import RunQuality
from core import clock
from web.charts import Axis, Series, line_options
from web.groups.quality_charts import quality_charts
from web.groups.shown import reason_words

DAY = date(2026, 11, 21)
FIGURES = {
    "agreement": 0.93,
    "churn": 0.004,
    "coverage": 0.81,
    "rule_lift": 1.62,
    "null_lift": 1.01,
    "explained_by_size": 0.06,
    "themes": 8,
    "eligible": 2000,
    "compared": 1900,
}
REASON = {"code": "agreement", "value": 0.31, "limit": 0.8}


def night(days_ago, *, state="completed", verdict="good", bounds=None, **figures):
    return RunQualityView(
        run_id=uuid4(),
        business_day=DAY - timedelta(days=days_ago),
        state=state,
        verdict=verdict,
        reasons=(REASON,) if state == "refused" else (),
        figures={**FIGURES, **figures},
        measured_at=clock.now(),
        refitted=False,
        bounds=bounds or {},
    )


class TestCharts:
    def test_say_what_the_last_night_found(self, app):
        runs = [
            night(2, agreement=0.9),
            night(1, state="refused", verdict="refused", agreement=0.31),
            night(0),
        ]
        with app.test_request_context():
            charts = {chart.key: chart for chart in quality_charts(runs)}
            assert charts["agreement"].title.startswith("Groups agree with those of the night before by 0.93")
            assert charts["churn"].title == "0.4% of the households changed their group in the last night"
            assert "1.62 times chance; shuffled, 1.01 times" in charts["lift"].title
            assert [row[-1] for row in charts["agreement"].rows] == ["Good", "Refused", "Good"]
        points = charts["agreement"].options["series"][0]["data"]
        assert points[0] == 0.9
        assert points[1]["itemStyle"] == {"color": "var(--bad)"}
        assert "likeness" not in charts

    def test_say_of_few_who_moved_that_they_are_few(self, app):
        few = {"churn": 0.005, "bounds": {"churn": "<"}}
        with app.test_request_context():
            charts = {chart.key: chart for chart in quality_charts([night(1), night(0, **few)])}
        assert charts["churn"].title.startswith("<\N{NO-BREAK SPACE}0.5% of the households")
        assert [row[1] for row in charts["churn"].rows] == ["<\N{NO-BREAK SPACE}0.5%", "0.4%"]
        line, limit = charts["churn"].options["series"]
        assert line["said"] == [None, "<\N{NO-BREAK SPACE}0.5%"]
        assert "said" not in limit

    def test_of_agreement_end_where_nothing_can_agree_more(self, app):
        with app.test_request_context():
            charts = {chart.key: chart for chart in quality_charts([night(1), night(0, agreement=1.0)])}
        assert charts["agreement"].options["yAxis"]["max"] == 1

    @pytest.mark.parametrize("lowest", [1.0, 0.999, 0.95, 0.871, 0.8, 0.55, 0.31, 0.0, -0.2])
    def test_count_even_steps_down_from_the_most_there_can_be(self, lowest):
        lines = [Series("Agreement", [1.0, None, lowest])]
        axis = line_options(["1", "2", "3"], lines, Axis(), from_zero=False, most=1)["yAxis"]
        steps = (1 - axis["min"]) / axis["interval"]
        assert steps == pytest.approx(round(steps))
        assert 2 <= round(steps) <= 5
        assert axis["max"] == 1
        assert axis["min"] <= lowest + 1e-9
        assert round(axis["interval"] * 100) == pytest.approx(axis["interval"] * 100)

    def test_hold_a_night_that_found_its_themes_anew_against_its_own_limits(self, app):
        runs = [night(1), replace(night(0, state="refused", verdict="refused"), refitted=True)]
        with app.test_request_context():
            charts = {chart.key: chart for chart in quality_charts(runs)}
        assert charts["agreement"].options["series"][1]["data"] == [0.8, 0.35]
        assert charts["churn"].options["series"][1]["data"] == [0.05, 0.5]
        assert "would have changed" in charts["churn"].title

    def test_wait_for_the_second_night(self, app):
        with app.test_request_context():
            assert quality_charts([night(0)]) == []


class TestReasons:
    @pytest.mark.parametrize(
        ("reason", "words"),
        [
            (
                {"code": "churn", "value": 0.0643, "limit": 0.05},
                "share of households that would move 6.4%, limit 5.0%",
            ),
            (
                {"code": "churn", "value": 0.08, "limit": 0.05, "bound": "<"},
                "share of households that would move <\N{NO-BREAK SPACE}8.0%, limit 5.0%",
            ),
            (
                {"code": "drift_lift", "value": 0.757, "limit": 0.776},
                "lift of the groups' rules in later weeks, less that with members shuffled 0.76, limit 0.78",
            ),
        ],
    )
    def test_say_shares_as_shares_and_bounds_as_bounds(self, app, reason, words):
        with app.test_request_context():
            assert reason_words(reason) == words


class TestScreen:
    def test_teaches_what_will_be_there_and_then_shows_it(self, visit, web_sessions, house):
        assert "No night has been judged yet" in visit("analyst").get("/groups/quality/").get_data(
            as_text=True
        )
        with web_sessions.begin() as session:
            session.execute(
                insert(RunQuality).values(
                    run_id=house.run_id,
                    verdict="drifting",
                    reasons=[REASON],
                    figures=FIGURES | {"agreement": REASON["value"]},
                    measured_at=clock.now(),
                )
            )
        try:
            page = visit("auditor").get("/groups/quality/").get_data(as_text=True)
            assert "Drifting" in page
            assert "agreement with the groups in use 0.31, limit 0.80" in page
            warned = "Since the themes were found, buying has changed (agreement with the groups in use 0.31"
            assert warned in page
            assert warned in visit("marketing").get("/groups/").get_data(as_text=True)
            table = visit("analyst").get("/groups/quality/?format=csv").get_data(as_text=True)
            assert "0.31" in table
        finally:
            with web_sessions.begin() as session:
                session.execute(delete(RunQuality))
        assert visit("cashier").get("/groups/quality/").status_code == 403

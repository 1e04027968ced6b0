"""A run that was not let through is told of on the first page, to those whose groups it would have been."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select

from basket_analysis.models import AnalysisRun, RunQuality
from core.ids import uuid7


@pytest.fixture
def refused(web_sessions, house):
    """A refused run of the day after the served one, for as long as a test needs it."""
    run_id = uuid7()
    with web_sessions.begin() as session:
        served = session.scalars(select(AnalysisRun).where(AnalysisRun.run_id == house.run_id)).one()
        session.execute(
            insert(AnalysisRun).values(
                run_id=run_id,
                business_day=served.business_day + timedelta(days=1),
                state="refused",
                started_at=served.started_at,
                version="1",
                parameters={},
                inputs={},
                timings={},
            )
        )
        session.execute(
            insert(RunQuality).values(
                run_id=run_id,
                verdict="refused",
                reasons=[{"code": "agreement", "value": 0.125, "limit": 0.8}],
                figures={},
                measured_at=served.started_at,
            )
        )
    yield
    with web_sessions.begin() as session:
        session.execute(delete(AnalysisRun).where(AnalysisRun.run_id == run_id))


class TestOverview:
    def test_tells_marketing_and_administrators_that_old_groups_are_in_use(self, visit, refused):
        for role in ("marketing", "administrator"):
            page = visit(role).get("/").get_data(as_text=True)
            assert "The groups of the last night are not in use" in page
            assert "agreement with the groups in use 0.12, limit 0.80" in page

    def test_does_not_trouble_others_with_it(self, visit, refused):
        assert "not in use" not in visit("store_manager").get("/").get_data(as_text=True)

    def test_says_nothing_while_the_newest_run_is_served(self, visit):
        assert "not in use" not in visit("administrator").get("/").get_data(as_text=True)

"""The night's clock: when a night is due, and that many clocks run one."""

import logging
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from core.database import make_engine, make_sessions
from core.job_runs import find_run, latest_runs, request_run, request_stop
from scheduler import NightClock, log_to_stderr

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
MORNING = datetime(2026, 11, 22, 9, tzinfo=UTC)
YESTERDAY = date(2026, 11, 21)


@pytest.fixture
def night_clock(sessions, tmp_path):
    def night_clock(*, started=LONG_AGO, hour=3, timezone="Europe/Prague"):
        return NightClock(sessions, tmp_path, hour, timezone, started)

    return night_clock


@pytest.fixture
def remember(sessions):
    """Write a run of the past into the books."""

    def remember(day, state, *, finished_at, attempts=1):
        with sessions.begin() as session:
            session.execute(
                text(
                    "insert into job_run (run_id, job, business_day, state, attempts, started_at, finished_at)"
                    " values (gen_random_uuid(), 'night', :day, :state, :attempts, :at, :at)"
                ),
                {"day": day, "state": state, "attempts": attempts, "at": finished_at},
            )

    return remember


class TestDue:
    def test_is_the_day_before_once_its_hour_has_come(self, night_clock):
        three = datetime(2026, 11, 22, 2, tzinfo=UTC)  # 03:00 in Prague
        assert night_clock().due(three) == [YESTERDAY]
        assert night_clock().due(three - timedelta(seconds=1)) == [date(2026, 11, 20)]

    def test_owes_a_new_database_nothing_for_the_days_before(self, night_clock):
        assert night_clock(started=MORNING).due(MORNING) == []

    def test_catches_up_the_newest_missed_night_of_a_chain_that_has_nights(self, night_clock, remember):
        remember(date(2026, 11, 17), "completed", finished_at=datetime(2026, 11, 18, 3, tzinfo=UTC))
        assert night_clock(started=MORNING).due(MORNING) == [YESTERDAY]

    def test_owes_nothing_for_a_night_that_was_first_run_by_hand_today(self, night_clock, remember):
        remember(date(2026, 11, 14), "completed", finished_at=MORNING - timedelta(minutes=5))
        assert night_clock(started=MORNING).due(MORNING) == []

    def test_is_done_when_completed_or_stopped(self, night_clock, remember, sessions):
        remember(YESTERDAY, "completed", finished_at=MORNING)
        assert night_clock().due(MORNING) == []
        with sessions.begin() as session:
            session.execute(text("update job_run set state = 'stopped'"))
        assert night_clock().due(MORNING) == []

    def test_tries_a_failed_night_again_after_a_pause_but_not_for_ever(self, night_clock, remember, sessions):
        remember(YESTERDAY, "failed", finished_at=MORNING)
        assert night_clock().due(MORNING + timedelta(minutes=9)) == []
        assert night_clock().due(MORNING + timedelta(minutes=10)) == [YESTERDAY]
        with sessions.begin() as session:
            session.execute(text("update job_run set attempts = 3"))
        assert night_clock().due(MORNING + timedelta(minutes=10)) == []

    def test_goes_on_with_an_interrupted_night(self, night_clock, remember):
        remember(YESTERDAY, "running", finished_at=MORNING)
        assert night_clock(started=MORNING).due(MORNING) == [YESTERDAY]

    def test_includes_what_people_asked_for(self, night_clock, sessions):
        with sessions.begin() as session:
            asked = request_run(session, job="night", business_day=date(2026, 11, 2))
        assert night_clock().due(MORNING) == [date(2026, 11, 2), YESTERDAY]
        with sessions.begin() as session:
            request_stop(session, run_id=asked, now=MORNING)
        assert night_clock().due(MORNING) == [YESTERDAY]

    def test_goes_by_the_zone_that_most_stores_are_in(self, night_clock, owner_engine):
        with owner_engine.begin() as owner:
            for code, zone in (("A", "Europe/Prague"), ("B", "America/New_York"), ("C", "America/New_York")):
                owner.execute(
                    text(
                        "insert into store (store_code, name, currency, timezone) values (:code, :code, 'USD', :zone)"
                    ),
                    {"code": code, "zone": zone},
                )
        morning_in_prague = datetime(2026, 11, 22, 7, tzinfo=UTC)  # 02:00 in New York
        assert night_clock(timezone=None).due(morning_in_prague) == [date(2026, 11, 20)]


class TestTick:
    def test_runs_what_is_due_once(self, night_clock, sessions):
        clock = night_clock()
        clock.tick()
        clock.tick()
        with sessions() as session:
            runs = latest_runs(session)
        assert [(run.job, run.state, run.attempts) for run in runs] == [("night", "completed", 1)]

    def test_survives_a_database_that_is_away(self, tmp_path, caplog):
        away = make_sessions(make_engine("postgresql://nobody@/nothing?host=/nonexistent"))
        NightClock(away, tmp_path, 3, "UTC", LONG_AGO).tick()
        assert "the tick failed" in caplog.text

    def test_leaves_a_run_alone_that_somebody_works_on(self, night_clock, sessions, owner_engine):
        with owner_engine.connect() as other:
            other.execute(text("select pg_advisory_xact_lock(7260413, hashtext('night'))"))
            night_clock().tick()
            with sessions() as session:
                assert latest_runs(session) == []
        night_clock().tick()
        with sessions() as session:
            assert (
                find_run(session, job="night", business_day=latest_runs(session)[0].business_day).attempts
                == 1
            )


class TestLog:
    def test_keeps_the_chatter_of_libraries_out(self, monkeypatch):
        for name in ("apscheduler", "alembic", "fontTools"):
            monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
        log_to_stderr()
        assert not logging.getLogger("fontTools.subset").isEnabledFor(logging.INFO)

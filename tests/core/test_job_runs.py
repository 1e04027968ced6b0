"""What people see of runs, and what they may ask of them."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from core.database import Sessions
from core.job_runs import (
    AlreadyCompleted,
    NotRunning,
    RunNotFound,
    find_run,
    latest_runs,
    read_run,
    request_run,
    request_stop,
)
from core.jobs import Job, Shift, Step, run_once

DAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def night(work=lambda _: {}) -> Job:
    return Job("night", (Step("mine", work),))


@pytest.fixture
def run(sessions: Sessions, tmp_path):
    def run(job: Job, day: date = DAY):
        return run_once(job, sessions=sessions, data=tmp_path, business_day=day, wait=False)

    return run


class TestReads:
    def test_show_the_newest_day_first(self, run, sessions):
        for number in (20, 22, 21):
            run(night(), day=date(2026, 11, number))
        with sessions() as session:
            assert [run.business_day.day for run in latest_runs(session, job="night", limit=2)] == [22, 21]

    def test_keep_jobs_apart(self, run, sessions):
        run(Job("backup", (Step("copy", lambda _: {}),)))
        with sessions() as session:
            assert find_run(session, job="night", business_day=DAY) is None
            assert [run.job for run in latest_runs(session)] == ["backup"]

    def test_refuse_an_unknown_run(self, sessions):
        with sessions() as session, pytest.raises(RunNotFound):
            read_run(session, run_id=uuid4())

    def test_do_not_take_another_jobs_lock_for_the_run_of_this_one(self, run, sessions, owner_engine):
        seen = []

        def work(_shift: Shift) -> dict:
            with owner_engine.begin() as owner:
                owner.exec_driver_sql(
                    "insert into job_run (run_id, job, business_day, state) "
                    "values (gen_random_uuid(), 'backup', '2026-11-21', 'running')"
                )
            with sessions() as session:
                seen.extend((run.job, run.alive) for run in latest_runs(session))
            return {}

        run(night(work))
        assert sorted(seen) == [("backup", False), ("night", True)]


class TestRequestRun:
    def test_makes_a_run_that_waits(self, sessions):
        with sessions.begin() as session:
            run_id = request_run(session, job="night", business_day=DAY)
            assert read_run(session, run_id=run_id).state == "waiting"

    def test_lets_a_failed_run_go_on_under_its_id(self, run, sessions):
        failed = run(night(lambda _: 1 // 0))
        with sessions.begin() as session:
            assert request_run(session, job="night", business_day=DAY) == failed.run_id
            assert read_run(session, run_id=failed.run_id).state == "waiting"

    def test_refuses_a_day_that_is_done(self, run, sessions):
        run(night())
        with sessions.begin() as session, pytest.raises(AlreadyCompleted):
            request_run(session, job="night", business_day=DAY)


class TestRequestStop:
    def test_stops_at_once_what_nobody_works_on(self, sessions):
        with sessions.begin() as session:
            run_id = request_run(session, job="night", business_day=DAY)
            request_stop(session, run_id=run_id, now=NOW)
            assert read_run(session, run_id=run_id).state == "stopped"

    def test_leaves_a_live_run_to_stop_itself(self, run, sessions):
        seen = []

        def work(_shift: Shift) -> dict:
            with sessions.begin() as session:
                found = find_run(session, job="night", business_day=DAY)
                request_stop(session, run_id=found.run_id, now=NOW)
                seen.append(read_run(session, run_id=found.run_id))
            return {}

        run(night(work))
        assert (seen[0].state, seen[0].alive, seen[0].stop_requested_at) == ("running", True, NOW)

    def test_refuses_a_run_that_has_ended(self, run, sessions):
        done = run(night())
        with sessions.begin() as session, pytest.raises(NotRunning, match="completed already"):
            request_stop(session, run_id=done.run_id, now=NOW)

"""The night as a whole: its order, its end, and what it refuses."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from night import CHECKS, NIGHT, DayNotBegun, run_night

DAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


class TestNight:
    def test_ends_with_a_look_at_everything(self):
        assert NIGHT.steps[-1].name == "verify"

    def test_is_quiet_and_completed_on_an_empty_database(self, sessions, tmp_path):
        run = run_night(sessions, data=tmp_path, business_day=DAY, now=NOW)
        assert run.state == "completed"
        assert [step.name for step in run.steps] == [step.name for step in NIGHT.steps]

    def test_fails_where_a_promise_is_broken_and_names_it(self, sessions, tmp_path):
        with sessions.begin() as session:
            session.execute(
                text(
                    "with own as (insert into account (account_id, opened_at) values (gen_random_uuid(), now())"
                    " returning account_id) insert into balance (account_id, points) select account_id, 5 from own"
                )
            )
        run = run_night(sessions, data=tmp_path, business_day=DAY, now=NOW)
        broken = next(step for step in run.steps if step.state == "failed")
        assert broken.name == "verify"
        assert broken.error.startswith("PromiseBroken: I1 ")
        assert broken.error.endswith(": 1 violations")

    def test_is_refused_for_a_day_that_has_not_begun(self, sessions, tmp_path):
        with pytest.raises(DayNotBegun):
            run_night(sessions, data=tmp_path, business_day=date(2026, 11, 23), now=NOW)


class TestChecks:
    def test_have_a_code_each(self):
        codes = [check.code for check in CHECKS]
        assert len(codes) == len(set(codes))

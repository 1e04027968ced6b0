"""The check of the served groups finds what is wrong with them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from basket_analysis.verification import CHECKS
from core.verification import verify

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


@pytest.fixture
def served(sessions):
    """Serve a run with two members in one group, and return what changes it and what then is found."""

    def execute(statement, **values):
        with sessions.begin() as session:
            session.execute(text(statement), {"now": NOW, **values})

    execute(
        "with run as (insert into analysis_run (run_id, business_day, state, started_at, version, parameters, inputs, timings)"
        " values (gen_random_uuid(), '2026-11-21', 'completed', :now, '1', '{}', '{}', '{}') returning run_id)"
        " insert into served_run (run_id, served_at) select run_id, :now from run"
    )
    execute(
        "insert into shopper_group (run_id, group_id, kind, name, items, members, baskets, colour, detail)"
        " select run_id, 'g1', 'theme', 'Tea', '{}', 2, 9, 0, '{}' from served_run"
    )
    for code in ("M1", "M2"):
        execute(
            "with own as (insert into account (account_id, opened_at) values (gen_random_uuid(), :now) returning account_id),"
            " somebody as (insert into member (member_id, member_code, account_id, given_name, family_name, language, joined_on)"
            " select gen_random_uuid(), :code, account_id, 'Eva', 'Malá', 'cs', :now from own returning member_id)"
            " insert into group_membership (run_id, member_id, group_id, baskets)"
            " select run_id, member_id, 'g1', 4 from served_run, somebody",
            code=code,
        )

    def found(statement="select 1", **values):
        execute(statement, **values)
        groups, standings = verify(sessions, CHECKS)
        return groups.violations + standings.violations

    return found


STAND = (
    "insert into member_standing (run_id, member_id, phase, phase_since, value_class, value_since, financial, margin,"
    " financial_rank, informational, told_profile, told_consents, told_answers, told_redemptions, reference_value,"
    " brought, household, visits, silence, usual_gap, long_gap, lost_gap)"
    " select run_id, member_id, 'peak', '2026-11-21', 'low', '2026-11-21', 1, false, 0.5, 20, 20, 0, 0, 0, 0, 0, 0, 1, 1, 7, 14, 42"
    " from group_membership"
)
MOVED = (
    "insert into contact (member_id, at, channel, direction, kind, detail, source)"
    " select member_id, :now, 'analysis', 'internal', 'phase', jsonb_build_object('from', 'new', 'to', cast(:to as text)), 'run ' || run_id"
    " from member_standing limit 1"
)


class TestServedStandings:
    def test_are_of_whom_the_groups_are_of(self, served):
        assert served(STAND) == 0
        assert (
            served("delete from member_standing where member_id in (select member_id from member limit 1)")
            == 1
        )

    def test_leave_out_who_objected_before(self, served):
        served(STAND)
        at = NOW - timedelta(hours=1)
        assert served("update member set profiling_objected_at = :at where member_code = 'M1'", at=at) == 2

    def test_are_where_the_history_says_that_members_moved(self, served):
        served(STAND)
        assert served(MOVED, to="peak") == 0

    def test_are_not_elsewhere(self, served):
        served(STAND)
        assert served(MOVED, to="lost") == 1

    def test_add_up(self, served):
        assert served(STAND.replace("0.5, 20, 20,", "0.5, 25, 20,")) == 2


class TestServedGroups:
    def test_are_well_when_one_completed_run_is_served_as_a_whole(self, served):
        assert served() == 0

    def test_are_well_before_the_first_run(self, sessions):
        assert verify(sessions, CHECKS)[0].ok

    def test_are_not_of_a_run_that_failed(self, served):
        assert served("update analysis_run set state = 'failed'") == 1

    def test_have_the_members_that_they_say(self, served):
        assert (
            served("delete from group_membership where member_id in (select member_id from member limit 1)")
            == 1
        )

    def test_are_groups_of_the_same_run(self, served):
        assert served("update group_membership set group_id = 'g2'") == 3

    def test_leave_out_who_objected_before(self, served):
        objected = "update member set profiling_objected_at = :at where member_code = 'M1'"
        assert served(objected, at=NOW - timedelta(hours=1)) == 1
        assert served(objected, at=NOW + timedelta(hours=1)) == 0

"""The check of catalogs finds those made against a member's will."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from catalogs.verification import CHECKS
from core.verification import verify

MADE = datetime(2026, 11, 22, 2, tzinfo=UTC)
BEFORE, AFTER = MADE - timedelta(hours=1), MADE + timedelta(hours=1)


@pytest.fixture
def copy(sessions):
    """Archive a copy of a member who has said nothing, and return what changes things and counts violations."""

    def execute(statement, **values):
        with sessions.begin() as session:
            session.execute(text(statement), values)

    execute(
        "with own as (insert into account (account_id, opened_at) values (gen_random_uuid(), :made) returning account_id),"
        " somebody as (insert into member (member_id, member_code, account_id, given_name, family_name, language, joined_on)"
        " select gen_random_uuid(), 'M1', account_id, 'Eva', 'Malá', 'cs', :made from own returning member_id),"
        " issue as (insert into edition (edition_id, edition_code, run_id, group_id, group_name, theme, valid_from, valid_to,"
        " created_at, content) values (gen_random_uuid(), 'E1', gen_random_uuid(), 'g1', 'Tea', 'trh', '2026-11-23',"
        " '2026-12-07', :made, '{}') returning edition_id)"
        " insert into catalog_copy (copy_id, copy_code, edition_id, member_id, language, path, sha256, size, pages, picks,"
        " made_at) select gen_random_uuid(), 'C1', edition_id, member_id, 'cs', 'c1.pdf', '', 1, 8, '[]', :made"
        " from issue, somebody",
        made=MADE,
    )

    def consent(granted, at, *, purpose="catalog", channel="print"):
        execute(
            "insert into consent (member_id, purpose, channel, granted, text_version, source, recorded_at)"
            " select member_id, :purpose, :channel, :granted, '1', 'desk', :at from member",
            granted=granted,
            at=at,
            purpose=purpose,
            channel=channel,
        )

    def violations(statement="select 1", **values):
        execute(statement, **values)
        return verify(sessions, CHECKS)[0].violations

    violations.consent = consent
    return violations


class TestCopies:
    def test_need_an_agreement_that_came_before(self, copy):
        assert copy() == 1
        copy.consent(True, AFTER)
        assert copy() == 1
        copy.consent(True, BEFORE)
        assert copy() == 0

    def test_go_by_the_newest_decision_of_their_moment(self, copy):
        copy.consent(True, BEFORE)
        copy.consent(False, AFTER)
        assert copy() == 0
        copy.consent(False, MADE - timedelta(minutes=5))
        assert copy() == 1

    def test_may_go_by_any_channel_that_is_agreed_to(self, copy):
        copy.consent(False, BEFORE)
        copy.consent(True, BEFORE, purpose="offers", channel="email")
        assert copy() == 0

    def test_do_not_go_by_other_purposes(self, copy):
        copy.consent(True, BEFORE, purpose="surveys", channel="email")
        copy.consent(True, BEFORE, purpose="offers", channel="sms")
        assert copy() == 1

    def test_are_not_made_for_who_objected_before(self, copy):
        copy.consent(True, BEFORE)
        assert copy("update member set profiling_objected_at = :at", at=AFTER) == 0
        assert copy("update member set profiling_objected_at = :at", at=BEFORE) == 1

    def test_are_not_sent_after_an_objection_or_unapproved(self, copy, sessions):
        copy.consent(True, BEFORE)
        with sessions.begin() as session:
            session.execute(text("update catalog_copy set state = 'sent', sent_at = :at"), {"at": AFTER})
        assert [verdict.violations for verdict in verify(sessions, CHECKS)] == [0, 1]
        assert copy("update member set profiling_objected_at = :at", at=MADE + timedelta(minutes=1)) == 1

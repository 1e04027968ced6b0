"""What members choose for themselves."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from core.models import AuditEvent
from customers.models import Account, Member
from customers.preferences import NoSuchLanguage, choose_language

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def member_id(sessions):
    member_id = uuid4()
    with sessions.begin() as session:
        session.execute(insert(Account).values(account_id=member_id, opened_at=NOW))
        session.execute(
            insert(Member).values(
                member_id=member_id,
                member_code="M1",
                account_id=member_id,
                given_name="Eva",
                family_name="",
                language="cs",
                joined_on=NOW.date(),
            )
        )
    return member_id


class TestLanguage:
    def test_is_kept_and_audited_once(self, sessions, member_id):
        for _ in range(2):
            with sessions.begin() as session:
                choose_language(session, member_id=member_id, language="pl", actor="member M1", now=NOW)
        with sessions() as session:
            assert session.get_one(Member, member_id).language == "pl"
            (event,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.language"))
        assert event.detail == {"language": "pl", "was": "cs"}

    def test_is_one_of_ours(self, sessions, member_id):
        with pytest.raises(NoSuchLanguage), sessions.begin() as session:
            choose_language(session, member_id=member_id, language="xx", actor="member M1", now=NOW)

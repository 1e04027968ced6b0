"""Who objects to profiling, and who does not mind any more."""

from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from core.commandline import Workplace
from core.models import AuditEvent
from customers.commands import members
from customers.models import Member
from customers.objections import object_to_profiling, withdraw_objection
from customers.operations import MemberNotFound
from tests.basket_analysis.shop_made import NOW, Shop


def objected_at(session):
    return session.scalar(select(Member.profiling_objected_at).where(Member.member_code == "M1"))


class TestAnObjection:
    def test_is_noted_once_and_audited(self, sessions):
        with sessions.begin() as session:
            Shop(session).member("M1")
            for hours in (0, 5):
                object_to_profiling(session, member_code="M1", now=NOW + timedelta(hours=hours), actor="desk")
            assert objected_at(session) == NOW
            for _ in range(2):
                withdraw_objection(session, member_code="M1", now=NOW, actor="desk")
            assert objected_at(session) is None
            events = session.execute(
                select(AuditEvent.action, AuditEvent.actor).order_by(AuditEvent.event_id)
            )
            assert [tuple(event) for event in events] == [
                ("member.object", "desk"),
                ("member.withdraw_objection", "desk"),
            ]

    def test_needs_a_member(self, sessions):
        with sessions.begin() as session, pytest.raises(MemberNotFound):
            object_to_profiling(session, member_code="nobody", now=NOW, actor="desk")

    def test_is_noted_and_taken_back_on_the_command_line(self, sessions, tmp_path, database_url):
        with sessions.begin() as session:
            Shop(session).member("M1")
        workplace = Workplace(tmp_path, database_url)
        try:
            assert CliRunner().invoke(members, ("object", "M1"), obj=workplace).exit_code == 0
            with sessions() as session:
                assert objected_at(session) is not None
            assert CliRunner().invoke(members, ("object", "M1", "--withdraw"), obj=workplace).exit_code == 0
            with sessions() as session:
                assert objected_at(session) is None
            assert CliRunner().invoke(members, ("object", "nobody"), obj=workplace).exit_code == 2
        finally:
            workplace.close()

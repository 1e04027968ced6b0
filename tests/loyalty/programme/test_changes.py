from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.models import AuditEvent
from loyalty.drafts import AlreadyDecided, NoReason, SamePerson, StartsTooSoon
from loyalty.programme.changes import (
    approve_version,
    change_draft,
    draft_version,
    reject_version,
    withdraw_version,
)
from loyalty.programme.rules import DEFAULT, CurrencyRule, Excluded, Programme
from loyalty.programme.versions import (
    VersionNotFound,
    all_versions,
    find_version,
    programmes,
    read_programmes,
)
from loyalty.stored_versions import AHEAD

DOUBLE = Programme(
    currencies={"CZK": CurrencyRule(2, 100, 10)}, excluded=Excluded(categories=frozenset({"tobacco"}))
)


class Office:
    """Drafts and decides with the shop's clock."""

    def __init__(self, shop):
        self.shop = shop
        shop.post(shop.sale(100))

    @property
    def first_day(self):
        return self.shop.today + timedelta(days=AHEAD)

    def draft(self, programme=DOUBLE, valid_from=None, actor="ann", note="twice the points"):
        with self.shop.sessions.begin() as session:
            return draft_version(
                session,
                programme=programme,
                valid_from=valid_from or self.first_day,
                note=note,
                actor=actor,
                now=self.shop.now,
            )

    def do(self, operation, version, actor="ben", seen=None, **more):
        with self.shop.sessions.begin() as session:
            return operation(
                session, version=version, seen=seen or self.shop.now, actor=actor, now=self.shop.now, **more
            )

    def find(self, version):
        with self.shop.sessions() as session:
            return find_version(session, version=version)


@pytest.fixture
def office(shop):
    return Office(shop)


class TestDrafts:
    def test_hold_nowhere_until_they_are_approved(self, office, shop):
        version = office.draft()
        with shop.sessions() as session:
            assert read_programmes(session).on(office.first_day) is DEFAULT
        office.do(approve_version, version)
        with shop.sessions() as session:
            found = read_programmes(session).on(office.first_day)
        assert found == Programme(version=version, currencies=DOUBLE.currencies, excluded=DOUBLE.excluded)

    def test_start_when_no_sale_can_have_been_booked_for_their_first_day(self, office, shop):
        for day in (shop.today, shop.today + timedelta(days=AHEAD - 1)):
            with pytest.raises(StartsTooSoon) as refused:
                office.draft(valid_from=day)
            assert refused.value.earliest == office.first_day

    def test_start_on_any_day_while_there_is_no_receipt(self, shop):
        assert shop.approve(DOUBLE, date(2020, 1, 1))
        assert shop.points(shop.sale(10000))["earned"] == 200

    def test_say_what_they_are_for(self, office):
        with pytest.raises(NoReason):
            office.draft(note="  ")

    def test_belong_to_whoever_changed_them_last(self, office, shop):
        version, seen = office.draft(), shop.now
        shop.later(minutes=5)
        office.do(change_draft, version, seen=seen, programme=DEFAULT, valid_from=office.first_day, note="no")
        assert (office.find(version).drafted_by, office.find(version).rules) == (
            "ben",
            Programme(version=version),
        )
        with pytest.raises(SamePerson):
            office.do(approve_version, version, actor="ben")
        office.do(approve_version, version, actor="ann")


class TestDecisions:
    def test_need_a_second_person(self, office):
        version = office.draft()
        with pytest.raises(SamePerson):
            office.do(approve_version, version, actor="ann")
        assert office.find(version).state == "draft"

    def test_are_about_what_was_seen(self, office, shop):
        version, seen = office.draft(), shop.now
        shop.later(minutes=1)
        office.do(
            change_draft,
            version,
            seen=seen,
            actor="ann",
            programme=DEFAULT,
            valid_from=office.first_day,
            note="x",
        )
        with pytest.raises(AlreadyDecided):
            office.do(approve_version, version, seen=seen)

    def test_are_made_once(self, office):
        version = office.draft()
        office.do(reject_version, version, reason="too dear")
        for again in (approve_version, withdraw_version):
            with pytest.raises(AlreadyDecided):
                office.do(again, version)
        found = office.find(version)
        assert (found.state, found.decided_by, found.decision_reason) == ("rejected", "ben", "too dear")

    def test_come_in_time(self, office, shop):
        version, seen = office.draft(), shop.now
        shop.later(days=1)
        with pytest.raises(StartsTooSoon):
            office.do(approve_version, version, seen=seen)

    def test_give_a_reason_for_a_no(self, office):
        with pytest.raises(NoReason):
            office.do(reject_version, office.draft(), reason=" ")

    def test_are_written_down(self, office, shop):
        version = office.draft()
        office.do(approve_version, version)
        with shop.sessions() as session:
            events = session.execute(
                select(AuditEvent.actor, AuditEvent.action).where(
                    AuditEvent.subject_kind == "programme_version", AuditEvent.subject_id == str(version)
                )
            ).all()
        assert [tuple(event) for event in events] == [
            ("ann", "programme.draft"),
            ("ben", "programme.approve"),
        ]

    def test_know_the_version(self, office):
        with pytest.raises(VersionNotFound):
            office.do(approve_version, 999_999)


class TestDatabase:
    @pytest.mark.parametrize(
        "attempt",
        [
            "update programme_version set rules = '{}'",
            "update programme_version set valid_from = valid_from - 30",
            "update programme_version set state = 'draft', decided_by = null, decided_at = null",
            "delete from programme_version",
            "truncate programme_version",
        ],
    )
    def test_lets_nobody_change_what_was_decided(self, office, owner_engine, attempt):
        office.do(approve_version, office.draft())
        with pytest.raises(DBAPIError, match="refused"), owner_engine.begin() as connection:
            connection.execute(text(attempt))

    def test_lets_nobody_approve_their_own_draft_nor_something_else_than_was_drafted(
        self, office, owner_engine
    ):
        office.draft()
        for attempt, why in (
            ("decided_by = drafted_by", "second_person"),
            ("decided_by = 'x', valid_from = valid_from - 30", "as it was drafted"),
        ):
            with pytest.raises(DBAPIError, match=why), owner_engine.begin() as connection:
                connection.execute(
                    text(f"update programme_version set state = 'approved', decided_at = now(), {attempt}")
                )


class TestProgrammesAtHand:
    def test_are_read_once_and_again_after_a_decision(self, office, shop):
        with shop.sessions() as session:
            first = programmes(session)
        with shop.sessions() as session:
            assert programmes(session) is first
        office.do(approve_version, office.draft())
        with shop.sessions() as session:
            assert programmes(session).on(office.first_day).version

    def test_do_not_take_up_a_decision_that_was_taken_back(self, office, shop):
        version = office.draft()
        with shop.sessions() as session:
            approve_version(session, version=version, seen=shop.now, actor="ben", now=shop.now)
            session.rollback()
        with shop.sessions() as session:
            assert programmes(session).on(office.first_day) is DEFAULT

    def test_are_listed_with_their_story(self, office, shop):
        office.do(withdraw_version, office.draft(), actor="ann")
        with shop.sessions() as session:
            (version,) = all_versions(session)
        assert (version.state, version.drafted_by, version.note) == ("withdrawn", "ann", "twice the points")

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from core.errors import RegularsError
from core.ids import uuid7
from core.models import AuditEvent
from customers.models import Card, Member
from loyalty.adjustment_lists import change_of, entry_of_adjustment, read_adjustment, waiting_adjustments
from loyalty.adjustments import (
    LIMIT,
    AlreadyDecided,
    BadAdjustment,
    MoreThanThereIs,
    NoSuchAdjustment,
    NotForYou,
    OtherWishKnown,
    Wish,
    approve_adjustment,
    limit_of,
    reject_adjustment,
    request_adjustment,
    set_limit,
    withdraw_adjustment,
)
from loyalty.models import LedgerEntry, Lot
from tests.shop import CARD, Shop


class Desk:
    """People at a desk of `shop`, who adjust the account of its card."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        shop.enrol(CARD)
        with shop.sessions.begin() as session:
            self.account_id = session.scalar(select(Card.account_id).where(Card.card_number == CARD))
            self.member_id = session.scalar(select(Member.member_id))

    def ask(self, points: int, by: str = "ann", **changes: Any) -> UUID:
        adjustment_id = changes.pop("adjustment_id", None) or uuid7()
        wish = {"reason": "goodwill", "note": "waited long", **changes}
        with self.shop.sessions.begin() as session:
            request_adjustment(
                session,
                adjustment_id=adjustment_id,
                wish=Wish(self.account_id, self.member_id, points, **wish),
                actor=by,
                role="desk",
                now=self.shop.now,
            )
        return adjustment_id

    def do(self, change: Callable[..., None], adjustment_id: UUID, by: str, **more: Any) -> None:
        with self.shop.sessions.begin() as session:
            change(session, adjustment_id=adjustment_id, actor=by, now=self.shop.now, **more)

    def state(self, adjustment_id: UUID) -> str:
        with self.shop.sessions.begin() as session:
            return read_adjustment(session, adjustment_id=adjustment_id).state


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


class TestRequestAdjustment:
    def test_books_at_once_up_to_the_limit(self, desk: Desk):
        assert desk.state(desk.ask(LIMIT)) == "approved"
        assert desk.shop.stands() == (LIMIT, 0, 0)

    def test_gives_points_their_own_lot_that_ends_by_the_programme(self, desk: Desk):
        desk.ask(40)
        with desk.shop.sessions.begin() as session:
            lot = session.scalars(select(Lot)).one()
        assert (lot.earned, lot.remaining, lot.receipt_id) == (40, 40, None)
        assert lot.expires_at is not None
        # The end of November 2028 in Prague.
        assert lot.expires_at.isoformat() == "2028-11-30T23:00:00+00:00"

    def test_waits_for_a_second_person_above_the_limit(self, desk: Desk):
        asked = desk.ask(LIMIT + 1)
        assert desk.state(asked) == "requested"
        assert desk.shop.stands() == (0, 0, 0)
        with desk.shop.sessions.begin() as session:
            assert waiting_adjustments(session) == 1

    def test_is_not_split_to_stay_below_the_limit(self, desk: Desk):
        assert desk.state(desk.ask(400)) == "approved"
        assert desk.state(desk.ask(-100)) == "approved"
        assert desk.state(desk.ask(1)) == "requested"
        assert desk.state(desk.ask(1, by="bob")) == "approved"
        desk.shop.later(hours=24, minutes=1)
        assert desk.state(desk.ask(400)) == "approved"

    def test_takes_points_as_they_would_be_spent(self, desk: Desk):
        shop = desk.shop
        shop.post(shop.sale(10000, business_date=shop.today - timedelta(days=90), closed_at=shop.now))
        shop.post(shop.sale(5000, business_date=shop.today - timedelta(days=20), closed_at=shop.now))
        desk.ask(-120)
        with shop.sessions.begin() as session:
            left = session.scalars(select(Lot.remaining).order_by(Lot.business_date)).all()
        assert left == [0, 30]

    def test_never_takes_more_than_can_be_spent(self, desk: Desk):
        desk.shop.post(desk.shop.sale(10000))
        desk.ask(30)
        with pytest.raises(MoreThanThereIs) as refused:
            desk.ask(-31)
        assert refused.value.there == 30
        assert desk.shop.stands() == (30, 100, 0)

    def test_knows_the_same_form_again(self, desk: Desk):
        asked = desk.ask(50)
        assert desk.ask(50, adjustment_id=asked) == asked
        assert desk.shop.stands() == (50, 0, 0)
        with pytest.raises(OtherWishKnown):
            desk.ask(60, adjustment_id=asked)

    @pytest.mark.parametrize(
        ("field", "changes"),
        [
            ("points", {"points": 0}),
            ("points", {"points": 10**12}),
            ("reason", {"reason": "because"}),
            ("note", {"note": " \0 "}),
            ("note", {"note": "x" * 501}),
            ("note", {"note": "paid with 4111 1111 1111 1111"}),
        ],
    )
    def test_refuses_what_is_not_as_it_must_be(self, desk: Desk, field: str, changes: dict[str, Any]):
        with pytest.raises(BadAdjustment) as refused:
            desk.ask(**{"points": 5, **changes})
        assert refused.value.field == field

    def test_is_audited(self, desk: Desk):
        asked = desk.ask(700)
        desk.do(approve_adjustment, asked, "bob")
        with desk.shop.sessions.begin() as session:
            seen = session.execute(
                select(AuditEvent.actor, AuditEvent.action)
                .where(AuditEvent.subject_id == str(asked))
                .order_by(AuditEvent.happened_at, AuditEvent.event_id)
            ).all()
        assert seen == [("ann", "adjustment.request"), ("bob", "adjustment.approve")]

    def test_books_a_double_click_once(self, desk: Desk):
        asked = uuid7()

        def press(_number: int) -> UUID:
            return desk.ask(100, adjustment_id=asked)

        with ThreadPoolExecutor(4) as threads:
            assert set(threads.map(press, range(4))) == {asked}
        assert desk.shop.stands() == (100, 0, 0)

    def test_keeps_the_limit_when_two_forms_come_at_once(self, desk: Desk):
        with ThreadPoolExecutor(4) as threads:
            states = list(threads.map(lambda _number: desk.state(desk.ask(300)), range(4)))
        assert sorted(states) == ["approved", "requested", "requested", "requested"]


class TestApproveAdjustment:
    def test_books_what_was_asked_for(self, desk: Desk):
        asked = desk.ask(5000)
        desk.do(approve_adjustment, asked, "bob", note="as agreed")
        assert desk.shop.stands() == (5000, 0, 0)
        with desk.shop.sessions.begin() as session:
            seen = read_adjustment(session, adjustment_id=asked)
            entry_id = entry_of_adjustment(session, adjustment_id=asked)
            entry = session.get_one(LedgerEntry, entry_id)
        assert (seen.state, seen.requested_by, seen.decided_by) == ("approved", "ann", "bob")
        assert (entry.reason, entry.reference, entry.note) == ("adjust", asked, "waited long")

    def test_is_for_somebody_else(self, desk: Desk):
        asked = desk.ask(5000)
        with pytest.raises(NotForYou):
            desk.do(approve_adjustment, asked, "ann")
        with pytest.raises(NotForYou):
            desk.do(reject_adjustment, asked, "ann")
        with pytest.raises(NotForYou):
            desk.do(withdraw_adjustment, asked, "bob")
        assert desk.state(asked) == "requested"

    def test_happens_once_whoever_tries(self, desk: Desk):
        asked = desk.ask(5000)

        def decide(number: int) -> str:
            changes = (approve_adjustment, reject_adjustment, withdraw_adjustment)
            change = changes[number % 3]
            by = "ann" if change is withdraw_adjustment else f"approver {number}"
            try:
                desk.do(change, asked, by)
            except AlreadyDecided:
                return "late"
            return change.__name__

        with ThreadPoolExecutor(6) as threads:
            outcomes = list(threads.map(decide, range(12)))
        assert outcomes.count("late") == 11
        assert desk.shop.stands()[0] == (5000 if "approve_adjustment" in outcomes else 0)

    def test_leaves_the_request_open_when_the_points_are_gone(self, desk: Desk):
        desk.ask(400)
        desk.shop.later(hours=25)
        desk.ask(400)
        asked = desk.ask(-800)
        desk.shop.reserve(300)
        with pytest.raises(MoreThanThereIs):
            desk.do(approve_adjustment, asked, "bob")
        assert desk.state(asked) == "requested"
        desk.shop.later(minutes=11)
        desk.do(approve_adjustment, asked, "bob")
        assert desk.shop.stands() == (0, 0, 0)

    def test_names_what_is_not_there(self, desk: Desk):
        with pytest.raises(NoSuchAdjustment):
            desk.do(approve_adjustment, uuid7(), "bob")

    @pytest.mark.parametrize("change", [reject_adjustment, withdraw_adjustment])
    def test_is_over_when_rejected_or_withdrawn(self, desk: Desk, change: Callable[..., None]):
        asked = desk.ask(5000)
        desk.do(change, asked, "ann" if change is withdraw_adjustment else "bob")
        with pytest.raises(AlreadyDecided):
            desk.do(approve_adjustment, asked, "cy")
        assert desk.shop.stands() == (0, 0, 0)

    def test_refuses_payment_cards_in_the_answer(self, desk: Desk):
        asked = desk.ask(5000)
        with pytest.raises(BadAdjustment):
            desk.do(approve_adjustment, asked, "bob", note="5555 5555 5555 4444")
        assert desk.state(asked) == "requested"


class TestSetLimit:
    def test_holds_for_one_role_from_then_on(self, desk: Desk):
        with desk.shop.sessions.begin() as session:
            set_limit(session, role="desk", points=10, actor="root", now=desk.shop.now)
            assert (limit_of(session, role="desk"), limit_of(session, role="marketing")) == (10, LIMIT)
        assert desk.state(desk.ask(11)) == "requested"
        assert desk.state(desk.ask(10)) == "approved"
        with desk.shop.sessions.begin() as session:
            limit = read_adjustment(session, adjustment_id=desk.ask(500)).points_limit
            assert limit == 10
            changes = select(func.count()).where(AuditEvent.action == "adjustment.limit")
            assert session.scalar(changes) == 1

    def test_refuses_limits_that_are_none(self, desk: Desk):
        with pytest.raises(RegularsError), desk.shop.sessions.begin() as session:
            set_limit(session, role="desk", points=-1, actor="root", now=desk.shop.now)


class TestChangeOf:
    def test_shows_from_which_lots_points_would_go(self, desk: Desk):
        shop = desk.shop
        day = shop.today - timedelta(days=90)
        shop.post(shop.sale(10000, business_date=day, closed_at=shop.now))
        desk.ask(50)
        with shop.sessions.begin() as session:
            change = change_of(session, account_id=desk.account_id, points=-120, now=shop.now)
        assert (change.available_before, change.available_after, change.possible) == (150, 30, True)
        assert change.pieces == ((date(2028, 8, 31), 1, -100), (date(2028, 11, 30), 1, -20))
        assert shop.stands() == (150, 0, 0)

    def test_says_when_there_is_not_enough(self, desk: Desk):
        with desk.shop.sessions.begin() as session:
            change = change_of(session, account_id=desk.account_id, points=-1, now=desk.shop.now)
            assert not change.possible
            more = change_of(session, account_id=desk.account_id, points=7, now=desk.shop.now)
        assert (more.available_after, more.possible) == (7, True)

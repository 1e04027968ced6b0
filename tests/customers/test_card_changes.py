from datetime import timedelta

import pytest
from sqlalchemy import select

from core.models import AuditEvent
from customers.card_changes import anonymous_account, block_card, expire_card, replace_card
from customers.enrolment import CardInUse
from customers.models import Card
from customers.queries import CardNotFound
from tests.shop import CARD, OTHER_CARD, Shop, open_shop

THIRD = "2990000000057"


@pytest.fixture
def shop(sessions) -> Shop:
    return open_shop(sessions)


def state(shop: Shop, number: str) -> str:
    with shop.sessions() as session:
        return session.get_one(Card, number).state


def replace(shop: Shop, old: str, new: str) -> None:
    with shop.sessions.begin() as session:
        replace_card(
            session,
            card_number=old,
            new_card_number=new,
            reason="lost",
            now=shop.now,
            actor="t",
            has_history=lambda _account: True,
        )


class TestBlocking:
    def test_is_for_good_but_for_a_replacement(self, shop: Shop):
        for _ in range(2):
            with shop.sessions.begin() as session:
                block_card(session, card_number=CARD, reason="stolen", now=shop.now, actor="t")
        assert state(shop, CARD) == "blocked"
        replace(shop, CARD, THIRD)
        assert (state(shop, CARD), state(shop, THIRD)) == ("replaced", "issued")
        with shop.sessions.begin() as session, pytest.raises(CardInUse):
            block_card(session, card_number=CARD, reason="again", now=shop.now, actor="t")

    def test_is_recorded_once(self, shop: Shop):
        for _ in range(2):
            with shop.sessions.begin() as session:
                block_card(session, card_number=CARD, reason="stolen", now=shop.now, actor="t")
        with shop.sessions() as session:
            events = session.scalars(select(AuditEvent).where(AuditEvent.action == "card.block")).all()
        assert [event.detail for event in events] == [{"reason": "stolen"}]


class TestReplacing:
    def test_keeps_the_old_number_for_returns_and_late_receipts(self, shop: Shop):
        sale = shop.sale(10000)
        late = shop.sale(5000)
        shop.post(sale)
        replace(shop, CARD, THIRD)
        assert shop.post(late)["points"]["earned"] == 50
        assert shop.flags(shop.sale(100)) == []
        assert shop.points(shop.back(sale, {1: "1"}))["reversed"] == 100
        assert shop.stands(THIRD) == shop.stands(CARD)

    def test_takes_no_card_that_has_earned_for_somebody(self, shop: Shop):
        with pytest.raises(CardInUse):
            replace(shop, CARD, OTHER_CARD)
        with pytest.raises(CardNotFound):
            replace(shop, "2990000000064", THIRD)


class TestExpiry:
    def test_ends_earning_from_that_moment(self, shop: Shop):
        before = shop.sale(10000)
        shop.later(hours=1)
        for _ in range(2):
            with shop.sessions.begin() as session:
                expire_card(session, card_number=CARD, reason="worn", now=shop.now, actor="t")
        shop.later(hours=1)
        assert shop.post(before)["points"]["earned"] == 100
        assert shop.flags(shop.sale(10000)) == [("blocked_card", None)]
        with shop.sessions.begin() as session, pytest.raises(CardInUse):
            block_card(session, card_number=CARD, reason="lost", now=shop.now, actor="t")

    def test_of_a_blocked_card_keeps_when_it_was_blocked(self, shop: Shop):
        with shop.sessions.begin() as session:
            block_card(session, card_number=CARD, reason="lost", now=shop.now, actor="t")
        with shop.sessions.begin() as session:
            later = shop.now + timedelta(days=1)
            expire_card(session, card_number=CARD, reason="old", now=later, actor="t")
        with shop.sessions() as session:
            assert session.get_one(Card, CARD).blocked_at == shop.now


class TestAnonymousAccount:
    def test_is_that_of_a_card_in_use_without_a_name(self, shop: Shop):
        with shop.sessions.begin() as session:
            number, account_id = anonymous_account(session, card_number=CARD)
            assert number == CARD
            assert account_id == session.get_one(Card, CARD).account_id
        shop.enrol(CARD)
        with shop.sessions.begin() as session, pytest.raises(CardInUse):
            anonymous_account(session, card_number=CARD)

"""Cards handed out at the office: new ones, and ones that have earned without a name."""

import pytest

from customers.models import Card, Member
from customers.operations import CardTaken, IssuedCard, MemberNotFound
from loyalty.handing_out import hand_out_cards
from tests.shop import CARD, OTHER_CARD, Shop

NEW, NAMELESS = "2990000000071", "2990000000057"


def hand_out(shop: Shop, *numbers: str, member: str | None) -> list[IssuedCard]:
    with shop.sessions.begin() as session:
        return hand_out_cards(session, card_numbers=numbers, member_code=member, now=shop.now, actor="office")


def code(shop: Shop, card: str) -> str:
    """Return the member code of who holds a card."""
    with shop.sessions() as session:
        holder = session.get_one(Card, card).member_id
        return session.get_one(Member, holder).member_code


class TestHandingOut:
    def test_gives_a_member_what_a_nameless_card_has_earned(self, shop: Shop):
        shop.enrol(CARD)
        shop.issue([NAMELESS])
        shop.post(shop.sale(10_000, card_number=NAMELESS))
        assert hand_out(shop, NAMELESS, NEW, member=code(shop, CARD)) == [
            IssuedCard(NAMELESS, "active"),
            IssuedCard(NEW, "active"),
        ]
        with shop.sessions() as session:
            mine, nameless = session.get_one(Card, CARD), session.get_one(Card, NAMELESS)
            assert nameless.account_id == mine.account_id
        assert shop.broken() == []

    def test_refuses_cards_of_others_and_members_unknown(self, shop: Shop):
        shop.enrol(CARD)
        shop.enrol(OTHER_CARD, "Karel Novák")
        with pytest.raises(CardTaken):
            hand_out(shop, OTHER_CARD, member=code(shop, CARD))
        with pytest.raises(MemberNotFound):
            hand_out(shop, NEW, member="nobody")

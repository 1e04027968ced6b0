from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from core.jobs import Shift
from core.progress import silent
from customers.households import invite
from loyalty.households import join_household, leave_household
from loyalty.pickup_mails import tell_of_pickups
from loyalty.pickups import give_up, reserve_for_pickup
from loyalty.reservations import Desk, Redemption
from rewards.models import Reward, RewardStock
from tests.shop import CARD, OTHER_CARD, Shop


@pytest.fixture
def aside(shop: Shop) -> Redemption:
    """A mug that lies aside for a member for a week."""
    shop.enrol(CARD, email="zofie@example.org")
    shop.enrol(OTHER_CARD, "Łukasz Wiśniewski", email="lukasz@example.org")
    shop.post(shop.sale(100_000, business_date=shop.today - timedelta(days=20)))
    with shop.sessions.begin() as session:
        session.add(Reward(reward_code="MUG", name={"en": "Mug", "cs": "Hrnek"}, points=10, pickup_days=7))
        session.flush()
        session.add(RewardStock(reward_code="MUG", store_id=shop.till.store_id, on_hand=1))
    with shop.sessions.begin() as session:
        return reserve_for_pickup(
            session, desk=desk_of(shop), card_number=CARD, reward_code="MUG", now=shop.now
        )


def desk_of(shop: Shop) -> Desk:
    return Desk(shop.till.store_id, "CZK", "Europe/Prague", "desk.person")


def tell(shop: Shop, days: int) -> int:
    """Tell what is to be told so many days after the gift was laid aside."""
    now = shop.now + timedelta(days=days)
    return tell_of_pickups(Shift(shop.sessions, Path(), now.date(), now, silent))["mails"]


class TestTellOfPickups:
    def test_reminds_once_when_the_last_days_have_come(self, shop: Shop, aside: Redemption):
        assert [tell(shop, days) for days in (0, 3, 5, 6, 9)] == [0, 0, 1, 0, 0]
        with shop.sessions() as session:
            subject, words, kind, purpose, not_after, recipient = session.execute(
                text("select subject, text, kind, purpose, not_after, recipient from outgoing_mail")
            ).one()
            code, ends = session.execute(text("select pickup_code, expires_at from redemption")).one()
        assert (kind, purpose, recipient, not_after) == ("gift_waits", "service", "zofie@example.org", ends)
        assert "Hrnek" in subject
        assert f"    {code}\n" in words
        assert aside.redemption_id

    def test_tells_the_household_that_paid_and_not_who_left_it(self, shop: Shop, aside: Redemption):
        with shop.sessions.begin() as session:
            zofie, lukasz = (
                session.execute(
                    text(
                        "select member_id from member join card using (member_id) where card_number = :card"
                    ),
                    {"card": card},
                ).scalar_one()
                for card in (CARD, OTHER_CARD)
            )
            told = {"now": shop.now, "actor": "desk.person"}
            code = invite(session, owner_id=zofie, role="owner", **told)
            join_household(session, member_id=lukasz, code=code, place=desk_of(shop), **told)
            leave_household(session, member_id=zofie, place=desk_of(shop), **told)
        assert tell(shop, 5) == 1
        with shop.sessions() as session:
            recipients = session.scalars(text("select recipient from outgoing_mail")).all()
        assert recipients == ["lukasz@example.org"]

    def test_says_nothing_of_a_gift_that_was_given_up(self, shop: Shop, aside: Redemption):
        with shop.sessions.begin() as session:
            give_up(session, desk=desk_of(shop), redemption_id=aside.redemption_id, now=shop.now)
        assert tell(shop, 5) == 0

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core.jobs import Shift
from customers.enrolment import NewMember, enrol_member
from customers.households import invite
from customers.models import Member
from loyalty.households import join_household
from loyalty.referrals.models import Referral
from loyalty.referrals.operations import (
    BadReferralRules,
    Rules,
    UnknownReferralCode,
    refer,
    referral_code_of,
    set_referral_rules,
)
from loyalty.referrals.rewards import reward_referrals
from loyalty.reservations import Zone
from tests.shop import CARD, OTHER_CARD, Shop
from tests.waiting import waiting_for_a_lock

THIRD = "2990000000033"
RULES = Rules(referrer_points=500, referred_points=250, minimum_points=50, most_per_year=1, within_days=30)


@pytest.fixture
def code(shop: Shop) -> str:
    """The code of the holder of the first card, in a shop where bringing somebody is rewarded."""
    shop.enrol(CARD, email="zofie@example.com", phone="+420601000001")
    with shop.sessions.begin() as session:
        set_referral_rules(session, rules=RULES, actor="mara", now=shop.now)
        return referral_code_of(session, member_id=_member(session, CARD), now=shop.now)


def _member(session, card: str):
    return session.scalars(select(Member.member_id).where(Member.member_code == f"M{card}")).one()


def bring(shop: Shop, code: str, card: str = OTHER_CARD, **changes):
    person = {
        "given_name": "Łukasz",
        "family_name": "Wiśniewski",
        "language": "pl",
        "email": f"{card}@example.com",
        "phone": None,
        "consents": (),
    }
    with shop.sessions.begin() as session:
        member_code = enrol_member(
            session,
            card_number=card,
            person=NewMember(**{**person, **changes}),
            store_code="S1",
            today=shop.today,
            now=shop.now,
            actor="till",
        )
        return refer(
            session, code=code, member_code=member_code, today=shop.today, now=shop.now, actor="till"
        )


def night(shop: Shop, day: date) -> dict:
    shop.now = datetime(day.year, day.month, day.day, 3, tzinfo=UTC) + timedelta(days=1)
    return reward_referrals(
        Shift(sessions=shop.sessions, data=Path(), business_day=day, now=shop.now, report=lambda *_: None)
    )


class TestReward:
    def test_comes_to_both_once_the_return_window_is_over(self, shop: Shop, code: str):
        assert bring(shop, code) == ("waiting", None)
        shop.post(shop.sale(10000, card_number=OTHER_CARD))
        last = shop.today + timedelta(days=13)
        assert night(shop, last - timedelta(days=1)) == {"waiting": 1}
        assert night(shop, last) == {"rewarded": 1}
        assert shop.stands(CARD)[0] == 500
        assert shop.stands(OTHER_CARD)[0] == 350
        assert night(shop, last) == {}
        assert shop.stands(CARD)[0] == 500

    def test_waits_for_a_purchase_that_was_not_returned(self, shop: Shop, code: str):
        bring(shop, code)
        first = shop.sale(10000, card_number=OTHER_CARD)
        shop.post(first)
        shop.later(days=3)
        shop.post(shop.back(first, {1: "1"}, card_number=OTHER_CARD))
        shop.post(shop.sale(6000, card_number=OTHER_CARD))
        day = shop.today
        assert night(shop, day + timedelta(days=12)) == {"waiting": 1}
        assert night(shop, day + timedelta(days=13)) == {"rewarded": 1}

    def test_is_too_small_a_purchase_away(self, shop: Shop, code: str):
        bring(shop, code)
        shop.post(shop.sale(4900, card_number=OTHER_CARD))
        day = shop.today
        assert night(shop, day + timedelta(days=43)) == {"waiting": 1}
        assert night(shop, day + timedelta(days=44)) == {"lapsed": 1}
        assert shop.stands(CARD)[0] == 0

    def test_is_capped_for_the_referrer_and_not_for_the_new_member(self, shop: Shop, code: str):
        shop.issue([THIRD])
        for card in (OTHER_CARD, THIRD):
            bring(shop, code, card)
            shop.post(shop.sale(10000, card_number=card))
        assert night(shop, shop.today + timedelta(days=20)) == {"rewarded": 2}
        assert (shop.stands(CARD)[0], shop.stands(THIRD)[0]) == (500, 350)


class TestAmongTills:
    def test_holds_accounts_in_the_order_of_all_and_then_the_member(self, shop: Shop, code: str):
        """A receipt holds its account and then names its member: the night must not hold that while it waits."""
        bring(shop, code)
        for card in (CARD, OTHER_CARD):
            shop.post(shop.sale(10000, card_number=card))
        last, told = shop.today + timedelta(days=13), []
        with shop.sessions() as till:
            account = "select account_id from member order by 1 limit 1"
            till.execute(text(f"select from balance where account_id = ({account}) for update"))
            with waiting_for_a_lock(shop.sessions, lambda: told.append(night(shop, last))):
                till.execute(text("select from member for key share nowait"))
                till.execute(text("select from balance for update nowait"))
                till.rollback()
        assert told == [{"rewarded": 1}]


class TestRefusal:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"email": "ZOFIE@example.com"}, "email"),
            ({"email": "zofie+new@example.com"}, "email"),
            ({"phone": "+420601000001"}, "phone"),
        ],
    )
    def test_of_who_was_known_by_phone_or_mail_keeps_the_reason(
        self, shop: Shop, code: str, changes: dict, reason: str
    ):
        assert bring(shop, code, **changes) == ("refused", reason)
        with shop.sessions() as session:
            assert session.execute(select(Referral.state, Referral.reason)).one() == ("refused", reason)

    def test_of_a_card_that_bought_before(self, shop: Shop, code: str):
        shop.post(shop.sale(1000, card_number=OTHER_CARD))
        shop.later(hours=1)
        assert bring(shop, code) == ("refused", "card")

    def test_of_who_comes_to_share_the_household_before_the_reward(self, shop: Shop, code: str):
        bring(shop, code)
        shop.post(shop.sale(10000, card_number=OTHER_CARD))
        with shop.sessions.begin() as session:
            new = session.scalars(select(Referral.referred_id)).one()
            invitation = invite(
                session,
                owner_id=_member(session, CARD),
                role="spender",
                now=shop.now,
                actor="desk",
            )
            join_household(
                session,
                member_id=new,
                code=invitation,
                place=Zone("Europe/Prague"),
                now=shop.now,
                actor="desk",
            )
        assert night(shop, shop.today + timedelta(days=20)) == {"refused": 1}

    def test_without_rules(self, shop: Shop):
        shop.enrol(CARD)
        with shop.sessions.begin() as session:
            code = referral_code_of(session, member_id=_member(session, CARD), now=shop.now)
        assert bring(shop, code) == ("refused", "off")


class TestACode:
    def test_is_one_for_a_member_however_often_it_is_asked_for_and_typed(self, shop: Shop, code: str):
        with shop.sessions.begin() as session:
            assert referral_code_of(session, member_id=_member(session, CARD), now=shop.now) == code
        assert bring(shop, f" {code[:4].lower()}-{code[4:]} ") == ("waiting", None)

    def test_that_nobody_has_is_refused(self, shop: Shop, code: str):
        with pytest.raises(UnknownReferralCode):
            bring(shop, "NOBODY22")


class TestRules:
    @pytest.mark.parametrize(
        "changes", [{"referrer_points": -1}, {"within_days": 0}, {"most_per_year": 10**6}]
    )
    def test_lie_within_limits(self, shop: Shop, changes: dict):
        with shop.sessions.begin() as session, pytest.raises(BadReferralRules):
            set_referral_rules(session, rules=Rules(**changes), actor="mara", now=shop.now)

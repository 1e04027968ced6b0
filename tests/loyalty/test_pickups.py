from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core.jobs import Shift
from core.keyset import Ask
from customers.models import Card
from loyalty.explanations import explain
from loyalty.jobs import expire_reservations
from loyalty.pickups import give_up, hand_over, list_pickups, pickup_of_code, reserve_for_pickup
from loyalty.redemptions import OtherStore, RedemptionExpired, RedemptionNotFound
from loyalty.reservations import Desk, Redemption
from loyalty.statements import list_statement
from rewards.models import Reward, RewardStock
from rewards.stocks.operations import Cause, OutOfStock, deliver
from tests.shop import CARD, OTHER_CARD, Shop
from tests.waiting import waiting_for_a_lock


@pytest.fixture
def mugs(shop: Shop) -> Shop:
    """A shop with two mugs, whose first card's member can afford a hundred."""
    shop.enrol(CARD)
    shop.enrol(OTHER_CARD, "Łukasz Wiśniewski")
    for card in (CARD, OTHER_CARD):
        shop.post(shop.sale(100_000, business_date=shop.today - timedelta(days=20), card_number=card))
    with shop.sessions.begin() as session:
        session.add(Reward(reward_code="MUG", name={"en": "Mug"}, points=10))
        session.flush()
        session.add(RewardStock(reward_code="MUG", store_id=shop.till.store_id, on_hand=1))
    return shop


def desk_of(shop: Shop, till: str = "T1") -> Desk:
    return Desk(shop.tills[till].store_id, "CZK", "Europe/Prague", "desk.person")


def aside(shop: Shop, card: str = CARD) -> Redemption:
    with shop.sessions.begin() as session:
        return reserve_for_pickup(
            session, desk=desk_of(shop), card_number=card, reward_code="MUG", now=shop.now
        )


def do(shop: Shop, act, held: Redemption, till: str = "T1") -> Redemption:
    with shop.sessions.begin() as session:
        return act(session, desk=desk_of(shop, till), redemption_id=held.redemption_id, now=shop.now)


def stock(shop: Shop) -> tuple[int, int]:
    with shop.sessions() as session:
        return tuple(session.execute(text("select on_hand, reserved from reward_stock")).one())


def lie_aside(shop: Shop) -> list[str]:
    with shop.sessions() as session:
        page = list_pickups(session, Ask("expires_at"), store_id=shop.till.store_id)
    return [row.pickup_code for row in page.rows]


class TestAGiftThatLiesAside:
    def test_is_held_to_the_end_of_its_last_day_with_its_points(self, mugs: Shop):
        held = aside(mugs)
        assert held.expires_at == datetime(2026, 11, 24, 23, tzinfo=UTC)
        assert (mugs.stands(), stock(mugs), lie_aside(mugs)) == ((990, 0, 10), (1, 1), [held.pickup_code])

    def test_is_handed_over_for_its_code_once(self, mugs: Shop):
        held = aside(mugs)
        with mugs.sessions() as session:
            code = f" {held.pickup_code.lower()} "
            assert pickup_of_code(session, code=code, store_id=mugs.till.store_id) == held.redemption_id
        for _ in range(2):
            assert do(mugs, hand_over, held).state == "posted"
        assert (mugs.stands(), stock(mugs), lie_aside(mugs)) == ((990, 0, 0), (0, 0), [])
        with mugs.sessions() as session, pytest.raises(RedemptionNotFound):
            pickup_of_code(session, code=held.pickup_code, store_id=mugs.till.store_id)

    def test_can_be_handed_over_by_a_till_too(self, mugs: Shop):
        assert mugs.hand_over(aside(mugs)).state == "posted"
        assert stock(mugs) == (0, 0)

    def test_stays_in_its_store(self, mugs: Shop):
        held = aside(mugs)
        with pytest.raises(OtherStore):
            do(mugs, hand_over, held, till="T3")

    def test_that_is_given_up_is_there_for_others_and_its_points_keep_their_end(self, mugs: Shop):
        before = mugs.card()["points"]
        held = aside(mugs)
        with pytest.raises(OutOfStock):
            aside(mugs, OTHER_CARD)
        do(mugs, give_up, held)
        assert (mugs.card()["points"], stock(mugs)) == (before, (1, 0))
        aside(mugs, OTHER_CARD)

    def test_that_nobody_came_for_goes_back_at_night(self, mugs: Shop, tmp_path: Path):
        held = aside(mugs)
        mugs.later(days=4)
        with pytest.raises(RedemptionExpired):
            do(mugs, hand_over, held)
        shift = Shift(mugs.sessions, tmp_path, mugs.today, mugs.now, lambda _done, _total: None)
        assert [expire_reservations(shift) for _ in range(2)] == [{"accounts": 1}, {"accounts": 0}]
        assert (mugs.stands(), stock(mugs), lie_aside(mugs)) == ((1000, 0, 0), (1, 0), [])

    def test_is_in_no_till_s_way_while_the_night_waits_for_an_account(self, mugs: Shop, tmp_path: Path):
        """A till that holds an account may want the gift next: whoever waits for accounts must not hold gifts."""
        with mugs.sessions.begin() as session:
            store_id = mugs.till.store_id
            deliver(session, reward_code="MUG", store_id=store_id, pieces=1, cause=Cause(mugs.now, "mara"))
        for card in (CARD, OTHER_CARD):
            aside(mugs, card)
        mugs.later(days=4)
        shift = Shift(mugs.sessions, tmp_path, mugs.today, mugs.now, lambda _done, _total: None)
        told: list[object] = []
        with mugs.sessions() as till:
            till.execute(
                text(
                    "select from balance where account_id = (select account_id from redemption order by 1 desc limit 1) for update"
                )
            )
            with waiting_for_a_lock(mugs.sessions, lambda: told.append(expire_reservations(shift))):
                till.execute(text("select from reward_stock for update nowait"))
                till.rollback()
        assert told == [{"accounts": 2}]
        assert (stock(mugs), lie_aside(mugs)) == ((2, 0), [])


class TestAStatement:
    def test_calls_the_gift_by_its_name_in_the_reader_s_language(self, mugs: Shop):
        with mugs.sessions.begin() as session:
            session.get_one(Reward, "MUG").name = {"en": "Mug", "cs": "Hrnek"}
        do(mugs, hand_over, aside(mugs))
        with mugs.sessions() as session:
            account = session.scalar(select(Card.account_id).where(Card.card_number == CARD))
            entries = list_statement(session, Ask("booked_at"), account_id=account).rows
        told = [explain(entry, language) for entry in entries for language in ("en", "cs")]
        assert sum("Mug" in words for words in told) == sum("Hrnek" in words for words in told) == 2
        assert not any("MUG" in words for words in told)

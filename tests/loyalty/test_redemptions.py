import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from core.errors import RegularsError
from customers.models import Card
from customers.queries import CardNotFound
from loyalty.redemptions import (
    AlreadyRedeemed,
    AlreadyReleased,
    CardBlocked,
    NotEnoughPoints,
    NotRegistered,
    OtherStore,
    RedemptionExpired,
    RedemptionNotFound,
    find_redemption,
    reserve,
)
from rewards.models import Reward, RewardStock
from rewards.queries import RewardNotFound
from rewards.stocks.operations import OutOfStock
from sales.receipts import OfflineRedemption, Totals
from tests.shop import CARD, OTHER_CARD, Shop


@pytest.fixture
def rich(shop: Shop) -> Shop:
    """A shop whose first card's member can spend a thousand points."""
    shop.enrol(CARD)
    shop.post(shop.sale(60000, business_date=shop.today - timedelta(days=20)))
    shop.post(shop.sale(40000, business_date=shop.today - timedelta(days=40)))
    assert shop.stands() == (1000, 0, 0)
    return shop


class TestReserve:
    def test_holds_points_for_ten_minutes(self, rich: Shop):
        held = rich.reserve(500)
        assert held.document(rich.now) == {
            "redemption_id": str(held.redemption_id),
            "state": "reserved",
            "expires_at": (rich.now + timedelta(minutes=10)).isoformat(),
            "points": 500,
            "value_amount": 5000,
        }
        assert rich.stands() == (500, 0, 500)

    def test_never_overdraws(self, rich: Shop):
        with pytest.raises(NotEnoughPoints):
            rich.reserve(1001)
        rich.reserve(1000)
        with pytest.raises(NotEnoughPoints):
            rich.reserve(1)
        assert rich.stands() == (0, 0, 1000)

    def test_leaves_pending_points_alone(self, shop: Shop):
        shop.enrol(CARD)
        shop.post(shop.sale(50000))
        with pytest.raises(NotEnoughPoints):
            shop.reserve(1)

    def test_is_for_members_only(self, shop: Shop):
        with pytest.raises(NotRegistered):
            shop.reserve(1)
        with pytest.raises(CardNotFound):
            shop.reserve(1, "2990000000033")

    @pytest.mark.parametrize("state", ["blocked", "replaced"])
    def test_is_refused_to_a_card_out_of_use(self, rich: Shop, state: str):
        with rich.sessions.begin() as session:
            card = session.get_one(Card, CARD)
            card.state, card.blocked_reason, card.blocked_at = state, "lost", rich.now
            card.replaced_by = OTHER_CARD
        with pytest.raises(CardBlocked):
            rich.reserve(1)


class TestARelease:
    def test_gives_points_back_and_says_so_again(self, rich: Shop):
        held = rich.reserve(500)
        assert rich.release(held).state == "released"
        assert rich.release(held).state == "released"
        assert rich.stands() == (1000, 0, 0)
        with pytest.raises(AlreadyReleased):
            rich.hand_over(held)


class TestAHandOver:
    def test_spends_points_and_says_so_again(self, rich: Shop):
        held = rich.reserve(500)
        assert rich.hand_over(held).state == "posted"
        assert rich.hand_over(held).state == "posted"
        assert rich.stands() == (500, 0, 0)
        with pytest.raises(AlreadyRedeemed):
            rich.release(held)


class TestAReservation:
    def test_is_over_after_ten_minutes_whether_booked_so_or_not(self, rich: Shop):
        held = rich.reserve(500)
        rich.later(minutes=10)
        assert rich.stands() == (1000, 0, 0)
        assert held.document(rich.now)["state"] == "expired"
        for resolve in (rich.release, rich.hand_over):
            with pytest.raises(RedemptionExpired):
                resolve(held)
        rich.reserve(900)
        assert rich.stands() == (100, 0, 900)
        with pytest.raises(RedemptionExpired):
            rich.release(held)

    def test_belongs_to_its_store(self, rich: Shop):
        held = rich.reserve(500)
        with rich.sessions() as session:
            found = find_redemption(session, till=rich.tills["T2"], redemption_id=held.redemption_id)
            assert found.points == 500
            with pytest.raises(OtherStore):
                find_redemption(session, till=rich.tills["T3"], redemption_id=held.redemption_id)
            with pytest.raises(RedemptionNotFound):
                find_redemption(session, till=rich.till, redemption_id=uuid4())


class TestAPaidReceipt:
    def test_spends_what_was_reserved_and_earns_on_the_rest(self, rich: Shop):
        held = rich.reserve(500)
        answer = rich.points(rich.paid_with(held))
        assert (answer["earned"], answer["spent"]) == (50, 500)
        assert rich.stands() == (500, 50, 0)
        with pytest.raises(AlreadyRedeemed):
            rich.release(held)

    def test_spends_an_expired_reservation_all_the_same(self, rich: Shop):
        held = rich.reserve(800)
        rich.later(minutes=11)
        other = rich.reserve(700)
        assert rich.flags(rich.paid_with(held)) == [("over_redeemed", None)]
        assert rich.stands() == (-500, 20, 700)
        assert rich.flags(rich.paid_with(other)) == []
        assert rich.stands() == (-500, 50, 0)

    def test_spends_an_expired_reservation_that_nobody_missed(self, rich: Shop):
        held = rich.reserve(800)
        rich.later(minutes=11)
        assert rich.flags(rich.paid_with(held)) == [("over_redeemed", None)]
        assert rich.stands() == (200, 20, 0)

    @pytest.mark.parametrize("booked", [False, True], ids=["nobody booked its end", "its end was booked"])
    def test_spends_one_that_was_over_before_its_points_ended_below_zero(self, rich: Shop, booked):
        """It is over when its time is, not when somebody notices: its points went back, and ended there."""
        held = rich.reserve(800)
        rich.later(days=3 * 366)
        if booked:
            rich.post(rich.sale(99))
        assert rich.flags(rich.paid_with(held)) == [("over_redeemed", None)]
        assert rich.stands() == (-800, 20, 0)

    def test_spends_a_released_reservation_all_the_same(self, rich: Shop):
        held = rich.reserve(800)
        rich.release(held)
        assert rich.flags(rich.paid_with(held)) == [("over_redeemed", None)]
        assert rich.stands() == (200, 20, 0)

    def test_spends_nothing_twice(self, rich: Shop):
        """Reward charged again, points redeemed through another document: the bugs of others."""
        held = rich.reserve(300)
        rich.post(rich.paid_with(held))
        assert rich.flags(rich.paid_with(held)) == [("over_redeemed", None)]
        again = rich.reserve(100)
        rich.hand_over(again)
        assert rich.flags(rich.paid_with(again, again)) == [("over_redeemed", None)]
        assert rich.stands()[0] == 600

    def test_flags_a_redemption_that_nobody_knows(self, rich: Shop):
        assert rich.flags(rich.sale(100, redemption_ids=("x", str(uuid4())))) == [("over_redeemed", None)] * 2
        assert rich.stands()[0] == 1000

    def test_leaves_reservations_alone_in_training(self, rich: Shop):
        held = rich.reserve(300)
        rich.post(rich.paid_with(held, mode="training"))
        assert rich.stands() == (700, 0, 300)

    def test_spends_another_cards_points_from_its_own_account(self, rich: Shop):
        held = rich.reserve(300)
        sale = rich.paid_with(held, card_number=OTHER_CARD)
        answer = rich.points(sale)
        assert (answer["earned"], answer["spent"], answer["balance"]) == (70, 300, 70)
        assert rich.stands() == (700, 0, 0)
        back = rich.points(rich.back(sale, {1: "1"}))
        assert (back["reversed"], back["returned"]) == (70, 300)
        assert (rich.stands(), rich.stands(OTHER_CARD)) == ((1000, 0, 0), (0, 0, 0))

    def test_without_card_spends_too(self, rich: Shop):
        held = rich.reserve(300)
        sale = rich.paid_with(held, card_number=None)
        assert rich.points(sale) == {"spent": 300}
        assert rich.stands() == (700, 0, 0)
        assert rich.points(rich.void(sale)) == {"returned": 300}
        assert rich.stands() == (1000, 0, 0)

    def test_counts_the_value_as_stated_and_flags_another(self, rich: Shop):
        held = rich.reserve(300)
        sale = rich.paid_with(held)
        odd = replace(sale, totals=replace(sale.totals, points_amount=2900, payable_amount=7100))
        answer = rich.post(odd)
        assert answer["points"]["earned"] == 71
        assert "totals_mismatch" in {flag["code"] for flag in answer["flags"]}

    def test_spends_offline_whatever_the_balance(self, rich: Shop):
        sale = rich.sale(
            20000,
            offline=True,
            offline_redemptions=(OfflineRedemption(1500, "x"),),
            totals=Totals(payable_amount=5000, points_amount=15000),
        )
        assert rich.flags(sale) == [("over_redeemed", None), ("over_redeemed", None)]
        assert rich.stands() == (-500, 50, 0)


class TestSpentPoints:
    def test_come_back_in_proportion_to_their_lots(self, rich: Shop):
        held = rich.reserve(500)
        sale = rich.paid_with(held, totals=(7500, 2500))
        rich.post(sale)
        assert rich.points(rich.back(sale, {2: "1"})) == {
            "reversed": 12,
            "returned": 125,
            "balance": 663,
            "available": 625,
            "pending": 38,
        }
        rich.post(rich.back(sale, {1: "1"}))
        assert rich.stands() == (1000, 0, 0)
        ends = rich.card()["points"]["expiring"]
        assert ends == []

    def test_are_taken_again_by_the_void_of_a_return(self, rich: Shop):
        held = rich.reserve(500)
        sale = rich.paid_with(held)
        back = rich.back(sale, {1: "1"})
        rich.post(sale)
        rich.post(back)
        answer = rich.points(rich.void(back))
        assert (answer["earned"], answer["spent"]) == (50, 500)
        assert rich.stands() == (500, 50, 0)

    def test_come_back_when_the_sale_is_voided(self, rich: Shop):
        held = rich.reserve(500)
        sale = rich.paid_with(held)
        rich.post(sale)
        assert rich.points(rich.void(sale)) == {
            "reversed": 50,
            "returned": 500,
            "balance": 1000,
            "available": 1000,
        }

    def test_come_back_to_a_return_that_was_there_before_its_sale(self, rich: Shop):
        held = rich.reserve(500)
        sale = rich.paid_with(held)
        rich.post(rich.back(sale, {1: "1"}))
        answer = rich.points(sale)
        assert (answer["earned"], answer["spent"], answer["balance"]) == (50, 500, 1000)


class TestAReward:
    @pytest.fixture
    def mugs(self, rich: Shop) -> Shop:
        with rich.sessions.begin() as session:
            session.add(Reward(reward_code="MUG", name={"en": "Mug", "cs": "Hrnek"}, points=10))
            session.add(Reward(reward_code="WASH", name={"en": "Car wash"}, points=2000))
            session.flush()
            session.add(RewardStock(reward_code="MUG", store_id=rich.till.store_id, on_hand=1))
        return rich

    def order(self, shop: Shop, code: str) -> None:
        with shop.sessions.begin() as session:
            reserve(session, till=shop.till, card_number=CARD, reward_code=code, now=shop.now)

    def test_is_shown_to_who_can_afford_it(self, mugs: Shop):
        assert mugs.card()["rewards"] == [{"reward_code": "MUG", "name": "Hrnek", "points": 10}]

    def test_costs_its_points_and_a_piece(self, mugs: Shop):
        self.order(mugs, "MUG")
        assert mugs.stands() == (990, 0, 10)
        assert mugs.card()["rewards"] == []
        with pytest.raises(OutOfStock):
            self.order(mugs, "MUG")
        mugs.later(minutes=11)
        self.order(mugs, "MUG")

    def test_that_nobody_offers_is_not_found(self, mugs: Shop):
        with pytest.raises(RewardNotFound):
            self.order(mugs, "CUP")
        with pytest.raises(NotEnoughPoints):
            self.order(mugs, "WASH")

    def test_goes_to_exactly_one_of_sixteen(self, mugs: Shop):
        assert contend(lambda: self.order(mugs, "MUG")) == 1
        with mugs.sessions() as session:
            assert session.execute(text("select on_hand, reserved from reward_stock")).one() == (1, 1)


def contend(attempt: Callable[[], object]) -> int:
    """Let sixteen try the same thing at once and return how many succeeded; the others must hear a clear no."""
    start = threading.Barrier(16)

    def run(_: int) -> bool:
        start.wait()
        try:
            attempt()
        except RegularsError:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        return sum(threads.map(run, range(16)))


class TestAtOnce:
    """R4 in small: real threads on a real database."""

    def test_the_last_points_go_to_exactly_one(self, rich: Shop):
        for round_ in range(1, 4):
            assert contend(lambda: rich.reserve(1000)) == 1
            assert rich.stands() == (0, 0, 1000)
            rich.later(minutes=11)
            assert rich.stands() == (1000, 0, 0), round_

    def test_a_reservation_is_resolved_once(self, rich: Shop):
        held = rich.reserve(400)
        outcomes = []

        def either() -> None:
            resolve = rich.release if len(outcomes) % 2 else rich.hand_over
            outcomes.append(resolve)
            resolve(held)

        contend(either)
        assert rich.stands() in {(1000, 0, 0), (600, 0, 0)}

    def test_one_redemption_pays_one_of_many_receipts(self, rich: Shop):
        held = rich.reserve(400)
        sales = [rich.paid_with(held, card_number=OTHER_CARD) for _ in range(8)]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(rich.post, sales))
        assert sum(answer["points"]["spent"] for answer in answers) == 400
        assert rich.stands() == (600, 0, 0)

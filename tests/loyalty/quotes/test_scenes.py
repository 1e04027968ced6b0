"""What a quote asks in one question is what cards, baskets and decisions are asked for one by one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from campaigns.scenes import SCENE, scene_values
from campaigns.till_offers import TillOffers
from core.clock import business_day
from core.driver import ask
from customers.card_changes import block_card, replace_card
from customers.operations import issue_cards
from customers.queries import CardNotFound
from loyalty.queries import standing_of_card
from loyalty.quotes.scenes import QUESTION, ask_about
from loyalty.shoppers import ask_scene
from loyalty.shoppers import scene_values as basket_values
from rewards.live_book import live_book
from rewards.models import Reward
from sales.baskets import Basket, BasketLine
from sales.queries import till_of_key
from sales.staff_cards import register_staff_card
from tests.campaigns.conftest import CARD, OTHER_CARD, chain, client, served, tills
from tests.pos_api.test_offers import TEA10, live
from tests.tiers import let_hold, three_tiers

__all__ = ["chain", "client", "served", "tills"]

NEW_CARD = "2990000000057"
PATIENCE = timedelta(seconds=20)


def basket_of(card: str | None, *skus: str) -> Basket:
    lines = tuple(
        BasketLine(number, Decimal(1), 1000, sku=sku, tax_rate=Decimal(12))
        for number, sku in enumerate(skus, 1)
    )
    return Basket("CZK", lines, card_number=card)


def compare(served, card: str | None) -> None:
    """Ask both ways, for a basket of a known article, an unknown one and one with a barcode only."""
    basket = basket_of(card, "tea", "nobody's", "butter")
    now = datetime.now(UTC)
    with served.sessions() as session:
        till = till_of_key(session, served.till.key)
        today = business_day(now, till.timezone)
        book = live_book(session)
        adviser = TillOffers.for_quote(session, till=till, basket=basket, now=now)
        # A slow machine may take longer than a till waits.
        question = adviser.question and {**adviser.question, "patience": PATIENCE}
        found = ask_about(session, basket, till, live=book, at=now, now=now, today=today, advice=question)
        try:
            standing = standing_of_card(
                session, card_number=card or "", store_id=till.store_id, now=now, today=today
            )
        except CardNotFound:
            standing = None
        assert found.standing == standing
        values = basket_values(
            session,
            lines=basket.lines,
            card_number=card,
            store_id=till.store_id,
            at=now,
            asks_first=book.asks_first,
        )
        scene = ask_scene(session, lines=basket.lines, values=values)
        assert found.scene(basket) == scene
        assert found.generation == scene.generation
        if adviser.question is None:
            assert found.advice is None
            return
        alone = scene_values(
            at=now,
            today=today,
            card_number=card,
            store_id=till.store_id,
            common=adviser.question["common"],
            asks_person=adviser.question["asks_person"],
            patience=PATIENCE,
        )
        assert found.advice == ask(session, SCENE, alone).fetchone()[0]


@pytest.fixture
def offered(served):
    live(served.sessions, TEA10 | {"audience": {"who": "members", "first_purchase": True}})
    served.ranked("honey", "lemon", "bread")
    return served


def pay(served, *skus: str, card: str = CARD) -> None:
    """Post a sale, which earns."""
    answer = served.till.post("/receipts", served.sale(*skus, card=card)).get_json()
    assert answer["points"]["earned"] > 0


class TestOneQuestion:
    def test_of_no_card(self, offered):
        compare(offered, None)

    def test_of_a_card_that_was_never_seen(self, offered):
        compare(offered, "2990000000095")

    def test_of_a_member_with_points_that_end_and_a_gift_within_reach(self, offered):
        with offered.sessions.begin() as session:
            session.add(Reward(reward_code="MUG", name={"cs": "Hrnek"}, points=100, active=True))
            session.add(Reward(reward_code="GONE", name={"cs": "Nic"}, points=50, active=True))
        offered.do(
            "insert into reward_stock (reward_code, store_id, on_hand) select 'GONE', store_id, 0 from store"
        )
        pay(offered, "tea", "honey")
        offered.do(
            "update lot set expires_at = now() + interval '9 days', available_at = now() - interval '1 day'"
        )
        pay(offered, "bread")
        compare(offered, CARD)

    def test_of_points_that_have_ended_and_a_reservation_that_is_over(self, offered):
        pay(offered, "tea", "honey")
        offered.do(
            "update lot set available_at = now() - interval '9 days', expires_at = now() - interval '1 day'"
        )
        pay(offered, "bread")
        offered.do(
            "insert into redemption (redemption_id, account_id, card_number, store_id, points, value_amount, state, reserved_at,"
            " expires_at) select gen_random_uuid(), :account, :card, store_id, 5, 500, 'reserved', now() - interval '1 hour',"
            " now() - interval '1 minute' from store limit 1",
            account=offered.account(),
            card=CARD,
        )
        compare(offered, CARD)

    def test_of_a_card_without_a_member(self, offered):
        with offered.sessions.begin() as session:
            issue_cards(session, card_numbers=[NEW_CARD], now=datetime.now(UTC), actor="test")
        compare(offered, NEW_CARD)
        pay(offered, "tea", card=NEW_CARD)
        compare(offered, NEW_CARD)

    def test_of_a_card_that_was_replaced_and_the_one_that_was_blocked(self, offered):
        pay(offered, "tea")
        with offered.sessions.begin() as session:
            replace_card(
                session,
                card_number=CARD,
                new_card_number=NEW_CARD,
                reason="lost",
                now=datetime.now(UTC),
                actor="test",
                has_history=lambda _: False,
            )
        compare(offered, CARD)
        with offered.sessions.begin() as session:
            block_card(session, card_number=NEW_CARD, reason="stolen", now=datetime.now(UTC), actor="test")
        compare(offered, NEW_CARD)
        compare(offered, CARD)

    def test_of_a_member_in_a_group_who_objects_later(self, offered):
        offered.do(
            "insert into member_standing (run_id, member_id, phase, phase_since, value_class, value_since, financial, margin,"
            " financial_rank, informational, told_profile, told_consents, told_answers, told_redemptions, reference_value,"
            " brought, household, visits, silence, usual_gap, long_gap, lost_gap)"
            " values (:run, :member, 'peak', current_date, 'vip', current_date, 1, false, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 7, 14, 42)",
            run=offered.run_id,
            member=offered.member(),
        )
        offered.do(
            "insert into group_membership (run_id, member_id, group_id, baskets) values (:run, :member, 'G-1', 9)",
            run=offered.run_id,
            member=offered.member(),
        )
        compare(offered, CARD)
        offered.do("update member set profiling_objected_at = now()")
        compare(offered, CARD)

    def test_of_who_works_here_and_of_a_company(self, offered):
        offered.ranked("butter", card=OTHER_CARD)
        with offered.sessions.begin() as session:
            register_staff_card(
                session,
                card_number=OTHER_CARD,
                store_code="S1",
                operator_code="17",
                name="Eva",
                now=datetime.now(UTC) - timedelta(days=1),
                actor="boss",
            )
        compare(offered, OTHER_CARD)
        offered.do("update member set company_name = 'Firma', birth_date = '1980-02-29'")
        compare(offered, OTHER_CARD)

    def test_of_a_tier_that_was_reached_and_of_one_that_nobody_has_looked_at(self, offered):
        offered.member()
        let_hold(offered.sessions, three_tiers(), date(2026, 1, 1), now=datetime.now(UTC))
        compare(offered, CARD)
        pay(offered, "tea", "honey", "bread")
        compare(offered, CARD)


LOCK = 20261123
LATER = f"with wait as materialized (select pg_advisory_xact_lock({LOCK})) {QUESTION} from wait"
"""The question, that begins at once and is answered when the lock is free."""


class TestOneMoment:
    def answer(self, served, question: str, values: dict[str, Any]) -> Any:
        with served.sessions() as session:
            return ask(session, question, values).fetchone()[0]

    def test_shows_nothing_that_is_booked_while_it_is_answered(self, offered):
        pay(offered, "bread")
        now, basket = datetime.now(UTC), basket_of(CARD, "tea")
        with offered.sessions() as session:
            till, live_now = till_of_key(session, offered.till.key), live_book(session)
            today = business_day(now, till.timezone)
            values = ask_about(
                session, basket, till, live=live_now, at=now, now=now, today=today, advice=None
            ).values
        before = self.answer(offered, QUESTION, values)
        with offered.sessions() as holder, ThreadPoolExecutor(1) as beside:
            holder.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            answer = beside.submit(self.answer, offered, LATER, values)
            waiting = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
            while not holder.scalar(waiting):
                assert not answer.done()
            pay(offered, "tea", "honey")
            holder.rollback()
            assert answer.result() == before
        assert self.answer(offered, QUESTION, values) != before

"""What a live sale asks in one question is what its opening, its basket and the next offer are asked for one by one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from campaigns.scenes import SCENE, scene_values
from campaigns.till_offers import TillOffers
from core.clock import business_day
from core.database import make_engine, make_sessions
from core.driver import ask
from customers.card_changes import block_card, replace_card
from customers.operations import issue_cards
from loyalty.opening import open_receipt
from loyalty.programme.rules import DEFAULT, NOTHING_EXCLUDED, Excluded
from loyalty.receipt_baskets import open_with_look
from loyalty.receipt_scenes import Look, ask_about
from loyalty.shoppers import SCENE as BASKET
from loyalty.shoppers import scene_values as basket_values
from loyalty.tiers.state import asked
from loyalty.tiers.versions import schemes
from pos_api.schemas import RECEIPT
from rewards.live_book import live_book
from sales.queries import till_of_key
from sales.receipts import PostedReceipt
from sales.staff_cards import register_staff_card
from tests.campaigns.conftest import CARD, OTHER_CARD, Served, chain, client, named, served, tills
from tests.pos_api.test_offers import TEA10, live
from tests.tiers import let_hold, three_tiers

__all__ = ["chain", "client", "served", "tills"]

NEW_CARD = "2990000000057"
PATIENCE = timedelta(seconds=20)
BASKET_SKUS = ("tea", "nobody's", "butter")
STAPLES = Excluded(categories=frozenset({"Dairy"}), articles=frozenset({"tea"}))


def compare(served: Served, body: dict[str, Any], *, excluded: Excluded = NOTHING_EXCLUDED) -> dict[str, Any]:
    """Ask both ways about one receipt and keep nothing; return what the opening was."""
    now = datetime.now(UTC)
    posted = RECEIPT.read(body)
    with served.sessions() as session:
        till = till_of_key(session, served.till.key)
        today, book = business_day(now, till.timezone), live_book(session)
        tiers = asked(schemes(session), posted.business_date)
        adviser = TillOffers.for_receipt(session, till=till, posted=posted, now=now)
        # A slow machine may take longer than a till waits.
        question = adviser and adviser.question and {**adviser.question, "patience": PATIENCE}
        opened = open_receipt(session, till=till, posted=posted, now=now, excluded=excluded, tiers=tiers)
        opening, look = ask_about(
            session,
            till,
            posted,
            now=now,
            today=today,
            tiers=tiers,
            excluded=excluded,
            asks_buyer=True,
            asks_first=book.asks_first,
            advice=question,
        )
        assert opening == opened
        if opening.known is not None:
            assert look is None
            return {"opening": opening}
        assert look is not None
        values = basket_values(
            session,
            lines=posted.lines,
            card_number=posted.card_number,
            store_id=till.store_id,
            at=posted.closed_at,
            asks_first=book.asks_first,
        )
        assert tuple(look.basket) == tuple(ask(session, BASKET, values).fetchone())
        assert look.values == {"skus": values["skus"], "gtins": values["gtins"]}
        if question is None:
            assert look.advice is None
        else:
            alone = scene_values(
                at=now,
                today=today,
                card_number=posted.card_number,
                store_id=till.store_id,
                common=question["common"],
                asks_person=question["asks_person"],
                hold=True,
                patience=PATIENCE,
            )
            assert look.advice == ask(session, SCENE, alone).fetchone()[0]
        session.rollback()
        return {"opening": opening, "look": look}


@pytest.fixture
def offered(served):
    live(served.sessions, TEA10 | {"audience": {"who": "members", "first_purchase": True}})
    served.ranked("honey", "lemon", "bread")
    return served


def pay(served: Served, *skus: str, card: str | None = CARD, **changes: Any) -> dict[str, Any]:
    """Post a sale and return its body."""
    body = served.sale(*skus, card=card, **changes)
    assert served.till.post("/receipts", body).status_code == 201
    return body


def sale(served: Served, card: str | None = CARD, **changes: Any) -> dict[str, Any]:
    return served.sale(*BASKET_SKUS, card=card, **changes)


class TestOneQuestion:
    def test_of_no_card(self, offered):
        told = compare(offered, sale(offered, None))
        assert told["opening"].card is None

    def test_of_a_card_that_was_never_seen(self, offered):
        assert compare(offered, sale(offered, "2990000000095"))["opening"].card is None

    def test_of_a_member_who_was_here_a_moment_ago_with_points_that_end(self, offered):
        pay(offered, "tea", "honey")
        offered.do(
            "update lot set expires_at = now() + interval '9 days', available_at = now() - interval '1 day'"
        )
        pay(offered, "bread", operator_code="17")
        opening = compare(offered, sale(offered, operator_code="17"))["opening"]
        assert opening.held.expiring
        assert opening.seen.today >= 2
        assert opening.seen.by_operator == 1

    def test_of_points_that_have_ended(self, offered):
        pay(offered, "tea", "honey")
        offered.do(
            "update lot set available_at = now() - interval '9 days', expires_at = now() - interval '1 day'"
        )
        assert compare(offered, sale(offered))["opening"].held.due > 0

    def test_of_a_receipt_that_is_there(self, offered):
        body = pay(offered, *BASKET_SKUS)
        assert compare(offered, body)["opening"].known.answer["receipt_id"]

    def test_of_a_sale_that_its_return_came_before(self, offered):
        body = sale(offered)
        back = offered.sale("tea", type="return") | {"original": named(body)}
        back["lines"][0] |= {"original_line_number": 1, "reason": "faulty"}
        assert offered.till.post("/receipts", back).status_code == 201
        assert compare(offered, body)["opening"].waiting

    def test_of_a_sale_that_names_another(self, offered):
        first = pay(offered, "tea")
        assert compare(offered, sale(offered, original=named(first)))["opening"].original_receipt

    def test_of_a_sale_that_names_its_quote(self, offered):
        tea = {"kind": "items", "select": {"categories": ["Tea"]}, "quantity": "1"}
        live(offered.sessions, TEA10 | {"condition": tea})
        quoted = offered.quote(*BASKET_SKUS)
        opening = compare(offered, sale(offered, quote_id=quoted["quote_id"]))["opening"]
        assert str(opening.quote.quote_id) == quoted["quote_id"]
        assert opening.quote.promise.applied
        assert compare(offered, sale(offered, quote_id=str(uuid4())))["opening"].quote is None
        assert compare(offered, sale(offered, quote_id="none"))["opening"].quote is None

    def test_of_a_card_from_stock_and_of_one_without_a_member(self, offered):
        with offered.sessions.begin() as session:
            issue_cards(session, card_numbers=[NEW_CARD], now=datetime.now(UTC), actor="test")
        compare(offered, sale(offered, NEW_CARD))
        pay(offered, "tea", card=NEW_CARD)
        opening = compare(offered, sale(offered, NEW_CARD))["opening"]
        assert opening.card.account_id
        assert opening.card.member_id is None

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
        compare(offered, sale(offered))
        with offered.sessions.begin() as session:
            block_card(session, card_number=NEW_CARD, reason="stolen", now=datetime.now(UTC), actor="test")
        compare(offered, sale(offered, NEW_CARD))
        assert compare(offered, sale(offered))["opening"].card.state == "blocked"

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
        assert compare(offered, sale(offered))["look"].basket[5] == ["G-1"]
        offered.do("update member set profiling_objected_at = now()")
        assert compare(offered, sale(offered))["look"].basket[5] is None

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
        opening = compare(offered, sale(offered, OTHER_CARD, operator_code="17"))["opening"]
        assert opening.seen.own_card
        offered.do("update member set company_name = 'Firma', birth_date = '1980-02-29'")
        compare(offered, sale(offered, OTHER_CARD))

    def test_of_a_tier_that_was_reached_and_of_one_that_nobody_has_looked_at(self, offered):
        offered.member()
        let_hold(offered.sessions, three_tiers(), date(2026, 1, 1), now=datetime.now(UTC))
        compare(offered, sale(offered))
        pay(offered, "tea", "honey", "bread")
        assert compare(offered, sale(offered))["opening"].tier is not None

    def test_of_articles_that_earn_nothing(self, offered):
        told = compare(offered, sale(offered), excluded=STAPLES)
        assert told["opening"].excluded == {1, 3}

    def test_of_a_foreign_currency_and_of_who_paid_long_ago(self, offered):
        compare(offered, sale(offered, currency="EUR"))
        old = sale(offered) | {"closed_at": (datetime.now(UTC) - timedelta(hours=3)).isoformat()}
        assert compare(offered, old)["look"].advice is None


BONUS: dict[str, Any] = {
    "code": "WELCOME",
    "name": {"en": "Welcome"},
    "condition": {"kind": "always"},
    "benefit": {"kind": "points", "points": 50},
    "audience": {"who": "members", "first_purchase": True},
}


def earned(served: Served, body: dict[str, Any]) -> int:
    answer = served.till.post("/receipts", body)
    assert answer.status_code == 201
    return answer.get_json()["points"]["earned"]


class TestOffers:
    def test_that_went_live_elsewhere_meanwhile_hold_for_the_next_sale(self, served, database_url: str):
        served.member()
        served.do("delete from receipt")
        assert earned(served, sale(served, None)) == 0
        elsewhere = make_engine(database_url)
        live(make_sessions(elsewhere), BONUS)
        elsewhere.dispose()
        assert earned(served, sale(served)) == 30 + 50
        assert earned(served, sale(served)) == 30, "it is for the first purchase"

    def test_give_nothing_to_a_sale_in_a_foreign_currency(self, served):
        live(served.sessions, BONUS | {"audience": {"who": "everyone"}})
        earned(served, sale(served, currency="EUR"))
        assert served.rows("select count(*) from offer_use")[0][0] == 0
        earned(served, sale(served))
        assert served.rows("select count(*) from offer_use")[0][0] == 1


class TestASaleThatAsksNothingOfTheNight:
    def test_waits_for_nothing_of_it(self, served, owner_engine):
        served.member()
        with owner_engine.begin() as owner:
            owner.execute(text("lock table served_run, member_standing in access exclusive mode"))
            answer = served.till.post("/receipts", sale(served))
            assert answer.status_code == 201
            assert answer.get_json()["next_offers"] == []


class TestALook:
    @pytest.mark.parametrize("changes", [{"mode": "training"}, {"mode": "suspended"}, {"type": "return"}])
    def test_is_for_live_sales_only(self, served, changes):
        posted = RECEIPT.read(sale(served, **changes))
        assert self.look(served, posted, imported=False) is None

    def test_is_not_for_past_receipts_from_files(self, served):
        posted = RECEIPT.read(sale(served))
        assert self.look(served, posted, imported=True) is None
        assert self.look(served, posted, imported=False) is not None

    def look(self, served: Served, posted: PostedReceipt, *, imported: bool) -> Look | None:
        now = datetime.now(UTC)
        with served.sessions() as session:
            till = till_of_key(session, served.till.key)
            _, look = open_with_look(session, till, posted, DEFAULT, None, None, now=now, imported=imported)
            session.rollback()
            return look

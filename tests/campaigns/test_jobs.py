"""What the night writes down for decisions, finds out about them, and forgets."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from campaigns.decision_lists import decisions_of_member, open_offers
from campaigns.jobs import follow_decisions, prepare_decisions
from campaigns.outcomes import report
from campaigns.verification import CHECKS
from core.jobs import Shift
from core.verification import verify
from pos_api import examples
from tests.campaigns.conftest import CARD
from tests.pos_api.test_offers import live


def today() -> date:
    return (datetime.now(UTC) + timedelta(hours=1)).date()


@pytest.fixture
def shift(served, tmp_path):
    return Shift(
        sessions=served.sessions,
        data=tmp_path,
        business_day=today(),
        now=datetime.now(UTC),
        report=lambda _done, _total: None,
    )


class TestPrepare:
    def test_writes_down_what_stores_sold_and_what_most_baskets_hold(self, served, shift):
        served.do("delete from sold_lately")
        for skus in (["tea", "milk"], ["milk"], ["milk", "honey"]):
            assert served.till.post("/receipts", served.sale(*skus)).status_code == 201
        found = prepare_decisions(shift)
        assert (found["stores"], found["sold_lately"]) == (1, 3)
        assert served.rows("select article_ids from store_offers") == [([served.ids["milk"]],)]
        assert prepare_decisions(shift)["months_made"] == 0

    def test_keeps_what_was_brought_back_as_faulty(self, served, shift):
        served.member()
        sale = served.sale("honey")
        served.till.post("/receipts", sale)
        back = served.sale("honey", type="return")
        names = ("business_date", "receipt_number")
        back["original"] = {"store_code": "S1", "till_code": "T1", **{name: sale[name] for name in names}}
        back["lines"][0] |= {"original_line_number": 1, "reason": "faulty"}
        served.till.post("/receipts", back)
        assert prepare_decisions(shift)["returned_faulty"] == 1
        assert served.rows("select article_id from returned_faulty") == [(served.ids["honey"],)]

    def test_forgets_what_was_not_brought_back_as_faulty_after_all(self, served, shift):
        served.member()
        kept = "select article_id from returned_faulty"
        twice = [served.bring_back_faulty("honey") for _ in range(2)]
        prepare_decisions(shift)
        for back, left in zip(twice, [[(served.ids["honey"],)], []], strict=True):
            served.void(back)
            prepare_decisions(shift)
            assert served.rows(kept) == left

    def test_moves_decisions_into_the_month_that_is_made(self, served, shift):
        served.ranked("honey")
        served.told("tea")
        where = "select tableoid::regclass::text from decision"
        assert served.rows(where) == [("decision_default",)]
        prepare_decisions(shift)
        assert served.rows(where) == [(f"decision_{today():%Y%m}",)]


class TestFollow:
    def test_finds_what_was_bought_of_what_was_told(self, served, shift):
        served.ranked("honey", "lemon", "bread")
        told = served.quote("tea")["next_offers"]
        served.react("accepted", decision_id=told[1]["decision_id"])
        served.till.post("/receipts", served.sale("tea", "honey"))
        assert follow_decisions(shift)["bought"] == 1
        assert follow_decisions(shift)["bought"] == 0
        with served.sessions() as session:
            views = {one.sku: one.outcome for one in decisions_of_member(session, served.member())}
            [row] = report(session, first=today() - timedelta(days=1), last=today() + timedelta(days=1))
        assert views == {"honey": "bought", "lemon": "accepted", "bread": None}
        assert (row.channel, row.explored, row.shown, row.accepted, row.refused, row.bought) == (
            "till",
            False,
            3,
            1,
            0,
            1,
        )

    def test_finds_what_a_card_without_a_member_bought(self, served, shift):
        served.do(
            "insert into store_offers select store_id, cast(:ids as integer[]), current_date from store",
            ids=[served.ids["milk"]],
        )
        served.read()
        card = examples.CARD_NUMBER
        assert served.told("tea", card=card) == ["milk"]
        for _twice in range(2):
            served.till.post("/receipts", served.sale("milk", card=card))
        assert follow_decisions(shift)["bought"] == 1

    def test_forgets_months_that_are_over_a_year_past(self, served, shift, owner_engine):
        old = today() - timedelta(days=500)
        served.do("select ensure_decision_months(:old, :old)", old=old)
        served.ranked("honey")
        served.told("tea")
        served.do(
            "insert into decision select cast(:old as date), decision_id, at, member_id, account_id, channel, store_id, article_id, "
            "offer_code, score, propensity, explored, reason, context from decision",
            old=old,
        )
        assert follow_decisions(shift)["months_forgotten"] == 1
        assert served.rows("select count(*) from decision") == [(1,)]


class TestOpenOffers:
    def test_are_what_was_told_and_neither_bought_answered_nor_refused(self, served):
        served.ranked("honey", "lemon", "bread", "butter")
        told = served.quote("tea")["next_offers"]
        served.quote("tea", "honey")
        served.react("accepted", decision_id=told[1]["decision_id"])
        served.till.post("/receipts", served.sale("honey"))
        with served.sessions() as session:
            names = [one.sku for one in open_offers(session, served.member(), now=datetime.now(UTC))]
        assert sorted(names) == ["bread", "butter"]
        served.react("never", sku="butter", scope="category")
        with served.sessions() as session:
            assert [one.sku for one in open_offers(session, served.member(), now=datetime.now(UTC))] == [
                "bread"
            ]

    def test_are_none_that_a_refused_offer_made_cheaper(self, served):
        served.ranked("honey", "bread")
        live(
            served.sessions,
            {
                "code": "BREAD50",
                "name": {"en": "Half price bread"},
                "condition": {"kind": "items", "select": {"skus": ["bread"]}, "quantity": "1"},
                "benefit": {"kind": "percent", "off": "50"},
            },
        )
        assert "BREAD50" in [offer["offer_code"] for offer in served.quote("tea")["next_offers"]]
        served.react("never", offer_code="BREAD50")
        with served.sessions() as session:
            standing = open_offers(session, served.member(), now=datetime.now(UTC))
        assert [one.sku for one in standing] == ["honey"]


class TestChecks:
    def test_hold_where_refusals_are_heeded(self, served):
        served.ranked("honey", "lemon", "bread", "butter")
        told = served.quote("tea")["next_offers"]
        served.react("never", decision_id=told[0]["decision_id"])
        served.quote("tea")
        assert [verdict.violations for verdict in verify(served.sessions, CHECKS)] == [0]

    def test_find_what_was_offered_after_it_was_refused(self, served):
        served.ranked("honey")
        served.quote("tea")
        with served.sessions.begin() as session:
            session.execute(
                text(
                    "insert into reaction (account_id, member_id, card_number, reaction, scope, sku, article_id, channel, actor, recorded_at) "
                    "select account_id, member_id, :card, 'never', 'item', 'honey', :article, 'desk', 'test', at - interval '1 hour' from decision"
                ),
                {"card": CARD, "article": served.ids["honey"]},
            )
        [verdict] = verify(served.sessions, CHECKS)
        assert verdict.violations == 1

    def test_find_what_was_offered_to_who_had_objected(self, served):
        served.ranked("honey")
        served.quote("tea")
        served.do("update member set profiling_objected_at = now() - interval '1 hour'")
        [verdict] = verify(served.sessions, CHECKS)
        assert verdict.violations == 1

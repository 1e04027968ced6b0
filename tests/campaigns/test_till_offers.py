"""What tills are told to offer next, and that they are never told it late, twice or at the price of a sale."""

import logging
from datetime import UTC, datetime, timedelta
from threading import Thread

import psycopg
import pytest
from sqlalchemy import text
from werkzeug.serving import make_server

from campaigns import decisions
from campaigns.decisions import ask_again, may_ask
from campaigns.scenes import SCENE
from core import driver
from core.driver import ask
from core.trips import travel
from customers.operations import issue_cards
from loyalty.households import adopt_card
from loyalty.quotes import baskets as basket_quotes
from loyalty.reservations import Zone
from pos_api import examples
from tests.campaigns.conftest import CARD, OTHER_CARD
from tests.pos_api.conftest import code_of
from tests.pos_api.test_offers import live


def decided(served, **where):
    clause = " and ".join(f"{name} = :{name}" for name in where) or "true"
    return served.rows(f"select * from decision where {clause} order by at, score desc", **where)


class TestQuotes:
    def test_tell_three_of_what_was_ranked_with_a_reason(self, served):
        served.ranked("honey", "lemon", "bread", "butter")
        told = served.quote("tea")["next_offers"]
        assert [offer["sku"] for offer in told] == ["honey", "lemon", "bread"]
        assert told[0] == {
            "decision_id": told[0]["decision_id"],
            "sku": "honey",
            "headline": "Med 500 g",
            "reason": "Kupujete to často.",
            "offer_code": None,
        }

    def test_log_what_they_tell(self, served):
        served.ranked("honey", "lemon")
        told = served.quote("tea")["next_offers"]
        rows = decided(served)
        assert [str(row.decision_id) for row in rows] == [offer["decision_id"] for offer in told]
        first = rows[0]
        assert (first.member_id, first.account_id, first.channel) == (
            served.member(),
            served.account(),
            "till",
        )
        assert (first.article_id, first.explored, first.propensity) == (served.ids["honey"], False, 1.0)
        assert first.context["run"] == str(served.run_id)
        assert first.context["basket"] == 1

    def test_say_the_same_on_the_same_day_and_log_it_once(self, served):
        served.ranked("honey", "lemon")
        first, again = served.quote("tea"), served.quote("tea")
        assert first["next_offers"] == again["next_offers"]
        assert len(decided(served)) == 2

    def test_log_the_quote_that_is_told_though_another_till_was_faster_to_a_budget(self, served, monkeypatch):
        served.ranked("honey")
        served.member()
        keep, faster = basket_quotes.keep_quote, [["BUDGET"]]

        def second(*given, **named):
            return faster.pop() if faster else keep(*given, **named)

        monkeypatch.setattr(basket_quotes, "keep_quote", second)
        told = served.quote("tea")
        [row] = decided(served)
        assert row.context["quote"] == told["quote_id"]

    def test_offer_nothing_that_is_in_the_basket(self, served):
        served.ranked("honey", "lemon", "bread", "butter")
        assert served.told("tea", "honey") == ["lemon", "bread", "butter"]

    def test_put_first_what_goes_with_the_basket_and_say_so(self, served):
        served.ranked("honey", "lemon", "bread", "butter", "jam")
        served.rules(("bread", "jam", 6.0))
        told = served.quote("bread")["next_offers"]
        assert told[0]["sku"] == "jam"
        assert "Chléb" in told[0]["reason"]

    def test_give_no_article_as_the_reason_for_another_of_its_name(self, served):
        served.ranked("honey", "lemon")
        served.do("update article set name = 'Citron' where sku in ('tea', 'lemon')")
        served.rules(("tea", "lemon", 3.0))
        [first, *_] = served.quote("tea")["next_offers"]
        assert (first["sku"], first["headline"]) == ("lemon", "Citron")
        assert "Citron" not in first["reason"]

    def test_never_name_what_is_private(self, served):
        served.ranked("beer", "jam")
        served.stock([("beer", 5)])
        served.rules(("beer", "jam", 6.0))
        told = served.quote("beer")["next_offers"]
        assert [offer["sku"] for offer in told] == ["jam"]
        assert "Pivo" not in told[0]["reason"]
        assert served.told("tea") == ["jam"]

    def test_never_offer_what_is_out_of_stock(self, served):
        served.ranked("honey", "lemon", "bread")
        served.stock([("honey", 0), ("lemon", 3)])
        served.do("delete from sold_lately where article_id = :bread", bread=served.ids["bread"])
        served.read()
        assert served.told("tea") == ["lemon"]

    def test_offer_nothing_that_was_refused_from_the_next_quote_on(self, served):
        served.ranked("honey", "lemon", "bread", "butter", "rolls")
        told = served.quote("tea")["next_offers"]
        assert served.react("never", decision_id=told[0]["decision_id"]) == 204
        assert served.told("tea") == ["lemon", "bread", "butter"]
        assert served.react("never", sku="bread", scope="category") == 204
        assert served.told("tea") == ["lemon", "butter"]
        assert served.react("not_now", scope="all") == 204
        assert served.told("tea") == []

    def test_offer_nothing_that_is_called_just_as_what_was_refused(self, served):
        served.do("update article set name = 'Honey 250 g' where sku in ('honey', 'lemon')")
        served.read()
        served.ranked("honey", "lemon", "bread")
        assert served.told("tea") == ["honey", "lemon", "bread"]
        served.react("never", sku="honey")
        assert served.told("tea") == ["bread"]

    def test_name_nothing_that_was_refused_as_the_reason_for_something_else(self, served):
        tea = served.ids["tea"]
        served.ranked("honey", "lemon", "jam", reasons=[[2, tea, "Tea"], [3, None, "Dairy"], [2, tea]])

        def reasons():
            return [offer["reason"] for offer in served.quote("rolls")["next_offers"]]

        named = reasons()
        assert ["Čaj" in named[0], "Dairy" in named[1], "Čaj" in named[2]] == [True] * 3
        served.react("never", sku="tea")
        served.react("never", sku="milk", scope="category")
        told = reasons()
        assert len(told) == 3
        assert not [said for said in told if "Čaj" in said or "Tea" in said or "Dairy" in said]

    def test_name_no_article_of_the_basket_that_was_refused_by_its_category(self, served):
        served.ranked("honey", "jam")
        served.rules(("bread", "jam", 6.0))
        served.react("never", sku="rolls", scope="category")
        told = served.quote("bread")["next_offers"]
        assert told[0]["sku"] == "jam"
        assert "Chléb" not in told[0]["reason"]

    def test_name_nothing_that_became_private_during_the_day(self, served):
        reasons = [[2, served.ids["tea"], "Tea"], [3, None, "Tea"]]
        served.ranked("honey", "lemon", reasons=reasons)
        served.do(
            "insert into sensitive_word (word, topic, sensitive, set_by, set_at) "
            "values ('tea', 'health', true, 'test', now())"
        )
        served.read()
        told = [offer["reason"] for offer in served.quote("rolls")["next_offers"]]
        assert len(told) == 2
        assert not [said for said in told if "Čaj" in said or "tea" in said.lower()]

    def test_offer_nothing_that_was_brought_back_as_faulty(self, served):
        served.ranked("honey", "lemon")
        sale = served.sale("honey")
        assert served.till.post("/receipts", sale).status_code == 201
        back = served.sale("honey", type="return")
        back["original"] = {
            "store_code": "S1",
            "till_code": "T1",
            "business_date": sale["business_date"],
            "receipt_number": sale["receipt_number"],
        }
        back["lines"][0] |= {"original_line_number": 1, "reason": "faulty"}
        assert served.till.post("/receipts", back).status_code == 201
        assert served.told("tea") == ["lemon"]

    def test_offer_nothing_that_was_refused_or_faulty_with_a_card_that_was_nobodys(self, served):
        """Adopted with all it knows: an answer about an article, one about a category, and a return of long ago."""
        served.ranked("honey", "butter", "bread", "lemon")
        card = "2990000000057"
        with served.sessions.begin() as session:
            issue_cards(session, card_numbers=[card], now=datetime.now(UTC), actor="t")
        assert served.till.post("/receipts", served.sale("tea", card=card)).status_code == 201
        served.react("never", card=card, scope="item", sku="honey")
        served.react("never", card=card, scope="category", sku="butter")
        served.do(
            "insert into returned_faulty (account_id, article_id, returned_on) "
            "values (:account, :article, current_date - 90)",
            account=served.account(card),
            article=served.ids["bread"],
        )
        assert served.told("tea") == ["honey", "butter", "bread"]
        with served.sessions.begin() as session:
            adopt_card(
                session,
                member_id=served.member(),
                card_number=card,
                place=Zone("Europe/Prague"),
                now=datetime.now(UTC),
                actor="t",
            )
        assert served.told("tea") == ["lemon"]

    def test_offer_again_what_was_not_brought_back_after_all(self, served):
        served.ranked("honey", "lemon")
        back = served.bring_back_faulty("honey")
        assert served.told("tea") == ["lemon"]
        served.void(back)
        assert served.told("tea") == ["honey", "lemon"]

    def test_keep_still_about_the_article_of_an_open_case_and_its_like(self, served):
        served.ranked("butter", "milk", "lemon")
        served.do(
            "insert into member_case (case_id, case_number, member_id, kind, article_id, channel, text, state, opened_at, opened_by) "
            "values (gen_random_uuid(), '1', :member, 'complaint', :article, 'desk', 'sour', 'open', now(), 'test')",
            member=served.member(),
            article=served.ids["milk"],
        )
        assert served.told("tea") == ["lemon"]

    def test_offer_nothing_to_who_objects_or_buys_for_a_company(self, served):
        served.ranked("honey")
        served.do("update member set profiling_objected_at = now() where member_id = :m", m=served.member())
        assert served.told("tea") == []
        served.do(
            "update member set profiling_objected_at = null, company_name = 'X' where member_id = :m",
            m=served.member(),
        )
        assert served.told("tea") == []

    def test_offer_nothing_with_a_blocked_card(self, served):
        served.ranked("honey")
        assert served.till.post(f"/cards/{CARD}/block", {"reason": "lost"}).status_code == 200
        assert served.told("tea") == []

    def test_prefer_what_a_live_offer_makes_cheaper_and_name_it(self, served):
        served.ranked("honey", "lemon", "bread")
        live(
            served.sessions,
            {
                "code": "BREAD50",
                "name": {"en": "Half price bread", "cs": "Chléb za půlku"},
                "condition": {"kind": "items", "select": {"skus": ["bread"]}, "quantity": "1"},
                "benefit": {"kind": "percent", "off": "80"},
            },
        )
        served.quote("tea")  # the process learns what is live
        told = served.quote("tea")["next_offers"]
        assert [offer["sku"] for offer in told] == ["bread", "honey", "lemon"]
        assert told[0]["offer_code"] == "BREAD50"
        assert "Chléb za půlku" in told[0]["reason"]
        assert served.react("never", offer_code="BREAD50") == 204
        again = served.quote("tea")["next_offers"]
        assert [(offer["sku"], offer["offer_code"]) for offer in again] == [
            ("honey", None),
            ("lemon", None),
            ("bread", None),
        ]

    def test_keep_to_what_may_be_told_on_a_day(self, served):
        served.chance(0.0, till=[2, 9])
        served.ranked("honey", "lemon", "bread", "butter")
        assert served.told("tea") == ["honey", "lemon"]
        assert served.told("tea", "honey") == ["lemon"]
        assert len(decided(served)) == 2

    def test_tell_somebody_without_a_list_what_most_baskets_hold(self, served):
        served.do(
            "insert into store_offers select store_id, cast(:ids as integer[]), current_date from store",
            ids=[served.ids["milk"], served.ids["rolls"]],
        )
        served.read()
        served.member()
        assert served.told("tea") == ["milk", "rolls"]
        assert served.told("tea", card=examples.CARD_NUMBER) == ["milk", "rolls"]
        assert decided(served, member_id=served.member())

    def test_tell_nobody_but_what_goes_with_the_basket(self, served):
        served.do(
            "insert into store_offers select store_id, cast(:ids as integer[]), current_date from store",
            ids=[served.ids["milk"], served.ids["rolls"], served.ids["honey"]],
        )
        served.rules(("tea", "honey", 5.0))
        assert served.told("tea", card=None) == ["honey"]
        assert served.told("bread", card=None) == []
        [row] = decided(served)
        assert (row.member_id, row.account_id) == (None, None)

    def test_say_nothing_where_no_night_has_been(self, chain):
        body = {
            "currency": "CZK",
            "lines": [{"line_number": 1, "sku": "x", "quantity": "1", "unit_price": 1, "tax_rate": "12"}],
        }
        assert chain.till.post("/quotes", body).get_json()["next_offers"] == []

    def test_tell_of_points_that_end(self, served):
        served.ranked("honey", "lemon")
        served.member()
        day = datetime.now(UTC) - timedelta(days=100)
        sale = served.sale("tea")
        sale |= {
            "business_date": day.date().isoformat(),
            "closed_at": day.isoformat(),
            "receipt_number": "old",
        }
        assert served.till.post("/receipts", sale).status_code == 201
        served.do(
            "update lot set expires_at = now() + interval '5 days' where account_id = :a", a=served.account()
        )
        first, second = served.quote("tea")["next_offers"]
        assert "10 bodů" in first["reason"]
        assert "bodů" not in second["reason"]


HINTED = {
    "BYCODE": {"skus": ["tea"]},
    "BYKIND": {"types": ["Black tea"]},
    "BYCATEGORY": {"categories": ["Tea"]},
    "ALL": {},
}


def hinted(quote):
    return {one["offer_code"] for one in quote["not_applied"] if one["missing"] is not None}


class TestHints:
    """What is missing for an offer is told to nobody who refused it."""

    @pytest.fixture
    def offered(self, served):
        live(
            served.sessions,
            *(
                {
                    "code": code,
                    "name": {"en": code},
                    "condition": {"kind": "items", "select": select, "quantity": "3"},
                    "benefit": {"kind": "percent", "off": "10"},
                }
                for code, select in HINTED.items()
            ),
            {
                "code": "TEA",
                "name": {"en": "Tea"},
                "condition": {"kind": "items", "select": {"categories": ["Tea"]}, "quantity": "1"},
                "benefit": {"kind": "percent", "off": "10"},
            },
        )
        served.ranked("honey")
        return served

    @pytest.mark.parametrize("silent", [False, True])
    @pytest.mark.parametrize(
        ("refused", "left"),
        [
            ({"offer_code": "BYCODE"}, {"BYKIND", "BYCATEGORY", "ALL"}),
            ({"sku": "tea"}, {"BYKIND", "BYCATEGORY", "ALL"}),
            ({"sku": "tea", "scope": "category"}, {"ALL"}),
            ({"scope": "all"}, set()),
        ],
    )
    def test_leave_out_what_was_refused_and_lower_its_price_all_the_same(
        self, offered, refused, left, silent
    ):
        if silent:
            # Who objects to profiling is offered nothing, yet what they refused holds.
            offered.do("update member set profiling_objected_at = now()")
        before = offered.quote("tea")
        assert hinted(before) == set(HINTED)
        assert offered.react("never", **refused) == 204
        after = offered.quote("tea")
        assert hinted(after) == left
        assert after["totals"] == before["totals"]
        assert after["totals"]["discount_amount"] > 0

    @pytest.mark.parametrize("silent", [False, True])
    def test_name_nothing_that_is_called_just_as_what_was_refused(self, offered, silent):
        if silent:
            offered.do("update member set profiling_objected_at = now()")
        offered.do("update article set name = 'Honey 250 g' where sku in ('honey', 'tea')")
        assert offered.react("never", sku="honey") == 204
        assert hinted(offered.quote("tea")) == set(HINTED) - {"BYCODE"}

    def test_are_none_while_nobody_can_say_what_was_refused(self, offered, owner_engine):
        offered.quote("tea")
        with owner_engine.begin() as owner:
            owner.execute(text("lock table member_offers in access exclusive mode"))
            assert hinted(offered.quote("tea")) == set()
        ask_again(offered.sessions())
        assert hinted(offered.quote("tea")) == set(HINTED)


class TestReceipts:
    def test_print_one_offer_in_the_language_of_the_member(self, served):
        served.ranked("honey", "lemon")
        answer = served.till.post("/receipts", served.sale("tea")).get_json()
        assert [offer["sku"] for offer in answer["next_offers"]] == ["honey"]
        assert answer["print"][-2:] == ["Náš tip: Med 500 g", "Kupujete to často."]

    def test_say_the_same_again_when_they_come_again(self, served):
        served.ranked("honey", "lemon")
        sale = served.sale("tea")
        first = served.till.post("/receipts", sale).get_json()
        assert served.react("never", sku="honey") == 204
        again = served.till.post("/receipts", sale).get_json()
        assert again == {**first, "replayed": True}
        assert len(decided(served)) == 1

    def test_are_the_decisions_of_the_quote_before_them(self, served):
        served.ranked("honey")
        quoted = served.quote("tea")["next_offers"][0]
        paid = served.till.post("/receipts", served.sale("tea")).get_json()["next_offers"][0]
        assert quoted["decision_id"] == paid["decision_id"]

    def test_offer_nothing_to_who_has_gone_long_since(self, served):
        served.ranked("honey")
        late = served.sale("tea")
        late["closed_at"] = (datetime.now(UTC) - timedelta(minutes=30)).isoformat()
        assert served.till.post("/receipts", late).get_json()["next_offers"] == []
        assert decided(served) == []

    @pytest.mark.parametrize("change", [{"offline": True}, {"mode": "training"}])
    def test_offer_nothing_where_nobody_hears_it(self, served, change):
        served.ranked("honey")
        assert served.till.post("/receipts", served.sale("tea", **change)).get_json()["next_offers"] == []

    def test_offer_nothing_in_a_batch(self, served):
        served.ranked("honey")
        answer = served.till.post("/receipts/batch", {"receipts": [served.sale("tea")]}).get_json()
        assert answer["results"][0]["receipt"]["next_offers"] == []
        assert decided(served) == []


class TestReactions:
    def test_of_another_member_are_refused(self, served):
        served.ranked("honey")
        served.member(OTHER_CARD)
        told = served.quote("tea")["next_offers"][0]
        answer = served.till.post(
            "/reactions",
            {"card_number": OTHER_CARD, "decision_id": told["decision_id"], "reaction": "never"},
        )
        assert code_of(answer) == "not_found"
        assert served.rows("select * from reaction") == []

    def test_are_kept_with_what_was_decided(self, served):
        served.ranked("honey")
        told = served.quote("tea")["next_offers"][0]
        served.react("accepted", decision_id=told["decision_id"])
        [row] = served.rows("select * from reaction")
        assert (row.sku, str(row.decision_id), row.scope) == ("honey", told["decision_id"], "item")


class TestWhenTheEngineIsDown:
    def test_a_broken_list_costs_the_offer_and_nothing_else(self, served, caplog):
        served.ranked("honey", reasons=[[99]])
        with caplog.at_level(logging.ERROR):
            assert served.told("tea") == []
        assert "could not be chosen" in caplog.text
        assert served.till.post("/receipts", served.sale("tea")).status_code == 201

    @pytest.mark.parametrize("table", ["member_offers", "decision", "article_stock", "reaction"])
    def test_a_table_that_is_gone_costs_the_offer_and_nothing_else(self, served, owner_engine, table):
        served.ranked("honey")
        served.told("tea")
        with owner_engine.begin() as owner:
            owner.execute(text(f"alter table {table} rename to gone"))
        try:
            ask_again(served.sessions())
            assert served.told("tea") == []
            ask_again(served.sessions())
            answer = served.till.post("/receipts", served.sale("tea"))
            assert answer.status_code == 201
            assert answer.get_json()["next_offers"] == []
            assert answer.get_json()["points"]["earned"] == 10
        finally:
            with owner_engine.begin() as owner:
                owner.execute(text(f"alter table gone rename to {table}"))

    @pytest.mark.parametrize("table", ["member_offers", "decision"])
    def test_nobody_waits_for_a_table_that_is_locked(self, served, owner_engine, table):
        served.ranked("honey")
        with owner_engine.begin() as owner:
            owner.execute(text(f"lock table {table} in access exclusive mode"))
            assert served.till.post("/receipts", served.sale("tea")).get_json()["next_offers"] == []
            ask_again(served.sessions())
            assert served.told("tea") == []
        ask_again(served.sessions())
        assert served.told("tea") == ["honey"]

    def test_what_cannot_be_logged_is_not_told(self, served, owner_engine):
        served.ranked("honey")
        with owner_engine.begin() as owner:
            owner.execute(text("alter table decision add constraint broken check (score > 1000)"))
        try:
            quote = served.quote("tea")
            assert quote["next_offers"] == []
            assert served.rows("select count(*) from quote")[0][0] == 1
        finally:
            with owner_engine.begin() as owner:
                owner.execute(text("alter table decision drop constraint broken"))

    def test_it_is_left_alone_for_a_while(self, served, owner_engine, monkeypatch):
        monkeypatch.setattr(decisions, "FIRST_PAUSE", 60.0)
        monkeypatch.setattr(decisions, "LONGEST_PAUSE", 60.0)
        served.ranked("honey")
        with owner_engine.begin() as owner:
            owner.execute(text("lock table member_offers in access exclusive mode"))
            served.told("tea")
        assert not may_ask(served.sessions())
        assert served.told("tea") == []

    def test_it_is_left_alone_for_twice_as_long_each_time_until_it_answers(self, served, monkeypatch):
        moment = [1000.0]
        monkeypatch.setattr(decisions, "monotonic", lambda: moment[0])
        served.ranked("honey")
        session = served.sessions()
        waited = []
        for _ in range(8):
            decisions.pause(session)
            # Those who had asked at the same time make it no longer.
            decisions.pause(session)
            began = moment[0]
            while not may_ask(session):
                moment[0] += 0.25
            waited.append(moment[0] - began)
        assert waited == [0.25, 0.5, 1, 2, 4, 8, 10, 10]
        assert served.told("tea") == ["honey"]
        decisions.pause(session)
        moment[0] += 0.25
        assert may_ask(session)

    def test_an_answer_of_which_nothing_follows_ends_the_waiting_too(self, served, monkeypatch):
        moment = [1000.0]
        monkeypatch.setattr(decisions, "monotonic", lambda: moment[0])
        served.do(
            "update member set profiling_objected_at = now() where member_id = :member",
            member=served.member(),
        )
        session = served.sessions()
        for wanted in (0.25, 0.5):
            decisions.pause(session)
            moment[0] += wanted
        assert served.told("tea") == []
        decisions.pause(session)
        moment[0] += 0.25
        assert may_ask(session)

    def test_taking_too_long_is_no_offer_either(self, served, monkeypatch):
        served.ranked("honey")
        monkeypatch.setattr(decisions, "LONGEST", 0.0)
        assert served.told("tea") == []

    def test_a_failure_does_not_touch_the_transaction_that_it_travels_in(self, served, owner_engine):
        with owner_engine.begin() as owner:
            owner.execute(text("lock table served_run in access exclusive mode"))
            with served.sessions.begin() as session:
                values = dict.fromkeys(("card_number", "member_id", "account_id", "store_id", "common"), None)
                values |= {
                    "at": datetime.now(UTC),
                    "today": datetime.now(UTC).date(),
                    "most": 3,
                    "hold": True,
                    "asks_person": True,
                    "patience": timedelta(seconds=9),
                }
                found = ask(session, SCENE, values).fetchone()[0]
                assert found["failed"].startswith(psycopg.errors.LockNotAvailable.sqlstate)
                assert session.scalar(text("select 1")) == 1


class TestClient:
    def test_shows_what_to_offer_and_passes_the_answer_on(self, served, client, tmp_path):
        served.ranked("honey", "lemon")
        server = make_server("127.0.0.1", 0, served.chain.app, threaded=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            lines = [{"line_number": 1, "sku": "tea", "quantity": "1", "unit_price": 1000, "tax_rate": "12"}]
            with client.Till(
                f"http://127.0.0.1:{server.port}", key=served.till.key, folder=str(tmp_path)
            ) as till:
                with till.checkout(currency="CZK", card_number=CARD, lines=lines) as checkout:
                    assert [offer["sku"] for offer in checkout.next_offers] == ["honey", "lemon"]
                    checkout.answered(checkout.next_offers[0], "never")
                with till.checkout(currency="CZK", card_number=CARD, lines=lines) as checkout:
                    assert [offer["sku"] for offer in checkout.next_offers] == ["lemon"]
        finally:
            server.shutdown()
            thread.join()


class TestTrips:
    def test_are_as_few_as_ever(self, served, monkeypatch):
        served.ranked("honey", "lemon")
        served.quote("tea")
        assert served.till.post("/receipts", served.sale("tea")).status_code == 201
        trips = []

        def counted(connection, answers, **rest):
            trips.append(len(answers))
            travel(connection, answers, **rest)

        monkeypatch.setattr(driver, "travel", counted)
        assert served.told("tea") == ["honey", "lemon"]
        assert len(trips) == 2
        trips.clear()
        answer = served.till.post("/receipts", served.sale("tea")).get_json()
        assert [offer["sku"] for offer in answer["next_offers"]] == ["honey"]
        assert len(trips) == 2
        trips.clear()
        assert served.till.get(f"/cards/{CARD}").status_code == 200
        assert len(trips) == 1

"""Limits and budgets: what is used up is over, what was promised is kept, and the last one goes to one."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from werkzeug.serving import make_server

from loyalty.quotes.baskets import ATTEMPTS
from loyalty.quotes.offers import OnBasket
from sales.operations import add_till
from tests.offers.conftest import OPENED, Quote, amount, basket, items, nth, offer, percent

CONTENDERS = 16
TEA = basket(("tea", 1, 5990))
TWO_TEAS = basket(("tea", 2, 5990))
ONE_OFF = amount(1000)
USED_UP = "Vyčerpáno"


def flags(answer) -> set[str]:
    return {flag["code"] for flag in answer["flags"]}


def quoted(market, lines=TEA, **rest) -> int:
    """What is off for a till that asks now and does not hold what it asked for: the next question lets go."""
    return sum(market.quote(lines, at=..., **rest).discounts)


def sold(market, lines=TEA, **rest):
    quote = market.quote(lines, at=..., **rest)
    rest.pop("till", None)
    return quote, market.pay(quote, lines, **rest)


class TestAtMostPerReceipt:
    def test_counts_applications(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"per_receipt": 1}))
        assert quoted(market, TWO_TEAS) == 1000

    def test_leaves_the_dearest_units_what_they_got(self, market):
        market.live(offer("L", items("CHOC", 3), nth(), limits={"per_receipt": 1}))
        assert market.quote(basket(("choc", 3, 1000), ("choc2", 3, 2000))).discounts == [0, 2000]

    def test_may_be_never(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"per_receipt": 0}))
        assert quoted(market, TWO_TEAS) == 0


class TestAHugeQuantity:
    LINES = basket(*[("tea", 999_999_999, 1)] * 3)

    def test_is_quoted_and_booked_within_a_budget(self, market):
        market.live(offer("L", items("TEA"), amount(1), limits={"amount": 10**12}))
        _, answer = sold(market, self.LINES)
        assert "offer_not_valid" not in flags(answer)

    def test_gets_no_more_vouchers_than_can_be_handed_out(self, market):
        batch = {"batch": "NEXT", "value_amount": 100, "currency": "CZK", "valid_days": 30}
        market.live(offer("V", items("TEA"), {"kind": "voucher", "batch": "NEXT"}), vouchers=[batch])
        quote = market.quote(self.LINES)
        assert len(quote.body["vouchers"]) == 1000
        assert any("V" in message for message in quote.body["messages"])


class TestAtMostPerMember:
    @pytest.mark.parametrize("limit", ["per_member", "per_member_day"])
    def test_counts_what_was_paid(self, market, limit):
        one, other = market.member(), market.member()
        market.live(offer("L", items("TEA"), ONE_OFF, limits={limit: 1}, audience={"who": "members"}))
        _, answer = sold(market, card_number=one)
        assert "offer_not_valid" not in flags(answer)
        assert quoted(market, card_number=one) == 0
        assert quoted(market, card_number=other) == 1000

    def test_counts_applications_of_the_quote(self, market):
        card = market.member()
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"per_member": 3}, audience={"who": "members"}))
        sold(market, TWO_TEAS, card_number=card)
        # one of three is left
        assert quoted(market, TWO_TEAS, card_number=card) == 1000

    def test_counts_days_by_the_store_s_calendar(self, market):
        card = market.member()
        market.live(
            offer("L", items("TEA"), ONE_OFF, limits={"per_member_day": 1}, audience={"who": "members"})
        )
        sold(market, card_number=card)
        assert quoted(market, card_number=card) == 0
        tomorrow = datetime.now(UTC) + timedelta(days=1, minutes=1)
        with time_machine.travel(tomorrow, tick=True):
            assert quoted(market, card_number=card) == 1000

    def test_is_not_for_who_has_no_card(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"per_member": 5}))
        quote = market.quote(TEA, at=...)
        assert (quote.discounts, quote.missing) == ([0], {"L": None})


class TestWhatIsOverForEverybody:
    """What nobody can have any more is not advertised: that two more would do is no help."""

    def test_has_nothing_missing_though_the_basket_does_not_trigger_it(self, market):
        market.live(offer("L", items("TEA", 2), ONE_OFF, limits={"uses": 1}))
        assert market.quote(TEA, at=...).missing == {"L": "1"}
        sold(market, TWO_TEAS)
        quote = market.quote(TEA, at=...)
        assert (quote.missing, quote.body["not_applied"][0]["reason"]) == ({"L": None}, USED_UP)

    def test_has_nothing_missing_while_another_till_holds_the_last_use(self, market):
        market.live(offer("L", items("TEA", 2), ONE_OFF, limits={"uses": 1}))
        assert quoted(market, TWO_TEAS, till="S1b") == 1000
        assert market.quote(TEA, at=...).missing == {"L": None}
        # The till's own hold makes way for its next question.
        assert market.quote(TEA, at=..., till="S1b").missing == {"L": "1"}

    def test_has_nothing_missing_when_the_money_left_is_too_little(self, market):
        market.live(offer("L", items("TEA", 2), percent(10), limits={"amount": 1500}))
        assert market.quote(TEA, at=...).missing == {"L": "1"}
        sold(market, TWO_TEAS)
        assert market.quote(TEA, at=...).missing == {"L": None}

    def test_has_nothing_missing_when_this_member_used_it_up(self, market):
        one, other = market.member(), market.member()
        market.live(offer("L", items("TEA", 2), ONE_OFF, limits={"per_member": 1}))
        sold(market, TWO_TEAS, card_number=one)
        assert market.quote(TEA, at=..., card_number=one).missing == {"L": None}
        assert market.quote(TEA, at=..., card_number=other).missing == {"L": "1"}

    def test_has_nothing_missing_when_its_gift_is_out_of_stock(self, market):
        gift = {"kind": "gift", "reward": "MUG", "quantity": 2}
        rewards = [{"code": "MUG", "stock": {"S1": 3}}]
        market.live(offer("G", items("TEA", 2), gift), rewards=rewards)
        assert market.quote(TEA, at=...).missing == {"G": "1"}
        sold(market, TWO_TEAS)
        assert market.quote(TEA, at=...).missing == {"G": None}


class TestAnOfferStoppedMeanwhile:
    """What a quote promised is honoured; what a receipt states beyond it is flagged, stopped or not."""

    @pytest.mark.parametrize("stopped", [False, True])
    @pytest.mark.parametrize(("off", "expected"), [(1000, set()), (1500, {"offer_not_valid"})])
    def test_keeps_its_budget(self, market, stopped, off, expected):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"amount": 1200}))
        quote = market.quote(TEA, at=...)
        if stopped:
            market.stop()
        body = market.sale(quote, TEA)
        paid = body["lines"][0]
        paid["discounts"][0]["amount"] = paid["discount_amount"] = off
        paid["total_amount"] = 5990 - off
        body["totals"] |= {"discount_amount": off, "payable_amount": 5990 - off}
        assert flags(market.post(body)) & {"offer_not_valid", "unknown_offer"} == expected


class TestAQuoteThatAlwaysLoses:
    def test_is_kept_without_what_others_were_faster_to(self, market, monkeypatch):
        """Whenever it is worked out, the rival pays for the very offer that it found before it can hold it."""
        rivals = range(ATTEMPTS + 2)
        market.live(
            *[
                offer(
                    f"R{n}", items("TEA"), ONE_OFF, limits={"uses": 1}, exclusive_group="X", priority=99 - n
                )
                for n in rivals
            ]
        )
        evaluate, lost = OnBasket.evaluate, []

        def slow(basket: OnBasket, session: Any, **rest: Any) -> None:
            evaluate(basket, session, **rest)
            if basket.place.till_id == loser and basket.promise.applied:
                lost.append(next(iter(basket.promise.applied)))
                sold(market, till="S1b")

        loser = market.number("select till_id from till join store using (store_id)"
                              " where store_code = 'S1' and till_code = 'T1'")  # fmt: skip
        monkeypatch.setattr(OnBasket, "evaluate", slow)
        quote = market.quote(TEA, at=...)
        monkeypatch.undo()
        assert (len(lost), quote.discounts) == (ATTEMPTS, [0])
        assert market.pay(quote, TEA)["flags"] == []


class TestABudget:
    def test_of_uses_ends(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 3}))
        sold(market, TWO_TEAS)
        assert quoted(market, TWO_TEAS) == 1000
        sold(market, TEA)
        quote = market.quote(TEA, at=...)
        assert (quote.discounts, quote.missing) == ([0], {"L": None})

    def test_of_money_ends_and_gives_no_part(self, market):
        market.live(offer("L", items("TEA"), percent(10), limits={"amount": 1700}))
        sold(market, TWO_TEAS)
        # 502 are left: 599 do not fit
        assert quoted(market, TEA) == 0
        assert quoted(market, basket(("tea", 1, 5000))) == 500

    def test_of_money_bears_the_applications_that_fit(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"amount": 2500}))
        assert quoted(market, basket(("tea", 4, 5990))) == 2000

    def test_counts_what_the_receipt_states(self, market):
        market.live(offer("L", items("TEA"), percent(10), limits={"amount": 1198}))
        quote = market.quote(TWO_TEAS, at=...)
        sale = market.sale(quote, TWO_TEAS)
        sale["lines"][0] |= {"discount_amount": 599, "total_amount": 11381}
        sale["lines"][0]["discounts"][0]["amount"] = 599
        sale["totals"] = {"payable_amount": 11381}
        market.post(sale)
        assert quoted(market, TEA) == 599
        assert quoted(market, TWO_TEAS) == 0

    @pytest.mark.parametrize("limit", ["per_store_day_uses", "per_store_week_uses"])
    def test_of_a_store_is_that_store_s(self, market, limit):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={limit: 1}))
        sold(market)
        assert quoted(market) == 0
        assert quoted(market, till="S2") == 1000

    @pytest.mark.parametrize("limit", ["per_store_day_amount", "per_store_week_amount"])
    def test_of_a_store_s_money(self, market, limit):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={limit: 1500}))
        sold(market)
        assert quoted(market) == 0
        assert quoted(market, till="S2") == 1000

    def test_of_a_day_begins_again_the_next_day_and_of_a_week_the_next_week(self, market):
        market.live(
            offer("D", items("TEA"), ONE_OFF, limits={"per_store_day_uses": 1}),
            offer("W", items("TEA"), amount(100), limits={"per_store_week_uses": 1}),
        )
        with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=True):  # a Tuesday
            sold(market)
            assert quoted(market) == 0
        with time_machine.travel(datetime(2026, 11, 24, 22, 59, tzinfo=UTC), tick=True):
            assert quoted(market) == 0
        with time_machine.travel(datetime(2026, 11, 24, 23, 0, 1, tzinfo=UTC), tick=True):
            assert quoted(market) == 1000
        with time_machine.travel(datetime(2026, 11, 29, 23, 0, 1, tzinfo=UTC), tick=True):  # Monday in Prague
            assert quoted(market) == 1100

    def test_may_be_used_up_from_the_start(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 0}))
        assert quoted(market) == 0


class TestAHold:
    def test_keeps_others_from_what_was_promised(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 1}))
        quote = market.quote(TEA, at=...)
        assert quoted(market, till="S1b") == 0
        assert "offer_not_valid" not in flags(market.pay(quote, TEA))
        assert quoted(market, till="S1b") == 0

    def test_ends_with_the_same_till_s_next_quote(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 1}))
        assert quoted(market) == 1000
        market.quote(basket(("bread", 1, 3990)), at=...)
        assert quoted(market, till="S1b") == 1000

    def test_ends_with_the_same_till_s_next_receipt(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 1}))
        bread = basket(("bread", 1, 3990))
        other = market.quote(bread, at=...)
        assert quoted(market) == 1000
        market.pay(other, bread)
        assert quoted(market, till="S1b") == 1000

    def test_is_counted_anew_by_a_till_that_asks_again(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 2}))
        assert [quoted(market, TWO_TEAS) for _ in range(3)] == [2000, 2000, 2000]

    def test_ends_after_ten_minutes(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 1}))
        asked = datetime.now(UTC)
        with time_machine.travel(asked, tick=False):
            assert quoted(market) == 1000
        with time_machine.travel(asked + timedelta(minutes=9, seconds=59), tick=False):
            assert quoted(market, till="S1b") == 0
        with time_machine.travel(asked + timedelta(minutes=10), tick=False):
            assert quoted(market, till="S1b") == 1000

    def test_that_is_over_makes_no_sale_fail(self, market):
        """The receipt comes after ten minutes, and another till has got the last use meanwhile: booked, and flagged."""
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 1}))
        asked = datetime.now(UTC)
        late = market.quote(TEA, at=...)
        with time_machine.travel(asked + timedelta(minutes=11), tick=True):
            sold(market, till="S1b")
            answer = market.pay(late, TEA)
        assert "offer_not_valid" in flags(answer)

    def test_is_not_needed_by_what_has_no_budget(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF))
        assert {quoted(market, till=till) for till in ("S1", "S1b", "S2")} == {1000}


class TestAReceipt:
    def test_beyond_the_budget_is_booked_and_flagged(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 1}))
        quote, _ = sold(market)
        again = market.sale(quote, TEA, quote_id=None)
        assert "offer_not_valid" in flags(market.post(again))

    def test_without_a_quote_counts_one(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 3}))
        quote = market.quote(TWO_TEAS, at=...)
        market.post(market.sale(quote, TWO_TEAS, quote_id=None))
        # one of three is used, whatever the receipt states
        assert quoted(market, basket(("tea", 3, 5990))) == 2000

    def test_that_names_an_offer_there_never_was_is_flagged(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF))
        sale = market.sale(market.quote(TEA, at=...), TEA)
        sale["lines"][0]["discounts"][0]["offer_code"] = "NEVER-WAS"
        assert "unknown_offer" in flags(market.post(sale))

    def test_that_came_twice_counts_once(self, market):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 2}))
        sale = market.sale(market.quote(TEA, at=...), TEA)
        first = market.tills["S1"].post("/receipts", sale)
        again = market.tills["S1"].post("/receipts", sale)
        assert (first.status_code, again.status_code) == (201, 200)
        assert quoted(market, TWO_TEAS) == 1000

    @pytest.mark.parametrize("mode", ["training", "suspended"])
    def test_that_is_none_counts_nothing(self, market, mode):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 1}))
        market.pay(market.quote(TEA, at=...), TEA, mode=mode)
        assert quoted(market) == 1000


@dataclass(frozen=True)
class Answer:
    status_code: int
    body: dict[str, Any]

    def get_json(self) -> dict[str, Any]:
        return self.body


@dataclass(frozen=True)
class WireTill:
    """A till that speaks HTTP to a server, on a connection of its own."""

    port: int
    key: str
    till_code: str
    store_code: str = "S1"

    def post(self, path: str, document: Any) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with closing(connection):
            connection.request("POST", f"/pos/v1{path}", json.dumps(document), headers)
            answer = connection.getresponse()
            return Answer(answer.status, json.loads(answer.read()))


@pytest.fixture(scope="module")
def tills(market):
    """Sixteen tills of one store, each on a connection of its own to a server that answers them all at once."""
    server = make_server("127.0.0.1", 0, market.tills["S1"].app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found = {}
    with market.sessions.begin() as session:
        for number in range(CONTENDERS):
            key = add_till(session, store_code="S1", till_code=f"C{number}", now=OPENED, actor="test")
            found[f"C{number}"] = WireTill(server.server_port, key, f"C{number}")
    market.tills |= found
    yield list(found)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def at_once():
    pool = ThreadPoolExecutor(CONTENDERS)

    def at_once(requests):
        barrier = Barrier(len(requests))

        def send(request):
            barrier.wait()
            return request()

        return list(pool.map(send, requests))

    yield at_once
    pool.shutdown()


class TestSixteenTills:
    """Who wants the last one: one gets it, and its receipt is honoured; the others are told that it is gone."""

    def race(self, market, tills, at_once, lines=TEA) -> tuple[dict[str, Quote], list[str]]:
        quotes = dict(
            zip(
                tills,
                at_once([lambda till=till: market.quote(lines, till=till, at=...) for till in tills]),
                strict=True,
            )
        )
        return quotes, [till for till, quote in quotes.items() if sum(quote.discounts)]

    @pytest.mark.parametrize("round_", range(3))
    def test_get_the_last_use_once(self, market, tills, at_once, round_):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 1}))
        quotes, winners = self.race(market, tills, at_once)
        assert len(winners) == 1, winners
        answers = at_once([lambda till=till: market.pay(quotes[till], TEA, till=till) for till in tills])
        assert not any("offer_not_valid" in flags(answer) for answer in answers)
        assert quoted(market) == 0

    @pytest.mark.parametrize("limit", ["amount", "per_store_day_amount", "per_store_week_amount"])
    def test_get_the_last_amount_once(self, market, tills, at_once, limit):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={limit: 1999}))
        quotes, winners = self.race(market, tills, at_once)
        assert len(winners) == 1, winners
        assert "offer_not_valid" not in flags(market.pay(quotes[winners[0]], TEA, till=winners[0]))

    def test_share_what_is_there(self, market, tills, at_once):
        """Seven uses, two an application: three tills get two, one gets one, the others nothing."""
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 7}))
        quotes, _ = self.race(market, tills, at_once, TWO_TEAS)
        given = Counter(sum(quote.discounts) for quote in quotes.values())
        assert given == {2000: 3, 1000: 1, 0: CONTENDERS - 4}

    def test_that_pay_without_having_asked_are_counted_and_flagged(self, market, tills, at_once):
        market.live(offer("L", items("TEA"), ONE_OFF, limits={"uses": 1}))
        quote = market.quote(TEA, at=...)
        market.quote(basket(("bread", 1, 3990)), at=...)
        bodies = {till: market.sale(quote, TEA, till=till, quote_id=None) for till in tills}
        answers = at_once([lambda till=till: market.post(bodies[till], till=till) for till in tills])
        assert sum("offer_not_valid" in flags(answer) for answer in answers) == CONTENDERS - 1

"""What becomes of offers when the sale is paid: honoured, flagged, counted, whatever the till says and when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
import time_machine

from tests.offers.conftest import ALWAYS, amount, basket, items, offer, percent

TEA = basket(("tea", 2, 5990))
T10 = offer("T10", items("TEA"), percent(10))
PAY = {
    "batch": "PAY",
    "value_amount": 1000,
    "currency": "CZK",
    "valid_days": 30,
    "codes": ["PAY-1", "PAY-2", "PAY-3"],
}


def codes(answer) -> set[str]:
    return {flag["code"] for flag in answer["flags"]} & {"unknown_offer", "offer_not_valid", "quote_expired"}


def state_of(market, code) -> str:
    asked = "select state from voucher where voucher_code = :code"
    return str(market.number(asked, code=market.prefix + code))


class TestAQuote:
    def test_is_honoured_for_one_receipt(self, market):
        card = market.member()
        once = {"limits": {"per_member": 1}, "audience": {"who": "members"}}
        market.live(
            offer("T10", items("TEA"), percent(10), **once),
            offer("B", ALWAYS, {"kind": "points", "points": 50}, **once),
        )
        quote = market.quote(TEA, at=..., card_number=card)
        sale = market.sale(quote, TEA, card_number=card)
        first = market.post(sale)
        second = market.pay(quote, TEA, card_number=card)
        assert codes(first) == set()
        assert codes(second) == {"offer_not_valid", "quote_expired"}
        assert first["points"]["earned"] - second["points"]["earned"] == 50
        again = market.tills["S1"].post("/receipts", sale)
        assert market.without_prefix(again.get_json()) == {**first, "replayed": True}

    def test_is_honoured_for_one_of_many_receipts_at_once(self, market):
        batch = {"batch": "NEXT", "value_amount": 100, "currency": "CZK", "valid_days": 30}
        market.live(offer("V", items("TEA"), {"kind": "voucher", "batch": "NEXT"}), vouchers=[batch])
        quote = market.quote(TEA, at=...)
        sales = [market.sale(quote, TEA) for _ in range(4)]
        with ThreadPoolExecutor(len(sales)) as pool:
            told = [codes(answer) for answer in pool.map(market.post, sales)]
        assert sorted(told, key=len) == [set(), *[{"quote_expired"}] * 3]

    def test_redeems_the_vouchers_it_was_asked_with(self, market):
        market.live(T10, vouchers=[PAY])
        quote = market.quote(TEA, at=..., voucher_codes=["PAY-1", "PAY-2", "PAY-3"])
        sale = market.sale(quote, TEA)
        assert codes(market.post(sale)) == set()
        assert {state_of(market, f"PAY-{number}") for number in (1, 2, 3)} == {"redeemed"}
        market.post(market.void_of(sale))
        assert state_of(market, "PAY-1") == "issued"

    def test_redeems_a_voucher_that_opened_an_offer(self, market):
        opened = offer("V10", {"kind": "voucher", "batch": "OPEN"}, percent(10))
        market.live(opened, vouchers=[{"batch": "OPEN", "valid_days": 30, "codes": ["OPEN-1"]}])
        quote = market.quote(TEA, at=..., voucher_codes=["OPEN-1"])
        assert quote.discounts == [1198]
        assert codes(market.pay(quote, TEA)) == set()
        assert state_of(market, "OPEN-1") == "redeemed"

    def test_redeems_nothing_that_the_receipt_does_not_state(self, market):
        market.live(T10, vouchers=[PAY])
        plain = market.quote(TEA, at=...)
        quote = market.quote(TEA, at=..., voucher_codes=["PAY-1"])
        market.pay(plain, TEA, quote_id=quote.body["quote_id"])
        assert state_of(market, "PAY-1") == "issued"

    def test_leaves_it_to_the_receipt_which_vouchers_were_paid_with(self, market):
        market.live(T10, vouchers=[PAY])
        quote = market.quote(TEA, at=..., voucher_codes=["PAY-1"])
        market.pay(quote, TEA, voucher_codes=["PAY-2"])
        assert (state_of(market, "PAY-1"), state_of(market, "PAY-2")) == ("issued", "redeemed")

    def test_does_not_cover_an_offer_that_it_refused(self, market):
        card = market.member()
        market.live(
            offer("L", items("TEA"), amount(1000), limits={"per_member": 1}, audience={"who": "members"})
        )
        market.pay(market.quote(TEA, at=..., card_number=card), TEA, card_number=card)
        refused = market.quote(TEA, at=..., card_number=card)
        sale = market.sale(refused, TEA, card_number=card)
        part = {"offer_code": f"{market.prefix}L", "offer_version": None, "amount": 1000}
        sale["lines"][0] |= {"discount_amount": 1000, "total_amount": 10980, "discounts": [part]}
        sale["totals"] = {"payable_amount": 10980}
        assert refused.discounts == [0]
        assert codes(market.post(sale)) == {"offer_not_valid"}

    def test_leaves_room_for_a_voucher_that_came_later(self, market):
        market.live(T10, vouchers=[PAY])
        quote = market.quote(TEA, at=...)
        sale = market.sale(quote, TEA, voucher_codes=["PAY-1"])
        sale["lines"][0]["discounts"].append(
            {"offer_code": f"{market.prefix}PAY", "offer_version": None, "amount": 1000}
        )
        sale["lines"][0] |= {"discount_amount": 2198, "total_amount": 9782}
        sale["totals"] = {"payable_amount": 9782}
        assert codes(market.post(sale)) == set()
        assert state_of(market, "PAY-1") == "redeemed"


class TestASale:
    def test_under_its_quote_is_as_quoted(self, market):
        market.live(T10)
        answer = market.pay(market.quote(TEA, at=...), TEA)
        assert (codes(answer), answer["differences"]) == (set(), [])

    def test_without_a_quote_is_honoured_too(self, market):
        market.live(T10)
        sale = market.sale(market.quote(TEA, at=...), TEA, quote_id=None)
        assert codes(market.post(sale)) == set()

    def test_is_honoured_after_the_offer_was_stopped_within_ten_minutes(self, market):
        market.live(T10)
        quote = market.quote(TEA, at=...)
        market.stop()
        assert codes(market.pay(quote, TEA)) == set()

    def test_is_honoured_in_the_version_that_was_quoted(self, market):
        market.live(T10)
        quote = market.quote(TEA, at=...)
        market.bring({"format": 1, "offers": [T10 | {"code": f"{market.prefix}T10", "benefit": percent(20)}]})
        assert codes(market.pay(quote, TEA)) == set()

    def test_with_an_offer_that_was_stopped_is_flagged(self, market):
        market.live(T10)
        quote = market.quote(TEA, at=...)
        market.stop()
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11), tick=True):
            assert "offer_not_valid" in codes(market.post(market.sale(quote, TEA, quote_id=None)))

    def test_with_another_store_s_offer_is_flagged(self, market):
        market.live(T10 | {"stores": ["S2"]})
        sale = market.sale(market.quote(TEA, till="S2", at=...), TEA, quote_id=None)
        assert "offer_not_valid" in codes(market.post(sale))

    def test_that_was_closed_while_the_offer_ran_is_honoured_late(self, market):
        market.live(T10 | {"valid": {"from": "2026-11-01T00:00:00+01:00", "to": "2026-11-10T00:00:00+01:00"}})
        quote = market.quote(TEA, at="2026-11-05T10:00:00+01:00")
        then = {"business_date": "2026-11-05", "closed_at": "2026-11-05T10:00:00+01:00", "quote_id": None}
        assert "unknown_offer" not in codes(market.post(market.sale(quote, TEA, **then)))

    def test_earns_what_its_offers_add_without_a_quote(self, market):
        card = market.member()
        market.live(
            offer("M", items("TEA"), {"kind": "points_multiplier", "times": "2"}),
            offer("B", ALWAYS, {"kind": "points", "points": 50}),
        )
        quote = market.quote(TEA, at=..., card_number=card)
        assert quote.body["points"]["to_earn"] == 239 + 50
        answer = market.post(market.sale(quote, TEA, card_number=card, quote_id=None))
        assert answer["points"]["earned"] == 289

    def test_in_a_batch_counts_like_one_by_one(self, market):
        market.live(offer("L", items("TEA"), amount(100), limits={"uses": 3}))
        quote = market.quote(basket(("tea", 1, 5990)), at=...)
        sales = [market.sale(quote, basket(("tea", 1, 5990)), quote_id=None) for _ in range(4)]
        answer = market.tills["S1"].post("/receipts/batch", {"receipts": sales}).get_json()
        told = [codes(result["receipt"]) for result in answer["results"]]
        assert told.count({"offer_not_valid"}) == 1

    def test_of_two_cards_of_a_household_counts_for_each_member(self, market):
        one, other = market.member(), market.member()
        mine = offer("L", items("TEA"), amount(100), limits={"per_member": 1}, audience={"who": "members"})
        market.live(mine)
        market.execute(
            "update member set account_id = (select account_id from member where member_code = :one)"
            " where member_code = :other",
            one=one,
            other=other,
        )
        market.execute(
            "update card set account_id = (select account_id from member where member_code = :one)"
            " where card_number = :other",
            one=one,
            other=other,
        )
        tea = basket(("tea", 1, 5990))
        market.pay(market.quote(tea, at=..., card_number=one), tea, card_number=one)
        assert market.quote(tea, at=..., card_number=one).discounts == [0]
        assert market.quote(tea, at=..., card_number=other).discounts == [100]


class TestAVoucherSDays:
    BATCH: ClassVar = {"batch": "DAYS", "value_amount": 500, "currency": "CZK", "minimum_amount": 0, "valid_days": 30,
             "codes": ["DAYS-0001"]}  # fmt: skip

    @pytest.mark.parametrize(("days", "hour", "expected"), [(0, 10, 500), (30, 23, 500), (31, 0, 0)])
    def test_end_with_the_store_s_day(self, market, days, hour, expected):
        with time_machine.travel(datetime(2026, 11, 22, 9, tzinfo=UTC), tick=True):
            market.live(offer("NONE", items("PEN"), percent(1)), vouchers=[self.BATCH])
        moment = (datetime(2026, 11, 22, tzinfo=UTC) + timedelta(days=days)).date()
        at = f"{moment.isoformat()}T{hour:02}:59:59+01:00" if hour else f"{moment.isoformat()}T00:00:00+01:00"
        quote = market.quote(basket(("pen", 1, 1000)), at=at, voucher_codes=["DAYS-0001"])
        assert sum(found["amount"] for line in quote.body["lines"] for found in line["discounts"]
                   if found["offer_code"] == "DAYS") == expected  # fmt: skip

    def test_of_one_that_was_issued_count_from_the_business_date(self, market):
        card = market.member()
        market.live(
            offer("V", items("TEA"), {"kind": "voucher", "batch": "DAYS"}),
            vouchers=[self.BATCH | {"codes": []}],
        )
        day = datetime.now(UTC).date() - timedelta(days=3)
        tea = basket(("tea", 1, 5990))
        closed = f"{day.isoformat()}T10:00:00+01:00"
        quote = market.quote(tea, at=closed, card_number=card)
        answer = market.pay(
            quote, tea, card_number=card, business_date=day.isoformat(), closed_at=closed, quote_id=None
        )
        (issued,) = answer["vouchers_issued"]
        assert issued["valid_until"] == (day + timedelta(days=30)).isoformat()

    def test_and_code_are_on_the_card(self, market):
        card = market.member()
        market.live(
            offer("V", items("TEA"), {"kind": "voucher", "batch": "DAYS"}),
            vouchers=[self.BATCH | {"codes": []}],
        )
        tea = basket(("tea", 1, 5990))
        answer = market.pay(market.quote(tea, at=..., card_number=card), tea, card_number=card)
        shown = market.tills["S1"].get(f"/cards/{card}").get_json()["vouchers"]
        assert [one["voucher_code"] for one in shown] == [answer["vouchers_issued"][0]["voucher_code"]]

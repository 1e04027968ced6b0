"""What offers give besides discounts: points, gifts and vouchers for next time; and vouchers that pay."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from loyalty.linking import link_card
from tests.offers.conftest import ALWAYS, amount, basket, items, of, offer, percent, value

TEA_AND_BREAD = basket(("tea", 1, 5990), ("bread", 1, 3990))
POINTS_50 = {"kind": "points", "points": 50}


def times(number, **rest):
    return {"kind": "points_multiplier", "times": str(number)} | rest


def to_earn(market, offers, lines=TEA_AND_BREAD, **rest) -> int:
    market.live(*offers, **{name: rest.pop(name) for name in ("choice",) if name in rest})
    return market.quote(lines, card_number=market.member(), **rest).body["points"]["to_earn"]


class TestPoints:
    def test_without_offers_are_one_for_each_whole_crown(self, market):
        assert to_earn(market, [offer("NONE", items("SOAP"), percent(1))]) == 99

    def test_are_multiplied_by_unit_and_rounded_once(self, market):
        """(2 x 5990 + 3990) / 100 = 159.7"""
        assert to_earn(market, [offer("M", items("TEA"), times(2))]) == 159

    def test_are_multiplied_by_the_largest_of_several(self, market):
        """(3 x 5990 + 2 x 3990) / 100 = 259.5"""
        offers = [offer("M1", ALWAYS, times(2), stage="points"), offer("M2", items("TEA"), times(3))]
        assert to_earn(market, offers) == 259

    def test_may_be_none(self, market):
        assert to_earn(market, [offer("M", items("TEA"), times(0))]) == 39

    def test_may_be_half_as_many_again(self, market):
        """1.5 x 5990 + 3990 = 12975"""
        assert to_earn(market, [offer("M", items("TEA"), times("1.5"))]) == 129

    def test_are_counted_after_all_discounts(self, market):
        """2 x 5391 + 3990 = 14772"""
        offers = [offer("M", items("TEA"), times(2)), offer("P", items("TEA"), percent(10), stage="basket")]
        assert to_earn(market, offers) == 147

    def test_without_a_card_wait_on_the_receipt_for_who_claims_it(self, market):
        """99 points for 9980 and 50 more; the offer applied, so the other one of its group did not."""
        group = {"exclusive_group": "G"}
        gift = offer("B", items("TEA"), POINTS_50, priority=200, **group)
        market.live(gift, offer("P", items("TEA"), percent(10), **group))
        lines = basket(("tea", 1, 5990), ("A", 1, 3990))
        quote = market.quote(lines, at=...)
        assert (quote.discounts, quote.body["points"]["to_earn"], quote.missing) == ([0, 0], 0, {"P": None})
        paid = market.pay(quote, lines)
        assert paid["points"]["earned"] == 0
        with market.sessions.begin() as session:
            linked = link_card(
                session,
                business_date=datetime.now(UTC).date(),
                receipt_id=UUID(paid["receipt_id"]),
                card_number=market.member(),
                now=datetime.now(UTC),
                actor="desk",
            )
        assert linked.earned == 99 + 50

    def test_come_once_per_receipt_where_nothing_is_claimed(self, market):
        assert to_earn(market, [offer("B", ALWAYS, POINTS_50)]) == 99 + 50

    def test_come_once_per_application(self, market):
        lines = basket(("tea", 5, 100))
        assert to_earn(market, [offer("B", items("TEA", 2), POINTS_50)], lines) == 5 + 100

    def test_come_for_a_value(self, market):
        assert to_earn(market, [offer("B", value(9980), POINTS_50)]) == 149
        assert to_earn(market, [offer("B", value(9981), POINTS_50)]) == 99

    def test_are_no_discount_to_what_is_not_stackable(self, market):
        """The bonus claimed the tea, and tea has no discount yet: 10 % of it is off, 5391 + 3990 earn 93."""
        offers = [
            offer("B", items("TEA"), POINTS_50, priority=200),
            offer("P", items("TEA"), percent(10), stackable=False),
        ]
        assert to_earn(market, offers) == 93 + 50

    def test_are_given_once_in_an_exclusive_group(self, market):
        offers = [offer(code, items("TEA"), POINTS_50, exclusive_group="G") for code in ("B1", "B2")]
        assert to_earn(market, offers) == 99 + 50

    def test_do_not_come_for_what_is_paid_with_points(self, market):
        """1000 of 9980 are paid with points: 600.2 : 399.8; (2 x 5390 + 3590) / 100 = 143.7"""
        card = market.member()
        self.earn(market, card, 1000)
        market.live(offer("M", items("TEA"), times(2)))
        quote = market.quote(TEA_AND_BREAD, card_number=card, points_to_spend=100)
        assert quote.body["totals"]["points_amount"] == 1000
        assert quote.body["points"]["to_earn"] == 143

    @staticmethod
    def earn(market, card, points):
        day = datetime.now(UTC) - timedelta(days=60)
        lines = basket(("soap", 1, points * 100))
        market.live(offer("NONE", items("PEN"), percent(1)))
        quote = market.quote(lines, card_number=card)
        market.pay(
            quote,
            lines,
            card_number=card,
            business_date=day.date().isoformat(),
            closed_at=day.isoformat(),
            quote_id=None,
        )

    def test_are_booked_as_quoted(self, market):
        card = market.member()
        market.live(offer("M", items("TEA"), times(2)), offer("B", ALWAYS, POINTS_50))
        quote = market.quote(TEA_AND_BREAD, card_number=card, at=...)
        answer = market.pay(quote, TEA_AND_BREAD, card_number=card)
        assert answer["points"]["earned"] == quote.body["points"]["to_earn"] == 159 + 50
        assert answer["differences"] == []

    def test_go_back_as_stored_line_by_line(self, market):
        """X-1: whatever the offers are by then, all that was earned goes when everything comes back, in two parts."""
        card = market.member()
        market.live(offer("M", items("TEA"), times(2)), offer("B", ALWAYS, POINTS_50))
        sale = market.sale(
            market.quote(TEA_AND_BREAD, card_number=card, at=...), TEA_AND_BREAD, card_number=card
        )
        market.post(sale)
        market.stop()
        taken = [market.returns(sale, {1: "1"})["points"]["reversed"]]
        market.bring_back(sale, {1: "1"})
        taken.append(market.returns(sale, {2: "1"})["points"]["reversed"])
        market.bring_back(sale, {2: "1"})
        assert sum(taken) == 209
        assert all(part > 0 for part in taken)
        shown = market.tills["S1"].get(f"/cards/{card}").get_json()["points"]
        assert shown["balance"] == 0


class TestGifts:
    MUG = ({"code": "MUG", "name": {"en": "Mug"}, "points": 500, "stock": {"S1": 3, "S2": 1}},)

    def live(self, market, *offers, **rest):
        market.live(*offers, rewards=list(self.MUG), **rest)

    @staticmethod
    def stock(market, store="S1"):
        found = market.regulars("rewards", "stock")["stock"]
        return next(
            (one["on_hand"], one["reserved"], one["available"])
            for one in found
            if (one["reward_code"], one["store_code"]) == (f"{market.prefix}MUG", store)
        )

    def test_are_named_in_quote_and_receipt(self, market):
        self.live(market, offer("G", items("TEA", 2), {"kind": "gift", "reward": "MUG", "quantity": 1}))
        lines = basket(("tea", 4, 5990))
        quote = market.quote(lines, at=...)
        assert quote.body["gifts"] == [{"offer_code": "G", "reward_code": "MUG", "quantity": 2}]
        answer = market.pay(quote, lines)
        assert answer["gifts"] == [{"offer_code": "G", "reward_code": "MUG", "quantity": 2}]
        on_hand, _, available = self.stock(market)
        assert available == 1
        assert on_hand in {1, 3}

    def test_do_not_come_without_the_application(self, market):
        self.live(market, offer("G", items("TEA", 2), {"kind": "gift", "reward": "MUG", "quantity": 1}))
        quote = market.quote(basket(("tea", 1, 5990)), at=...)
        assert (quote.body["gifts"], quote.missing) == ([], {"G": "1"})

    def test_leave_the_price_as_it_is(self, market):
        self.live(market, offer("G", ALWAYS, {"kind": "gift", "reward": "MUG", "quantity": 1}))
        quote = market.quote(basket(("tea", 4, 5990)), at=...)
        assert (quote.discounts, quote.body["gifts"][0]["quantity"]) == ([0], 1)

    def test_come_back_with_a_void(self, market):
        self.live(market, offer("G", items("TEA", 2), {"kind": "gift", "reward": "MUG", "quantity": 1}))
        lines = basket(("tea", 2, 5990))
        sale = market.sale(market.quote(lines, at=...), lines)
        market.post(sale)
        assert self.stock(market)[2] == 2
        market.post(market.void_of(sale))
        assert self.stock(market) == (3, 0, 3)


BATCH = {
    "batch": "NEXT50",
    "value_amount": 5000,
    "currency": "CZK",
    "minimum_amount": 30000,
    "valid_days": 30,
}


class TestVouchersForNextTime:
    def test_are_promised_and_then_issued(self, market):
        card = market.member()
        market.live(offer("V", items("TEA", 2), {"kind": "voucher", "batch": "NEXT50"}), vouchers=[BATCH])
        lines = basket(("tea", 2, 5990))
        quote = market.quote(lines, card_number=card, at=...)
        assert quote.body["vouchers"] == [{"offer_code": "V", "batch": "NEXT50"}]
        sale = market.sale(quote, lines, card_number=card)
        (issued,) = market.post(sale)["vouchers_issued"]
        assert (issued["batch"], issued["value_amount"]) == ("NEXT50", 5000)
        until = datetime.fromisoformat(issued["valid_until"])
        assert until.date() >= datetime.now(UTC).date() + timedelta(days=29)
        again = market.tills["S1"].post("/receipts", sale).get_json()
        assert [one["voucher_code"] for one in again["vouchers_issued"]] == [issued["voucher_code"]]

    def test_can_be_spent_next_time_once(self, market):
        card = market.member()
        market.live(offer("V", items("TEA", 2), {"kind": "voucher", "batch": "NEXT50"}), vouchers=[BATCH])
        lines = basket(("tea", 2, 5990))
        issued = market.pay(market.quote(lines, card_number=card, at=...), lines, card_number=card)[
            "vouchers_issued"
        ]
        code = issued[0]["voucher_code"]
        dear = basket(("A", 1, 40000))
        prefix, market.prefix = market.prefix, ""
        quote = market.quote(dear, card_number=card, at=..., voucher_codes=[code])
        assert quote.discounts == [5000]
        answer = market.pay(quote, dear, card_number=card, voucher_codes=[code])
        assert answer["differences"] == []
        assert market.quote(dear, card_number=card, at=..., voucher_codes=[code]).discounts == [0]
        market.prefix = prefix

    @pytest.mark.parametrize("how", ["void", "return"])
    def test_are_cancelled_with_the_sale(self, market, how):
        card = market.member()
        market.live(offer("V", items("TEA", 2), {"kind": "voucher", "batch": "NEXT50"}), vouchers=[BATCH])
        lines = basket(("tea", 2, 5990))
        sale = market.sale(market.quote(lines, card_number=card, at=...), lines, card_number=card)
        code = market.post(sale)["vouchers_issued"][0]["voucher_code"]
        if how == "void":
            market.post(market.void_of(sale))
        else:
            market.bring_back(sale, {1: "2"})
        dear = basket(("A", 1, 40000))
        prefix, market.prefix = market.prefix, ""
        assert market.quote(dear, card_number=card, at=..., voucher_codes=[code]).discounts == [0]
        market.prefix = prefix


def paying(value_amount=5000, minimum=30000, codes=("PAY-0001", "PAY-0002"), **rest):
    return {"batch": "PAY", "value_amount": value_amount, "currency": "CZK", "minimum_amount": minimum,
            "valid_days": 30, "codes": list(codes)} | rest  # fmt: skip


NOTHING = offer("NONE", items("PEN"), percent(1))
DEAR = basket(("A", 1, 20000), ("B", 1, 10000))


class TestAVoucherThatPays:
    def test_takes_its_value_off_all_lines(self, market):
        """5000 over 20000 : 10000"""
        market.live(NOTHING, vouchers=[paying()])
        quote = market.quote(DEAR, voucher_codes=["PAY-0001"])
        assert quote.shares == [[("PAY", 3333)], [("PAY", 1667)]]

    def test_needs_its_minimum(self, market):
        market.live(NOTHING, vouchers=[paying()])
        quote = market.quote(basket(("A", 1, 29999)), voucher_codes=["PAY-0001"])
        assert (quote.discounts, quote.missing) == ([0], {"PAY": "1"})

    def test_looks_at_what_is_left_after_discounts(self, market):
        market.live(offer("P", items("A"), percent(10)), vouchers=[paying(minimum=28001)])
        quote = market.quote(DEAR, voucher_codes=["PAY-0001"])
        assert (quote.discounts, quote.missing) == ([2000, 0], {"PAY": "1"})

    def test_shares_by_what_is_left_after_discounts(self, market):
        """18000 : 10000 of 5000 is 3214.29 : 1785.71"""
        market.live(offer("P", items("A"), percent(10)), vouchers=[paying(minimum=28000)])
        quote = market.quote(DEAR, voucher_codes=["PAY-0001"])
        assert quote.shares == [[("P", 2000), ("PAY", 3214)], [("PAY", 1786)]]

    def test_looks_at_what_was_before_its_stage(self, market):
        """The stage's own offers come first and do not count against the minimum: 10 % of 30000, then 5000 of 27000."""
        tenth = offer("V10", {"kind": "voucher", "batch": "PAY"}, percent(10), stage="voucher")
        market.live(tenth, vouchers=[paying()])
        quote = market.quote(DEAR, voucher_codes=["PAY-0001"])
        assert quote.shares == [[("V10", 2000), ("PAY", 3333)], [("V10", 1000), ("PAY", 1667)]]

    def test_never_pays_more_than_there_is(self, market):
        market.live(NOTHING, vouchers=[paying(50000)])
        quote = market.quote(DEAR, voucher_codes=["PAY-0001"])
        assert (quote.discounts, quote.payable) == ([20000, 10000], 0)

    def test_leaves_deposits_alone(self, market):
        market.live(NOTHING, vouchers=[paying(50000)])
        quote = market.quote(
            [*DEAR, *[basket(("x", 1, 1), ("x", 1, 1), ("bottle", 2, -300))[2]]], voucher_codes=["PAY-0001"]
        )
        assert (quote.discounts, quote.payable) == ([20000, 10000, 0], -600)

    def test_pays_beside_another(self, market):
        """Both minima look at 30000: 10000 in all."""
        market.live(NOTHING, vouchers=[paying()])
        quote = market.quote(DEAR, voucher_codes=["PAY-0001", "PAY-0002"])
        assert sum(quote.discounts) == 10000

    def test_pays_once_however_often_it_is_read(self, market):
        market.live(NOTHING, vouchers=[paying()])
        assert sum(market.quote(DEAR, voucher_codes=["PAY-0001", "PAY-0001"]).discounts) == 5000

    def test_that_nobody_knows_pays_nothing(self, market):
        market.live(NOTHING, vouchers=[paying()])
        assert sum(market.quote(DEAR, voucher_codes=["PAY-9999"]).discounts) == 0

    def test_is_redeemed_by_the_receipt_and_only_once(self, market):
        market.live(NOTHING, vouchers=[paying()])
        quote = market.quote(DEAR, at=..., voucher_codes=["PAY-0001"])
        answer = market.pay(quote, DEAR, voucher_codes=["PAY-0001"])
        assert (
            answer["differences"],
            {flag["code"] for flag in answer["flags"]} & {"unknown_offer", "offer_not_valid"},
        ) == ([], set())
        assert sum(market.quote(DEAR, at=..., voucher_codes=["PAY-0001"]).discounts) == 0
        second = market.pay(quote, DEAR, voucher_codes=["PAY-0001"])
        assert second["flags"]

    @pytest.mark.parametrize("how", ["void", "return"])
    def test_comes_back_with_the_sale(self, market, how):
        market.live(NOTHING, vouchers=[paying()])
        quote = market.quote(DEAR, at=..., voucher_codes=["PAY-0001"])
        sale = market.sale(quote, DEAR, voucher_codes=["PAY-0001"])
        market.post(sale)
        if how == "void":
            market.post(market.void_of(sale))
        else:
            quoted = market.bring_back(sale, {1: "1", 2: "1"})
            assert quoted["totals"]["refund_amount"] == 25000
        assert sum(market.quote(DEAR, at=..., voucher_codes=["PAY-0001"]).discounts) == 5000

    def test_opens_an_offer_without_a_value_of_its_own(self, market):
        """A batch without value is a key: 20 % with its code, and nothing without."""
        key = {"batch": "KEY", "value_amount": None, "currency": "CZK", "minimum_amount": 0, "valid_days": 30,
               "codes": ["KEY-0001"]}  # fmt: skip
        market.live(
            offer("V20", {"kind": "voucher", "batch": "KEY"}, percent(20), stage="voucher"), vouchers=[key]
        )
        assert market.quote(DEAR, voucher_codes=["KEY-0001"]).discounts == [4000, 2000]
        assert market.quote(DEAR).discounts == [0, 0]

    def test_and_a_threshold_both_have_to_be_there(self, market):
        both = {"kind": "all", "of": [{"kind": "voucher", "batch": "PAY"}, value(25000)]}
        market.live(offer("V", both, amount(1000), stage="voucher"), vouchers=[paying(0, 0)])
        assert sum(market.quote(DEAR, voucher_codes=["PAY-0001"]).discounts) == 1000
        assert sum(market.quote(basket(("A", 1, 24999)), voucher_codes=["PAY-0001"]).discounts) == 0
        assert sum(market.quote(DEAR).discounts) == 0

    def test_makes_one_thing_cheaper(self, market):
        market.live(
            offer("V", {"kind": "voucher", "batch": "PAY"}, percent(50, select=of("B")), stage="voucher"),
            vouchers=[paying(0, 0)],
        )
        assert market.quote(DEAR, voucher_codes=["PAY-0001"]).discounts == [0, 5000]

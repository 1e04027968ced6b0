"""
What comes back of a sale with offers: the rest costs what it costs by itself under the offers of that sale (X-3).

All returns of a sale together refund what was paid for it, in whatever steps it comes back.
"""

from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import ClassVar

import pytest
from sqlalchemy import text

from tests.offers.conftest import (
    ALWAYS,
    amount,
    basket,
    each,
    fixed,
    items,
    nth,
    of,
    offer,
    percent,
    value,
)

SET = offer("SET", each(({"skus": ["shampoo"]}, 1), ({"skus": ["conditioner"]}, 1)), fixed(14900))
LETTERS = {"departments": ["LETTERS"]}

STORIES = {
    # 14900 paid; the shampoo alone is 8900
    "a broken set": ([("shampoo", 1, 8900), ("conditioner", 1, 7900)], [SET], [({2: "1"}, 6000), ({1: "1"}, 8900)]),
    "a whole set": ([("shampoo", 1, 8900), ("conditioner", 1, 7900)], [SET], [({1: "1", 2: "1"}, 14900)]),
    # one of two sets stays whole: 29800 - 14900
    "one of two sets": (
        [("shampoo", 2, 8900), ("conditioner", 2, 7900)],
        [SET],
        [({1: "1", 2: "1"}, 14900), ({2: "1"}, 6000), ({1: "1"}, 8900)],
    ),
    "three for two, one by one": (
        [("choc", 3, 2990)],
        [offer("N", items("CHOC", 3), nth())],
        [({1: "1"}, 0), ({1: "1"}, 2990), ({1: "1"}, 2990)],
    ),
    "10 %, which nothing breaks": (
        [("tea", 2, 5990)],
        [offer("T10", items("TEA"), percent(10))],
        [({1: "1"}, 5391), ({1: "1"}, 5391)],
    ),
    # 11000 - 1000 paid; 6000 does not reach the value
    "a threshold that is missed": (
        [("A", 1, 6000), ("B", 1, 5000)],
        [offer("V", value(10000), amount(1000))],
        [({2: "1"}, 4000), ({1: "1"}, 6000)],
    ),
    # 7000 of 12000 still reach 6000: 11000 - 6000
    "a threshold that is still reached": (
        [("A", 1, 7000), ("B", 1, 5000)],
        [offer("V", value(6000), amount(1000))],
        [({2: "1"}, 5000), ({1: "1"}, 6000)],
    ),
    "a gift that is kept": (
        [("A", 1, 10000), ("B", 1, 9000)],
        [offer("G", items("A"), percent(100, select=of("B")))],
        [({1: "1"}, 1000), ({2: "1"}, 9000)],
    ),
    "a gift that is worth more than all that was paid": (
        [("A", 1, 1000), ("B", 1, 9000)],
        [offer("G", items("A"), percent(100, select=of("B")))],
        [({1: "1"}, 0), ({2: "1"}, 1000)],
    ),
    # one application was all there was: the kept tea keeps it
    "a limit that was used up": (
        [("tea", 3, 5990)],
        [offer("L", items("TEA"), amount(1000), limits={"uses": 1})],
        [({1: "1"}, 5990), ({1: "1"}, 5990), ({1: "1"}, 4990)],
    ),
    # 2.5 kg at 29900 less 10 %; 2 kg still have it, 1.4 kg have not
    "cheese by the kilogram": (
        [("cheese", "2.5", 29900)],
        [offer("W", items("CHEESE", 2), percent(10))],
        [({1: "0.5"}, 13455), ({1: "0.6"}, 11960), ({1: "1.4"}, 41860)],
    ),
    # kept 0.254 kg is 7595 (7594.6), 10 % off that 759.5 -> 760: 6835; paid 22545 - 2255 (2254.5) = 20290
    "half of the cheese": (
        [("cheese", "0.754", 29900)],
        [offer("W", items("CHEESE"), percent(10))],
        [({1: "0.5"}, 20290 - 6835), ({1: "0.254"}, 6835)],
    ),
    "tea without its bottle": (
        [("tea", 1, 5990), ("bottle", 1, -300)],
        [offer("T10", items("TEA"), percent(10))],
        [({1: "1"}, 5391), ({2: "1"}, -300)],
    ),
    "two offers, of which one breaks": (
        [("tea", 1, 5990), ("bread", 1, 3990)],
        # 599 off tea, then 500 from 9000: shared 287.3 : 212.7 of 5391 : 3990
        [offer("T10", items("TEA"), percent(10)), offer("V", value(9000), amount(500), stage="basket")],
        [({2: "1"}, 8881 - 5391), ({1: "1"}, 5391)],
    ),
    "an exclusive group": (
        [("tea", 1, 5990), ("bread", 1, 3990)],
        [offer("T10", items("TEA"), percent(10), priority=200, exclusive_group="G"),
         offer("F20", items({"departments": ["FOOD"]}), percent(20), exclusive_group="G")],
        [({1: "1"}, 5391), ({2: "1"}, 3192)],
    ),
    # kept 1.5 kg at 999 is 1498.5 -> 1499: with an offer on other goods and without any it is the same
    "a rest between two hellers": (
        [("cheese", "2", 999, "kg")],
        [offer("P", items("PEN"), percent(10))],
        [({1: "0.5"}, 499), ({1: "1.5"}, 1499)],
    ),
    "a rest between two hellers beside an offer": (
        [("cheese", "2", 999, "kg"), ("pen", 1, 1000)],
        [offer("P", items("PEN"), percent(10))],
        [({1: "0.5"}, 499), ({1: "1.5"}, 1499), ({2: "1"}, 900)],
    ),
    "100 %": ([("tea", 3, 3333)], [offer("ALL", ALWAYS, percent(100))], [({1: "1"}, 0), ({1: "2"}, 0)]),
}  # fmt: skip


@pytest.fixture
def sold(market):
    """Return what sells a basket under offers, which are over then: (lines, offers) -> the receipt's body."""

    def sold(lines, offers, **rest):
        posted = basket(*lines)
        market.live(
            *offers, **{name: rest.pop(name) for name in ("vouchers", "rewards", "choice") if name in rest}
        )
        codes = {"voucher_codes": rest["voucher_codes"]} if "voucher_codes" in rest else {}
        card = {"card_number": rest["card_number"]} if "card_number" in rest else {}
        quote = market.quote(posted, at=..., **codes, **card)
        sale = market.sale(quote, posted, **rest)
        market.post(sale)
        return sale

    return sold


class TestAReturn:
    @pytest.mark.parametrize(("lines", "offers", "steps"), STORIES.values(), ids=STORIES)
    def test_refunds_what_was_paid_less_what_the_rest_costs(self, market, sold, lines, offers, steps):
        sale = sold(lines, offers)
        market.stop()
        refunds = [market.bring_back(sale, brought)["totals"]["refund_amount"] for brought, _ in steps]
        assert refunds == [expected for _, expected in steps]
        assert sum(refunds) == sale["totals"]["payable_amount"]

    def test_is_shared_over_its_lines_by_what_was_paid_for_them(self, market, sold):
        """2000 were paid (666, 667, 667), A alone is 1000: B and C share the rest."""
        sale = sold([("A", 1, 1000), ("B", 1, 1000), ("C", 1, 1000)], [offer("V", value(3000), amount(1000))])
        quoted = market.returns(sale, {2: "1", 3: "1"})
        assert [found["refund_amount"] for found in quoted["lines"]] == [500, 500]

    def test_shows_the_broken_offer_before_the_refund(self, market, sold):
        sale = sold(
            [("shampoo", 1, 8900), ("conditioner", 1, 7900)], [SET | {"name": {"en": "Set", "cs": "Sada"}}]
        )
        quoted = market.returns(sale, {2: "1"})
        assert quoted["paid_amount"] == 7007
        assert quoted["broken_offers"] == [
            {"offer_code": "SET", "offer_version": 1, "reason": "Sada", "amount": 1007}
        ]
        assert market.returns(sale, {1: "1", 2: "1"})["broken_offers"] == []

    def test_goes_by_the_version_of_the_sale(self, market, sold):
        sale = sold([("tea", 2, 5990)], [offer("T10", items("TEA"), percent(10))])
        market.bring({"format": 1, "offers": [offer(f"{market.prefix}T10", items("TEA"), percent(50))]})
        assert market.quote(basket(("tea", 1, 5990))).discounts == [2995]
        assert market.returns(sale, {1: "1"})["totals"]["refund_amount"] == 5391

    def test_asks_neither_hour_nor_store_nor_who_it_was(self, market, sold):
        card = market.member()
        only = offer(
            "T10", items("TEA", 2), percent(10), stores=["S1"], limits={"per_member": 1},
            audience={"who": "members", "member_codes": [card]}, valid={"to": "2099-01-01T00:00:00Z"},
        )  # fmt: skip
        sale = sold([("tea", 3, 5990)], [only], card_number=card)
        # 2 of 3 are 10 % off; so are the two that are kept
        assert market.returns(sale, {1: "1"})["totals"]["refund_amount"] == 5990
        assert market.returns(sale, {1: "2"})["totals"]["refund_amount"] == 16772 - 5990

    def test_of_what_was_cheaper_by_hand_too(self, market, sold):
        market.live(offer("T10", items("TEA"), percent(10)))
        lines = basket(("tea", 2, 5990))
        sale = market.sale(market.quote(lines, at=...), lines)
        sale["lines"][0] |= {"discount_amount": 2198, "total_amount": 9782}
        sale["totals"] = {"payable_amount": 9782}
        market.post(sale)
        steps = [market.bring_back(sale, {1: "1"})["totals"]["refund_amount"] for _ in range(2)]
        assert steps == [4891, 4891]

    @pytest.mark.parametrize("beside", [[], [("tea", 1, 5990)]], ids=["no offer", "an offer beside it"])
    def test_of_what_was_weighed_and_cheaper_by_hand_is_what_the_rest_does_not_cost(self, market, beside):
        """1 kg at 201 with 100 off: the half that is kept costs 101 (100.5) less 50, so 50 of 101 are due, and 51 then."""
        market.live(offer("T10", items("TEA"), percent(10)))
        lines = basket(("cheese", "1.000", 201), *beside)
        sale = market.sale(market.quote(lines, at=...), lines)
        sale["lines"][0] |= {"discount_amount": 100, "total_amount": 101}
        sale["totals"] = {"payable_amount": sum(one["total_amount"] for one in sale["lines"])}
        market.post(sale)
        steps = [market.bring_back(sale, {1: "0.5"})["totals"]["refund_amount"] for _ in range(2)]
        assert steps == [50, 51]

    def test_of_what_hardly_costs_anything_is_never_below_zero(self, market):
        """Of 1 kg at 1000 with 999 off what is kept costs now 1, now nothing; it never costs more again."""
        market.live(offer("T10", items("TEA"), percent(10)))
        lines = basket(("cheese", "1.000", 1000))
        sale = market.sale(market.quote(lines, at=...), lines)
        sale["lines"][0] |= {"discount_amount": 999, "total_amount": 1}
        sale["totals"] = {"payable_amount": 1}
        market.post(sale)
        parts = ("0.001", "0.498", "0.001", "0.167", "0.333")
        steps = [market.bring_back(sale, {1: part})["totals"]["refund_amount"] for part in parts]
        assert (sum(steps), min(steps)) == (1, 0)

    def test_of_a_sale_without_offers_says_nothing_of_them(self, market, sold):
        sale = sold([("pen", 2, 333)], [offer("T10", items("TEA"), percent(10))])
        quoted = market.returns(sale, {1: "1"})
        assert set(quoted) == {"lines", "totals", "points", "flags"}
        assert quoted["totals"]["refund_amount"] == 333

    def test_of_more_than_was_sold_is_cut(self, market, sold):
        sale = sold([("choc", 3, 2990)], [offer("N", items("CHOC", 3), nth())])
        quoted = market.returns(sale, {1: "5"})
        assert (quoted["lines"][0]["quantity"], quoted["totals"]["refund_amount"]) == ("3", 5980)
        assert quoted["flags"][0]["code"] == "over_returned"

    def test_of_a_voided_sale_is_nothing(self, market, sold):
        sale = sold([("choc", 3, 2990)], [offer("N", items("CHOC", 3), nth())])
        market.post(market.void_of(sale))
        assert market.returns(sale, {1: "1"})["totals"]["refund_amount"] == 0

    def test_after_a_return_that_was_voided_is_as_before(self, market, sold):
        sale = sold([("choc", 3, 2990)], [offer("N", items("CHOC", 3), nth())])
        back = market.return_of(sale, market.returns(sale, {1: "2"}))
        assert back["totals"]["payable_amount"] == 2990
        market.post(back)
        assert market.returns(sale, {1: "1"})["totals"]["refund_amount"] == 2990
        market.post(market.void_of(back))
        assert market.returns(sale, {1: "1"})["totals"]["refund_amount"] == 0
        assert market.returns(sale, {1: "3"})["totals"]["refund_amount"] == 5980

    def test_gives_points_back_instead_of_money_and_never_more_than_was_paid(self, market, sold):
        """5980, of which 1000 in points: 33, 33 and 34 points come back; the first return is due nothing in money."""
        from tests.offers.test_benefits import TestPoints

        card = market.member()
        TestPoints.earn(market, card, 1000)
        held = market.tills["S1"].post("/redemptions", {"card_number": card, "points": 100}).get_json()
        market.live(offer("N", items("CHOC", 3), nth()))
        lines = basket(("choc", 3, 2990))
        sale = market.sale(
            market.quote(lines, at=..., card_number=card),
            lines,
            card_number=card,
            redemption_ids=[held["redemption_id"]],
            totals={"payable_amount": 4980, "points_amount": 1000},
        )
        market.post(sale)
        steps = [market.bring_back(sale, {1: "1"}) for _ in range(3)]
        assert [step["points"]["returned"] for step in steps] == [33, 33, 34]
        assert [step["totals"]["refund_amount"] for step in steps] == [0, 2330, 2650]

    def test_keeps_the_voucher_s_value_while_the_rest_reaches_its_minimum(self, market, sold):
        paying = {"batch": "PAY", "value_amount": 5000, "currency": "CZK", "minimum_amount": 15000,
                  "valid_days": 30, "codes": ["PAY-0001"]}  # fmt: skip
        nothing = offer("NONE", items("PEN"), percent(1))
        sale = sold(
            [("A", 1, 20000), ("B", 1, 10000)], [nothing], vouchers=[paying], voucher_codes=["PAY-0001"]
        )
        # 25000 paid: A with the voucher is 15000, B without is 10000 since it misses the minimum
        assert market.returns(sale, {2: "1"})["totals"]["refund_amount"] == 10000
        assert market.returns(sale, {1: "1"})["totals"]["refund_amount"] == 15000
        assert market.returns(sale, {1: "1", 2: "1"})["totals"]["refund_amount"] == 25000

    @pytest.mark.parametrize("forgotten", [False, True])
    def test_goes_by_the_same_when_the_quote_is_forgotten(self, market, sold, forgotten):
        """3 for 2 once: 6000 of 7000 paid, six by themselves are 5000 and not 4000."""
        sale = sold([("choc", 7, 1000)], [offer("N", items("CHOC", 3), nth(), limits={"uses": 1})])
        if forgotten:
            with market.sessions.begin() as session:
                session.execute(text("delete from quote where quote_id = :of"), {"of": sale["quote_id"]})
        assert market.returns(sale, {1: "1"})["totals"]["refund_amount"] == 1000

    def test_takes_no_more_off_than_a_receipt_without_quote_states(self, market, sold):
        market.live(offer("N", items("CHOC", 3), nth(), limits={"uses": 1}))
        lines = basket(("choc", 7, 1000))
        sale = market.sale(market.quote(lines, at=...), lines)
        del sale["quote_id"]
        market.post(sale)
        assert market.returns(sale, {1: "1"})["totals"]["refund_amount"] == 1000


class TestAVoucherOfTheSale:
    """What it took off there counts, whatever it is worth and however its code was written."""

    PAY: ClassVar = {"batch": "PAY", "value_amount": 50000, "currency": "CZK", "minimum_amount": 0, "valid_days": 30,
           "codes": ["PAY-0001"]}  # fmt: skip
    PEN = offer("NONE", items("PEN"), percent(1))

    def refund(self, market, sale, brought):
        return market.returns(sale, brought)["totals"]["refund_amount"]

    def test_counts_with_what_was_left_on_it(self, market, sold):
        """40000 of 50000 are left; 40000 of 80000 are paid. One of two kept costs 40000 - 40000."""
        market.live(self.PEN, vouchers=[self.PAY])
        with market.sessions.begin() as session:
            session.execute(
                text("update voucher set left_amount = 40000 where voucher_code = :code"),
                {"code": f"{market.prefix}PAY-0001"},
            )
        lines = basket(("A", 1, 45000), ("B", 1, 35000))
        quote = market.quote(lines, at=..., voucher_codes=["PAY-0001"])
        sale = market.sale(quote, lines, voucher_codes=["PAY-0001"])
        assert sale["totals"]["payable_amount"] == 40000
        market.post(sale)
        # kept A: 45000 - 40000
        assert self.refund(market, sale, {2: "1"}) == 35000

    def test_that_took_nothing_off_counts_for_nothing(self, market, sold):
        market.live(self.PEN, vouchers=[self.PAY | {"value_amount": 5000}])
        lines = basket(("A", 2, 10000))
        sale = market.sale(market.quote(lines, at=...), lines, voucher_codes=["PAY-0001"])
        market.post(sale)
        assert self.refund(market, sale, {1: "1"}) == 10000

    def test_counts_with_what_the_receipt_states(self, market, sold):
        market.live(self.PEN, vouchers=[self.PAY])
        lines = basket(("A", 2, 10000))
        sale = market.sale(market.quote(lines, at=...), lines, voucher_codes=["PAY-0001"])
        discounts = [{"offer_code": f"{market.prefix}PAY", "offer_version": None, "amount": 5000}]
        sale["lines"][0] |= {"discount_amount": 5000, "total_amount": 15000, "discounts": discounts}
        sale["totals"] = {"payable_amount": 15000}
        market.post(sale)
        # kept: 10000 - 5000, and not 10000 - 10000
        assert self.refund(market, sale, {1: "1"}) == 10000

    def test_is_found_however_it_was_typed(self, market, sold):
        market.live(self.PEN, vouchers=[self.PAY | {"value_amount": 5000}])
        lines = basket(("A", 2, 10000))
        sale = market.sale(market.quote(lines, at=..., voucher_codes=["PAY-0001"]), lines)
        market.post(sale | {"voucher_codes": [f" {market.prefix}pay-0001".lower()]})
        # kept: 10000 - 5000 of 15000, and not half of what was paid
        assert self.refund(market, sale, {1: "1"}) == 10000


class TestLocks:
    """Who waits for whom, seen in the database: nobody for each other."""

    def test_of_a_void_come_in_the_order_of_a_sale(self, market, sold):
        """While somebody holds the stock, a void that waits for it holds no budget."""
        from tests.offers.test_benefits import TestGifts

        given = offer(
            "G", items("TEA", 2), {"kind": "gift", "reward": "MUG", "quantity": 1}, limits={"uses": 9}
        )
        sale = sold([("tea", 2, 5990)], [given], rewards=list(TestGifts.MUG))
        code = {"code": f"{market.prefix}G"}
        with ThreadPoolExecutor(1) as pool:
            with market.sessions.begin() as session:
                session.execute(text("select from reward_stock for update"))
                void = pool.submit(market.post, market.void_of(sale))
                self.wait(market, session, void)
                # Raises LockNotAvailable should the void hold it.
                session.execute(
                    text("select from offer_counter where offer_code = :code for update nowait"), code
                )
            void.result()

    def test_of_the_void_of_a_return_keep_others_from_its_sale(self, market, sold):
        """Of a sale without account: another return or void of it is booked and not yet committed."""
        one = offer("L", items("TEA", 2), amount(1000), limits={"uses": 1})
        sale = sold([("tea", 2, 5990)], [one])
        back = market.return_of(sale, market.returns(sale, {1: "2"}))
        receipt_id = market.post(back)["receipt_id"]
        with ThreadPoolExecutor(1) as pool:
            with market.sessions.begin() as session:
                held = "select pg_advisory_xact_lock(hashtextextended('undone ' || original_identity, 0)) from receipt_link"
                session.execute(text(f"{held} where receipt_id = :of"), {"of": receipt_id})
                void = pool.submit(market.post, market.void_of(back))
                self.wait(market, session, void)
                assert not void.done()
            void.result()

    @staticmethod
    def wait(market, session, void):
        """Return when `void` waits for what `session` holds, or is done."""
        own = session.execute(text("select pg_backend_pid()")).scalar_one()
        waiting = text("select exists (select from pg_stat_activity where :own = any(pg_blocking_pids(pid)))")
        while not void.done():
            with market.sessions.begin() as other:
                if other.execute(waiting, {"own": own}).scalar_one():
                    return
            sleep(0.02)


class TestUses:
    """Point 11: what empties a sale gives its uses back, what leaves something of it gives none."""

    ONE = offer("L", items("TEA", 2), amount(1000), limits={"uses": 1})

    def left(self, market) -> bool:
        return bool(sum(market.quote(basket(("tea", 2, 5990)), till="S2", at=...).discounts))

    def test_come_back_with_a_void(self, market, sold):
        sale = sold([("tea", 2, 5990)], [self.ONE])
        assert not self.left(market)
        market.post(market.void_of(sale))
        assert self.left(market)

    def test_come_back_with_the_return_that_empties_the_sale_and_not_before(self, market, sold):
        sale = sold([("tea", 2, 5990), ("pen", 1, 300)], [self.ONE])
        for brought in ({1: "1"}, {1: "1"}):
            market.bring_back(sale, brought)
            assert not self.left(market)
        market.bring_back(sale, {2: "1"})
        assert self.left(market)

    def test_are_used_again_when_that_return_is_voided(self, market, sold):
        sale = sold([("tea", 2, 5990)], [self.ONE])
        back = market.return_of(sale, market.returns(sale, {1: "2"}))
        market.post(back)
        assert self.left(market)
        market.quote(basket(("pen", 1, 300)), till="S2", at=...)
        market.post(market.void_of(back))
        assert not self.left(market)

    def test_come_back_once(self, market, sold):
        twice = offer("L", items("TEA", 2), amount(1000), limits={"uses": 2})
        sale = sold([("tea", 2, 5990)], [twice])
        market.bring_back(sale, {1: "2"})
        market.post(market.void_of(sale))
        # two are left, not three: an application of a basket of six teas is one use
        assert sum(market.quote(basket(("tea", 6, 5990)), till="S2", at=...).discounts) == 2000

    def test_come_back_when_the_return_came_before_its_sale(self, market):
        market.live(self.ONE)
        lines = basket(("tea", 2, 5990))
        sale = market.sale(market.quote(lines, at=...), lines)
        void = market.void_of(sale)
        market.post(void)
        market.post(sale)
        assert self.left(market)

    def test_of_a_member_come_back(self, market, sold):
        card = market.member()
        mine = offer("L", items("TEA"), amount(1000), limits={"per_member": 1}, audience={"who": "members"})
        sale = sold([("tea", 1, 5990)], [mine], card_number=card)
        assert market.quote(basket(("tea", 1, 5990)), at=..., card_number=card).discounts == [0]
        market.bring_back(sale, {1: "1"})
        assert market.quote(basket(("tea", 1, 5990)), at=..., card_number=card).discounts == [1000]

    def test_of_money_come_back(self, market, sold):
        sale = sold([("tea", 2, 5990)], [offer("L", items("TEA", 2), amount(1000), limits={"amount": 1500})])
        assert not self.left(market)
        market.post(market.void_of(sale))
        assert self.left(market)


class TestTheVoidOfTheLastReturn:
    """What came back when nothing of the sale was left is spent, issued and handed over again."""

    PEN = offer("NONE", items("PEN"), percent(1))

    def undone(self, market, sale, brought):
        back = market.return_of(sale, market.returns(sale, brought))
        market.post(back)
        return back

    def test_spends_its_voucher_again(self, market, sold):
        paying = {"batch": "PAY", "value_amount": 500, "currency": "CZK", "minimum_amount": 0, "valid_days": 30,
                  "codes": ["PAY-0001"]}  # fmt: skip
        sale = sold([("A", 2, 1000)], [self.PEN], vouchers=[paying], voucher_codes=["PAY-0001"])

        def off():
            return sum(market.quote(basket(("B", 1, 1000)), at=..., voucher_codes=["PAY-0001"]).discounts)

        market.bring_back(sale, {1: "1"})
        assert off() == 0
        back = self.undone(market, sale, {1: "1"})
        assert off() == 500
        market.post(market.void_of(back))
        assert off() == 0

    def test_issues_its_voucher_again(self, market, sold):
        card = market.member()
        next_time = {"batch": "NEXT", "value_amount": 500, "currency": "CZK", "minimum_amount": 0, "valid_days": 30,
                     "codes": []}  # fmt: skip
        given = offer("V", items("TEA", 2), {"kind": "voucher", "batch": "NEXT"})
        sale = sold([("tea", 2, 5990)], [given], vouchers=[next_time], card_number=card)

        def shown():
            return len(market.tills["S1"].get(f"/cards/{card}").get_json()["vouchers"])

        assert shown() == 1
        back = self.undone(market, sale, {1: "2"})
        assert shown() == 0
        market.post(market.void_of(back))
        assert shown() == 1

    def test_hands_its_gift_over_again(self, market, sold):
        from tests.offers.test_benefits import TestGifts

        given = offer("G", items("TEA", 2), {"kind": "gift", "reward": "MUG", "quantity": 1})
        sale = sold([("tea", 4, 5990)], [given], rewards=list(TestGifts.MUG))
        assert TestGifts.stock(market)[2] == 1
        back = self.undone(market, sale, {1: "4"})
        assert TestGifts.stock(market)[2] == 3
        market.post(market.void_of(back))
        assert TestGifts.stock(market)[2] == 1
        market.bring_back(sale, {1: "4"})
        assert TestGifts.stock(market)[2] == 3

    def test_of_several_is_the_one_that_counts(self, market, sold):
        """The first of two returns is voided: something of the sale is out again, and its use stands again."""
        one = offer("L", items("TEA", 2), amount(1000), limits={"uses": 1})
        sale = sold([("tea", 2, 5990)], [one])
        first = self.undone(market, sale, {1: "1"})
        self.undone(market, sale, {1: "1"})

        def left():
            return bool(sum(market.quote(basket(("tea", 2, 5990)), till="S2", at=...).discounts))

        assert left()
        market.quote(basket(("pen", 1, 300)), till="S2", at=...)
        market.post(market.void_of(first))
        assert not left()
        market.bring_back(sale, {1: "1"})
        assert left()


class TestAUsedVoucher:
    def test_that_the_sale_issued_stays_used(self, market, sold):
        card = market.member()
        next_time = {"batch": "NEXT", "value_amount": 500, "currency": "CZK", "minimum_amount": 0, "valid_days": 30,
                     "codes": []}  # fmt: skip
        given = offer("V", items("TEA", 2), {"kind": "voucher", "batch": "NEXT"})
        sale = sold([("tea", 2, 5990)], [given], vouchers=[next_time], card_number=card)
        code = market.tills["S1"].get(f"/cards/{card}").get_json()["vouchers"][0]["voucher_code"]
        prefix, market.prefix = market.prefix, ""
        pen = basket(("pen", 1, 1000))
        market.pay(market.quote(pen, at=..., card_number=card, voucher_codes=[code]), pen, card_number=card,
                   voucher_codes=[code])  # fmt: skip
        market.prefix = prefix
        market.post(market.void_of(sale))
        state = market.number("select state from voucher where voucher_code = :code", code=code)
        assert state == "redeemed"


ONCE = {"per_receipt": 1}


class TestWhatHasChangedSinceTheSale:
    """A return is judged by what articles were, and by how groups chose, when it was sold."""

    def test_is_not_the_category_of_what_was_sold(self, market):
        market.live(offer("SET", items("CHOC", 3), nth()))
        lines = basket(("choc", 3, 1000), ("pen", 1, 500))
        quote = market.quote(lines, at=...)
        sale = market.sale(quote, lines)
        market.post(sale)
        market.execute("update article set category = 'SWEETS', gtin = '08594001029990' where sku = 'choc'")
        try:
            quoted = market.returns(sale, {2: "1"})
            # What is kept is the whole set still.
            assert (quoted["totals"]["refund_amount"], quoted["broken_offers"]) == (500, [])
            market.execute("update article set category = 'CANDY' where sku = 'choc'")
            assert market.returns(sale, {2: "1"}) == quoted
        finally:
            market.execute("update article set category = 'CHOC', gtin = null where sku = 'choc'")
        assert market.returns(sale, {2: "1"}) == quoted

    def test_is_not_how_groups_choose(self, market):
        pair = offer(
            "P", each(("TEA", 1), ("SOAP", 1)), percent(40), exclusive_group="X", priority=200, limits=ONCE
        )
        half = offer("Q", items("TEA"), percent(50), exclusive_group="X")
        market.live(pair, half, choice="best")
        lines = basket(("tea", 2, 1000), ("soap", 1, 5000), ("soap", 1, 100))
        quote = market.quote(lines, at=...)
        assert quote.payable == 7100 - 2400 - 500
        sale = market.sale(quote, lines)
        market.post(sale)
        market.live(offer("NEW", items("PEN"), percent(10)), choice="first")
        assert market.number("select choice from offer_book") == "first"
        # The best of what is kept is half of both teas; first would be the pair, and 60 less.
        assert market.returns(sale, {2: "1"})["totals"]["refund_amount"] == 4200 - 1100

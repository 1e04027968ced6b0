"""Each rule of ../shared/offers-format.md, "How they are applied", and its worked examples."""

from decimal import Decimal

import pytest

from rewards.carts import CartLine, Left, Presented
from rewards.ready_offers import MOST_GIVEN, MOST_TIMES
from tests.rewards.offer_making import (
    amount,
    applied,
    discounts,
    evaluate,
    items,
    line,
    nth,
    offer,
    percent,
    points,
    times,
)

TEA = [line(1, "2", 5990)]
CHOC = [line(1, "4", 2990, "CHOC"), line(2, "1", 1990, "CHOC")]
GROUP = {"exclusive_group": "G"}
ONE_TEA = {"kind": "all", "of": [items()]}


def each(*parts: tuple[str, str]) -> dict:
    of = [{"select": {"categories": [category]}, "quantity": quantity} for category, quantity in parts]
    return {"kind": "each", "of": of}


def value(least: int, measure: str = "gross", **select) -> dict:
    return {"kind": "value", "select": select, "amount": least, "measure": measure}


def fixed(price: int, per: str = "application", **more) -> dict:
    return {"kind": "fixed_price", "price": price, "per": per, **more}


class TestWorkedExamples:
    def test_ten_percent_off_two_teas(self):
        assert discounts(TEA, offer("T", items(), percent("10"))) == [1198]

    def test_percent_is_rounded_once_per_application(self):
        assert discounts([line(1, "3", 3330, "SOAP")], offer("T", items("SOAP"), percent("10"))) == [999]

    def test_an_amount_is_shared_by_largest_remainder(self):
        cart = [line(1, "1", 1000, "A"), line(2, "1", 1000, "B"), line(3, "1", 1000, "C")]
        assert discounts(cart, offer("T", value(3000), amount(1000))) == [334, 333, 333]

    def test_the_dearest_are_claimed_first(self):
        assert discounts(CHOC, offer("T", items("CHOC", "3"), nth())) == [2990, 0]

    def test_the_cheapest_of_all_claimed_is_free(self):
        assert discounts(CHOC, offer("T", items("CHOC", "5"), nth())) == [0, 1990]

    def test_a_bundle_has_a_price(self):
        cart = [line(1, "1", 8900, "SHAMPOO"), line(2, "1", 7900, "CONDITIONER")]
        bundle = offer("T", each(("SHAMPOO", "1"), ("CONDITIONER", "1")), fixed(14900))
        assert discounts(cart, bundle) == [1007, 893]

    def test_percents_without_a_group_follow_one_another(self):
        ten, twenty = (
            offer("T10", items(), percent("10"), priority=200),
            offer("T20", items(), percent("20")),
        )
        assert discounts(TEA, ten, twenty) == [3354]

    @pytest.mark.parametrize(("choice", "expected"), [("first", 1198), ("best", 2396)])
    def test_one_exclusive_group_gives_once(self, choice, expected):
        ten = offer("T10", items(), percent("10"), priority=200, **GROUP)
        twenty = offer("T20", items(), percent("20"), priority=100, **GROUP)
        assert discounts(TEA, ten, twenty, choice=choice) == [expected]

    def test_weighed_goods_are_rounded_half_up(self):
        cheese = line(1, "0.754", 29900, "CHEESE", unit="kg")
        assert discounts([cheese], offer("T", items("CHEESE"), percent("15"))) == [3382]

    def test_an_amount_per_application_is_given_for_every_unit(self):
        assert discounts(TEA, offer("T", items(), amount(5000))) == [10000]

    def test_nothing_costs_less_than_nothing(self):
        assert discounts([line(1, "1", 300, "PEN")], offer("T", items("PEN"), amount(500, "unit"))) == [300]

    def test_a_benefit_may_fall_on_what_was_not_claimed(self):
        cart = [line(1, "2", 2490, "MILK"), line(2, "1", 3990, "BREAD")]
        half = offer("T", items("MILK", "2"), percent("50", select={"categories": ["BREAD"]}))
        assert discounts(cart, half) == [0, 1995]


class TestOrder:
    """Rule 1."""

    @pytest.mark.parametrize(
        ("earlier", "later"),
        [("article", "basket"), ("basket", "points"), ("article", "points"), ("points", "voucher")],
    )
    def test_is_by_stage_before_priority(self, earlier, later):
        paper = {"kind": "voucher", "batch": "PAPER"}
        first = offer("Z", items(), percent("50"), stage=earlier, priority=1)
        second = offer("A", {"kind": "all", "of": [items(), paper]}, amount(3000), stage=later, priority=900)
        found = evaluate([line(1, "1", 1000)], first, second, presented={"PAPER": Presented(("P",))})
        assert [each.offer_code for each in found.lines[0].discounts] == ["Z", "A"]
        assert [each.amount for each in found.lines[0].discounts] == [500, 500]

    def test_is_by_priority_from_the_highest_then_by_code(self):
        offers = [
            offer("B", items(), percent("10")),
            offer("A", items(), percent("10")),
            offer("C", items(), percent("10"), priority=101),
        ]
        found = evaluate([line(1, "1", 1000)], *offers)
        assert [each.offer_code for each in found.lines[0].discounts] == ["C", "A", "B"]

    def test_of_a_benefit_does_not_depend_on_its_stage(self):
        assert discounts(TEA, offer("T", items(), percent("10"), stage="points")) == [1198]


class TestApplications:
    """Rule 2."""

    def test_come_again_while_the_condition_holds(self):
        assert applied([line(1, "7", 100)], offer("T", items(quantity="2"), amount(10))) == {"T": 3}

    def test_claim_the_lower_line_of_equal_prices(self):
        cart = [line(2, "1", 1000), line(1, "1", 1000)]
        assert discounts(cart, offer("T", items(), amount(100), limits={"per_receipt": 1})) == [0, 100]

    def test_claim_weighed_lines_greedily_and_put_nothing_back(self):
        cart = [line(1, "0.3", 300, unit="kg"), line(2, "2", 200, unit="kg")]
        assert discounts(cart, offer("T", items(quantity="2"), percent("100"))) == [90, 400]

    @pytest.mark.parametrize(
        "benefit",
        [percent("33.33"), amount(1, "unit"), fixed(5, "unit")],
        ids=lambda benefit: benefit["kind"],
    )
    def test_of_one_unit_take_all_at_once_where_the_benefit_works_unit_by_unit(self, benefit):
        cart = [line(1, "3", 10), line(2, "2", 7)]
        assert applied(cart, offer("T", items(), benefit)) == {"T": 1}

    def test_of_a_value_take_all_at_once(self):
        assert applied([line(1, "3", 100)], offer("T", value(100), amount(10))) == {"T": 1}

    def test_of_one_unit_inside_a_combination_claim_one_unit(self):
        single = {"kind": "all", "of": [items()]}
        assert applied([line(1, "3", 10)], offer("T", single, percent("10"))) == {"T": 3}

    def test_without_a_claim_work_on_all_units_once(self):
        found = evaluate([line(1, "3", 10), line(2, "2", 7)], offer("T", {"kind": "always"}, percent("50")))
        assert [each.discount for each in found.lines] == [15, 7]
        assert found.applications[0].times == 1

    def test_without_a_claim_but_with_a_selection_come_again(self):
        gratis = offer(
            "T", {"kind": "always"}, nth(select={"categories": ["TEA"]}), limits={"per_receipt": 2}
        )
        assert discounts([line(1, "3", 100)], gratis) == [200]

    def test_that_give_nothing_claim_nothing_and_count_no_use(self):
        first = offer("A", items(), fixed(9000, "unit"), priority=200, **GROUP)
        second = offer("B", items(), percent("10"), **GROUP)
        assert applied(TEA, first, second) == {"B": 1}

    def test_of_a_bundle_let_a_unit_serve_one_part(self):
        assert applied([line(1, "3", 100)], offer("T", each(("TEA", "2"), ("TEA", "2")), amount(10))) == {}
        assert applied([line(1, "4", 100)], offer("T", each(("TEA", "2"), ("TEA", "2")), amount(10))) == {
            "T": 1
        }


class TestConditions:
    def test_all_unites_what_its_parts_claim_independently(self):
        both = {"kind": "all", "of": [items(quantity="2"), items(quantity="3")]}
        assert applied([line(1, "6", 100)], offer("T", both, amount(10))) == {"T": 2}

    def test_any_takes_the_first_that_holds(self):
        either = {"kind": "any", "of": [items("MILK"), items("TEA", "2")]}
        cart = [line(1, "2", 100), line(2, "1", 100, "MILK")]
        assert discounts(cart, offer("T", either, percent("10"), limits={"per_receipt": 1})) == [0, 10]

    def test_not_holds_when_none_of_it_holds(self):
        without = {"kind": "all", "of": [items(), {"kind": "not", "of": [items("MILK"), items("BREAD")]}]}
        plan = offer("T", without, amount(10))
        assert discounts([line(1, "1", 100)], plan) == [10]
        assert discounts([line(1, "1", 100), line(2, "1", 100, "BREAD")], plan) == [0, 0]

    def test_not_looks_at_claimed_units_too(self):
        taker = offer("A", items("MILK"), percent("50"), priority=200, **GROUP)
        shy = offer("B", {"kind": "not", "of": [items("MILK")]}, percent("10"), **GROUP)
        assert applied([line(1, "1", 100, "MILK"), line(2, "1", 100)], taker, shy) == {"A": 1}

    @pytest.mark.parametrize(("measure", "expected"), [("gross", {"A": 1, "B": 1}), ("net", {"A": 1})])
    def test_value_is_measured_before_or_after_discounts(self, measure, expected):
        half = offer("A", items("MILK"), percent("50"), priority=200)
        bonus = offer("B", value(120, measure, categories=["MILK", "TEA"]), points())
        assert applied([line(1, "1", 100, "MILK"), line(2, "1", 20)], half, bonus) == expected

    def test_value_of_nothing_is_reached_by_what_is_not_there(self):
        assert applied(TEA, offer("T", value(0, categories=["MILK"]), points())) == {"T": 1}
        assert applied(TEA, offer("T", value(0, categories=["TEA"]), points())) == {"T": 1}
        assert discounts(TEA, offer("T", value(0, categories=["MILK"]), percent("10"))) == [1198]
        assert discounts(TEA, offer("T", {"kind": "not", "of": [value(0)]}, percent("10"))) == [0]

    def test_value_of_nothing_holds_again_when_all_of_it_is_claimed(self):
        cart = [line(1, "2", 5990), line(2, "1", 100, "MILK")]
        plan = offer("T", value(0, categories=["MILK"]), percent("10"))
        assert discounts(cart, plan) == [1198, 10]
        assert applied(cart, plan) == {"T": 2}
        own = offer("T", value(0, categories=["MILK"]), percent("10", select={"categories": ["TEA"]}))
        assert discounts(cart, own) == [1198, 0]

    def test_value_of_nothing_competes_for_goods_that_it_does_not_name(self):
        half = offer("A", value(0, categories=["MILK"]), percent("50"), exclusive_group="G")
        tenth = offer("B", items(), percent("10"), priority=200, exclusive_group="G")
        assert applied(TEA, tenth, half, choice="best") == {"A": 1}

    def test_value_leaves_nothing_for_a_benefit_that_selects_among_what_it_claims(self):
        off = offer("T", value(100), percent("50", select={"categories": ["TEA"]}))
        assert discounts([line(1, "1", 100)], off) == [0]

    def test_voucher_asks_for_a_code_of_its_batch(self):
        plan = offer("T", {"kind": "voucher", "batch": "PAPER"}, percent("10"))
        assert discounts(TEA, plan) == [0]
        assert discounts(TEA, plan, presented={"PAPER": Presented(("P-1",))}) == [1198]


class TestSelections:
    def test_need_a_value_of_every_key(self):
        both = {"kind": "items", "select": {"categories": ["TEA"], "brands": ["B"]}, "quantity": "1"}
        cart = [line(1, "1", 100), line(2, "1", 100, brand="B"), line(3, "1", 100, "MILK", brand="B")]
        assert discounts(cart, offer("T", both, percent("10"))) == [0, 10, 0]

    def test_take_out_what_they_except(self):
        most = {"kind": "items", "select": {"except": {"categories": ["MILK"]}}, "quantity": "1"}
        assert discounts([line(1, "1", 100), line(2, "1", 100, "MILK")], offer("T", most, percent("10"))) == [
            10,
            0,
        ]

    @pytest.mark.parametrize(
        ("select", "expected"),
        [
            ({"skus": ["X"]}, 10),
            ({"gtins": ["8594001021512"]}, 10),
            ({"gtins": ["08594001021512"]}, 10),
            ({}, 10),
            ({"categories": ["TEA"]}, 0),
            ({"brands": ["B"]}, 0),
        ],
    )
    def test_match_unknown_articles_by_code_or_without_any_key_only(self, select, expected):
        unknown = CartLine(
            1, Decimal(1), "pcs", 100, "X", "8594001021512", "TEA", None, None, "B", known=False
        )
        plan = offer("T", {"kind": "items", "select": select, "quantity": "1"}, percent("10"))
        assert discounts([unknown], plan) == [expected]

    def test_never_match_deposits_which_count_in_no_value(self):
        cart = [line(1, "1", 100), line(2, "1", -300), line(3, "1", 0)]
        assert discounts(cart, offer("T", {"kind": "always"}, percent("10"))) == [10, 0, 0]
        assert applied(cart, offer("T", value(101), amount(1))) == {}


class TestBenefits:
    def test_percent_stops_at_its_most(self):
        assert discounts(TEA, offer("T", items(), percent("50", max_amount=100))) == [100]

    def test_fixed_price_never_raises_a_price(self):
        cart = [line(1, "1", 100), line(2, "1", 40)]
        assert discounts(cart, offer("T", items(), fixed(50, "unit"))) == [50, 0]
        assert discounts(cart, offer("T", items(quantity="2"), fixed(500))) == [0, 0]

    def test_nth_takes_several_of_the_dearest(self):
        cart = [line(1, "1", 100), line(2, "2", 300)]
        assert discounts(cart, offer("T", items(quantity="3"), nth("50", "dearest", count=2))) == [0, 300]

    def test_nth_means_the_price_per_unit_and_not_what_is_left(self):
        half = offer("A", items(), percent("90", select={"skus": ["TEA2"]}), priority=200)
        cart = [line(1, "1", 100), line(2, "1", 300)]
        assert discounts(cart, half, offer("B", items(quantity="2"), nth()))[0] == 100

    def test_nth_with_a_selection_claims_only_the_units_it_discounts(self):
        cart = [line(1, "2", 100), line(2, "3", 50, "MILK")]
        gratis = offer("T", items(), nth(select={"categories": ["MILK"]}))
        assert discounts(cart, gratis) == [0, 100]

    def test_a_bonus_is_given_per_application(self):
        assert evaluate([line(1, "5", 100)], offer("T", items(quantity="2"), points(10))).points == 20

    def test_a_gift_and_a_voucher_for_next_time_are_told(self):
        gift = offer("A", value(100), {"kind": "gift", "reward": "MUG", "quantity": 2})
        voucher = offer("B", items(quantity="2"), {"kind": "voucher", "batch": "NEXT"})
        found = evaluate(TEA, gift, voucher)
        assert found.gifts == (("A", "MUG", 2),)
        assert found.vouchers == (("B", "NEXT", 1),)

    def test_that_finds_no_unit_gives_nothing(self):
        first, second = (offer(code, {"kind": "always"}, points(), **GROUP) for code in ("A", "B"))
        assert applied(TEA, first, second) == {"A": 1}


class TestExclusiveGroups:
    """Rule 3."""

    def test_consume_a_unit_once(self):
        two = offer("A", items(quantity="2"), percent("10"), priority=200, **GROUP)
        rest = offer("B", items(), percent("50"), **GROUP)
        assert discounts([line(1, "3", 100)], two, rest) == [20 + 50]

    def test_of_another_stage_are_other_groups(self):
        one = offer("A", items(), percent("10"), **GROUP)
        other = offer("B", items(), percent("10"), stage="basket", **GROUP)
        assert applied(TEA, one, other) == {"A": 1, "B": 1}

    def test_combine_when_there_is_none(self):
        assert applied(TEA, *(offer(code, items(), percent("10")) for code in "AB")) == {"A": 1, "B": 1}


class TestStacking:
    """Rule 3."""

    def test_is_refused_by_what_may_only_claim_undiscounted_units(self):
        first = offer("A", items(), percent("10"), priority=200)
        alone = offer("B", items(), percent("10"), stackable=False)
        assert applied(TEA, first, alone) == {"A": 1}

    def test_is_closed_after_an_offer_that_does_not_stack(self):
        alone = offer("A", items(), percent("10"), priority=200, stackable=False)
        assert applied(TEA, alone, offer("B", items(), percent("10"))) == {"A": 1}

    def test_is_free_for_points_and_gifts(self):
        alone = offer("A", items(), percent("10"), priority=200, stackable=False)
        assert applied(TEA, alone, offer("B", items(quantity="2"), points())) == {"A": 1, "B": 1}

    def test_lets_closed_units_earn_a_discount_on_something_else(self):
        alone = offer("A", items(), percent("10"), priority=200, stackable=False)
        bread = offer("B", items(), percent("50", select={"categories": ["BREAD"]}))
        cart = [line(1, "1", 100), line(2, "1", 100, "BREAD")]
        assert discounts(cart, alone, bread) == [10, 50]

    def test_is_not_hindered_by_units_that_were_claimed_without_a_discount(self):
        gratis = offer("A", items(quantity="2"), nth(), priority=200)
        alone = offer("B", items(), percent("50"), stackable=False)
        assert discounts([line(1, "2", 100)], gratis, alone) == [150]


class TestRounding:
    """Rules 4 and 5."""

    def test_works_on_what_is_left_of_the_units(self):
        off, half = offer("A", items(), amount(50, "unit"), priority=200), offer("B", items(), percent("50"))
        assert discounts([line(1, "1", 101)], off, half) == [50 + 26]

    def test_shares_a_line_over_its_units_from_the_first(self):
        ten = offer("A", items(quantity="3"), percent("10"), priority=200)
        single = offer("B", items(), amount(2), limits={"per_receipt": 1})
        found = evaluate(
            [line(1, "3", 3)], ten, single
        )  # one cent falls on the first unit, then two on it again
        assert found.lines[0].discount == 1 + 2

    def test_never_shares_amounts_per_unit(self):
        cart = [line(1, "1", 10), line(2, "1", 500)]
        assert discounts(cart, offer("T", items(), amount(100, "unit"))) == [10, 100]

    def test_counts_a_weighed_line_as_one_unit_with_its_measure(self):
        cheese = [line(1, "1.5", 101, unit="kg")]
        assert discounts(cheese, offer("T", items(), amount(33, "unit"))) == [50]
        assert discounts(cheese, offer("T", items(quantity="1.5"), fixed(33, "unit"))) == [152 - 50]
        assert discounts(cheese, offer("T", items(quantity="1.501"), percent("10"))) == [0]

    def test_takes_a_fraction_of_a_piece_as_weighed(self):
        assert discounts([line(1, "2.5", 100)], offer("T", items(quantity="2"), percent("10"))) == [25]


class TestLimits:
    """Rule 7."""

    def test_per_receipt_counts_applications(self):
        assert applied([line(1, "5", 100)], offer("T", items(), amount(1), limits={"per_receipt": 3})) == {
            "T": 3
        }

    @pytest.mark.parametrize(
        ("benefit", "most"),
        [
            (points(1), MOST_TIMES),
            (amount(1), MOST_TIMES),
            ({"kind": "voucher", "batch": "NEXT"}, MOST_GIVEN),
            ({"kind": "gift", "reward": "MUG", "quantity": "100000"}, MOST_GIVEN),
        ],
        ids=lambda case: case["kind"] if isinstance(case, dict) else "",
    )
    def test_applications_of_one_offer_have_an_end(self, benefit, most):
        cart = [line(number, "999999999", 100) for number in (1, 2, 3)]
        counted = offer("T", items(), benefit, limits={"uses": 10**9})
        found = evaluate(cart, counted)
        assert [one.times for one in found.applications] == [most]
        assert found.notes == (("stopped", "T"),)
        few = offer("T", items(), benefit, limits={"per_receipt": most})
        assert evaluate(cart, few).notes == ()

    @pytest.mark.parametrize(
        ("limit", "left"),
        [
            ("uses", Left(uses=1)),
            ("per_member", Left(member=1)),
            ("per_member_day", Left(member_day=1)),
            ("per_store_day_uses", Left(store_day_uses=1)),
            ("per_store_week_uses", Left(store_week_uses=1)),
        ],
    )
    def test_on_uses_leave_what_is_left(self, limit, left):
        plan = offer("T", items(), amount(1), limits={limit: 5})
        assert applied([line(1, "9", 100)], plan) == {"T": 5}
        assert applied([line(1, "9", 100)], plan, left={"T": left}) == {"T": 1}

    @pytest.mark.parametrize(
        ("limit", "left"),
        [
            ("amount", Left(amount=25)),
            ("per_store_day_amount", Left(store_day_amount=25)),
            ("per_store_week_amount", Left(store_week_amount=25)),
        ],
    )
    def test_on_amounts_allow_whole_applications_only(self, limit, left):
        plan = offer("T", items(), amount(10), limits={limit: 1000})
        assert applied([line(1, "9", 100)], plan, left={"T": left}) == {"T": 2}
        assert applied(TEA, offer("T", items(), percent("10"), limits={"amount": 1197})) == {}

    def test_on_amounts_end_an_offer_at_the_first_application_that_does_not_fit(self):
        plan = offer("T", ONE_TEA, percent("50"), limits={"amount": 400})
        assert discounts([line(1, "1", 1000), line(2, "1", 100)], plan) == [0, 0]

    def test_per_member_need_a_card(self):
        plan = offer("T", items(), percent("10"), limits={"per_member": 5})
        assert applied(TEA, plan, shopper=None) == {}
        assert applied(TEA, plan, shopper=None, has_card=True) == {"T": 1}

    def test_that_stopped_an_offer_are_told(self):
        plan = offer("T", items(), percent("10"), limits={"uses": 5})
        assert evaluate(TEA, plan, left={"T": Left(uses=0)}).exhausted == ("T",)
        assert evaluate(TEA, plan).exhausted == ()


class TestVouchers:
    """Rule 8."""

    WORTH = Presented(("N-1",), value_amount=5000, minimum_amount=11000, currency="CZK")

    def test_take_their_value_off_all_lines_at_the_end(self):
        cart = [line(1, "1", 9000), line(2, "1", 3000, "MILK"), line(3, "1", -300, "DEPOSIT")]
        found = evaluate(cart, presented={"NEXT50": self.WORTH})
        assert [each.discount for each in found.lines] == [3750, 1250, 0]
        assert found.lines[0].discounts[0][:3] == ("NEXT50", None, 3750)
        assert found.applications[0].codes == ("N-1",)

    def test_come_after_the_offers_of_their_stage_but_ask_for_the_net_before_them(self):
        paper = offer("P", {"kind": "voucher", "batch": "PAPER"}, amount(7000), stage="voucher")
        presented = {"NEXT50": self.WORTH, "PAPER": Presented(("P",))}
        found = evaluate(TEA, paper, presented=presented)
        assert [(each.offer_code, each.amount) for each in found.lines[0].discounts] == [
            ("P", 7000),
            ("NEXT50", 4980),
        ]

    def test_below_their_minimum_stand_in_not_applied(self):
        found = evaluate([line(1, "1", 10000)], presented={"NEXT50": self.WORTH})
        assert found.lines[0].discount == 0
        assert [(each.offer_code, each.missing) for each in found.not_applied] == [("NEXT50", "1000")]

    def test_of_another_currency_stand_in_not_applied(self):
        found = evaluate(TEA, presented={"NEXT50": self.WORTH}, currency="EUR")
        assert [(each.offer_code, each.missing) for each in found.not_applied] == [("NEXT50", None)]

    def test_take_their_value_off_closed_units_too(self):
        alone = offer("A", items(), percent("10"), stackable=False)
        worth = Presented(("N-1",), value_amount=100, currency="CZK")
        assert discounts(TEA, alone, presented={"N": worth}) == [1198 + 100]

    def test_of_one_batch_add_up(self):
        two = Presented(("A", "B"), value_amount=5000, currency="CZK")
        assert discounts(TEA, presented={"N": two}) == [10000]

    def test_that_find_nothing_left_to_pay_are_not_spent(self):
        three = Presented(("A", "B", "C"), value_amount=12000, currency="CZK")
        found = evaluate(TEA, presented={"N": three})
        assert found.applications[0].codes == ("A",)


class TestEarning:
    """Rule 9."""

    def test_counts_units_with_their_multiplier(self):
        plan = offer("T", items(quantity="2"), times("3"))
        assert evaluate([line(1, "3", 100)], plan).earning == (((100, Decimal(1)), (200, Decimal(3))),)

    def test_takes_the_largest_of_several(self):
        plans = [offer(code, items(), times(number)) for code, number in (("A", "3"), ("B", "2"))]
        assert evaluate(TEA, *plans).earning == (((11980, Decimal(3)),),)
        assert applied(TEA, *plans) == {"A": 2}

    def test_is_not_changed_by_a_smaller_multiplier_which_then_gives_nothing(self):
        plans = [offer("A", items(quantity="2"), times("3")), offer("B", items(quantity="2"), times("2"))]
        assert applied(TEA, *plans) == {"A": 1}
        assert applied(TEA, offer("C", items(), times("1"))) == {}

    def test_counts_what_is_left_after_all_discounts(self):
        plans = [offer("A", items(), times("2")), offer("B", items(), percent("50"), stage="basket")]
        assert evaluate(TEA, *plans).earning == (((5990, Decimal(2)),),)


class TestBooks:
    def test_do_not_depend_on_the_order_of_their_offers(self):
        plans = [offer(code, items(), percent("33.33"), priority=5) for code in "CAB"]
        assert evaluate(TEA, *plans).lines == evaluate(TEA, *reversed(plans)).lines

    def test_leave_out_what_runs_in_other_stores(self):
        here, there = (offer(code, items(), percent("10"), stores=[code]) for code in ("S1", "S2"))
        assert applied(TEA, here, there) == {"S1": 1}

    def test_name_only_limited_offers_that_a_basket_can_trigger(self):
        limited = offer("A", items(), percent("10"), limits={"uses": 5})
        others = [
            offer("B", items("MILK"), percent("10"), limits={"uses": 5}),
            offer("C", items(), percent("10")),
            offer("D", items(), percent("10"), limits={"uses": 5}, valid={"weekdays": [1]}),
        ]
        found = evaluate(TEA, limited, *others)
        book = found._outcome.book
        assert book.limited_candidates(tuple(TEA), found.occasion) == (limited,)


class TestLargeLines:
    def test_of_100_000_pieces_are_given_every_application(self):
        cart = [line(1, "100000", 2990, "CHOC")]
        assert discounts(cart, offer("A", items("CHOC", "3"), nth())) == [33_333 * 2990]
        found = evaluate(cart, offer("B", items("CHOC", "2"), points(1)))
        assert (found.points, found.notes) == (50_000, ())

    def test_of_units_that_differ_say_where_they_stopped(self):
        cart = [line(1, "100000", 2990, "CHOC")]
        offers = [
            offer("A", items("CHOC", "3"), nth(), priority=900),
            offer("B", items("CHOC", "2"), amount(1)),
        ]
        assert evaluate(cart, *offers).notes == (("stopped", "B"),)

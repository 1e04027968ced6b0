from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from loyalty.earning import earned_points, earned_shares, earning_base, points_part, share_over_lines
from loyalty.programme.rules import DEFAULT, CurrencyRule, Programme
from sales.receipts import PostedLine, PostedReceipt, Tender, TillIdentity, Totals

TILL = TillIdentity(1, 1, "S1", "T1", "CZK", "Europe/Prague")


def lines(*totals: int) -> tuple[PostedLine, ...]:
    return tuple(
        PostedLine(number, Decimal(1), total, total, sku=str(number))
        for number, total in enumerate(totals, 1)
    )


def sale(*totals: int, points_amount: int = 0, **changes: object) -> PostedReceipt:
    posted = PostedReceipt(
        type="sale",
        business_date=date(2026, 11, 21),
        receipt_number="1",
        closed_at=datetime(2026, 11, 21, 12, tzinfo=UTC),
        currency="CZK",
        lines=lines(*totals),
        totals=Totals(payable_amount=sum(totals) - points_amount, points_amount=points_amount),
    )
    return replace(posted, **changes)


NET = Programme(net_of_tax=True)


def taxed(*parts: tuple[int, str]) -> tuple[PostedLine, ...]:
    return tuple(
        replace(line, tax_rate=Decimal(rate))
        for line, (_, rate) in zip(lines(*(total for total, _ in parts)), parts, strict=True)
    )


class TestEarningBase:
    def test_is_what_the_lines_cost_less_what_points_paid(self):
        assert earning_base(lines(10782, 995), 500).amount == 11277

    def test_is_never_below_zero(self):
        assert earning_base(lines(1000, -3000), 0).amount == 0
        assert earning_base(lines(1000), 2000).amount == 0
        assert earning_base((), 500).amount == 0

    def test_leaves_the_tax_out_where_the_programme_says_so(self):
        # 121.00 at 21 % holds 21.00 of tax, 112.00 at 12 % holds 12.00.
        base = earning_base(taxed((12100, "21"), (11200, "12")), 0, NET)
        assert (base.amount, base.weights) == (20000, {1: 10000, 2: 10000})

    def test_owes_less_tax_when_points_are_a_discount_than_when_they_pay(self):
        # 60.50 of 121.00 are paid with points: tax is due on 60.50 or on all of it (T-9).
        basket = taxed((12100, "21"))
        assert earning_base(basket, 6050, NET).amount == 5000
        assert earning_base(basket, 6050, replace(NET, points_as="tender")).amount == 12100 - 6050 - 2100

    def test_lets_the_part_paid_with_points_earn_where_the_programme_says_so(self):
        assert earning_base(lines(10000), 2500, Programme(earn_on_points=True)).amount == 10000

    def test_leaves_out_what_is_excluded_with_the_points_that_paid_for_it(self):
        base = earning_base(lines(3000, 1000), 400, DEFAULT, excluded={2})
        assert (base.amount, base.weights) == (3000 - 300, {1: 3000, 2: 0})

    @given(
        st.lists(
            st.tuples(st.integers(-(10**6), 10**6), st.sampled_from(["0", "12", "21", "999.99"])), max_size=6
        ),
        st.integers(0, 10**6),
        st.booleans(),
    )
    def test_weighs_some_line_whenever_there_is_something_to_earn_on(self, parts, points_amount, tender):
        programme = replace(NET, points_as="tender" if tender else "discount")
        base = earning_base(taxed(*parts), points_amount, programme, excluded={2})
        assert base.amount == 0 or max(base.weights.values()) > 0


class TestPointsPart:
    def test_counts_a_tender_of_points_only_where_points_are_one(self):
        paid = sale(10000, points_amount=100, tenders=(Tender("points", 500), Tender("cash", 9400)))
        assert points_part(paid) == 100
        assert points_part(paid, Programme(points_as="tender")) == 600


class TestEarnedShares:
    def test_give_excluded_lines_nothing(self):
        assert earned_shares(lines(10000, 5000), 0, "CZK", excluded={1}) == {1: 0, 2: 50}
        assert earned_shares(lines(10000), 0, "CZK", excluded={1}) == {1: 0}

    def test_follow_the_currencys_own_rule(self):
        programme = Programme(currencies={"CZK": CurrencyRule(points=3, per=1000, point_value=5)})
        assert earned_shares(lines(3999), 0, "CZK", programme) == {1: 11}
        assert earned_shares(lines(3999), 0, "EUR", programme) == {1: 39}


class TestEarnedPoints:
    def test_leave_rounding_out(self):
        posted = sale(10782)
        rounded = replace(posted, totals=replace(posted.totals, rounding_amount=18))
        assert earned_points(rounded, TILL, DEFAULT) == 107

    def test_rounds_down_once_for_the_whole_receipt(self):
        assert earned_points(sale(150, 150), TILL, DEFAULT) == 3

    def test_are_none_but_for_a_live_sale_in_the_stores_currency(self):
        posted = sale(10000)
        assert earned_points(posted, TILL, DEFAULT) == 100
        for other in ({"mode": "training"}, {"mode": "suspended"}, {"type": "return"}, {"currency": "EUR"}):
            assert earned_points(replace(posted, **other), TILL, DEFAULT) == 0


class TestShareOverLines:
    def test_gives_the_largest_remainders_the_rest(self):
        # 100 points over 1:1:1 leave one over, which goes to the lowest line number.
        assert share_over_lines(100, lines(500, 500, 500)) == {1: 34, 2: 33, 3: 33}

    def test_breaks_ties_by_line_number_in_whatever_order_lines_come(self):
        assert share_over_lines(1, tuple(reversed(lines(500, 500)))) == {1: 1, 2: 0}

    def test_gives_negative_lines_nothing(self):
        assert share_over_lines(9, lines(900, -300, 100)) == {1: 8, 2: 0, 3: 1}

    def test_gives_all_to_the_lowest_line_where_nothing_costs_anything(self):
        assert share_over_lines(5, lines(0, 0)) == {1: 5, 2: 0}

    def test_gives_nobody_anything_of_nothing(self):
        assert share_over_lines(0, lines(0, -5)) == {1: 0, 2: 0}
        assert share_over_lines(3, ()) == {}

    @given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20), st.integers(0, 10**6))
    def test_never_loses_a_point_and_is_off_by_less_than_one(self, totals, points):
        shares = share_over_lines(points, lines(*totals))
        assert sum(shares.values()) == points
        whole = sum(max(0, total) for total in totals)
        for number, total in enumerate(totals, 1):
            if whole:
                assert abs(shares[number] * whole - points * max(0, total)) < whole

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from loyalty.earning import earned_points, earning_base, share_over_lines
from loyalty.programme import DEFAULT
from sales.receipts import PostedLine, PostedReceipt, TillIdentity, Totals

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


class TestEarningBase:
    def test_is_what_the_lines_cost_less_what_points_paid(self):
        assert earning_base(sale(10782, 995, points_amount=500)) == 11277

    def test_leaves_rounding_out(self):
        posted = sale(10782)
        assert earning_base(replace(posted, totals=replace(posted.totals, rounding_amount=18))) == 10782

    def test_is_never_below_zero(self):
        assert earning_base(sale(1000, -3000)) == 0
        assert earning_base(sale(1000, points_amount=2000)) == 0


class TestEarnedPoints:
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

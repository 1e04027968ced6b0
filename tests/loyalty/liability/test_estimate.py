from datetime import date
from decimal import Decimal

import pytest

from loyalty.liability.estimate import (
    Evidence,
    Fate,
    Part,
    assess,
    months_between,
    ratio_interval,
    sums_by_month,
)

TODAY = date(2026, 11, 22)
LONG = Evidence(
    accounts=40,
    lots=60,
    spent=800,
    expired=200,
    fates=(Fate(0, 0, 200), Fate(1, 100, 0), Fate(5, 200, 0), Fate(12, 500, 0)),
)


class TestEvidence:
    @pytest.mark.parametrize(
        ("months_left", "rate"),
        [
            (0, "0"),
            (1, "0.3333"),
            (4, "0.3333"),
            (5, "0.6"),
            (12, "0.8"),
            (24, "0.8"),
            (None, "0.8"),
            (-3, "0"),
        ],
    )
    def test_tells_the_rate_by_the_months_that_are_left(self, months_left: int | None, rate: str):
        """With a month left 300 of the points were still there, of which 100 were spent."""
        assert LONG.rate(months_left) == Decimal(rate)

    def test_expects_everything_while_the_history_is_short(self):
        short = Evidence(accounts=29, lots=60, spent=800, expired=200, fates=LONG.fates)
        assert not short.enough
        assert (short.overall, short.rate(1), Evidence().rate(3)) == (1, 1, 1)


class TestRatioInterval:
    def test_is_none_for_a_handful(self):
        sums = {"spent": 5, "decided": 10, "spent_squared": 5, "product": 5, "decided_squared": 10}
        assert ratio_interval(accounts=29, **sums) is None

    def test_is_the_usual_one_of_a_proportion_when_each_account_had_one_point(self):
        interval = ratio_interval(
            accounts=400, spent=100, decided=400, spent_squared=100, product=100, decided_squared=400
        )
        assert interval == pytest.approx((0.2075, 0.2925), abs=0.0002)


class TestAssess:
    def test_multiplies_points_value_and_rate_and_rounds_each_line_once(self):
        parts = [Part(1, "CZK", date(2026, 12, 1), 7), Part(2, "EUR", date(2028, 11, 1), 5)]
        liability = assess(parts, LONG, today=TODAY, point_values={"CZK": 10, "EUR": 1})
        assert [(line.value_amount, line.expected_amount) for line in liability.lines] == [(70, 23), (5, 4)]
        assert liability.points == 12

    def test_lowers_what_is_owed_by_debts_in_full(self):
        (line,) = assess([Part(None, "CZK", None, -30)], LONG, today=TODAY, point_values={"CZK": 10}).lines
        assert (line.value_amount, line.expected_amount) == (-300, -300)


class TestSumsByMonth:
    def test_loses_nothing_and_keeps_currencies_apart(self):
        parts = [
            Part(1, "CZK", date(2027, 1, 1), 7),
            Part(2, "CZK", date(2026, 12, 1), 8),
            Part(3, "CZK", date(2027, 1, 1), 9),
            Part(None, "CZK", None, -1),
            Part(4, "EUR", date(2027, 1, 1), 99),
        ]
        liability = assess(parts, LONG, today=TODAY, point_values={"CZK": 10, "EUR": 1})
        months = sums_by_month(liability.lines, "CZK")
        assert [(line.month, line.points) for line in months] == [
            (date(2026, 12, 1), 8),
            (date(2027, 1, 1), 16),
            (None, -1),
        ]


class TestMonthsBetween:
    def test_counts_months_of_the_calendar(self):
        assert months_between(date(2026, 11, 30), date(2026, 12, 1)) == 1
        assert months_between(date(2026, 11, 1), date(2028, 11, 30)) == 24

from datetime import UTC, date, datetime

import pytest

from loyalty.programme.rules import DEFAULT, Approved, CurrencyRule, Programme, Programmes


class TestProgramme:
    def test_earns_a_point_for_each_whole_major_unit(self):
        assert [DEFAULT.points_for(base, "CZK") for base in (0, 99, 100, 10782, 199)] == [0, 0, 1, 107, 1]

    def test_knows_currencies_without_minor_units(self):
        assert DEFAULT.points_for(107, "JPY") == 107

    def test_earns_nothing_for_less_than_nothing(self):
        assert DEFAULT.points_for(-500, "CZK") == 0

    @pytest.mark.parametrize(
        ("day", "until"),
        [((2026, 11, 21), (2026, 12, 5)), ((2026, 12, 31), (2027, 1, 14)), ((2028, 2, 20), (2028, 3, 5))],
    )
    def test_keeps_points_pending_for_fourteen_days(self, day, until):
        assert DEFAULT.pending_until(date(*day)) == date(*until)

    def test_lets_points_go_at_the_start_of_the_stores_day(self):
        winter = DEFAULT.available_at(date(2026, 11, 21), "Europe/Prague")
        summer = DEFAULT.available_at(date(2026, 6, 1), "Europe/Prague")
        assert winter == datetime(2026, 12, 4, 23, tzinfo=UTC)
        assert summer == datetime(2026, 6, 14, 22, tzinfo=UTC)

    def test_lets_points_go_at_midnight_on_the_day_the_clocks_change(self):
        # 29 March 2026: the night has no hour from two to three; midnight is still winter time.
        assert DEFAULT.available_at(date(2026, 3, 15), "Europe/Prague") == datetime(
            2026, 3, 28, 23, tzinfo=UTC
        )

    @pytest.mark.parametrize(
        ("day", "last"),
        [
            ((2026, 11, 21), (2028, 11, 30)),
            ((2026, 2, 1), (2028, 2, 29)),
            ((2024, 2, 29), (2026, 2, 28)),
            ((2026, 12, 31), (2028, 12, 31)),
        ],
    )
    def test_ends_points_with_the_month_two_years_on(self, day, last):
        assert DEFAULT.last_day(date(*day)) == date(*last)

    def test_ends_points_with_the_end_of_their_last_day(self):
        assert DEFAULT.expires_at(date(2026, 11, 21), "Europe/Prague") == datetime(
            2028, 11, 30, 23, tzinfo=UTC
        )

    def test_values_a_point_at_ten_minor_units(self):
        assert DEFAULT.value_of(500, "CZK") == 5000

    def test_ends_points_as_a_version_says(self):
        bought = date(2024, 2, 29)
        endings = {
            ending: Programme(ending=ending, ending_months=12) for ending in ("day", "year_end", "never")
        }
        assert endings["day"].last_day(bought) == date(2025, 2, 28)
        assert endings["year_end"].last_day(bought) == date(2025, 12, 31)
        assert endings["never"].last_day(bought) is None
        assert endings["never"].expires_at(bought, "UTC") is None

    def test_earns_and_values_by_the_currencys_own_rule(self):
        programme = Programme(currencies={"EUR": CurrencyRule(points=2, per=50, point_value=1)})
        assert (programme.points_for(199, "EUR"), programme.value_of(7, "EUR")) == (7, 7)
        assert (programme.points_for(199, "CZK"), programme.value_of(7, "CZK")) == (1, 70)

    def test_lets_points_be_spent_in_whole_steps_from_the_minimum(self):
        programme = Programme(minimum=100, step=50)
        assert [programme.allows(points) for points in (50, 99, 100, 120, 150)] == [
            False,
            False,
            True,
            False,
            True,
        ]
        assert [programme.spendable(points) for points in (-5, 99, 100, 149, 150)] == [0, 0, 100, 100, 150]

    def test_lets_points_pay_no_more_than_their_share_of_the_bill(self):
        programme = Programme(share_percent=50, step=10)
        # Half of 99.99 is worth 499 points of 0.10; whole steps of ten make 490.
        assert programme.spendable_on(9999, 5000, "CZK") == 490
        assert programme.spendable_on(-100, 5000, "CZK") == 0
        assert DEFAULT.spendable_on(9999, 5000, "CZK") == 999
        assert programme.exceeds_share(5000, 9999)
        assert not programme.exceeds_share(4999, 9999)
        assert not DEFAULT.exceeds_share(20000, 9999)


def approved(version: int, valid_from: date, hour: int = 0) -> Approved:
    return Approved(valid_from, datetime(2026, 1, 1, hour, tzinfo=UTC), Programme(version=version))


class TestProgrammes:
    def test_are_the_contracts_own_before_the_first_version(self):
        programmes = Programmes([approved(1, date(2026, 3, 1))])
        assert programmes.on(date(2026, 2, 28)) is DEFAULT
        assert programmes.on(date(2026, 3, 1)).version == 1
        assert Programmes().on(date(2026, 3, 1)) is DEFAULT

    def test_hold_from_their_day_until_the_next(self):
        programmes = Programmes([approved(2, date(2026, 5, 1)), approved(1, date(2026, 3, 1))])
        assert [programmes.on(date(2026, month, 1)).version for month in (3, 4, 5, 6)] == [1, 1, 2, 2]
        assert (programmes.until(1), programmes.until(2)) == (date(2026, 5, 1), None)

    def test_give_way_to_what_was_approved_later_for_the_same_day(self):
        programmes = Programmes(
            [approved(2, date(2026, 3, 1), hour=1), approved(1, date(2026, 3, 1), hour=2)]
        )
        assert programmes.on(date(2026, 3, 1)).version == 1
        assert (programmes.ever_holds(1), programmes.ever_holds(2)) == (True, False)

    def test_find_what_a_receipt_was_booked_under(self):
        programmes = Programmes([approved(7, date(2026, 3, 1))])
        assert programmes.numbered(7).version == 7
        assert programmes.numbered(None) is DEFAULT

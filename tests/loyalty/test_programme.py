from datetime import UTC, date, datetime

import pytest

from loyalty.programme import DEFAULT


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
        assert DEFAULT.value_of(500) == 5000

from datetime import timedelta

from basket_analysis.basket_files import read_baskets
from basket_analysis.dated_baskets import dated_baskets, sold_baskets
from basket_analysis.reading import read_sold_lines
from tests.basket_analysis.baskets_made import write_csv
from tests.basket_analysis.town_made import DAY, build_town

COLUMNS = ("basket_id", "item", "household_id", "time")


class TestDatedBaskets:
    def test_leave_out_whom_and_when_nobody_knows_and_count_every_other_basket(self, tmp_path):
        rows = [
            ("1", "a", "h", "2026-01-09T10:00:00Z"), ("2", "a", "h", "2026-01-01T10:00:00Z"), ("2", "b", "h", ""),
            ("3", "a", "", "2026-01-02T10:00:00Z"), ("4", "a", "g", "2026-01-05T12:00:00+01:00"), ("5", "a", "g", ""),
        ]  # fmt: skip
        path = write_csv(tmp_path / "b.csv", rows, columns=COLUMNS)
        found = dated_baskets(read_baskets(path, wanted=("household_id", "time")))
        assert found.weeks == 2
        assert sorted(zip(found.household.tolist(), found.week.tolist(), found.parity.tolist(), strict=True)) == [
            (0, 1, 0), (1, 0, 0), (1, 1, 1),
        ]  # fmt: skip


class TestSoldBaskets:
    def test_are_those_of_the_database_week_by_week_every_other_one_of_a_household_odd(self, sessions):
        with sessions.begin() as session:
            build_town(session, households=4, baskets=6)
            found = sold_baskets(
                read_sold_lines(
                    session, first_day=DAY - timedelta(weeks=20), following_day=DAY + timedelta(days=1)
                )
            )
        assert (found.weeks, len(found.households), len(found.week)) == (6, 4, 24)
        for household in range(4):
            mine = found.household == household
            assert dict(zip(found.week[mine].tolist(), found.parity[mine].tolist(), strict=True)) == {
                week: week % 2 for week in range(6)
            }
        assert len(found.table(first=0, end=3)) == 12

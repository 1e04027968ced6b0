from basket_analysis.basket_files import read_baskets
from basket_analysis.dated_baskets import dated_baskets
from tests.basket_analysis.baskets_made import write_csv

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

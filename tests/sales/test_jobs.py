"""What the night does for receipts."""

from datetime import UTC, date, datetime

from sqlalchemy import text

from core.jobs import Shift
from core.progress import silent
from sales.jobs import make_months, prepare_months


class TestPrepareMonths:
    def test_makes_the_months_that_begin_within_a_hundred_days(self, sessions, tmp_path):
        now = datetime(2026, 11, 22, 2, tzinfo=UTC)
        shift = Shift(sessions, tmp_path, date(2026, 11, 21), now, silent)
        assert prepare_months(shift) == {"months_made": 5}
        with sessions() as session:
            found = session.scalars(
                text(
                    "select relid::text from pg_partition_tree('receipt') union select relid::text from pg_partition_tree('receipt_line') order by 1"
                )
            ).all()
        months = ["202611", "202612", "202701", "202702", "202703"]
        assert [name for name in found if name.startswith("receipt_2")] == [
            f"receipt_{month}" for month in months
        ]
        assert {f"receipt_line_{month}" for month in months} <= set(found)

    def test_makes_nothing_the_second_time(self, sessions, tmp_path):
        shift = Shift(sessions, tmp_path, date(2026, 11, 21), datetime(2026, 11, 22, 2, tzinfo=UTC), silent)
        prepare_months(shift)
        assert prepare_months(shift) == {"months_made": 0}

    def test_makes_no_months_of_long_ago_for_a_night_of_long_ago(self, sessions, tmp_path):
        shift = Shift(sessions, tmp_path, date(2017, 12, 31), datetime(2026, 11, 22, 2, tzinfo=UTC), silent)
        assert prepare_months(shift) == {"months_made": 5}

    def test_waits_for_nobody_who_makes_other_months(self, sessions, tmp_path):
        shift = Shift(sessions, tmp_path, date(2026, 11, 21), datetime(2026, 11, 22, 2, tzinfo=UTC), silent)
        prepare_months(shift)
        with sessions() as standing, sessions() as session:
            # As an import does that stands still: its months are made, and not committed.
            standing.execute(text("select ensure_receipt_months('2019-05-01', '2019-05-01')"))
            session.execute(text("set local lock_timeout = '1ms'"))
            assert make_months(session, today=date(2026, 11, 22)) == 0
            standing.rollback()

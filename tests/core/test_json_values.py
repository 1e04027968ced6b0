from datetime import UTC, date, datetime
from uuid import UUID

from core.json_values import day_in, moment_in, uuid_in

NUMBER = "01940000-0000-7000-8000-000000000001"


def test_nothing_is_nothing():
    assert uuid_in(None) is day_in(None) is moment_in(None) is None


def test_reads_what_the_database_writes():
    assert uuid_in(NUMBER) == UUID(NUMBER)
    assert day_in("2026-11-23") == date(2026, 11, 23)
    assert moment_in("2026-11-23T18:05:09.5+00:00") == datetime(2026, 11, 23, 18, 5, 9, 500_000, UTC)

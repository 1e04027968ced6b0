import numpy as np
import psycopg
import pytest

from core.binary_copy import UnfitRowsError, read_columns
from core.copying import copy_rows
from core.database import Sessions
from core.driver import driver_of

COLUMNS = (("small", "i2"), ("whole", "i4"), ("large", "i8"), ("real", "f4"), ("double", "f8"))
TABLE = "create temporary table kept (small smallint, whole integer, large bigint, real real, double double precision)"


@pytest.mark.parametrize("rows", [0, 1, 700_001])
class TestColumns:
    def test_come_back_as_they_went(self, sessions: Sessions, rows: int):
        given = {
            "small": (np.arange(rows) % 30_000).astype(np.int16),
            "whole": -np.arange(rows, dtype=np.int32),
            "large": np.arange(rows, dtype=np.int64) * 10**12,
            "real": np.arange(rows, dtype=np.float32) / 4,
            "double": np.arange(rows) / 3,
        }
        with sessions.begin() as session:
            driver = driver_of(session)
            driver.execute(TABLE)
            copy_rows(session, "kept", given)
            found = read_columns(
                driver, "copy (select * from kept order by large) to stdout (format binary)", COLUMNS
            )
        for name, _ in COLUMNS:
            assert np.array_equal(found[name], given[name])
            assert found[name].dtype == given[name].dtype


@pytest.mark.parametrize(
    "query",
    [
        "select 1, null::integer",
        # With a NULL each row has 14 bytes instead of 18: nine of them are as long as seven whole ones.
        "select 1, null::integer from generate_series(1, 9)",
        "select case when n > 1 then n end, 1 from generate_series(1, 2000000) as n",
        "select case when n < 1999999 then n end, 1 from generate_series(1, 2000000) as n",
        "select 1, 2::bigint",
        "select 1",
        "select 1, 2, 3",
    ],
)
class TestRowsThatDoNotFit:
    def test_are_refused_instead_of_misread(self, sessions: Sessions, query: str):
        columns = (("first", "i4"), ("second", "i4"))
        with sessions.begin() as session, pytest.raises(UnfitRowsError, match="columns first, second"):
            read_columns(driver_of(session), f"copy ({query}) to stdout (format binary)", columns)


class TestAQueryThatFails:
    @pytest.mark.parametrize("rows", [0, 1, 100_000])
    def test_says_why_and_leaves_a_connection_that_goes_on(self, sessions: Sessions, rows: int):
        query = (
            f"copy (select 1 / ({rows} - n) from generate_series(0, {rows}) as n) to stdout (format binary)"
        )
        with sessions() as session:
            with pytest.raises(psycopg.errors.DivisionByZero):
                read_columns(driver_of(session), query, (("one", "i4"),))
            session.rollback()
            found = read_columns(
                driver_of(session), "copy (select 7) to stdout (format binary)", (("one", "i4"),)
            )
        assert found["one"].tolist() == [7]

import numpy as np
import pytest

from core.binary_copy import read_columns, write_columns
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
            write_columns(driver, "copy kept from stdin (format binary)", COLUMNS, given)
            found = read_columns(
                driver, "copy (select * from kept order by large) to stdout (format binary)", COLUMNS
            )
        for name, _ in COLUMNS:
            assert np.array_equal(found[name], given[name])
            assert found[name].dtype == given[name].dtype

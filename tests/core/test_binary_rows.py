from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import errors
from psycopg.pq import TransactionStatus

from core.binary_rows import TypeWithoutFormError, written
from core.copying import ROWS, copy_rows
from core.database import Sessions
from core.driver import driver_of

COLUMNS = {
    "position": ("integer", st.nothing()),
    "small": ("smallint", st.integers(-(2**15), 2**15 - 1)),
    "whole": ("integer", st.integers(-(2**31), 2**31 - 1)),
    "large": ("bigint", st.integers(-(2**63), 2**63 - 1)),
    "double": ("double precision", st.floats(allow_nan=False)),
    "truth": ("boolean", st.booleans()),
    "day": ("date", st.dates(date(1583, 1, 1))),
    "moment": ("timestamptz", st.datetimes(datetime(1583, 1, 1), timezones=st.just(UTC))),
    "id": ("uuid", st.uuids()),
    "words": ("text", st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))),
    "bytes": ("bytea", st.binary()),
    "document": ("jsonb", st.sampled_from(['{"a": [1, "ř"]}', "[]", "null", '"x"'])),
    "amount": ("numeric", st.decimals(1 - 10**11, 10**11 - 1, places=3)),
    "numbers": ("bigint[]", st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4)),
    "places": ("integer[]", st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4)),
}
ARROW = {
    "id": pa.binary(16),
    "bytes": pa.binary(),
    "moment": pa.timestamp("us", "UTC"),
    "amount": pa.decimal128(14, 3),
    "numbers": pa.list_(pa.int64()),
    "places": pa.list_(pa.int32()),
}
TABLE = f"create temporary table kept ({', '.join(f'{name} {kind}' for name, (kind, _) in COLUMNS.items())})"


def row(*, nullable: bool) -> st.SearchStrategy[tuple[object, ...]]:
    values = [values for name, (_, values) in COLUMNS.items() if name != "position"]
    return st.tuples(*(st.none() | one if nullable else one for one in values))


def stored(sessions: Sessions, columns: dict[str, object]) -> dict[str, list[object]]:
    """Copy `columns` into a table and read it back by SELECT, which knows nothing of our way to write."""
    with sessions.begin() as session:
        driver = driver_of(session)
        driver.execute(TABLE)
        copy_rows(session, "kept", columns)
        names = [name for name in COLUMNS if name != "document"]
        rows = driver.execute(
            f"select {', '.join(names)}, document::text from kept order by position"
        ).fetchall()
        driver.execute("drop table kept")
    return {name: [row[at] for row in rows] for at, name in enumerate([*names, "document"])}


class TestRows:
    @pytest.mark.parametrize("nullable", [False, True])
    def test_come_back_as_they_went(self, sessions: Sessions, nullable: bool):
        @settings(deadline=None, max_examples=60)
        @given(st.lists(row(nullable=nullable), min_size=1, max_size=12))
        def check(rows: list[tuple[object, ...]]) -> None:
            names = [name for name in COLUMNS if name != "position"]
            values = {name: [row[at] for row in rows] for at, name in enumerate(names)}
            arrays: dict[str, object] = {"position": range(len(rows))}
            for name, column in values.items():
                if name == "id":
                    column = [value and value.bytes for value in column]  # type: ignore[attr-defined]  # noqa: PLW2901
                arrays[name] = pa.array(column, ARROW.get(name))
            found = stored(sessions, arrays)
            for name in names:
                assert found[name] == values[name], name

        check()

    def test_come_back_from_blocks_that_are_slices_of_the_whole(self, sessions: Sessions):
        count = 2 * ROWS + 7
        numbers = list(range(count))
        found = stored(
            sessions,
            {
                "position": numbers,
                "large": [None if number % 3 else number for number in numbers],
                "words": [None if number % 5 else f"ž{number}" for number in numbers],
                "id": pa.array([UUID(int=number).bytes for number in numbers], pa.binary(16)),
                "amount": pa.array([Decimal(number) / 1000 for number in numbers], pa.decimal128(14, 3)),
                "numbers": pa.array([[number] * (number % 3) for number in numbers]),
                "document": pa.array([f'{{"n": {number}}}' for number in numbers]).dictionary_encode(),
            },
        )
        assert found["large"] == [None if number % 3 else number for number in numbers]
        assert found["words"] == [None if number % 5 else f"ž{number}" for number in numbers]
        assert found["id"] == [UUID(int=number) for number in numbers]
        assert found["amount"] == [Decimal(number) / 1000 for number in numbers]
        assert found["numbers"] == [[number] * (number % 3) for number in numbers]
        assert found["document"] == [f'{{"n": {number}}}' for number in numbers]
        assert found["small"] == [None] * count

    @pytest.mark.parametrize(
        ("name", "given_as", "expected"),
        [
            ("id", ["0193d8e6-7d9b-7c3a-8f4e-1a2b3c4d5e6f"], UUID("0193d8e67d9b7c3a8f4e1a2b3c4d5e6f")),
            ("id", ["0193d8e67d9b7c3a8f4e1a2b3c4d5e6f"], UUID("0193d8e67d9b7c3a8f4e1a2b3c4d5e6f")),
            ("bytes", [b""], b""),
            ("numbers", [[1, -2]], [1, -2]),
            ("places", [np.array([1, -2])], [1, -2]),
            ("places", pa.array([[]], pa.list_(pa.int64())), []),
            ("amount", [12], Decimal(12)),
            ("amount", ["0.05"], Decimal("0.05")),
            ("day", np.array(["2026-02-28"], "datetime64[D]"), date(2026, 2, 28)),
            ("moment", np.array(["2026-02-28T01:02:03"], "datetime64[us]"), datetime(2026, 2, 28, 1, 2, 3, tzinfo=UTC)),
            ("moment", [datetime(2026, 7, 1, tzinfo=UTC) + timedelta(hours=5)], datetime(2026, 7, 1, 5, tzinfo=UTC)),
            ("whole", np.array([7]), 7),
        ],
    )  # fmt: skip
    def test_may_be_given_in_other_words(
        self, sessions: Sessions, name: str, given_as: object, expected: object
    ):
        assert stored(sessions, {"position": [1], name: given_as})[name] == [expected]

    @pytest.mark.parametrize(
        ("name", "content", "why"),
        [
            ("small", [2**15], "32768 not in range"),
            ("whole", [2**31], "2147483648 not in range"),
            ("whole", ["seven"], "'seven'"),
            ("id", pa.array([b"short"]), "no id of 16 bytes"),
            ("bytes", ["\\x00ff"], "a text is no bytes"),
            ("numbers", pa.array([[1, None]]), "an element of an array is null"),
            ("amount", [float("nan")], "NaN is no number"),
            ("moment", ["yesterday"], "'yesterday'"),
        ],
    )
    def test_that_do_not_fit_their_column_are_an_error_and_store_nothing(
        self, sessions: Sessions, name: str, content: object, why: str
    ):
        with sessions.begin() as session:
            driver = driver_of(session)
            driver.execute(TABLE)
            with pytest.raises(pa.ArrowInvalid, match=why):
                copy_rows(session, "kept", {"position": [1], name: content})
            assert driver.info.transaction_status == TransactionStatus.INERROR
            session.rollback()

    def test_of_a_column_that_is_not_there_are_an_error(self, sessions: Sessions):
        with pytest.raises(errors.UndefinedColumn, match="kept has no colour"):
            stored(sessions, {"position": [1], "colour": ["red"]})

    def test_of_types_that_never_cast_are_an_error(self):
        with pytest.raises(pa.ArrowNotImplementedError, match="cast from string to list"):
            written({"numbers": pa.array(["{1,2}"])}, {"numbers": "bigint[]"})

    def test_of_a_type_that_nobody_taught_are_an_error(self):
        with pytest.raises(TypeWithoutFormError, match="point"):
            written({"where": pa.array(["(1,2)"])}, {"where": "point"})

"""
Columns of fixed widths out of PostgreSQL's binary COPY, as arrays.

Rows without NULL in columns of fixed width have one layout: a count of fields, then length and content of
each, all big-endian. So millions of them are an array without a look at each. What goes the other way:
`core.binary_rows`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.pq import ExecStatus

CHUNK = 1 << 24
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_WIDTHS = {"i2": 2, "i4": 4, "i8": 8, "f4": 4, "f8": 8}

Columns = Sequence[tuple[str, str]]
"""Names and types, such as ("day", "i4"): i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision."""


class UnfitRowsError(ValueError):
    """A query yields a NULL, or other columns than it is read as; its rows cannot be told apart then."""


def read_columns(
    driver: "psycopg.Connection[tuple[object, ...]]", query: str, columns: Columns
) -> dict[str, NDArray[Any]]:
    """
    Return what a `copy (…) to stdout (format binary)` yields, a column each, in the machine's own byte order.

    Raises `UnfitRowsError` where it yields a NULL or columns of other widths than said.
    """
    row = _layout(columns)
    blocks: dict[str, list[NDArray[Any]]] = {name: [np.empty(0, kind)] for name, kind in columns}

    def take(content: bytes) -> None:
        rows = _rows(content, columns)
        # At once: beside each value stands its length, so rows take twice the memory of their columns.
        for name, kind in columns:
            blocks[name].append(rows[name].astype(kind))

    pending = bytearray()
    header = len(HEADER)
    with driver.cursor() as cursor, cursor.copy(query) as copy:
        for block in _messages(driver, copy):
            pending += block
            if header and len(pending) >= header:
                del pending[:header]
                header = 0
            if not header and len(pending) >= CHUNK:
                whole = len(pending) // row.itemsize * row.itemsize
                take(bytes(pending[:whole]))
                del pending[:whole]
    take(bytes(pending[: len(pending) - len(TRAILER)]))
    return {name: np.concatenate(blocks.pop(name)) for name, _kind in columns}


def _messages(
    driver: "psycopg.Connection[tuple[object, ...]]", copy: psycopg.Copy
) -> Iterator[bytes | bytearray | memoryview]:
    """
    Yield what a COPY sends, which is a message for each row.

    What has arrived is taken from libpq directly; `copy`, which is made for far fewer and larger things, is asked only where
    there is something to wait for.
    """
    arrived = driver.pgconn.get_copy_data
    while True:
        size, message = arrived(1)
        if size > 0:
            yield message
        elif size == 0:
            awaited = copy.read()
            if not awaited:
                return
            yield awaited
        else:
            # All of them first: a connection with some left to be fetched cannot be used.
            results = list(iter(driver.pgconn.get_result, None))
            for result in results:
                if result.status != ExecStatus.COMMAND_OK:
                    raise psycopg.errors.error_from_result(result)
            return


def _rows(content: bytes, columns: Columns) -> NDArray[np.void]:
    """Return the rows of a block, each of them checked: a NULL has the length -1 and no content."""
    row = _layout(columns)
    rows = np.frombuffer(content[: len(content) // row.itemsize * row.itemsize], row)
    fits = rows["fields"] == len(columns)
    for name, kind in columns:
        fits &= rows[f"{name}_length"] == _WIDTHS[kind]
    if len(content) % row.itemsize or not fits.all():
        names = ", ".join(name for name, _kind in columns)
        raise UnfitRowsError(f"One of the columns {names} holds a NULL, or is not of the type it is read as")
    return rows


def _layout(columns: Columns) -> np.dtype[np.void]:
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns:
        layout += [(f"{name}_length", ">i4"), (name, f">{kind}")]
    return np.dtype(layout)

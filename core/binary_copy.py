"""
PostgreSQL's binary COPY of columns with fixed widths, to and from arrays.

Rows without NULL in columns of fixed width have one layout: a count of fields, then length and content of
each, all big-endian. So millions of them are an array without a look at each.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

CHUNK = 1 << 24
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_WIDTHS = {"i2": 2, "i4": 4, "i8": 8, "f4": 4, "f8": 8}

Columns = Sequence[tuple[str, str]]
"""Names and types, such as ("day", "i4"): i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision."""


def read_columns(
    driver: "psycopg.Connection[tuple[object, ...]]", query: str, columns: Columns
) -> dict[str, NDArray[Any]]:
    """Return what a `copy (…) to stdout (format binary)` yields, a column each, in the machine's own byte order."""
    row = _layout(columns)
    blocks = [np.empty(0, row)]
    pending = bytearray()
    header = len(HEADER)
    with driver.cursor() as cursor, cursor.copy(query) as copy:
        for block in copy:
            pending += block
            if header and len(pending) >= header:
                del pending[:header]
                header = 0
            if not header and len(pending) >= CHUNK:
                whole = len(pending) // row.itemsize * row.itemsize
                blocks.append(np.frombuffer(bytes(pending[:whole]), row))
                del pending[:whole]
    blocks.append(np.frombuffer(bytes(pending[: len(pending) - len(TRAILER)]), row))
    return {
        name: np.concatenate([block[name] for block in blocks]).astype(np.dtype(kind))
        for name, kind in columns
    }


def write_columns(
    driver: "psycopg.Connection[tuple[object, ...]]",
    statement: str,
    columns: Columns,
    values: Mapping[str, NDArray[Any]],
) -> None:
    """Give `values`, a column each and all of one length, to a `copy … from stdin (format binary)`."""
    row = _layout(columns)
    count = len(values[columns[0][0]])
    most = max(1, CHUNK // row.itemsize)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(HEADER)
        for start in range(0, count, most):
            block = np.empty(min(most, count - start), row)
            block["fields"] = len(columns)
            for name, kind in columns:
                block[f"{name}_length"] = _WIDTHS[kind]
                block[name] = values[name][start : start + most]
            copy.write(block.tobytes())
        copy.write(TRAILER)


def _layout(columns: Columns) -> np.dtype[np.void]:
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns:
        layout += [(f"{name}_length", ">i4"), (name, f">{kind}")]
    return np.dtype(layout)

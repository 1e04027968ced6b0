"""Many rows at once into a table, by PostgreSQL's COPY, and what its planner should know of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.ahead import ahead
from core.binary_rows import HEADER, TRAILER, written
from core.database import make_engine
from core.driver import driver_of

ROWS = 10_000
"""Rows that are written out and sent at a time; the server takes them in while the next are written out."""

_TYPES = """
    select attname, format_type(atttypid, null) from pg_attribute
    where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
"""


def copy_rows(session: Session, table: str, columns: Mapping[str, Any]) -> None:
    """
    Insert rows into `table`, given by columns (arrow arrays or sequences) of one length; None is NULL.

    Columns without any content are left to the table's defaults. Errors are psycopg's, and arrow's for what
    does not fit the type of its column.
    """
    arrays = {name: _array(column) for name, column in columns.items()}
    stated = {name: array for name, array in arrays.items() if array.null_count < len(array)}
    if not stated:
        return
    driver = driver_of(session)
    types = {str(name): str(kind) for name, kind in driver.execute(_TYPES, (table,)).fetchall()}
    if not stated.keys() <= types.keys():
        raise errors.UndefinedColumn(f"{table} has no {', '.join(sorted(stated.keys() - types.keys()))}")
    rows = pa.RecordBatch.from_arrays(list(stated.values()), names=list(stated))
    statement = f"copy {table} ({', '.join(stated)}) from stdin (format binary)"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(HEADER)
        blocks = (
            written(dict(zip(stated, rows.slice(start, ROWS).columns, strict=True)), types)
            for start in range(0, rows.num_rows, ROWS)
        )
        for block in ahead(blocks) if rows.num_rows > ROWS else blocks:
            copy.write(block)
        copy.write(TRAILER)


def _array(column: Any) -> pa.Array:
    return column if isinstance(column, pa.Array) else pa.array(column)


def refresh_statistics(url: str, tables: Sequence[str]) -> None:
    """
    Let the planner know what `tables` hold now; their owner's `url` is needed for it.

    What the database does by itself comes minutes later, and never for partitioned tables. A table or month in which
    nothing is yet is left out: known to be empty, any way through it looks equally good, and the one that is taken is
    kept while it fills. (Servers before 18 look through all months of a table that is named.)
    """
    engine = make_engine(url, role=None)
    with engine.begin() as connection:
        filled = connection.scalars(text(_FILLED), {"tables": list(tables)}).all()
        if filled:
            connection.execute(text(f"analyze {', '.join(filled)}"))
    engine.dispose()


# A partitioned table by itself, then its parts that hold anything; servers before 18 know it only with all of its parts.
_FILLED = """
    with known as (select current_setting('server_version_num')::integer >= 180000 as alone)
    select case when alone and not part.isleaf then 'only ' else '' end || part.relid::regclass
    from known, unnest(cast(:tables as text[])) as named (name)
    cross join lateral pg_partition_tree(named.name::regclass) as part
    where case when alone then not part.isleaf or pg_relation_size(part.relid) > 0 else part.level = 0 end
    union all
    select name from unnest(cast(:tables as text[])) as named (name)
    where not exists (select from pg_partition_tree(named.name::regclass)) and pg_relation_size(name::regclass) > 0
"""

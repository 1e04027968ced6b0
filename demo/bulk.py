"""Loading far more rows than a till ever brings: what holds the tables together is taken off before, and put back after."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import make_url

MEMORY = "512MB"
"""For building one index; the server's usual setting makes many small runs of it."""

# Foreign keys come first: they rest on the others' keys.
_CONSTRAINTS = """
    select conrelid::regclass::text, quote_ident(conname), contype, pg_get_constraintdef(oid)
    from pg_constraint
    where conrelid = any(%s::regclass[]) and contype in ('f', 'p', 'u') and conparentid = 0
    order by contype <> 'f', 1, 2
"""
_INDEXES = """
    select indexrelid::regclass::text, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
    from pg_index
    where indrelid = any(%s::regclass[])
      and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))
    order by 1
"""


@contextmanager
def unindexed(url: str, tables: Sequence[str]) -> Iterator[None]:
    """
    Take keys and indexes off `tables` while the block fills them, and build them again at its end.

    A third of the time that filling them one row at a time takes. `url` is the owner's. Nobody else may use
    the database meanwhile, and one whose load was killed is to be thrown away.
    """
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        constraints = connection.execute(_CONSTRAINTS, (list(tables),)).fetchall()
        indexes = connection.execute(_INDEXES, (list(tables),)).fetchall()
        for table, name, _kind, _definition in constraints:
            connection.execute(f"alter table {table} drop constraint {name}".encode())
        for name, _definition in indexes:
            connection.execute(f"drop index {name}".encode())
        try:
            yield
        finally:
            connection.execute(f"set maintenance_work_mem = '{MEMORY}'".encode())
            keys = [one for one in constraints if one[2] != "f"]
            for table, name, _kind, definition in keys:
                connection.execute(f"alter table {table} add constraint {name} {definition}".encode())
            for _name, definition in indexes:
                connection.execute(definition.encode())
            for table, name, kind, definition in constraints:
                if kind == "f":
                    connection.execute(f"alter table {table} add constraint {name} {definition}".encode())

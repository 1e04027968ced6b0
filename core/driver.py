"""
The hot path's way to the database: psycopg's own connection, inside the session's transaction.

A round trip costs more than most statements. So what must be known before anything is kept, but not
before the next question can be asked, may be put off: it travels with that question.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import RowFactory, tuple_row
from sqlalchemy.orm import Session

_PUT_OFF = "core.driver.put_off"

Values = Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _PutOff:
    statement: str
    values: Values
    check: Callable[[Any], None]


def driver_of(session: Session) -> psycopg.Connection[tuple[Any, ...]]:
    """
    Return the psycopg connection of `session`'s transaction.

    What runs on it commits and rolls back with the session. Errors are psycopg's
    own, not SQLAlchemy's; `connection.pipeline()` sends several statements in one
    round trip. What was put off is done first.
    """
    if _PUT_OFF in session.info:
        catch_up(session)
    return _connection(session)


def put_off(session: Session, statement: str, values: Values, *, check: Callable[[Any], None]) -> None:
    """
    Let `statement` travel with what is asked next in `session`; `check` gets its one row, or None, and may raise.

    Whoever puts something off must `catch_up` before the session commits.
    """
    session.info[_PUT_OFF] = _PutOff(statement, values, check)


def catch_up(session: Session) -> None:
    """Do what was put off, if anything was."""
    waiting: _PutOff | None = session.info.pop(_PUT_OFF, None)
    if waiting is not None:
        cursor = _connection(session).execute(waiting.statement, waiting.values, prepare=True)
        waiting.check(cursor.fetchone())


def ask(
    session: Session, statement: str, values: Values, *, rows: RowFactory[Any] = tuple_row
) -> psycopg.Cursor[Any]:
    """Return the cursor of a statement that was executed in one round trip with what was put off, which is checked."""
    connection = _connection(session)
    cursor = connection.cursor(row_factory=rows)
    waiting: _PutOff | None = session.info.pop(_PUT_OFF, None)
    if waiting is None:
        return cursor.execute(statement, values, prepare=True)
    with connection.pipeline():
        first = connection.execute(waiting.statement, waiting.values, prepare=True)
        cursor.execute(statement, values, prepare=True)
    waiting.check(first.fetchone())
    return cursor


def ask_together(
    session: Session, questions: Sequence[tuple[str, Values, RowFactory[Any]]]
) -> list[psycopg.Cursor[Any]]:
    """Return the cursors of several statements in one round trip, with what was put off, which is checked first."""
    connection = _connection(session)
    waiting: _PutOff | None = session.info.pop(_PUT_OFF, None)
    cursors = [connection.cursor(row_factory=rows) for _, _, rows in questions]
    first = None
    with connection.pipeline():
        if waiting is not None:
            first = connection.execute(waiting.statement, waiting.values, prepare=True)
        for cursor, (statement, values, _) in zip(cursors, questions, strict=True):
            cursor.execute(statement, values, prepare=True)
    if waiting is not None and first is not None:
        waiting.check(first.fetchone())
    return cursors


def _connection(session: Session) -> psycopg.Connection[tuple[Any, ...]]:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection

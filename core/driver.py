"""
The hot path's way to the database: psycopg's own connection, inside the session's transaction.

A round trip costs more than most statements. So what must be known before anything is kept, but not
before the next question can be asked, may be put off: it travels with that question. So does the
beginning of the transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import RowFactory, tuple_row
from sqlalchemy.orm import Session

_PUT_OFF = "core.driver.put_off"
_ALONG = "core.driver.along"
_OPENED = "core.driver.opened"

Values = Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _PutOff:
    statement: str
    values: Values
    check: Callable[[Any], None]


@dataclass(slots=True)
class Along:
    """A question that travels with the next one."""

    statement: str
    values: Values
    cursor: psycopg.Cursor[Any] | None = None

    def row(self, session: Session) -> Any:
        """Return the one row of its answer, asked now if it has not travelled with another question yet."""
        if self.cursor is None:
            session.info.get(_ALONG, []).remove(self)
            self.cursor = ask(session, self.statement, self.values)
        return self.cursor.fetchone()


def bring_along(session: Session, statement: str, values: Values) -> Along:
    """Let a question travel with what is asked next in `session`, after it."""
    along = Along(statement, values)
    session.info.setdefault(_ALONG, []).append(along)
    return along


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
    """
    Return the cursor of a statement that was executed in one round trip with what travels with it.

    What was put off goes before it and is checked; what is brought along goes after it.
    """
    connection = _connection(session)
    cursor = connection.cursor(row_factory=rows)
    waiting: _PutOff | None = session.info.pop(_PUT_OFF, None)
    along: list[Along] = session.info.pop(_ALONG, [])
    if waiting is None and not along:
        return cursor.execute(statement, values, prepare=True)
    first = None
    begins = _begins_here(connection)
    with connection.pipeline():
        if begins:
            connection.execute("begin")
        if waiting is not None:
            first = connection.execute(waiting.statement, waiting.values, prepare=True)
        cursor.execute(statement, values, prepare=True)
        for question in along:
            question.cursor = connection.execute(question.statement, question.values, prepare=True)
    if waiting is not None and first is not None:
        waiting.check(first.fetchone())
    return cursor


def _begins_here(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """
    Return whether the transaction is still to be begun, which is then left to us.

    psycopg begins one by itself, but waits for that alone. Told that it need not, it still ends what was begun;
    `core.database` tells it the contrary when the connection is taken from the pool again.
    """
    if connection.autocommit or connection.info.transaction_status != TransactionStatus.IDLE:
        return False
    connection.autocommit = True
    return True


def _connection(session: Session) -> psycopg.Connection[tuple[Any, ...]]:
    """Return the driver's connection, looked up once in a transaction: SQLAlchemy's way to it is long."""
    # A savepoint is only made when the connection is asked for inside it: looked up anew there.
    transaction = session.get_nested_transaction() or session.get_transaction()
    opened = session.info.get(_OPENED)
    if opened is not None and transaction is not None and opened[0] is transaction:
        known: psycopg.Connection[tuple[Any, ...]] = opened[1]
        return known
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    session.info[_OPENED] = session.get_nested_transaction() or session.get_transaction(), connection
    return connection

"""
The hot path's way to the database: psycopg's own connection, inside the session's transaction.

A round trip costs more than most statements. So what must be known before anything is kept, but not
before the next question can be asked, may be put off: it travels with that question. So does the
beginning of the transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.orm import Session

from core.records import record
from core.trips import Answer, Connection, Values, in_pipeline, travel

_PUT_OFF = "core.driver.put_off"
_ALONG = "core.driver.along"
_OPENED = "core.driver.opened"
_TOGETHER = "core.driver.together"
_MAY_END = "core.driver.may_end"


@record
class _PutOff:
    statement: str
    values: Values
    check: Callable[[Any], None]


@dataclass(slots=True)
class Along:
    """A question that travels with the next one."""

    statement: str
    values: Values
    answer: Answer | None = None

    def row(self, session: Session) -> Any:
        """Return the one row of its answer, asked now if it has not travelled with another question yet."""
        if self.answer is None:
            session.info.get(_ALONG, []).remove(self)
            self.answer = ask(session, self.statement, self.values)
        return self.answer.fetchone()


def bring_along(session: Session, statement: str, values: Values) -> Along:
    """Let a question travel with what is asked next in `session`, after it."""
    along = Along(statement, values)
    session.info.setdefault(_ALONG, []).append(along)
    return along


def driver_of(session: Session) -> Connection:
    """
    Return the psycopg connection of `session`'s transaction.

    What runs on it commits and rolls back with the session. Errors are psycopg's
    own, not SQLAlchemy's. What was put off is done first.
    """
    if _TOGETHER in session.info:
        raise psycopg.ProgrammingError("this would overtake what waits for its trip together")
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
        waiting.check(ask(session, waiting.statement, waiting.values).fetchone())


def ask(session: Session, statement: str, values: Values) -> Answer:
    """
    Do a statement, prepared once per connection, in one round trip with what travels with it; return its answer.

    What was put off goes before it and is checked; what is brought along goes after it. In a block of `together`
    it waits for the others there, and so does its answer. The types of values are told by their places: where these
    say nothing, the statement must (`%s::integer`).
    """
    answer = Answer(statement, values)
    waiting_here: list[Answer] | None = session.info.get(_TOGETHER)
    if waiting_here is not None:
        waiting_here.append(answer)
        return answer
    waiting: _PutOff | None = session.info.pop(_PUT_OFF, None)
    along: list[Along] = session.info.pop(_ALONG, [])
    first = Answer(waiting.statement, waiting.values) if waiting else None
    for question in along:
        question.answer = Answer(question.statement, question.values)
    others = [question.answer for question in along if question.answer is not None]
    _travel(session, [*([first] if first else []), answer, *others])
    if waiting is not None and first is not None:
        waiting.check(first.fetchone())
    return answer


@contextmanager
def together(session: Session, *, end: bool = False) -> Iterator[None]:
    """
    Let all that is asked in the block travel in one round trip at its end; nothing does if the block raises.

    With `end` the transaction is committed on the same way, where `may_end` allowed it: then nothing may follow
    that has to be kept, and what must hold has to be held by the statements themselves.
    """
    catch_up(session)
    answers: list[Answer] = []
    session.info[_TOGETHER] = answers
    try:
        yield
    finally:
        del session.info[_TOGETHER]
    allowed = bool(session.info.pop(_MAY_END, False)) and session.get_nested_transaction() is None
    ended = end and allowed
    if answers or ended:
        _travel(session, answers, end=ended)


def forget_requests(session: Session) -> None:
    """Forget what was to travel with the next question: there is none any more."""
    info = session.info
    for key in (_PUT_OFF, _ALONG, _TOGETHER, _MAY_END):
        if key in info:
            del info[key]


def may_end(session: Session) -> None:
    """Allow that the transaction of `session` is committed by what knows itself to be its last statement."""
    session.info[_MAY_END] = True


def conclude(session: Session) -> None:
    """Commit the transaction of `session` where one has begun and not ended yet; for blocks that begin one."""
    if _connection(session).pgconn.transaction_status != TransactionStatus.IDLE:
        _travel(session, [], end=True)


def _travel(session: Session, answers: list[Answer], *, end: bool = False) -> None:
    connection = _connection(session)
    if in_pipeline(connection):
        raise psycopg.ProgrammingError("a pipeline of psycopg's own is open")
    # psycopg begins a transaction by itself, but waits for that alone.
    begin = connection.pgconn.transaction_status == TransactionStatus.IDLE and not connection.autocommit
    if begin and connection.isolation_level is not None:
        connection.execute("select")
        begin = False
    travel(connection, answers, begin=begin, end=end)


def _connection(session: Session) -> Connection:
    """Return the driver's connection, looked up once in a transaction: SQLAlchemy's way to it is long."""
    # A savepoint is only made when the connection is asked for inside it: looked up anew there.
    transaction = session.get_nested_transaction() or session.get_transaction()
    opened = session.info.get(_OPENED)
    if opened is not None and transaction is not None and opened[0] is transaction:
        known: Connection = opened[1]
        return known
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    session.info[_OPENED] = session.get_nested_transaction() or session.get_transaction(), connection
    return connection

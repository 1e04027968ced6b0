"""
Sessions kept ready for tills: each with its connection, outside any transaction.

To open a session, take a connection for it, and give both back costs a till's look more than the answer does, and a
receipt a tenth of its time. So a few that are open stay so between requests.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from weakref import WeakKeyDictionary

from psycopg import errors
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from core.database import Sessions, has_ended
from core.driver import conclude, driver_of, forget_requests
from core.trips import Connection

MOST_IDLE = 4
"""So many stay open at most, and fewer than the pool is large: the others find enough in it."""

_kept: WeakKeyDictionary[Engine, deque[Session]] = WeakKeyDictionary()


def looking(sessions: Sessions) -> AbstractContextManager[Session]:
    """
    Return a block with a session in which every statement is committed by itself, and what travels together at once.

    Nothing that was read with an earlier one is in it. After an error it is thrown away.
    """
    return _Looking(sessions)


class _Looking:
    """The block of `looking`; tills begin one with nearly every request, so it is no generator."""

    __slots__ = ("_session", "_sessions")

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def __enter__(self) -> Session:
        self._session = _taken(self._sessions)
        return self._session

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._session.close()
        else:
            _give_back(self._session, self._sessions.kw["bind"])


@contextmanager
def writing(sessions: Sessions) -> Iterator[Session]:
    """
    Yield a session in one transaction, committed at the end of the block if that was not done before; undone by an error.

    Otherwise as `looking` does. What listens for a session's commit is not told: whoever needs that takes a session
    of their own. Raises psycopg's InFailedSqlTransaction where an error of the database was not let through: the
    database would keep nothing, and say so to nobody.
    """
    session = _taken(sessions)
    try:
        connection = driver_of(session)
        # From here on the driver begins a transaction by itself, with the first statement.
        connection.autocommit = False
        yield session
        if session.identity_map or session.new:
            session.flush()
        refuse_failed(connection)
        conclude(session)
        connection.autocommit = True
    except BaseException:
        session.close()
        raise
    _give_back(session, sessions.kw["bind"])


def refuse_failed(connection: Connection) -> None:
    """Raise psycopg's InFailedSqlTransaction where a transaction has failed already: to commit it would undo it in silence."""
    if connection.pgconn.transaction_status == TransactionStatus.INERROR:
        raise errors.InFailedSqlTransaction("an error of the database was passed over: nothing can be kept")


def _taken(sessions: Sessions) -> Session:
    return _usable(_idle_of(sessions.kw["bind"])) or _opened(sessions)


def _give_back(session: Session, engine: Engine) -> None:
    if not _emptied(session):
        session.close()
        return
    idle = _idle_of(engine)
    idle.append(session)
    # Looked at afterwards: of several that are given back at one moment, none would see the others before.
    if len(idle) > _room_in(engine):
        with suppress(IndexError):
            idle.popleft().close()


def _opened(sessions: Sessions) -> Session:
    session = sessions()
    try:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    except BaseException:
        session.close()
        raise
    return session


def _usable(idle: deque[Session]) -> Session | None:
    """Return the session that was used last whose connection the server has not ended."""
    while idle:
        try:
            session = idle.pop()
        except IndexError:  # somebody else was faster
            return None
        connection = driver_of(session)
        if not has_ended(connection):
            return session
        session.invalidate()
    return None


def _emptied(session: Session) -> bool:
    """Take out of a session what belongs to the look that is over; return whether it can be used again."""
    forget_requests(session)
    if session.identity_map or session.new:
        session.expunge_all()
    if not session.is_active:
        return False
    connection = driver_of(session)
    # Whoever ended the session's transaction has given its connection back, and the next one is an ordinary one.
    return connection.autocommit and connection.pgconn.transaction_status == TransactionStatus.IDLE


def _room_in(engine: Engine) -> int:
    size = engine.pool.size() if isinstance(engine.pool, QueuePool) else 0
    return min(MOST_IDLE, size - 1)


def _idle_of(engine: Engine) -> deque[Session]:
    idle = _kept.get(engine)
    if idle is None:
        idle = _kept.setdefault(engine, deque())
        event.listen(engine, "engine_disposed", _close_all)
    return idle


def _close_all(engine: Engine) -> None:
    idle = _kept.get(engine)
    while idle:
        # Not given back: the pool that it came from is no more.
        idle.pop().invalidate()

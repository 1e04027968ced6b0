"""
Sessions kept ready for whoever comes again and again: each with its connection, outside any transaction.

To open a session, take a connection for it, and give both back costs a till's look more than the answer does, and a
receipt more than any of its statements. So a few that are open stay so in between.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from weakref import WeakKeyDictionary

from psycopg import errors
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import QueuePool

from core.database import Sessions, has_ended
from core.driver import driver_of, forget_requests

MOST_IDLE = 4
"""So many stay open at most, and fewer than the pool is large: the others find enough in it."""

_kept: WeakKeyDictionary[Engine, deque[Session]] = WeakKeyDictionary()


@contextmanager
def looking(sessions: Sessions) -> Iterator[Session]:
    """
    Yield a session in which every statement is committed by itself, and what travels together at once.

    Nothing that was read with an earlier one is in it. After an error it is thrown away.
    """
    session = _taken(sessions)
    try:
        yield session
    except BaseException:
        session.close()
        raise
    _give_back(session, sessions)


@contextmanager
def writing(sessions: Sessions) -> Iterator[Session]:
    """
    Yield a session whose statements are one transaction: committed where the block ends, undone by an error.

    Nothing that was read with an earlier one is in it. After an error it is thrown away.
    """
    session = _taken(sessions)
    try:
        driver_of(session).autocommit = False
        begun = session.get_transaction()
        yield session
        again = _committed(session, begun)
    except BaseException:
        session.close()
        raise
    if again:
        _give_back(session, sessions)
    else:
        session.close()


def _committed(session: Session, begun: SessionTransaction | None) -> bool:
    """
    Commit what `session` did; return whether its connection is as ready as before.

    Raises psycopg's InFailedSqlTransaction where an error of the database was swallowed: its commit undoes and says nothing.
    """
    connection = driver_of(session)
    if connection.pgconn.transaction_status == TransactionStatus.INERROR:
        raise errors.InFailedSqlTransaction("nothing can be committed after a statement that failed")
    if (
        # Ended on the way, and so on another connection now: an ordinary one, of which nothing is to be changed.
        session.get_transaction() is not begun
        or session.identity_map
        or session.new
        or session.get_nested_transaction()
        or session.dispatch.after_commit
    ):
        # What SQLAlchemy has still to write, or to tell, is its own to bring to an end.
        session.commit()
        return False
    # Mostly it was committed on the way of its last statement.
    if connection.pgconn.transaction_status != TransactionStatus.IDLE:
        connection.commit()
    connection.autocommit = True
    return True


def _taken(sessions: Sessions) -> Session:
    return _usable(_idle_of(sessions.kw["bind"])) or _opened(sessions)


def _give_back(session: Session, sessions: Sessions) -> None:
    """Keep a session for the next who comes, if it is as good as new and there is room."""
    if not _emptied(session):
        session.close()
        return
    engine: Engine = sessions.kw["bind"]
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
    return connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE


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

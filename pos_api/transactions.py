"""The one transaction of a request: retried whole when the database asks for it, given up in time."""

import random
import time
from collections.abc import Callable
from typing import TypeVar, cast

import psycopg
from flask import current_app, request
from psycopg import errors
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from core.database import Sessions, sandbox_exists
from core.driver import catch_up, driver_of
from core.kept_sessions import looking, refuse_failed, writing
from pos_api.patience import Watch
from pos_api.problems import Problem
from sales.queries import is_sandbox_key

ATTEMPTS = 6
WATCH = Watch()
EXTENSION = "pos_api"
SANDBOX = "pos_api_sandbox"
"""Where the application keeps the sandbox's sessions, if it can have one."""
NO_SANDBOX = "The till key is of a sandbox, and there is none here."

T = TypeVar("T")

_COLLISIONS = (errors.SerializationFailure, errors.DeadlockDetected)
_LOST = (errors.AdminShutdown, errors.CrashShutdown, errors.IdleInTransactionSessionTimeout)


def sessions_of_request() -> Sessions:
    """
    Return the sessions that the current request works with: the house's, or for a sandbox key the sandbox's.

    Raises `unauthenticated` where there is no sandbox.
    """
    if not is_sandbox_key(request.headers.get("Authorization", "").rpartition(" ")[2]):
        return cast("Sessions", current_app.extensions[EXTENSION])
    sandbox = cast("Sessions | None", current_app.extensions.get(SANDBOX))
    if sandbox is None:
        raise Problem("unauthenticated", NO_SANDBOX)
    return sandbox


def transact(work: Callable[[Session], T], *, often: bool = False) -> T:
    """
    Return what `work` makes of a session, committed.

    What tills do `often` takes a session that is kept ready; what listens for the session's commit is not told there.

    `work` is done again from the start when it collided with another transaction
    (40001, 40P01); so it must have no effect outside the session. Waiting too long
    for another transaction is the `in_progress` of the contract.
    """
    sessions = sessions_of_request()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with WATCH.attempt() as watched, writing(sessions) if often else sessions.begin() as session:
                connection = driver_of(session)
                watched(connection)
                done = _whole(work, session)
                refuse_failed(connection)
                return done
        except (DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if isinstance(cause, errors.LockNotAvailable):
                raise Problem("in_progress", "Another request is still working on this.") from error
            if isinstance(error, OperationalError) and _lacks(sessions):
                raise Problem("unauthenticated", NO_SANDBOX) from error
            if not isinstance(cause, _COLLISIONS) or attempt == ATTEMPTS:
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter, no secret
    raise AssertionError("unreachable")


def look(work: Callable[[Session], T]) -> T:
    """
    Return what `work` makes of a session without a transaction around its statements, each a round trip less.

    For what only reads, and at most keeps one row at its end.
    """
    sessions = sessions_of_request()
    try:
        with WATCH.attempt() as watched, looking(sessions) as session:
            watched(driver_of(session))
            return _whole(work, session)
    except OperationalError as error:
        if _lacks(sessions):
            raise Problem("unauthenticated", NO_SANDBOX) from error
        raise
    except errors.SerializationFailure:
        # The till changed; a transaction is done again.
        return transact(work)


def _whole(work: Callable[[Session], T], session: Session) -> T:
    """Do `work` and what it put off. A key that opens nothing is told before anything else that is wrong."""
    try:
        done = work(session)
    except (DBAPIError, psycopg.Error):
        raise
    except Exception:
        catch_up(session)
        raise
    catch_up(session)
    return done


def _lacks(sessions: Sessions) -> bool:
    """Return whether `sessions` are those of a sandbox that nobody has opened."""
    if sessions is not current_app.extensions.get(SANDBOX):
        return False
    with cast("Sessions", current_app.extensions[EXTENSION]).begin() as session:
        return not sandbox_exists(session.connection())

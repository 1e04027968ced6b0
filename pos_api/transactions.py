"""The one transaction of a request: retried whole when the database asks for it, given up in time."""

import random
import time
from collections.abc import Callable
from typing import TypeVar, cast

import psycopg
from flask import current_app
from psycopg import errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.database import Sessions
from pos_api.problems import Problem

ATTEMPTS = 6
EXTENSION = "pos_api"

T = TypeVar("T")

_COLLISIONS = (errors.SerializationFailure, errors.DeadlockDetected)
_LOST = (errors.AdminShutdown, errors.CrashShutdown, errors.IdleInTransactionSessionTimeout)


def transact(work: Callable[[Session], T]) -> T:
    """
    Return what `work` makes of a session, committed.

    `work` is done again from the start when it collided with another transaction
    (40001, 40P01); so it must have no effect outside the session. Waiting too long
    for another transaction is the `in_progress` of the contract.
    """
    sessions = cast("Sessions", current_app.extensions[EXTENSION])
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with sessions.begin() as session:
                return work(session)
        except (DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if isinstance(cause, errors.LockNotAvailable):
                raise Problem("in_progress", "Another request is still working on this.") from error
            if not isinstance(cause, _COLLISIONS) or attempt == ATTEMPTS:
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter, no secret
    raise AssertionError("unreachable")

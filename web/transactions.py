"""Work that may collide with what the tills are doing: done again from the start when the database asks for it."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg import errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from web.state import transaction

ATTEMPTS = 5

T = TypeVar("T")

_COLLISIONS = (errors.SerializationFailure, errors.DeadlockDetected)


def transact(work: Callable[[Session], T]) -> T:
    """Return what `work` makes of a session, committed; it must have no effect outside the session."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction() as session:
                return work(session)
        except (DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if not isinstance(cause, _COLLISIONS) or attempt == ATTEMPTS:
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter, no secret
    raise AssertionError("unreachable")

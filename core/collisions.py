"""Work that collides with others' and is done again from the start, as PostgreSQL asks for (40001, 40P01)."""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

import psycopg
from psycopg import errors
from sqlalchemy.exc import DBAPIError

ATTEMPTS: Final = 6

T = TypeVar("T")

_COLLISIONS = (errors.SerializationFailure, errors.DeadlockDetected)


def collided(error: BaseException) -> bool:
    """Return whether `error` is the database's request to do a transaction again."""
    return isinstance(error.orig if isinstance(error, DBAPIError) else error, _COLLISIONS)


def again_when_collided(work: Callable[[], T], *, attempts: int = ATTEMPTS) -> T:
    """
    Return what `work` returns, which is one transaction; done again, a little later, each time it collided.

    It must have no effect outside its transaction. The last of so many attempts raises what it raised.
    """
    for attempt in range(1, attempts):
        try:
            return work()
        except (DBAPIError, psycopg.Error) as error:
            if not collided(error):
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter, no secret
    return work()

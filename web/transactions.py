"""Work that may collide with what the tills are doing: done again from the start when the database asks for it."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from core.collisions import again_when_collided
from web.state import transaction

T = TypeVar("T")


def transact(work: Callable[[Session], T]) -> T:
    """Return what `work` makes of a session, committed; it must have no effect outside the session."""

    def once() -> T:
        with transaction() as session:
            return work(session)

    return again_when_collided(once)

"""Work that the database asks to be done again."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.collisions import ATTEMPTS, again_when_collided
from core.database import Sessions, make_engine, make_sessions
from core.driver import driver_of


@pytest.fixture(scope="module")
def sessions(make_database) -> Iterator[Sessions]:
    engine = make_engine(make_database())
    yield make_sessions(engine)
    engine.dispose()


def collide(session: Session, code: str, *, by_driver: bool) -> None:
    """Let the database refuse as it does when two transactions met."""
    statement = f"do $$ begin raise exception 'met' using errcode = '{code}'; end $$"
    if by_driver:
        driver_of(session).execute(statement)
    else:
        session.execute(text(statement))


class TestAgainWhenCollided:
    @pytest.mark.parametrize("by_driver", [True, False])
    @pytest.mark.parametrize("code", ["40001", "40P01"])
    def test_does_it_in_a_new_transaction(self, sessions: Sessions, code: str, by_driver: bool):
        tried = 0

        def work() -> int:
            nonlocal tried
            tried += 1
            with sessions.begin() as session:
                if tried < 3:
                    collide(session, code, by_driver=by_driver)
                return session.execute(text("select 1")).scalar_one()

        assert (again_when_collided(work), tried) == (1, 3)

    def test_gives_up_in_the_end(self, sessions: Sessions):
        tried = 0

        def work() -> None:
            nonlocal tried
            tried += 1
            with sessions.begin() as session:
                collide(session, "40P01", by_driver=True)

        with pytest.raises(psycopg.errors.DeadlockDetected):
            again_when_collided(work)
        assert tried == ATTEMPTS

    def test_leaves_every_other_error_alone(self, sessions: Sessions):
        tried = 0

        def work() -> None:
            nonlocal tried
            tried += 1
            with sessions.begin() as session:
                collide(session, "23505", by_driver=False)

        with pytest.raises(DBAPIError):
            again_when_collided(work)
        assert tried == 1

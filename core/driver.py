"""The hot path's way to the database: psycopg's own connection, inside the session's transaction."""

from typing import Any

import psycopg
from sqlalchemy.orm import Session


def driver_of(session: Session) -> psycopg.Connection[tuple[Any, ...]]:
    """
    Return the psycopg connection of `session`'s transaction.

    What runs on it commits and rolls back with the session. Errors are psycopg's
    own, not SQLAlchemy's; `connection.pipeline()` sends several statements in one
    round trip.
    """
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection

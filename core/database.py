"""The one database: engine, sessions, the base of all tables, and its migrations."""

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, DateTime, Engine, MetaData, Text, Uuid, create_engine
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

APP_ROLE = "regulars_app"
"""The database role that server and command line work as; it cannot change ledger rows."""

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

Sessions = sessionmaker[Session]


class Base(DeclarativeBase):
    """Base of every table; constraints get stable names."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        UUID: Uuid(),
        dict[str, Any]: JSONB(none_as_null=True),
        list[Any]: JSONB(none_as_null=True),
    }


def driver_url(url: str) -> str:
    """Return `url` with psycopg 3 named as its driver, whatever it named before."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def make_engine(
    url: str, *, role: str | None = APP_ROLE, pool_size: int = 4, lock_timeout: int | None = None
) -> Engine:
    """
    Return an engine on `url` whose connections work as `role`; None keeps the owner's rights.

    A connection is tested when it is taken from the pool, so that a restarted
    database is met by the next request without an error. With `lock_timeout`
    nobody waits longer than so many seconds for another transaction.
    """
    options = "-c timezone=UTC" + (f" -c role={role}" if role else "")
    if lock_timeout is not None:
        options += f" -c lock_timeout={lock_timeout}s"
    return create_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 5},
    )


def make_sessions(engine: Engine) -> Sessions:
    """Return the factory whose `begin()` is the only place that commits."""
    return sessionmaker(engine, expire_on_commit=False)


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = driver_url(url)
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`, as its owner."""
    command.upgrade(_config(url), revision)


def revisions(engine: Engine) -> tuple[str | None, str | None]:
    """Return the revision that the database has and the newest there is."""
    with engine.connect() as connection:
        return current_revision(connection), newest_revision()


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the database behind `connection`, None before its first migration."""
    return MigrationContext.configure(connection).get_current_revision()


@lru_cache(maxsize=1)
def newest_revision() -> str | None:
    """Return the newest revision that this version knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()

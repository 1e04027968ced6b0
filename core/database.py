"""The one database: engine, sessions, the base of all tables, and its migrations."""

import select
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import orjson
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, DateTime, Engine, MetaData, Text, Uuid, create_engine, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from core.errors import Refused

APP_ROLE = "regulars_app"
"""The database role that server and command line work as; it cannot change ledger rows."""

SANDBOX = "_sandbox"
"""
What the name of the sandbox's database adds to that of the house.

The sandbox is the same house once more, empty of people: for tills that are still being made. In a
database of its own nothing of it can ever count in the house.
"""

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


class UnknownRevision(Refused):
    """A revision was named, or found in a database of newer code, that is none of ours."""


class NoDatabaseUrl(Refused):
    """The text is not the URL of a database."""


def driver_url(url: str) -> str:
    """Return `url` with psycopg 3 named as its driver, whatever it named before; raises `NoDatabaseUrl`."""
    try:
        known = make_url(url)
    except ArgumentError:
        # What was given may hold a password, so it is not repeated, nor kept as the cause.
        raise NoDatabaseUrl(
            "DATABASE_URL is no URL of a database, such as postgresql://user@host/name"
        ) from None
    return known.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def make_engine(
    url: str,
    *,
    role: str | None = APP_ROLE,
    pool_size: int = 4,
    lock_timeout: int | None = None,
    by_index: bool = False,
) -> Engine:
    """
    Return an engine on `url` whose connections work as `role`; None keeps the owner's rights.

    A connection that the server has ended is replaced when it is taken from the pool, so
    that a restarted database is met by the next request without an error. With `lock_timeout`
    nobody waits longer than so many seconds for another transaction. With `by_index` no table is read through
    that has an index to find its rows by: what is planned while a table, or the new month of one, is empty and known to
    be so is kept for as long as the connection lasts, and would cost more with every row.
    """
    options = "-c timezone=UTC" + (f" -c role={role}" if role else "")
    if lock_timeout is not None:
        options += f" -c lock_timeout={lock_timeout}s"
    if by_index:
        options += " -c enable_seqscan=off"
    engine = create_engine(
        driver_url(url),
        # Tills read JSON with every request. What the database says in it has no integer beyond 64 bits there.
        json_deserializer=orjson.loads if by_index else None,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        # What the last one's server process has at hand is still warm.
        pool_use_lifo=True,
        # What is worth preparing is prepared by core.trips. psycopg would forget it with every rollback.
        connect_args={"options": options, "connect_timeout": 5, "prepare_threshold": None},
    )
    event.listen(engine, "checkout", _refuse_ended)
    return engine


def _refuse_ended(connection: Any, *_: Any) -> None:
    """Refuse a pooled connection that the server has ended."""
    if has_ended(connection):
        raise DisconnectionError


def has_ended(connection: Any) -> bool:
    """
    Return whether the server has ended an idle connection.

    Nothing is due on it: whatever can be read from it is the server's farewell. Looking costs no round trip,
    as SQLAlchemy's own ping would.
    """
    if connection.closed:
        return True
    looking = select.poll()
    looking.register(connection.fileno(), select.POLLIN)
    return bool(looking.poll(0))


def make_sessions(engine: Engine) -> Sessions:
    """Return the factory whose `begin()` is the only place that commits."""
    return sessionmaker(engine, expire_on_commit=False)


_ENGINE = "core.database.engine"


def engine_of(session: Session) -> Engine:
    """Return the engine that a session works on, by which a process keeps what it has read of one database."""
    known: Engine | None = session.info.get(_ENGINE)
    if known is None:
        bind = session.get_bind()
        known = session.info[_ENGINE] = bind.engine if isinstance(bind, Connection) else bind
    return known


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = driver_url(url)
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """
    Bring the database at `url` to `revision`, as its owner, and its sandbox with it, if there is one.

    Raises `UnknownRevision`.
    """
    try:
        command.upgrade(_config(url), revision)
    except CommandError as error:
        raise UnknownRevision(f"the schema cannot be brought to {revision!r}: {error}") from error
    if _has_sandbox(url):
        command.upgrade(_config(sandbox_url(url)), revision)


def sandbox_url(url: str) -> str:
    """Return where the sandbox of the database at `url` is, be it there or not."""
    whole = make_url(driver_url(url))
    return whole.set(database=f"{whole.database}{SANDBOX}").render_as_string(hide_password=False)


def sandbox_exists(connection: Connection) -> bool:
    """Return whether the database behind `connection` has a sandbox."""
    found = text("select exists (select from pg_database where datname = current_database() || :added)")
    return bool(connection.scalar(found, {"added": SANDBOX}))


def open_sandbox(url: str) -> str:
    """
    Make the sandbox of the database at `url`, as its owner, unless it is there; return where it is.

    The owner must be allowed to make databases.
    """
    if not _has_sandbox(url):
        _as_owner(url, "create database {}")
    opened = sandbox_url(url)
    command.upgrade(_config(opened), "head")
    return opened


def drop_sandbox(url: str) -> bool:
    """Throw the sandbox of the database at `url` away with all that is in it; return whether there was one."""
    found = _has_sandbox(url)
    if found:
        _as_owner(url, "drop database {} with (force)")
    return found


def _as_owner(url: str, statement: str) -> None:
    """Do to the sandbox's database what cannot be done inside a transaction."""
    name = make_url(sandbox_url(url)).database
    assert name is not None
    engine = make_engine(url, role=None, pool_size=1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        quoted = connection.dialect.identifier_preparer.quote(name)
        connection.execute(text(statement.format(quoted)))
    engine.dispose()


def _has_sandbox(url: str) -> bool:
    engine = make_engine(url, role=None, pool_size=1)
    try:
        with engine.connect() as connection:
            return sandbox_exists(connection)
    finally:
        engine.dispose()


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

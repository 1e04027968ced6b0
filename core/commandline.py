"""What the command groups of all packages share: where the database is, JSON out, and refusals."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from sqlalchemy.exc import DataError, OperationalError

from core.database import Sessions, make_engine, make_sessions, upgrade
from core.errors import RegularsError
from core.postgres import Cluster
from core.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")


class NoAnswer(click.ClickException):
    """The database does not answer."""


class BeyondRange(click.ClickException):
    """A number or a day is larger than the database keeps."""

    exit_code = 2


_BEYOND_RANGE = {"22003", "22008"}
"""PostgreSQL's states for numbers and for moments that no column holds."""


class Workplace:
    """
    The database and the data folder that a command works with.

    `DATABASE_URL` wins; otherwise the embedded PostgreSQL of the data folder is used,
    started if it does not run, and stopped by the last of its users.
    """

    def __init__(self, data: Path, database_url: str | None) -> None:
        self.data = data
        self._given_url = database_url
        self._open = ExitStack()

    @cached_property
    def unmigrated_url(self) -> str:
        """The URL of the database with the owner's rights, whatever its schema is."""
        return self._given_url or self._open.enter_context(Cluster(self.data)).url

    @cached_property
    def url(self) -> str:
        """The URL of the database with the owner's rights, migrated to the newest schema."""
        upgrade(self.unmigrated_url)
        return self.unmigrated_url

    @cached_property
    def sessions(self) -> Sessions:
        """Sessions that work as the application's role."""
        engine = make_engine(self.url)
        self._open.callback(engine.dispose)
        return make_sessions(engine)

    def close(self) -> None:
        """Let go of the database."""
        self._open.close()


@contextmanager
def opened_workplace(data: Path | None) -> Iterator[Workplace]:
    """Yield the workplace that the environment names, with `data` before its folder; let go of it at the end."""
    settings = Settings.load()
    workplace = Workplace(data or settings.data, settings.database_url)
    try:
        yield workplace
    except OperationalError as error:
        raise NoAnswer(f"the database does not answer: {error.orig}") from error
    except DataError as error:
        if getattr(error.orig, "sqlstate", None) not in _BEYOND_RANGE:
            raise
        raise BeyondRange(f"that is more than the database keeps: {error.orig}") from error
    finally:
        workplace.close()


pass_workplace = click.make_pass_decorator(Workplace)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")


def print_json(document: Any) -> None:
    """Print `document` as the one JSON document that stdout carries; what is no number, or is endless, is null there."""
    click.echo(json.dumps(_without_nan(document), ensure_ascii=False, indent=2, default=str, allow_nan=False))


def _without_nan(value: Any) -> Any:
    """Return `value` with null for floats that JSON (RFC 8259) has no way to write."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return value


def refusals_exit_2(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what Regulars refuses into one line on stderr and exit code 2."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except RegularsError as refusal:
            raise click.UsageError(str(refusal)) from refusal

    return wrapped

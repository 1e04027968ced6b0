"""
One real PostgreSQL for the whole run; every test that asks gets its own fresh, migrated database.

Where tests run in several processes (`-n 2`), each process has its own. A file's tests stay together, in their order.

`DATABASE_URL`, if set, names a server to use instead, whose user may create databases.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from campaigns import books, decisions, scenes
from core.data_folder import DataUnusable
from core.database import Sessions, make_engine, make_sessions, upgrade
from core.postgres import Cluster, InUse
from tests.reliability.rotation import seed_of_run

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
"""No example has a deadline: a first call compiles or loads something, and a machine that does other work too is slow."""

FORGOTTEN = 3600.0
PREFIX = "regulars-tests-"
MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 2 * 1024**3


def _folder_for_databases() -> Path:
    """Memory where there is enough: a database's 600 files are copied thirty times faster there."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY:
        return MEMORY
    return Path(tempfile.gettempdir())


PUBLISHED = "published"
"""Under which name a test's report carries its lines, from whichever process ran it."""
LONG = ("tests/reliability/",)
"""What begins first, so that no process is left alone with a long file in the end."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let a run that is asked to end clear up as after Ctrl-C, and Hypothesis draw what this commit's seed says."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = seed_of_run()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes long, where processes share the work."""
    if getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture
def publish(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return what puts a line (a seed, counts, a bound) into this run's closing summary, and into a failure."""

    def publish(line: str) -> None:
        request.node.user_properties.append((PUBLISHED, line))
        sys.stdout.write(f"{line}\n")

    return publish


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was published, and at which size it ran."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    # The teardown's report is a test's last and has everything, whatever became of the test.
    last = (report for report in reports if getattr(report, "when", None) == "teardown")
    for name, line in (each for report in last for each in report.user_properties):
        if name == PUBLISHED:
            terminalreporter.write_line(line)


def _open_folder(place: Path | None = None) -> Path:
    """A folder that the server's user reaches; pytest's own are private, which would move root's clusters."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    folder.chmod(0o755)
    return folder


def _clear_forgotten() -> None:
    """Remove what a killed run left behind, server included; a live run holds the lock and keeps its own."""
    places = {Path(tempfile.gettempdir()), _folder_for_databases()}
    for folder in (found for place in places for found in place.glob(f"{PREFIX}*/data")):
        with suppress(OSError, InUse, DataUnusable):
            if folder.stat().st_uid == os.geteuid() and time.time() - folder.stat().st_mtime > FORGOTTEN:
                Cluster(folder).remove()
                shutil.rmtree(folder.parent)


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _execute(url: str, statement: sql.Composed) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement)


def _copy(url: str, template: str, name: str) -> str:
    copy = sql.SQL("create database {} template {} strategy file_copy")
    _execute(url, copy.format(sql.Identifier(name), sql.Identifier(template)))
    return _named(url, name)


def _drop(url: str, name: str) -> None:
    _execute(url, sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session", autouse=True)
def _unhurried() -> Iterator[None]:
    """Let offers be chosen on a machine that is busy; what gives none for want of time has tests that set these themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, "PATIENCE", timedelta(seconds=60))
        patch.setattr(decisions, "PATIENCE", timedelta(seconds=60))
        patch.setattr(decisions, "LONGEST", 60.0)
        patch.setattr(books, "LONGEST_WAIT", 60.0)
        yield


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that other users can pass, unlike `tmp_path`."""
    folder = _open_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of the server of this run, as its owner."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    _clear_forgotten()
    folder = _open_folder(_folder_for_databases())
    cluster = Cluster(folder / "data", durable=False)
    yield cluster.start()
    cluster.remove()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a migrated, empty database that others are copied from."""
    name = f"regulars_template_{os.getpid()}"
    _execute(server_url, sql.SQL("create database {}").format(sql.Identifier(name)))
    upgrade(_named(server_url, name))
    yield name
    _drop(server_url, name)


@pytest.fixture(scope="session")
def make_database(server_url: str, template: str) -> Iterator[Callable[[], str]]:
    """Return a function that makes a fresh, migrated database and returns its URL, as its owner."""
    names: list[str] = []

    def make() -> str:
        names.append(f"regulars_made_{os.getpid()}_{len(names)}")
        return _copy(server_url, template, names[-1])

    yield make
    for name in names:
        _drop(server_url, name)


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """The URL of this test's own migrated, empty database, as its owner."""
    name = f"regulars_test_{os.getpid()}"
    yield _copy(server_url, template, name)
    _drop(server_url, name)


@pytest.fixture
def owner_engine(database_url: str) -> Iterator[Engine]:
    """This test's database with the owner's rights."""
    engine = make_engine(database_url, role=None)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """This test's database as the application sees it."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    """The application's session factory on this test's database."""
    return make_sessions(engine)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program, for Playwright's `executable_path`."""
    found = (
        os.environ.get("REGULARS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    assert found, "no Chromium here: python3 dev doctor says how to get it"
    return found

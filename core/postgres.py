"""The embedded PostgreSQL: one server for each data folder, reached through a Unix socket only."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from core import processes
from core.data_folder import PORT, SHORT_FOLDER, DataFolder, DataUnusable
from core.errors import Conflict
from core.postgres_programs import STATE, Programs, find_programs

OWNER = "regulars_owner"
DATABASE = "regulars"

PATIENCE = 30.0
"""Seconds that remains of a crashed server may keep a new one from starting."""
RECOVERY = 600.0
"""Seconds that a server may read its log after a crash."""
LONGEST_LOG = 16 * 1024 * 1024

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    # A worker for each core, with pools for tills and for screens that may overflow to twice their size, and forty for everybody else.
    "max_connections": str(max(100, 40 + 20 * (os.cpu_count() or 1))),
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    # Parallel plans want shared memory that containers keep small, and cores that the tills want.
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
}
DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # A new file of the log is filled with zeros and flushed while every commit waits; one used before is at hand at once.
    "min_wal_size": "512MB",
}
FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "256MB"}
_PASSING = ("still in use", "lock file", "shutting down", "shut down")
_children: list["subprocess.Popen[bytes]"] = []
"""Servers outlive the clusters that started them; kept to be asked how they ended."""


class DataOfAnotherVersion(Conflict):
    """The data folder was written by another major version of PostgreSQL."""


class ServerRefused(Conflict):
    """PostgreSQL did not start or did not answer."""


class InUse(Conflict):
    """Somebody else is using the database."""


class Cluster:
    """
    The server of the folder `data`; as a context manager it runs inside the block.

    With `durable=False` commits are not waited for and a crash loses everything:
    for tests only. `state` is where root keeps what lies outside a private data folder.
    """

    def __init__(
        self, data: Path, *, durable: bool = True, programs: Programs | None = None, state: Path = STATE
    ) -> None:
        self.folder = DataFolder(data, state=state)
        self._durable = durable
        self._programs = programs

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the database, as its owner."""
        socket = quote(str(self.folder.socket), safe="")
        return f"postgresql+psycopg://{OWNER}@/{DATABASE}?host={socket}&port={PORT}"

    @property
    def pid(self) -> int | None:
        """The number of the server's first process, None while there is none."""
        try:
            pid = self._recorded_pid()
        except (OSError, ValueError):
            return None
        if pid is None or not processes.alive(pid):
            return None
        return pid if f"cluster_name={self.folder.name}" in processes.command(pid) else None

    @property
    def running(self) -> bool:
        """Whether the server is there and answers."""
        return self.pid is not None and self._refusal() is None

    def start(self) -> str:
        """
        Make sure that the server runs and return its URL; what is missing is made.

        A server that runs is adopted, the remains of a killed one are cleared. Raises
        DataOfAnotherVersion, DataUnusable or ServerRefused.
        """
        used = self.folder.used
        self.folder.prepare()
        with self.folder.alone():
            try:
                self.folder.use()
                self._initialise(self._runnable())
                self._run(self._runnable())
                self._make_database()
            except BaseException:
                if not used:
                    self._leave()
                raise
        return self.url

    def stop(self) -> None:
        """Stop using the database, and stop the server if nobody else uses it."""
        if not self.folder.used:
            return
        with self.folder.alone():
            self._leave()

    def remove(self) -> None:
        """Stop the server and delete the database for good; raise InUse while somebody else uses it."""
        if not self.folder.path.exists():
            return
        self.folder.prepare()
        with self.folder.alone():
            self.folder.use()
            try:
                if not self.folder.last_user():
                    raise InUse(f"another process uses the database in {self.folder.path}; stop it first")
                self._shut_down()
                self.folder.erase()
            finally:
                self.folder.let_go()

    def _leave(self) -> None:
        """Give our share back, and turn the light off as the last; to be done alone."""
        if self.folder.last_user():
            self._shut_down()
        self.folder.let_go()

    def _runnable(self) -> Programs:
        self._programs = self._programs or find_programs()
        return self._programs.runnable_by(self.folder.user, state=self.folder.state)

    def _popen(self) -> dict[str, Any]:
        return self.folder.user.popen if self.folder.user else {}

    def _initialise(self, programs: Programs) -> None:
        """Make the cluster if there is none; one of another major version is refused."""
        files = self.folder.files
        if files.exists():
            _check_version(files, programs)
            return
        fresh = self.folder.home / "postgres.new"
        said = ""
        for locale in _locales(programs):
            shutil.rmtree(fresh, ignore_errors=True)
            self.folder.hand_over(fresh)
            options = [*locale, "--data-checksums", *([] if self._durable else ["--no-sync"])]
            done = subprocess.run(  # noqa: S603
                [programs.program("initdb"), "-D", fresh, "-U", OWNER, "-A", "trust", "-E", "UTF8", *options],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env=_environment(),
                **self._popen(),
            )
            if done.returncode == 0:
                # Only a whole cluster gets the name that later starts look for.
                fresh.rename(files)
                return
            said = done.stderr.strip()
        shutil.rmtree(fresh, ignore_errors=True)
        raise ServerRefused(f"initdb could not make a database in {self.folder.home}: {said}")

    def _run(self, programs: Programs) -> None:
        """Return when the server answers, started or adopted."""
        log = self.folder.log
        deadline = time.monotonic() + PATIENCE
        while True:
            pid = self.pid
            position = log.stat().st_size if log.exists() else 0
            if pid is None:
                pid = self._spawn(programs)
            refusal = self._wait(pid)
            if refusal is None:
                return
            said = _written(log, position)
            if time.monotonic() > deadline or (said and not any(words in said for words in _PASSING)):
                raise ServerRefused(
                    f"PostgreSQL did not start ({refusal}); {log} ends: {said or 'with nothing'}"
                )
            time.sleep(0.2)

    def _spawn(self, programs: Programs) -> int:
        # What a killed server left behind holds its memory as long as a query runs.
        processes.end(processes.titled(f"postgres: {self.folder.name}: "), patience=5.0)
        self.folder.hand_over(self.folder.socket)
        settings = SETTINGS | (DURABLE if self._durable else FORGETFUL)
        settings |= {"unix_socket_directories": f'"{self.folder.socket}"', "cluster_name": self.folder.name}
        command: list[str | Path] = [programs.program("postgres"), "-D", self.folder.files]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        environment = _environment()
        stale = self._recorded_pid()
        if stale is None:
            # Empty after a crash between making and writing it; nobody else writes it while we are alone.
            (self.folder.files / "postmaster.pid").unlink(missing_ok=True)
        else:
            # The dead server's number may live on, as a zombie or as a stranger; told that it is an ancestor's,
            # PostgreSQL passes over it, and still refuses while the old shared memory is in use.
            environment["PG_GRANDPARENT_PID"] = str(stale)
        log = self.folder.log
        if log.exists() and log.stat().st_size > LONGEST_LOG:
            log.rename(log.with_suffix(".log.1"))
        _forget_the_dead()
        with self.folder.open(log) as out:
            child = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                env=environment,
                start_new_session=True,
                **self._popen(),
            )
        _children.append(child)
        return child.pid

    def _wait(self, pid: int) -> str | None:
        """Return None when the server answers, otherwise why not: it has ended, or it is not ready in time."""
        deadline = time.monotonic() + RECOVERY
        while True:
            refusal = self._refusal()
            if refusal is None or time.monotonic() > deadline or not processes.alive(pid):
                return refusal
            time.sleep(0.05)

    def _refusal(self) -> str | None:
        """Return None when the server takes connections, otherwise the reason it gave."""
        try:
            self._connect().close()
        except psycopg.OperationalError as error:
            return str(error).strip().splitlines()[-1].strip()
        return None

    def _connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(
            host=str(self.folder.socket),
            port=PORT,
            user=OWNER,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _make_database(self) -> None:
        with self._connect() as connection:
            known = connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))

    def _recorded_pid(self) -> int | None:
        file = self.folder.files / "postmaster.pid"
        try:
            lines = file.read_text().splitlines()
        except FileNotFoundError:
            return None
        return int(lines[0]) if lines else None

    def _shut_down(self) -> None:
        pid = self.pid
        if pid is None:
            return
        # Fast first (sessions end, a checkpoint is written), then at once, which the next start repairs.
        for number, patience in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            if processes.gone(pid, patience=patience):
                break
        _forget_the_dead()
        if self.folder.socket.parent == SHORT_FOLDER:
            shutil.rmtree(self.folder.socket, ignore_errors=True)


def _check_version(files: Path, programs: Programs) -> None:
    try:
        written = (files / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise DataUnusable(f"{files} is no PostgreSQL data folder; move it away") from None
    if written != str(programs.major):
        raise DataOfAnotherVersion(
            f"the data in {files} were written by PostgreSQL {written}, and this is PostgreSQL {programs.version}, "
            f"which cannot read them: dump them with pg_dump of PostgreSQL {written} and restore them into a new "
            "folder (--data), or go on with that server by setting DATABASE_URL"
        )


def _locales(programs: Programs) -> list[list[str]]:
    if programs.major >= 17:
        return [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    return [["--locale=C.UTF-8"], ["--locale=C"]]


def _environment() -> dict[str, str]:
    """Return what PostgreSQL may see of our environment: nothing that would change how it works."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _forget_the_dead() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def _written(log: Path, position: int) -> str:
    """Return the last lines of what was written after `position` of `log`."""
    with log.open("rb") as file:
        file.seek(position)
        return " | ".join(file.read().decode(errors="replace").strip().splitlines()[-4:])

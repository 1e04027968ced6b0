"""
The server as one process to start and stop: PostgreSQL, granian, the nightly clock and the mail side by side.

Whatever of them dies is started again. They end with this process even when it is killed, except for
PostgreSQL, which the next start adopts.
"""

import errno
import gc
import http.client
import logging
import multiprocessing
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import click

from contacts.mail_servers import MailServer
from contacts.messages import sender_address
from core import clock, processes
from core.database import make_engine, make_sessions, upgrade
from core.errors import Conflict, RegularsError
from core.postgres import Cluster
from core.settings import Settings
from core.slow_bodies import Unhurried
from sales.jobs import make_months

APPLICATION = "wsgi:create_app"
HOST = "127.0.0.1"
SECONDS_BETWEEN_LOOKS = 0.2
BETWEEN_COLLECTIONS = (20_000, 20, 100)
"""How much is made before garbage in circles is looked for: by itself Python looks some twenty times in one receipt."""
MOST_THREADS = 512
"""Of a worker; all but a few at a time only wait for bodies that come slowly, and there are as many as are needed."""
TILLS = "/pos/"
TILLS_AT_ONCE = 3
"""Requests of tills that one worker works on: while two wait for the database, a third has the processor; more only take it from each other."""
MOST_CONNECTIONS = 4096
"""Waiting to be accepted by all workers, and as many being served."""
SECONDS_TO_FREE_THE_PORT = 5.0
SECONDS_TO_STOP = 10.0
LONGEST_PAUSE = 5.0
STEADY = 30.0
"""Seconds after which a process counts as well, and a later end as its first."""
HOPELESS = 5
"""So many ends before the server was ever ready, and we give up."""

log = logging.getLogger("server")


class PortTaken(Conflict):
    """Something else listens on the port."""


class NeverReady(Conflict):
    """A part of the server ended again and again before it served anything."""


class Stopped(BaseException):
    """SIGTERM or SIGINT came."""


def worker() -> Any:
    """Return the application for one of granian's workers, which ends with the process that made it."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        processes.die_with_parent(parent.pid)
    application = Unhurried(
        pkgutil.resolve_name(APPLICATION)(),
        at_once=min(8, 2 * _cores() + 1),
        apart={TILLS: TILLS_AT_ONCE},
    )
    # What is there now stays; looking through it again and again for garbage would hold up requests.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*BETWEEN_COLLECTIONS)
    return application


@dataclass(slots=True)
class Part:
    """One process of the server, started again when it ends."""

    name: str
    command: list[str]
    environment: dict[str, str]
    ends: int = 0
    due: float = 0.0
    started: float = 0.0
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def tend(self, now: float) -> None:
        """Start the process when it is due; note its end, and when it is due again."""
        if self.process is None:
            if now >= self.due:
                self._start(now)
        elif self.process.poll() is not None:
            self.ends = 1 if now - self.started > STEADY else self.ends + 1
            # At once the first time, then slower, so that a broken part does not eat the machine.
            pause = min(LONGEST_PAUSE, 0.5 * (2 ** (self.ends - 1)) - 0.5)
            log.warning(
                "%s ended (%s), and starts again in %.1f s", self.name, self.process.returncode, pause
            )
            self.process, self.due = None, now + pause

    def _start(self, now: float) -> None:
        parent = os.getpid()
        self.started = now
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            # A terminal's Ctrl-C is for us alone; we stop the parts in order.
            start_new_session=True,
            preexec_fn=lambda: processes.die_with_parent(parent),  # noqa: PLW1509 - this process has one thread
        )

    def ask_to_stop(self) -> None:
        """Ask the process to end."""
        if self.process is not None:
            self.process.terminate()

    def see_off(self, deadline: float) -> None:
        """Wait for the process' end until `deadline`, then end it."""
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.0, deadline - time.monotonic()))
            self.process.kill()
            self.process.wait()


class Server:
    """All parts of one server on one data folder, or on the database of `database_url`."""

    def __init__(
        self,
        data: Path,
        *,
        port: int,
        host: str,
        workers: int,
        scheduler: bool,
        mailbox: bool,
        settings: Settings,
    ) -> None:
        database_url = settings.database_url
        self._settings = settings
        self._with_mailbox = mailbox and settings.smtp_url is None
        self._data = data.absolute()
        self._host = host
        self._port = port
        self._cluster = None if database_url else Cluster(self._data)
        self._url = database_url or ""
        self._workers = workers
        self._with_scheduler = scheduler
        self._parts: list[Part] = []
        self._ready = False
        self._database_due = 0.0

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"http://{self._host}:{self._port}"

    def run(self) -> None:
        """Serve until Stopped; prints the address on stdout once it answers."""
        try:
            self._port = free_port(self._host, self._port)
            if self._cluster is not None:
                self._url = self._cluster.start()
            upgrade(self._url)
            self._make_months()
            self._parts = self._make_parts()
            while True:
                now = time.monotonic()
                self._tend_database(now)
                for part in self._parts:
                    part.tend(now)
                self._announce()
                time.sleep(SECONDS_BETWEEN_LOOKS)
        finally:
            self._stop()

    def _make_months(self) -> None:
        """Let the first receipt of an empty house find its month; a month that is made later keeps tills waiting."""
        engine = make_engine(self._url)
        with make_sessions(engine).begin() as session:
            make_months(session, today=clock.now().date())
        engine.dispose()

    def _make_parts(self) -> list[Part]:
        environment = os.environ | {
            "DATABASE_URL": self._url,
            "REGULARS_DATA": str(self._data),
            "REGULARS_PUBLIC_URL": self._settings.public_url or self.address,
        }
        mail = self._make_mail_parts(environment)
        options = {
            "interface": "wsgi",
            "host": self._host,
            "port": str(self._port),
            "http": "1",
            "workers": str(self._workers),
            "blocking-threads": str(MOST_THREADS),
            "backlog": str(MOST_CONNECTIONS),
            "http1-header-read-timeout": "10000",
            "workers-kill-timeout": "5",
            # Not "warning": it warns of the many threads, which are meant.
            "log-level": "error",
        }
        granian = [sys.executable, "-m", "granian", "--factory", "--no-ws", "--respawn-failed-workers"]
        for name, value in options.items():
            granian += [f"--{name}", value]
        parts = [Part("granian", [*granian, "server:worker"], environment)]
        if self._with_scheduler:
            parts.append(
                Part("scheduler", [sys.executable, "-m", "scheduler", "--data", str(self._data)], environment)
            )
        return parts + mail

    def _make_mail_parts(self, environment: dict[str, str]) -> list[Part]:
        """Return what sends mail, if there is a server to send it through; `environment` tells everybody of the mailbox."""
        command = [sys.executable, "-m", "cli", "--data", str(self._data), "mail"]
        parts = []
        if self._with_mailbox:
            port = free_port(HOST, 0)
            environment["SMTP_URL"] = f"smtp://{HOST}:{port}"
            parts.append(Part("mailbox", [*command, "catch", "--port", str(port)], environment))
            print(f"Mail is kept in {self._data / 'mail'}", flush=True)  # noqa: T201 - whoever looks for a code
        if "SMTP_URL" in environment:
            # What is wrong with them is said once and now, not by a process that ends again and again.
            MailServer.at(environment["SMTP_URL"])
            sender_address(self._settings.mail_from)
            parts.append(Part("mail", [*command, "send", "--forever"], environment))
        return parts

    def _tend_database(self, now: float) -> None:
        if self._cluster is None or now < self._database_due or self._cluster.pid is not None:
            return
        log.warning("PostgreSQL ended, and starts again")
        try:
            self._cluster.start()
        except RegularsError as error:
            log.warning("%s", error)
            self._database_due = time.monotonic() + LONGEST_PAUSE

    def _announce(self) -> None:
        if self._ready:
            return
        for part in self._parts:
            if part.ends >= HOPELESS:
                raise NeverReady(
                    f"{part.name} ended {part.ends} times before the server was ready; see above"
                )
        if answers(self._host, self._port, "/readyz"):
            self._ready = True
            print(f"Regulars serves on {self.address}", flush=True)  # noqa: T201 - what people and scripts wait for

    def _stop(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_STOP
        for part in self._parts:
            part.ask_to_stop()
        for part in self._parts:
            part.see_off(deadline)
        if self._cluster is not None:
            self._cluster.stop()


def free_port(host: str, port: int) -> int:
    """
    Return `port` once nobody listens on it, or any free one for 0.

    Granian shares its port with whoever wants it, so that two servers would silently divide
    the requests; hence the question here. Raises PortTaken after some seconds.
    """
    deadline = time.monotonic() + SECONDS_TO_FREE_THE_PORT
    while True:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, port))
                return int(trial.getsockname()[1])
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise PortTaken(
                        f"{host}:{port} cannot be used ({error.strerror}); choose another with --port"
                    ) from error
        time.sleep(SECONDS_BETWEEN_LOOKS)


def answers(host: str, port: int, path: str) -> bool:
    """Return whether `path` answers with 200."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _stop_on(number: int, _frame: FrameType | None) -> None:
    # Once is enough: what follows is an orderly end, which a second signal must not break off.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    log.info("stopping (%s)", signal.Signals(number).name)
    raise Stopped


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="The data folder (REGULARS_DATA, or ./data).",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Where to listen; 0 takes a free one.",
)
@click.option("--host", default=HOST, show_default=True, help="The address to listen on.")
@click.option("--workers", type=click.IntRange(1, 64), default=None, help="Worker processes (one per core).")
@click.option("--no-scheduler", is_flag=True, help="Leave the nightly clock to another process.")
@click.option(
    "--mailbox",
    is_flag=True,
    help="Without SMTP_URL, keep all mail as files in the data folder: for demonstrations.",
)
def main(
    data: Path | None, port: int, host: str, workers: int | None, *, no_scheduler: bool, mailbox: bool
) -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = Settings.load()
    server = Server(
        data or settings.data,
        port=port,
        host=host,
        workers=workers or min(8, _cores()),
        scheduler=not no_scheduler,
        mailbox=mailbox,
        settings=settings,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop_on)
    try:
        server.run()
    except Stopped:
        sys.exit(0)
    except RegularsError as refusal:
        click.echo(f"regulars: {refusal}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()

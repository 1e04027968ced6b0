"""A real server to be mistreated, and tills that never give up."""

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from core.commandline import Workplace
from core.postgres import Cluster
from devtools import environment
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
DEADLINE = 60.0
"""Seconds without any progress after which we call it a hang; a deadline, not a speed."""
START = 300.0
"""The same for a start, which makes and migrates a database before it says anything."""


def until(condition, what: str, *, patience: float = DEADLINE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {patience:.0f} s"
        time.sleep(0.02)


class Service:
    """
    `python3 dev serve` on a data folder of its own; its parts can be killed by name.

    With `database_url` the database is somebody else's. Where no environment was made by `dev`, it is what
    that command becomes: `python -m server`.
    """

    PARTS = ("worker", "worker", "granian", "server", "database", "database", "backend")

    def __init__(self, data: Path, *, database_url: str | None = None) -> None:
        self.data = data
        self.database_url = database_url
        self.port = free_port()
        self.log = data.parent / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        made = environment.is_ready() and Path(sys.executable) == environment.PYTHON
        program = ["dev", "serve"] if made else ["-m", "server"]
        command = [sys.executable, *program, "--data", str(self.data), "--port", str(self.port)]
        surroundings = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        if self.database_url is not None:
            surroundings["DATABASE_URL"] = self.database_url
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--no-scheduler"],
                cwd=ROOT,
                env=surroundings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        try:
            until(lambda: self.status("/readyz") == 200, "readiness", patience=START)
        except AssertionError as error:
            error.add_note(self.log.read_text()[-3000:])
            raise

    def status(self, path: str) -> int | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def kill(self, part: str, choice: random.Random) -> bool:
        """Kill a process of `part` with SIGKILL; False when there is none just now."""
        pids = self._pids(part)
        if not pids:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(choice.choice(pids), signal.SIGKILL)
        if part == "server":
            assert self._process is not None
            self._process.wait()
            self.start()
        return True

    def _pids(self, part: str) -> list[int]:
        assert self._process is not None
        if part == "server":
            return [self._process.pid]
        if part in {"database", "backend"}:
            postmaster = Cluster(self.data).pid
            if part == "database" or postmaster is None:
                return [postmaster] if postmaster else []
            return sorted(
                child.pid for child in children(postmaster) if "regulars_owner" in " ".join(command(child))
            )
        granian = [child for child in children(self._process.pid) if "granian" in command(child)]
        if part == "granian":
            return [child.pid for child in granian]
        forked = (child for main in granian for child in children(main.pid))
        return sorted(child.pid for child in forked if "resource_tracker" not in " ".join(command(child)))

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(DEADLINE)


def children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


@dataclass(eq=False)
class Till(threading.Thread):
    """
    Posts receipts one after the other and each until it is acknowledged, as a till with a durable queue does.

    Now and then it loses the answer and asks again, or asks again for what was acknowledged.
    """

    port: int
    key: str
    cards: list[str]
    business_date: str
    seed: int
    wanted: int
    acknowledged: dict[str, dict] = field(default_factory=dict)
    sent: dict[str, dict] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    attempts: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.enough = threading.Event()
        self._random = random.Random(self.seed)
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        try:
            for number in range(self.wanted):
                if self.enough.is_set() or self.complaints:
                    return
                body = self._receipt(number)
                self.sent[body["receipt_number"]] = body
                self._settle(body)
                if self._random.random() < 0.05:
                    self._ask_again()
        finally:
            self._hang_up()

    def _receipt(self, number: int) -> dict:
        prices = [self._random.randint(50, 30_000) for _ in range(self._random.randint(1, 5))]
        body = {
            "type": "sale",
            "business_date": self.business_date,
            "receipt_number": f"{number:06}",
            "closed_at": f"{self.business_date}T00:00:01+00:00",
            "currency": "CZK",
            "lines": [
                {
                    "line_number": line,
                    "sku": f"A{price % 97}",
                    "quantity": "1",
                    "unit_price": price,
                    "total_amount": price,
                    "tax_rate": "21",
                }
                for line, price in enumerate(prices, 1)
            ],
            "tenders": [{"type": "cash", "amount": sum(prices)}],
            "totals": {"payable_amount": sum(prices)},
        }
        if self._random.random() < 0.9:
            body["card_number"] = self._random.choice(self.cards)
        return body

    def _settle(self, body: dict) -> None:
        """Post until the receipt is acknowledged; the answer must then be there for good."""
        loses = self._random.random() < 0.1
        while not self.complaints:
            self.attempts += 1
            status, answer = self._post(body, loses=loses)
            loses = False
            if status in {200, 201}:
                self.acknowledged[body["receipt_number"]] = answer
                return
            if status is not None and status < 500 and status != 409:
                self.complaints.append(f"{status} for a sound receipt: {answer}")
            time.sleep(self._random.uniform(0.01, 0.2))
            if self.enough.wait(0) and self.attempts > 10 * self.wanted + 10_000:
                self.complaints.append("gave up")

    def _ask_again(self) -> None:
        number = self._random.choice(list(self.acknowledged))
        status, answer = self._post(self.sent[number], loses=False)
        if status is None or status >= 500 or status == 409:
            return
        if status != 200 or told(answer) != told(self.acknowledged[number]):
            self.complaints.append(f"{number}: {status} {answer} after {self.acknowledged[number]}")

    def _post(self, body: dict, *, loses: bool) -> tuple[int | None, dict]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self._connection.request("POST", "/pos/v1/receipts", json.dumps(body), headers)
            if loses:
                self._hang_up()
                return None, {}
            response = self._connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            self._hang_up()
            return None, {}

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def told(answer: dict) -> dict:
    """Return an answer without the one word by which a repeated one differs."""
    return {name: value for name, value in answer.items() if name != "replayed"}


@pytest.fixture
def service(open_folder: Path) -> Iterator[Service]:
    """A server on an empty data folder, ready."""
    data = open_folder / "data"
    service = Service(data)
    try:
        service.start()
        service.wait_until_ready()
        yield service
    finally:
        service.stop()
        Cluster(data).remove()


@pytest.fixture
def workplace(service: Service) -> Iterator[Workplace]:
    """The server's database, for a look behind it."""
    workplace = Workplace(service.data, None)
    yield workplace
    workplace.close()


@pytest.fixture
def hire_till():
    """Return what makes a till."""
    return Till


@pytest.fixture
def patiently():
    """Return `until(condition, what)`."""
    return until

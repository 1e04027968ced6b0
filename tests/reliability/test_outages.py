"""
R9: a real server whose database stands still, is away, is full, or lets nobody in any more.

Tills go on asking all the time. Until the database is back they are told to come again (503 with Retry-After), none waits
longer than the deadline, and at most ten seconds after its return a receipt is booked again. Nothing that was answered is lost.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from core.commandline import Workplace
from core.postgres import Cluster
from core.verification import verify
from customers.operations import issue_cards
from loyalty.verification import CHECKS
from sales.operations import add_store, add_till
from tests.reliability.conftest import Service, until

OUTAGE = 20.0
RECOVERY = 10.0
PATIENCE = 30.0
"""Seconds that no till may have to wait for an answer of whatever kind; deadlines for progress, not speeds."""
CARD = "2990000000019"
SMALL = 400
"""MiB of the disk that becomes full."""


class Asker(threading.Thread):
    """A till that books receipt after receipt, and each until it is acknowledged."""

    def __init__(self, port: int, key: str, name: str) -> None:
        super().__init__(daemon=True)
        self.port, self.key, self.prefix = port, key, name
        self.acknowledged: dict[str, float] = {}
        self.told: list[tuple[str, float]] = []
        self.over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.over.is_set():
            status = self.post(f"{self.prefix}{number}")
            if status in {"200", "201"}:
                self.acknowledged[f"{self.prefix}{number}"] = time.monotonic()
                number += 1
            time.sleep(0.05)

    def post(self, number: str) -> str:
        """Post a receipt and return what was said, which is noted with the seconds that it took."""
        today = datetime.now(UTC)
        body = {
            "type": "sale", "business_date": today.date().isoformat(), "receipt_number": number,
            "closed_at": f"{today.date()}T00:00:01+00:00", "currency": "CZK", "card_number": CARD,
            "lines": [{"line_number": 1, "sku": "A", "quantity": "1", "unit_price": 100, "total_amount": 100, "tax_rate": "21"}],
            "totals": {"payable_amount": 100},
        }  # fmt: skip
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE + 5)
        try:
            connection.request(
                "POST", "/pos/v1/receipts", json.dumps(body),
                {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
            )  # fmt: skip
            answer = connection.getresponse()
            answer.read()
            again = answer.headers.get("Retry-After")
            said = f"{answer.status}" + (f" Retry-After {again}" if again else "")
        except (OSError, http.client.HTTPException) as error:
            said = f"no answer: {type(error).__name__}"
        finally:
            connection.close()
        self.told.append((said, time.monotonic() - started))
        return said.partition(" ")[0]


class Shop:
    """A server with askers in front of it."""

    def __init__(self, service: Service, askers: int = 4) -> None:
        self.service = service
        self.workplace = Workplace(service.data, service.database_url)
        now = datetime.now(UTC)
        with self.workplace.sessions.begin() as session:
            add_store(session, store_code="S1", name="S1", currency="CZK", timezone="Europe/Prague")
            issue_cards(session, card_numbers=[CARD], now=now, actor="test")
            keys = [
                add_till(session, store_code="S1", till_code=f"T{number}", now=now, actor="test")
                for number in range(askers)
            ]
        self.askers = [Asker(service.port, key, f"t{number}-") for number, key in enumerate(keys)]

    def settled(self) -> int:
        return sum(len(asker.acknowledged) for asker in self.askers)

    def told(self) -> list[tuple[str, float]]:
        return [said for asker in self.askers for said in asker.told]

    def close(self) -> None:
        self.workplace.close()

    def goes_through(self, begin, end, *, seconds: float) -> dict[str, Any]:
        """Let the outage happen while the tills ask, and return what they were told."""
        for asker in self.askers:
            asker.start()
        until(lambda: self.settled() > 20, "work before the outage")
        begin()
        began = len(self.told())
        time.sleep(seconds)
        before = self.settled()
        back = time.monotonic()
        end()
        until(lambda: self.settled() >= before + 8, "work after the outage", patience=RECOVERY)
        recovered = time.monotonic() - back
        for asker in self.askers:
            asker.over.set()
        for asker in self.askers:
            asker.join()
        longest = max(took for _, took in self.told())
        said = sorted({said for said, _ in self.told()})
        assert longest < PATIENCE, f"somebody waited {longest:.0f} s; told {said}"
        unsound = [
            one for one in said if not one.startswith(("200", "201", "503 Retry-After", "409 Retry-After"))
        ]
        assert unsound == [], said
        refused = sum(one.startswith("503") for one, _ in self.told()[began:])
        assert refused, f"nobody was told to come again: {said}"
        return {"answers": len(self.told()), "refused": refused, "recovered": recovered, "longest": longest}

    def nothing_is_lost(self) -> int:
        """Compare what tills were told with what is stored."""
        with self.workplace.sessions() as session:
            rows = session.connection().exec_driver_sql("select receipt_number from receipt").scalars().all()
        known = {number for asker in self.askers for number in asker.acknowledged}
        assert known <= set(rows)
        assert len(rows) == len(set(rows))
        broken = [f"{v.code}: {v.examples}" for v in verify(self.workplace.sessions, CHECKS) if not v.ok]
        assert broken == []
        return len(known)


@contextmanager
def open_shop(data: Path, database_url: str | None = None):
    service = Service(data, database_url=database_url)
    service.start()
    try:
        service.wait_until_ready()
        shop = Shop(service)
        try:
            yield shop
        finally:
            shop.close()
    finally:
        service.stop()
        if database_url is None:
            Cluster(data).remove()


@pytest.fixture
def cluster(open_folder):
    cluster = Cluster(open_folder / "data")
    cluster.start()
    yield cluster
    cluster.remove()


def report(publish, what: str, seen: dict[str, Any], kept: int) -> None:
    publish(
        f"R9 {what}: {seen['answers']} answers, {seen['refused']} told to come again, longest wait {seen['longest']:.1f} s,"
        f" work again after {seen['recovered']:.1f} s, {kept} acknowledged receipts, none lost"
    )


class TestADatabaseThatIsAway:
    def test_for_twenty_seconds_is_told_and_over_when_it_returns(self, cluster, open_folder, publish):
        with open_shop(open_folder / "server", cluster.url) as shop:
            seen = shop.goes_through(cluster.stop, cluster.start, seconds=OUTAGE)
            report(publish, "stopped", seen, shop.nothing_is_lost())


class TestADatabaseThatStandsStill:
    def test_for_twenty_seconds_is_told_and_over_when_it_goes_on(self, cluster, open_folder, publish):
        with open_shop(open_folder / "server", cluster.url) as shop:
            seen = shop.goes_through(
                lambda: self.signal(cluster, signal.SIGSTOP),
                lambda: self.signal(cluster, signal.SIGCONT),
                seconds=OUTAGE,
            )
            report(publish, "standing still", seen, shop.nothing_is_lost())

    @staticmethod
    def signal(cluster: Cluster, number: int) -> None:
        main = psutil.Process(cluster.pid)
        for process in [main, *main.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


class TestADatabaseThatIsFullOfPeople:
    def test_lets_tills_in_again_when_the_others_have_gone(self, cluster, open_folder, publish):
        guests: list[psycopg.Connection] = []
        plain = cluster.url.replace("postgresql+psycopg", "postgresql")

        def take_places() -> None:
            with suppress(psycopg.OperationalError):
                while True:
                    guests.append(psycopg.connect(plain, application_name="guest", autocommit=True))

        def crowd() -> None:
            """Take every place, those of the server's own connections too, until it has none: it may be faster to a free one."""
            take_places()
            others = "application_name <> 'guest' and backend_type = 'client backend'"
            for _ in range(100):
                guests[0].execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {others}")
                take_places()
                left = guests[0].execute(f"select count(*) from pg_stat_activity where {others}").fetchone()
                if left == (0,):
                    return
            raise AssertionError("the server was always faster")

        def leave() -> None:
            for guest in guests:
                guest.close()

        with open_shop(open_folder / "server", cluster.url) as shop:
            seen = shop.goes_through(crowd, leave, seconds=5)
            report(publish, "no connection left", seen, shop.nothing_is_lost())


class TestADiskThatIsFull:
    def test_is_told_and_over_when_there_is_room_again(self, open_folder, publish):
        disk = open_folder / "disk"
        disk.mkdir(mode=0o755)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SMALL}m,mode=755", "tmpfs", disk],
            capture_output=True,
            check=False,
        )
        if mounted.returncode:
            publish("R9 disk full: not run, no small disk can be mounted here")
            pytest.skip("no small disk can be mounted here")
        ballast = disk / "ballast"

        def fill() -> None:
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 16))

        try:
            with open_shop(disk / "data") as shop:
                assert shutil.disk_usage(disk).free
                seen = shop.goes_through(fill, ballast.unlink, seconds=OUTAGE)
                report(publish, "disk full", seen, shop.nothing_is_lost())
        finally:
            subprocess.run(["umount", "--lazy", os.fspath(disk)], check=False)

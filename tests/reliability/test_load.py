"""
R15: fifty receipts a second for a minute, while a night mines the same database.

The till's clock decides when a receipt is sent, not the last one's answer (an open loop), as customers do. No answer may be
an error and the server's memory must stay flat; how fast answers came is printed, and judged by benchmarks/till.py.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import quantiles

import psutil
import pytest
from sqlalchemy import text

from core.postgres import Cluster
from core.verification import verify
from customers.operations import issue_cards
from loyalty.verification import CHECKS
from sales.operations import add_store, add_till
from tests.reliability.conftest import DEADLINE
from tests.reliability.crowds import card_of
from tests.reliability.nights import SECOND_NIGHT, build_town, start_night, warm_up
from tests.reliability.rotation import MOST, SOAK_TIMEOUT, TIMES, bound

RATE = 50
SECONDS = 60
LANES = 32
GROWTH = 1.2
"""By how much the workers' memory may grow after their first third; caches fill, leaks go on."""


class Load:
    """Receipts that are sent when their time has come, whatever became of those before."""

    def __init__(self, port: int, keys: list[str], seconds: float) -> None:
        self.port, self.keys = port, keys
        self.wanted = int(RATE * seconds)
        self.told: list[tuple[int, float]] = []
        self.random = random.Random(15)
        self.bodies = [self._body(number) for number in range(self.wanted)]
        self._own = threading.local()
        self._open: list[http.client.HTTPConnection] = []
        self.reopened = 0

    def _body(self, number: int) -> bytes:
        today = datetime.now(UTC).date().isoformat()
        prices = [self.random.randint(50, 30_000) for _ in range(self.random.randint(1, 12))]
        lines = [
            {"line_number": place, "sku": f"A{price % 97}", "quantity": "1", "unit_price": price, "total_amount": price, "tax_rate": "21"}
            for place, price in enumerate(prices, 1)
        ]  # fmt: skip
        body = {
            "type": "sale", "business_date": today, "receipt_number": f"{number:07}", "closed_at": f"{today}T00:00:01+00:00",
            "currency": "CZK", "card_number": card_of(900_000 + number % 500), "lines": lines,
            "totals": {"payable_amount": sum(prices)},
        }  # fmt: skip
        return json.dumps(body).encode()

    def run(self) -> None:
        with ThreadPoolExecutor(LANES) as lanes:
            started = time.monotonic()
            for number in range(self.wanted):
                due = started + number / RATE
                time.sleep(max(0.0, due - time.monotonic()))
                lanes.submit(self._send, number, due)
        for connection in self._open:
            connection.close()

    def _send(self, number: int, due: float) -> None:
        status = None
        if getattr(self._own, "connection", None) is not None:
            # Kept from the last receipt of this lane, and perhaps closed by the server meanwhile: nothing was lost then.
            status = self._ask(self._own.connection, number)
            self.reopened += status is None
        if status is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
            self._own.connection = connection
            self._open.append(connection)
            status = self._ask(connection, number)
        self.told.append((status or 0, time.monotonic() - due))

    def _ask(self, connection: http.client.HTTPConnection, number: int) -> int | None:
        key = self.keys[number % len(self.keys)]
        try:
            connection.request(
                "POST", "/pos/v1/receipts", self.bodies[number],
                {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            )  # fmt: skip
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return None
        return answer.status


def memory(service) -> int:
    """Return the bytes that the server's workers hold for themselves."""
    return sum(psutil.Process(pid).memory_full_info().uss for pid in service._pids("worker"))


@pytest.fixture
def load(service, workplace, publish, tmp_path):
    def load(seconds: float) -> list[tuple[int, float]]:
        now = datetime.now(UTC)
        warm_up()
        build_town(workplace.sessions)
        with workplace.sessions.begin() as session:
            add_store(session, store_code="L1", name="Load", currency="CZK", timezone="Europe/Prague")
            issue_cards(
                session, card_numbers=[card_of(900_000 + n) for n in range(500)], now=now, actor="test"
            )
            keys = [
                add_till(session, store_code="L1", till_code=f"T{number}", now=now, actor="test")
                for number in range(8)
            ]  # fmt: skip
        sent = Load(service.port, keys, seconds)
        sender = threading.Thread(target=sent.run)
        sender.start()
        nights, early = 0, 0
        night = None
        while sender.is_alive():
            if night is None or not night.is_alive():
                nights += 1
                night = start_night(
                    Cluster(service.data).url,
                    tmp_path / f"night{nights}",
                    SECOND_NIGHT - timedelta(days=nights),
                )
            if not early and len(sent.told) > sent.wanted / 3:
                early = memory(service)
            time.sleep(0.2)
        sender.join()
        late = memory(service)
        if night is not None:
            night.join(DEADLINE)
        with workplace.sessions() as session:
            stored = session.execute(
                text("select count(*) from receipt join store using (store_id) where store_code = 'L1'")
            ).scalar_one()
        broken = [f"{v.code}: {v.examples}" for v in verify(workplace.sessions, CHECKS) if not v.ok]
        assert broken == []
        assert stored == sent.wanted, Counter(status for status, _ in sent.told)
        cuts = quantiles((took for _, took in sent.told), n=100)
        publish(
            f"R15: {len(sent.told)} receipts at {RATE} a second while {nights} nights mined: p50 {cuts[49] * 1000:.0f} ms, "
            f"p99 {cuts[98] * 1000:.0f} ms (not judged here); memory {early / 2**20:.0f} then {late / 2**20:.0f} MiB; "
            f"{sent.reopened} kept connections opened again; {bound(len(sent.told))}"
        )
        assert late < early * GROWTH, (early, late)
        return sent.told

    return load


class TestAMinuteOfCustomers:
    def test_has_no_error_while_a_night_mines(self, load):
        told = load(10 if MOST else SECONDS)
        assert {status for status, _ in told} == {201}

    @pytest.mark.soak
    @pytest.mark.timeout(SOAK_TIMEOUT)
    def test_has_none_when_it_lasts(self, load):
        told = load(max(5, SECONDS * TIMES))
        assert {status for status, _ in told} == {201}

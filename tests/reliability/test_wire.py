"""
R8: a thousand connections that break: cut in the middle, half a body, bytes that trickle, answers that nobody takes.

Honest tills go on booking all the time. None of them may be without an answer for thirty seconds, every connection that stands
still is ended from the server's side by then, and in the end every receipt that anybody sent is there once, or not at all until it
is sent again.
"""

import http.client
import json
import random
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from core.verification import verify
from customers.operations import issue_cards
from loyalty.verification import CHECKS
from sales.operations import add_store, add_till
from tests.reliability.crowds import card_of
from tests.reliability.rotation import SOAK_TIMEOUT, TIMES, bound, seed_of_run, turn

CONNECTIONS = 1000
AT_ONCE = 1000
"""Connections that are opened one after the other; half of them stay open, and a process may have 1,024 files."""
STUCK = 30.0
HONEST = 3
CARDS = [card_of(800_000 + number) for number in range(40)]


class Rascal:
    """Sends receipts, and each time breaks the wire in another way; what it leaves open it hangs on to."""

    def __init__(self, port: int, key: str, seed: int, *, every_way: bool) -> None:
        self.port, self.key = port, key
        self.random = random.Random(seed)
        self.sent: list[dict] = []
        self.left_open: list[tuple[socket.socket, float]] = []
        self.tricklers: list[tuple[socket.socket, bytes]] = []
        self.did: Counter[str] = Counter()
        self.ways: list[Callable[[socket.socket, bytes], None]] = [
            self.cuts_after_all,
            self.cuts_in_the_head,
            self.cuts_in_the_body,
            self.stands_still,
            self.stands_still,
            self.trickles,
            self.takes_no_answer,
            # These last half as long again, so every other commit leaves them out.
            self.sends_one_upon_the_other if every_way else self.cuts_in_the_body,
        ]

    def break_one(self, number: int) -> None:
        """Open a connection, and break it."""
        body = sale(f"w{number:06}", CARDS[number % len(CARDS)], 100 + number % 900)
        self.sent.append(body)
        content = json.dumps(body).encode()
        head = (
            f"POST /pos/v1/receipts HTTP/1.1\r\nHost: till\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        way = self.ways[number % len(self.ways)]
        self.did[way.__name__] += 1
        wire = socket.create_connection(("127.0.0.1", self.port), timeout=STUCK)
        try:
            way(wire, head.encode() + content)
        except OSError:
            wire.close()

    def cuts_after_all(self, wire: socket.socket, request: bytes) -> None:
        wire.sendall(request)
        self._cut(wire)

    def cuts_in_the_head(self, wire: socket.socket, request: bytes) -> None:
        wire.sendall(request[: self.random.randrange(1, 60)])
        self._cut(wire)

    def cuts_in_the_body(self, wire: socket.socket, request: bytes) -> None:
        wire.sendall(self._part_of(request))
        self._cut(wire)

    def stands_still(self, wire: socket.socket, request: bytes) -> None:
        wire.sendall(self._part_of(request))
        self.left_open.append((wire, time.monotonic()))

    def trickles(self, wire: socket.socket, request: bytes) -> None:
        part = self._part_of(request)
        wire.sendall(part)
        self.tricklers.append((wire, request[len(part) :]))
        self.left_open.append((wire, time.monotonic()))

    def takes_no_answer(self, wire: socket.socket, request: bytes) -> None:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        wire.sendall(request + request)
        time.sleep(0.05)
        self._cut(wire)

    def sends_one_upon_the_other(self, wire: socket.socket, request: bytes) -> None:
        wire.sendall(request + self._part_of(request))
        self.left_open.append((wire, time.monotonic()))

    def _part_of(self, request: bytes) -> bytes:
        head = request.index(b"\r\n\r\n") + 4
        return request[: self.random.randrange(head, len(request) - 30)]

    def _cut(self, wire: socket.socket) -> None:
        if self.random.random() < 0.5:
            # Without farewell: the other side gets a reset.
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wire.close()

    def wait_for_their_ends(self) -> float:
        """Trickle on until the server has ended all that was left open; returns how long the longest lasted."""
        longest = 0.0
        with selectors.DefaultSelector() as ends:
            for wire, since in self.left_open:
                wire.setblocking(False)
                ends.register(wire, selectors.EVENT_READ, since)
            trickled = time.monotonic()
            while ends.get_map():
                now = time.monotonic()
                for key, _ in ends.select(0.2):
                    if _has_ended(key.fileobj):
                        longest = max(longest, now - key.data)
                        ends.unregister(key.fileobj)
                        key.fileobj.close()
                stuck = [key.fileobj for key in ends.get_map().values() if now - key.data > STUCK]
                for wire in stuck:
                    wire.close()
                assert not stuck, f"{len(stuck)} connections are open after {STUCK:.0f} s"
                if now - trickled > 1:
                    trickled = now
                    self.tricklers = [one for one in self.tricklers if _trickled(*one)]
                    self.tricklers = [(wire, rest[1:] or b" ") for wire, rest in self.tricklers]
        self.left_open.clear()
        self.tricklers.clear()
        return longest


def _has_ended(wire: socket.socket) -> bool:
    try:
        while wire.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _trickled(wire: socket.socket, rest: bytes) -> bool:
    try:
        wire.send(rest[:1])
    except OSError:
        return False
    return True


def sale(number: str, card: str, amount: int) -> dict:
    today = datetime.now(UTC).date().isoformat()
    return {
        "type": "sale",
        "business_date": today,
        "receipt_number": number,
        "closed_at": f"{today}T00:00:01+00:00",
        "currency": "CZK",
        "card_number": card,
        "lines": [
            {
                "line_number": 1,
                "sku": "A1",
                "name": "x" * 500,
                "quantity": "1",
                "unit_price": amount,
                "total_amount": amount,
                "tax_rate": "21",
            }
        ],
        "totals": {"payable_amount": amount},
    }


@pytest.fixture
def break_wires(service, workplace, hire_till, publish):
    def break_wires(connections: int, *, every_way: bool) -> None:
        seed = seed_of_run()
        now = datetime.now(UTC)
        with workplace.sessions.begin() as session:
            add_store(session, store_code="W1", name="Wire", currency="CZK", timezone="UTC")
            issue_cards(session, card_numbers=CARDS, now=now, actor="test")
            keys = [
                add_till(session, store_code="W1", till_code=f"T{number}", now=now, actor="test")
                for number in range(HONEST + 1)
            ]
        honest = [
            hire_till(service.port, key, CARDS, now.date().isoformat(), seed + place, 1_000_000)
            for place, key in enumerate(keys[1:])
        ]
        for till in honest:
            till.start()
        rascal = Rascal(service.port, keys[0], seed, every_way=every_way)
        longest = 0.0
        booked = []
        for first in range(0, connections, AT_ONCE):
            some = range(first, min(first + AT_ONCE, connections))
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(rascal.break_one, some))
            before = [len(till.acknowledged) for till in honest]
            longest = max(longest, rascal.wait_for_their_ends())
            booked.append(
                [len(till.acknowledged) - known for till, known in zip(honest, before, strict=True)]
            )
        for till in honest:
            till.enough.set()
        for till in honest:
            till.join(STUCK)
            assert not till.is_alive()
        assert [complaint for till in honest for complaint in till.complaints] == []
        assert min(map(min, booked)) > 0, f"honest tills booked {booked} while others stood still"
        everything_is_there_once(service, workplace, rascal, honest)
        settled = sum(len(till.acknowledged) for till in honest)
        publish(
            f"R8: seed {seed}, {connections} connections {dict(rascal.did)}, open at most {longest:.0f} s (not above {STUCK:.0f}); "
            f"{settled} receipts of honest tills in {sum(till.attempts for till in honest)} attempts meanwhile, {bound(connections)}"
        )

    return break_wires


def everything_is_there_once(service, workplace, rascal: Rascal, honest) -> None:
    """Send again what was sent over broken wires, as a till does, and look at the books."""
    with workplace.sessions() as session:
        before = dict(
            session.execute(
                text(
                    "select receipt_number, answer from receipt join till using (till_id) where till_code = 'T0'"
                )
            ).all()
        )
    wire = http.client.HTTPConnection("127.0.0.1", service.port, timeout=STUCK)
    headers = {"Authorization": f"Bearer {rascal.key}", "Content-Type": "application/json"}
    # All that was booked, and some of the others: each takes a till its time.
    again = [
        body for place, body in enumerate(rascal.sent) if body["receipt_number"] in before or place % 5 == 0
    ]
    for first in range(0, len(again), 100):
        sent = again[first : first + 100]
        wire.request("POST", "/pos/v1/receipts/batch", json.dumps({"receipts": sent}), headers)
        results = json.loads(wire.getresponse().read())["results"]
        for body, result in zip(sent, results, strict=True):
            known = before.get(body["receipt_number"])
            assert result["status"] == (201 if known is None else 200), result
            if known is not None:
                assert result["receipt"] == {**known, "replayed": True}
    wire.close()
    assert before, "some were booked although nobody took the answer"
    assert len(before) < len(rascal.sent)
    with workplace.sessions() as session:
        stored = session.execute(text("select count(*) from receipt")).scalar_one()
    known = before.keys() | {body["receipt_number"] for body in again}
    assert stored == len(known) + sum(len(till.acknowledged) for till in honest)
    assert [f"{v.code}: {v.examples}" for v in verify(workplace.sessions, CHECKS) if not v.ok] == []


class TestWiresThatBreak:
    def test_hold_up_no_worker_and_lose_no_receipt(self, break_wires):
        break_wires(CONNECTIONS, every_way=turn() % 2 == 0)

    @pytest.mark.soak
    @pytest.mark.timeout(SOAK_TIMEOUT)
    def test_do_no_harm_by_the_ten_thousand_either(self, break_wires):
        break_wires(max(200, round(CONNECTIONS * TIMES)), every_way=True)

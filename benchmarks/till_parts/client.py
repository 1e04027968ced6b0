"""
A lean till, or many of them, in a process of its own: prepared requests over kept connections, one thread, no library.

It reads its task as JSON on stdin and writes what it saw as JSON on stdout. Closed load: each connection
sends when it has its answer. Open load: requests are due at random moments of a given rate, whatever the
server does, and their time counts from when they were due, so that a queue shows.
"""

import json
import random
import resource
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Line:
    """One connection and what it waits for."""

    connection: socket.socket
    due: float = 0.0
    busy: bool = False
    received: bytearray = field(default_factory=bytearray)


def requests(task: dict[str, Any]) -> Iterator[bytes]:
    """Yield requests without end; templates have marks for a receipt's number and a card's."""
    chance = random.Random(task["seed"])
    templates = [template.encode() for template in task["templates"]]
    cards, number = task["cards"], task["first_number"]
    while True:
        number += 1
        body = chance.choice(templates)
        card = chance.choice(cards).encode()
        body = body.replace(b"@number@", b"%012d" % number).replace(b"@card@", card)
        head, _, content = body.partition(b"\r\n\r\n")
        yield head.replace(b"@length@", b"%d" % len(content)) + b"\r\n\r\n" + content


def complete(line: Line) -> int | None:
    """Return the status of the answer once all of it is there."""
    head, parted, content = bytes(line.received).partition(b"\r\n\r\n")
    if not parted:
        return None
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    if len(content) < length:
        return None
    return int(head[9:12])


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Send for the seconds of the task and return counts and times."""
    lines = [Line(socket.create_connection((task["host"], task["port"]))) for _ in range(task["connections"])]
    looking = selectors.DefaultSelector()
    for line in lines:
        line.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        looking.register(line.connection, selectors.EVENT_READ, line)
    source = requests(task)
    chance = random.Random(task["seed"] + 1)
    rate, times, statuses, idle = task["rate"], [], {}, deque(lines)
    queue: deque[float] = deque()
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    ends, due = started + task["seconds"], started

    def send(line: Line, due: float) -> None:
        line.due, line.busy = due, True
        line.received.clear()
        line.connection.sendall(next(source))

    while True:
        now = time.perf_counter()
        while rate and due <= min(now, ends):
            queue.append(due)
            due += chance.expovariate(rate)
        while idle and (queue if rate else now < ends):
            send(idle.popleft(), queue.popleft() if rate else now)
        waiting = len(lines) - len(idle)
        if now >= ends and not waiting and not queue:
            break
        timeout = max(0.0, min(due, ends) - now) if rate and now < ends and idle else 1.0
        for key, _ in looking.select(timeout):
            line = key.data
            line.received += line.connection.recv(65536)
            status = complete(line)
            if status is not None:
                times.append(time.perf_counter() - line.due)
                statuses[status] = statuses.get(status, 0) + 1
                line.busy = False
                idle.append(line)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "done": len(times),
        "seconds": seconds,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "statuses": statuses,
        "times": sorted(times),
    }


if __name__ == "__main__":
    json.dump(run(json.load(sys.stdin)), sys.stdout)

"""
How long a till waits for a database that stands still: a frozen disk or machine sends neither answer nor farewell.

The database's own limits (locks, statements) are kept by the database, which just then keeps none. So one
thread looks every second for requests that have waited too long, and ends their connections from this side.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

LONGEST = 10.0
"""Seconds for one attempt of a request; twice what it may wait for another one's work."""
BETWEEN_LOOKS = 1.0

Connection = psycopg.Connection[tuple[Any, ...]]


class Watch:
    """Ends connections on which an attempt has taken longer than `longest` seconds."""

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = longest
        self._waiting: dict[object, tuple[float, Connection]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def attempt(self) -> "_Attempt":
        """Return a block that yields what the attempt names its connection to; it is watched until the block ends."""
        return _Attempt(self)

    def over(self, token: object, connection: Connection) -> None:
        """Watch over a connection until `no_more` is said of `token`."""
        self._waiting[token] = time.monotonic() + self._longest, connection
        if self._thread is None:
            self._begin()

    def no_more(self, token: object) -> None:
        """Watch no more over the connection of `token`, if there is one."""
        self._waiting.pop(token, None)

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="patience", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        while True:
            time.sleep(BETWEEN_LOOKS)
            now = time.monotonic()
            for token, (deadline, connection) in list(self._waiting.items()):
                if deadline < now and self._waiting.pop(token, None) is not None:
                    _hang_up(connection)


class _Attempt:
    """One attempt; it takes part in every request, so it is no generator."""

    __slots__ = ("_watch",)

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def __enter__(self) -> Callable[[Connection], None]:
        return self._on

    def __exit__(self, *_: object) -> None:
        self._watch.no_more(self)

    def _on(self, connection: Connection) -> None:
        self._watch.over(self, connection)


def _hang_up(connection: Connection) -> None:
    """Let whoever waits for an answer on `connection` see that there will be none."""
    # Through a number of its own: the connection's may be closed, and given to another, at this very moment.
    with (
        suppress(OSError, psycopg.OperationalError),
        socket.socket(fileno=os.dup(connection.fileno())) as wire,
    ):
        wire.shutdown(socket.SHUT_RDWR)

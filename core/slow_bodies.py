"""
Requests whose bodies come slowly, or never: they hold up nobody else.

A WSGI server gives every request a thread, also one that only waits for the rest of a body. So the server has many
threads and lets few of them work at once: a body is taken in first, and who has it whole gets in. A body that
makes no headway is given up by ending its connection from this side; waiting, nobody could notice.
"""

import io
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

PIECE = 1 << 16
STEP = 1 << 13
"""Bytes that are waited for at a time: what a poor line carries in a few seconds, however long the whole takes."""
LONGEST = 10.0
"""Seconds in which the next step of a body, or its rest, has to come."""
BETWEEN_LOOKS = 1.0
SILENT = 2.0
"""Seconds without a byte after which a body is not merely slow."""
TAKEN_IN_FIRST = 1 << 20
"""Bytes; longer bodies are read by whoever wants them, few at a time."""
LONG_ONES_AT_ONCE = 2
OPEN_FILES = Path("/proc/self/fd")

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Input(Protocol):
    """What a server offers as `wsgi.input`."""

    def read(self, size: int) -> bytes:
        """Wait for bytes, at most `size`; none at the end."""


class Unhurried:
    """
    An application of which `at_once` requests work at a time, and never one whose body is still on its way.

    Addresses that begin with a prefix in `apart` have room of their own, for so many: they wait for none of the others.
    """

    def __init__(
        self,
        application: Application,
        *,
        at_once: int,
        apart: Mapping[str, int] | None = None,
        longest: float = LONGEST,
    ) -> None:
        self._application = application
        self._room = threading.Semaphore(at_once)
        self._apart = {prefix: threading.Semaphore(room) for prefix, room in (apart or {}).items()}
        self._room_for_long_ones = threading.Semaphore(LONG_ONES_AT_ONCE)
        self._watch = Watch(longest)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request as the application does."""
        room = self._room_of(environ)
        stated = environ.get("CONTENT_LENGTH")
        if stated not in {None, "", "0"} or "HTTP_TRANSFER_ENCODING" in environ:
            source = _Pieces(environ["wsgi.input"], self._watch, environ.get("SERVER_PORT", ""))
            whole = _taken_in(source, stated)
            if whole is None:
                room = self._room_for_long_ones
                environ["wsgi.input"] = io.BufferedReader(source, PIECE)
            else:
                environ["wsgi.input"] = io.BytesIO(whole)
        with room:
            return self._application(environ, start_response)

    def _room_of(self, environ: Environ) -> threading.Semaphore:
        path = environ.get("PATH_INFO", "")
        return next((room for prefix, room in self._apart.items() if path.startswith(prefix)), self._room)


def _taken_in(source: "_Pieces", stated: str | None) -> bytes | None:
    """Return the whole body, or what came of it; None for one that is too long, which is read later."""
    if stated is not None and (not stated.isdecimal() or int(stated) > TAKEN_IN_FIRST):
        return None
    left = TAKEN_IN_FIRST + 1 if stated is None else int(stated)
    body = bytearray()
    while left > 0 and (piece := source.take(left)):
        body += piece
        left -= len(piece)
    if stated is None and left <= 0:
        # Nobody said how long it is, and it is long.
        source.give_back(bytes(body))
        return None
    return bytes(body)


class _Pieces(io.RawIOBase):
    """A body that is read piece by piece, each watched; it ends early when its connection does."""

    def __init__(self, source: Input, watch: "Watch", port: str) -> None:
        super().__init__()
        self._source, self._watch = source, watch
        self._port = int(port) if port.isdecimal() else 0
        self._again = b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with what comes next."""
        piece = self.take(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def take(self, size: int) -> bytes:
        """Return the next bytes, at most `size`; none at the end, however it came about."""
        if self._again:
            piece, self._again = self._again[:size], self._again[size:]
            return piece
        with self._watch.wait(self._port), suppress(OSError):
            return self._source.read(min(size, STEP))
        return b""

    def give_back(self, taken: bytes) -> None:
        """Let `taken` be what comes next."""
        self._again = taken


class Watch:
    """
    Ends the connections of bodies that make no headway.

    A server does not say which connection a body comes by. So it is found by what the kernel knows of
    all of them: something was received and not answered for too long, or all has been silent.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._port = 0
        self._waiting: dict[object, float] = {}
        self._unanswered: dict[int, float] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def wait(self, port: int) -> Iterator[None]:
        """Watch the block, which waits for a piece of a body that comes to `port`."""
        token = object()
        self._waiting[token] = time.monotonic()
        if self._thread is None:
            self._begin(port)
        try:
            yield
        finally:
            del self._waiting[token]

    def _begin(self, port: int) -> None:
        with self._lock:
            if self._thread is None:
                self._port = port
                self._thread = threading.Thread(target=self._look, name="slow bodies", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        while True:
            time.sleep(BETWEEN_LOOKS)
            now = time.monotonic()
            oldest = min(list(self._waiting.values()), default=now)
            if now - oldest < BETWEEN_LOOKS:
                self._unanswered.clear()
                continue
            with suppress(OSError):
                self._end_overdue(now, oldest)

    def _end_overdue(self, now: float, oldest: float) -> None:
        overdue = now - oldest > self._longest
        # Somebody who sends requests one upon the other may look answered; then who is silent goes, idle ones too.
        long_overdue = now - oldest > 1.5 * self._longest
        still: dict[int, float] = {}
        for inode, wire in connections_to(self._port):
            with wire:
                sent, received = _quiet_for(wire)
                if received <= sent:
                    still[inode] = self._unanswered.get(inode, now)
                # Whose body comes slowly is spared, unless that did not help.
                unanswered = now - still.get(inode, now) > self._longest and (
                    received > SILENT or long_overdue
                )
                silent = long_overdue and min(sent, received) > self._longest
                if overdue and (unanswered or silent):
                    wire.shutdown(socket.SHUT_RDWR)
        self._unanswered = still


def connections_to(port: int) -> Iterator[tuple[int, socket.socket]]:
    """Yield the connections that this process has accepted at `port`, by a number each keeps; each is to be closed."""
    # All are looked at before one is opened: its number may be that of the look itself, which is over.
    for number, inode in list(_sockets()):
        if (wire := _accepted_at(port, number)) is not None:
            yield inode, wire


def _sockets() -> Iterator[tuple[int, int]]:
    for file in list(OPEN_FILES.iterdir()):
        with suppress(OSError):
            kind, _, inode = str(file.readlink()).partition(":")
            if kind == "socket":
                yield int(file.name), int(inode.strip("[]"))


def _accepted_at(port: int, number: int) -> socket.socket | None:
    """Return a connection of its own to what file `number` speaks to, None when it was not accepted at `port`."""
    try:
        copy = os.dup(number)
    except OSError:
        return None  # closed meanwhile
    try:
        wire = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None
    with suppress(OSError):
        wire.getpeername()
        if wire.family in {socket.AF_INET, socket.AF_INET6} and wire.getsockname()[1] == port:
            return wire
    wire.close()
    return None


_LAST_SENT, _LAST_RECEIVED = 44, 52
"""Where in Linux' tcp_info stands how many milliseconds ago data was sent, and received."""


def _quiet_for(wire: socket.socket) -> tuple[float, float]:
    """Return for how many seconds nothing was sent, and nothing received."""
    known = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    sent, received = (struct.unpack_from("I", known, place)[0] for place in (_LAST_SENT, _LAST_RECEIVED))
    return sent / 1000, received / 1000

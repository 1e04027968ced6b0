"""Counts round trips for real: a relay before the database that counts how often the client waits for an answer."""

import selectors
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


@dataclass
class Flow:
    """One connection through the relay."""

    client: socket.socket
    server: socket.socket
    said: bytearray = field(default_factory=bytearray)
    """What the client said and nobody has counted yet."""
    greeted: bool = False
    asked: bool = False
    """Whether the client has asked for something since it last waited."""

    def waits(self, said: bytes) -> int:
        """Return how often the client waits for an answer to the messages that are whole with `said`."""
        self.said += said
        found = 0
        while len(self.said) >= 5:
            # Only the first message has no type.
            kind = chr(self.said[0]) if self.greeted else ""
            length = int.from_bytes(self.said[len(kind) : len(kind) + 4]) + len(kind)
            if len(self.said) < length:
                break
            del self.said[:length]
            self.greeted = True
            if kind in {"Q", "S"} or (kind == "H" and self.asked):
                found += 1
                self.asked = False
            elif kind in {"P", "B", "D", "E"}:
                self.asked = True
        return found


class Tap:
    """
    Listens in `folder` as PostgreSQL does and relays to the socket in `behind`.

    A round trip is a message after which the client waits: a simple query, or the Sync or Flush after
    others. So statements sent together count once, and so does a transaction's beginning that travels
    with its first statement.
    """

    def __init__(self, folder: Path, behind: Path, port: int) -> None:
        self.trips = 0
        self._behind = str(behind / f".s.PGSQL.{port}")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f".s.PGSQL.{port}"))
        self._listener.listen(64)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._relay, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()

    def _relay(self) -> None:
        looking = selectors.DefaultSelector()
        looking.register(self._listener, selectors.EVENT_READ, None)
        while not self._over.is_set():
            for key, _ in looking.select(0.2):
                if key.data is None:
                    self._welcome(looking)
                else:
                    self._carry(looking, key.data, key.fileobj)

    def _welcome(self, looking: selectors.BaseSelector) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._behind)
        flow = Flow(client, server)
        looking.register(client, selectors.EVENT_READ, flow)
        looking.register(server, selectors.EVENT_READ, flow)

    def _carry(self, looking: selectors.BaseSelector, flow: Flow, source: object) -> None:
        from_client = source is flow.client
        said = (flow.client if from_client else flow.server).recv(1 << 16)
        if not said:
            for end in (flow.client, flow.server):
                looking.unregister(end)
                end.close()
            return
        if from_client:
            self.trips += flow.waits(said)
        (flow.server if from_client else flow.client).sendall(said)


def folder_for_sockets(folder: Path) -> Path:
    """Return a folder whose path is short enough for a Unix socket."""
    place = folder / "t"
    place.mkdir()
    place.chmod(0o700)
    return place

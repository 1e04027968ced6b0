"""Counts round trips for real: a relay before the database that counts how often the server has to answer."""

import selectors
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass
class Flow:
    """One connection through the relay: who spoke last."""

    client: socket.socket
    server: socket.socket
    asked: bool = False


class Tap:
    """
    Listens in `folder` as PostgreSQL does and relays to the socket in `behind`.

    A round trip is a turn: the client spoke, then the server. So statements sent together count
    once, and so does a transaction's beginning that travels with its first statement.
    """

    def __init__(self, folder: Path, behind: Path, port: int) -> None:
        self.turns = 0
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
            flow.asked = True
        elif flow.asked:
            flow.asked = False
            self.turns += 1
        (flow.server if from_client else flow.client).sendall(said)


def folder_for_sockets(folder: Path) -> Path:
    """Return a folder whose path is short enough for a Unix socket."""
    place = folder / "t"
    place.mkdir()
    place.chmod(0o700)
    return place

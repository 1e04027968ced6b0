"""A till with the client of ours, a real server, and a wire between them that can be cut."""

import contextlib
import importlib.util
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from core.database import make_engine, make_sessions
from pos_api.app import register
from tests.pos_api.conftest import Chain, open_chain

FILE = Path(__file__).parents[2] / "clients" / "python" / "regulars_till.py"


@pytest.fixture(scope="session")
def client() -> ModuleType:
    """The file as a till maker takes it: alone, not as part of a package."""
    spec = importlib.util.spec_from_file_location("regulars_till", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["regulars_till"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def chain(database_url: str) -> Iterator[Chain]:
    engine = make_engine(database_url, pool_size=10, lock_timeout=5)
    app = Flask("tills")
    sessions = make_sessions(engine)
    register(app, sessions)
    yield open_chain(app, sessions)
    engine.dispose()


@dataclass
class Line:
    """A wire to the server on a port of its own: whole, cut, or losing every answer."""

    server_port: int
    state: str = "whole"
    connections: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def carry(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.state == "cut":
                near.close()
                continue
            threading.Thread(target=self._connect, args=(near,)).start()

    def _connect(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self.server_port)) as far:
            there = threading.Thread(target=self._pump, args=(near, far), kwargs={"answers": False})
            there.start()
            self._pump(far, near, answers=True)
            there.join()

    def _pump(self, source: socket.socket, target: socket.socket, *, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(1 << 16):
                if self.state == "cut" or (answers and self.state == "deaf"):
                    break
                target.sendall(block)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def line(chain: Chain) -> Iterator[Line]:
    server = make_server("127.0.0.1", 0, chain.app, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    wire = Line(server.port)
    carrying = threading.Thread(target=wire.carry)
    carrying.start()
    yield wire
    wire.close()
    carrying.join()
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def open_till(client: ModuleType, chain: Chain, line: Line, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens the till with its folder, again and again if need be."""
    opened = []

    def open_one(**options: Any) -> Any:
        till = client.Till(
            line.address, chain.till.key, tmp_path / "till", **{"sending": False, "timeout": 60.0, **options}
        )
        opened.append(till)
        return till

    yield open_one
    for till in opened:
        till.close()

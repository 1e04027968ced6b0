"""
A process that dies at a statement of its choice: the child's side of R3.

The hooks sit where the driver hands statements to the database, in this process only. The product
knows nothing of them.
"""

import functools
import json
import os
import signal
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask

import core.trips
from campaigns import decisions, scenes
from campaigns.books import read_book
from core.database import Sessions, make_engine, make_sessions
from pos_api.app import register
from pos_api.transactions import EXTENSION

HOOKED = (
    (psycopg.Cursor, "execute"),
    (psycopg.Cursor, "executemany"),
    (psycopg.Connection, "commit"),
    (psycopg.Connection, "rollback"),
    (psycopg.Pipeline, "__exit__"),
    # What travels past the driver's own functions: died before it is sent, while nobody has answered, and after.
    (core.trips, "_send"),
    (core.trips, "_receive"),
)


@functools.lru_cache(maxsize=1)
def application() -> Flask:
    """Return the tills' interface; the database is put behind it later."""
    app = Flask("tills")
    register(app, make_sessions(make_engine("postgresql:///nowhere")))
    return app


class Boundaries:
    """Counts the moments before and after each thing that is asked of the database, and dies at the one chosen."""

    def __init__(self, fatal: int | None) -> None:
        self.fatal = fatal
        self.passed: list[str] = []

    def install(self) -> None:
        for owner, name in HOOKED:
            setattr(owner, name, self._hooked(getattr(owner, name), f"{owner.__name__}.{name}"))

    def _hooked(self, original: Any, name: str) -> Any:
        @functools.wraps(original)
        def hooked(*arguments: Any, **options: Any) -> Any:
            self._pass(f"before {name}")
            try:
                return original(*arguments, **options)
            finally:
                self._pass(f"after {name}")

        return hooked

    def _pass(self, name: str) -> None:
        if len(self.passed) == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed.append(name)


def read_offers(sessions: Sessions, run_id: UUID) -> None:
    """Have at hand what offers are chosen from, as a worker has after its first; and all the time in the world for it."""
    scenes.PATIENCE, decisions.LONGEST = timedelta(seconds=60), 60.0
    with sessions.begin() as session:
        read_book(session, run_id=run_id)
        decisions.ask_again(session)


def send_once(url: str, request: dict[str, Any], fatal: int | None, pipe: Connection) -> None:
    """Send one request to the application on `url`, and die at boundary `fatal`; a target of a child process."""
    engine = make_engine(url, pool_size=1, lock_timeout=5)
    app = application()
    app.extensions[EXTENSION] = make_sessions(engine)
    if "offers_of" in request:
        read_offers(app.extensions[EXTENSION], request["offers_of"])
    boundaries = Boundaries(fatal)
    boundaries.install()
    client = app.test_client()
    answer = client.open(
        f"/pos/v1{request['path']}",
        method="POST",
        headers=request["headers"],
        data=json.dumps(request["body"]),
        content_type="application/json",
    )
    pipe.send((answer.status_code, answer.get_json(), boundaries.passed))
    pipe.close()
    # What a worker does when its master ends: no clearing up, nothing is sent any more.
    os._exit(0)

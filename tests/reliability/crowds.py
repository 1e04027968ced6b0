"""A chain of stores on a real database, and crowds of tills that all ask for the same thing at the same moment."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any

from flask import Flask
from sqlalchemy import text
from stdnum import ean
from werkzeug.test import TestResponse

from core import clock
from core.database import make_engine, make_sessions
from core.verification import verify
from loyalty.verification import CHECKS
from pos_api.app import register
from rewards.offer_operations import import_document
from sales.operations import add_till
from tests.pos_api.conftest import OPENED, Chain, TillClient, enrol_with_points, open_chain

CONTENDERS = 16

Request = Callable[[], TestResponse]


def card_of(number: int) -> str:
    """Return a valid card number that no other test has."""
    beginning = f"2970{number:08}"
    return beginning + ean.calc_check_digit(beginning)


def said(answer: TestResponse) -> str:
    """Return an answer as its status and, for a refusal, its code."""
    body = answer.get_json(silent=True) or {}
    code = str(body.get("type", "")).rpartition("/")[2]
    return f"{answer.status_code} {code}".strip()


@dataclass
class Crowd:
    """Sixteen contenders in front of a chain."""

    chain: Chain
    tills: Sequence[TillClient] = ()
    """As many tills of one store as there are contenders: a till's next quote lets go of what its last one held."""
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(CONTENDERS))

    def at_once(self, requests: Sequence[Request]) -> list[TestResponse]:
        """Send all `requests` at the same moment and return their answers in order."""
        barrier = Barrier(len(requests))

        def send(request: Request) -> TestResponse:
            barrier.wait()
            return request()

        return list(self.pool.map(send, requests))

    def tally(self, requests: Sequence[Request]) -> dict[str, int]:
        """Return how often which answer was given to `requests`, sent at the same moment."""
        return dict(Counter(said(answer) for answer in self.at_once(requests)))

    def member(self, number: int, points: int) -> str:
        """Return the card of a new member who can spend `points`."""
        return enrol_with_points(self.chain, points, card_of(number))

    def points(self, card: str) -> tuple[int, int]:
        """Return (available, reserved) of a card."""
        shown = self.chain.till.get(f"/cards/{card}").get_json()["points"]
        return shown["available"], shown["reserved"]

    def live(self, **document: Any) -> None:
        """Let a document of offers be live at once."""
        with self.chain.sessions.begin() as session:
            import_document(
                session, document={"format": 1, **document}, actor="test", now=clock.now(), live=True
            )

    def number(self, question: str, **values: Any) -> int:
        with self.chain.sessions() as session:
            return int(session.execute(text(question), values).scalar_one())

    def execute(self, statement: str, **values: Any) -> None:
        with self.chain.sessions.begin() as session:
            session.execute(text(statement), values)

    def broken(self) -> list[str]:
        """Return the invariants that do not hold, with examples."""
        found = verify(self.chain.sessions, CHECKS)
        return [f"{verdict.code}: {verdict.examples}" for verdict in found if not verdict.ok]


def gather(url: str) -> Iterator[Crowd]:
    """Yield a crowd on the empty database at `url`, in whose books nothing may be broken afterwards."""
    engine = make_engine(url, pool_size=CONTENDERS, lock_timeout=5)
    app = Flask("tills")
    sessions = make_sessions(engine)
    register(app, sessions)
    chain = open_chain(app, sessions)
    with sessions.begin() as session:
        keys = [
            add_till(session, store_code="S1", till_code=f"C{place}", now=OPENED, actor="test")
            for place in range(CONTENDERS)
        ]
    tills = [TillClient(app, key, "S1", f"C{place}") for place, key in enumerate(keys)]
    crowd = Crowd(chain, tills)
    yield crowd
    crowd.pool.shutdown()
    assert crowd.broken() == []
    engine.dispose()

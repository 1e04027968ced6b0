"""A chain with two stores, and tills of them that speak to a real application on a real database."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from core.database import Sessions, make_engine, make_sessions
from customers.operations import issue_cards
from pos_api import examples
from pos_api.app import register
from pos_api.transactions import EXTENSION
from sales.operations import add_store, add_till, revoke_till_keys

OPENED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class TillClient:
    """A till: posts bodies under its key and gives receipts their numbers."""

    app: Flask
    key: str | None
    store_code: str = "S1"
    till_code: str = "T1"
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def send(self, method: str, path: str, **request: Any) -> TestResponse:
        headers = dict(request.pop("headers", {}))
        if self.key is not None:
            headers.setdefault("Authorization", f"Bearer {self.key}")
        return self.app.test_client().open(f"/pos/v1{path}", method=method, headers=headers, **request)

    def get(self, path: str, **request: Any) -> TestResponse:
        return self.send("GET", path, **request)

    def post(self, path: str, document: Any, **request: Any) -> TestResponse:
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.send("POST", path, data=raw, content_type="application/json", **request)

    def sale(self, base: Any = examples.SALE, **changes: Any) -> dict[str, Any]:
        """A body of a new receipt; `...` leaves a member out."""
        body = deepcopy(dict(base)) | {"receipt_number": f"{next(self.numbers):06}"} | changes
        return {name: value for name, value in body.items() if value is not ...}


@dataclass
class Chain:
    app: Flask
    sessions: Sessions
    till: TillClient
    neighbour: TillClient
    elsewhere: TillClient
    revoked: TillClient
    nobody: TillClient


def open_chain(app: Flask, sessions: Sessions) -> Chain:
    tills = {}
    with sessions.begin() as session:
        for store_code, currency, timezone in (
            ("S1", "CZK", "Europe/Prague"),
            ("S2", "EUR", "Europe/Bratislava"),
        ):
            add_store(session, store_code=store_code, name=store_code, currency=currency, timezone=timezone)
        for store_code, till_code in (("S1", "T1"), ("S1", "T2"), ("S2", "T1"), ("S1", "T9")):
            tills[store_code, till_code] = add_till(
                session, store_code=store_code, till_code=till_code, now=OPENED, actor="test"
            )
        revoke_till_keys(session, store_code="S1", till_code="T9", now=OPENED, actor="test")
        issue_cards(session, card_numbers=[examples.CARD_NUMBER], now=OPENED, actor="test")
    clients = {place: TillClient(app, key, *place) for place, key in tills.items()}
    return Chain(
        app=app,
        sessions=sessions,
        till=clients["S1", "T1"],
        neighbour=clients["S1", "T2"],
        elsewhere=clients["S2", "T1"],
        revoked=clients["S1", "T9"],
        nobody=TillClient(app, None),
    )


@pytest.fixture(scope="session")
def tills() -> Flask:
    """The tills' interface, without a database: to make its document takes as long as many a test."""
    app = Flask("tills")
    register(app, Sessions())
    return app


@pytest.fixture
def chain(tills: Flask, database_url: str) -> Iterator[Chain]:
    engine = make_engine(database_url, pool_size=10, lock_timeout=5)
    sessions = make_sessions(engine)
    tills.extensions[EXTENSION] = sessions
    yield open_chain(tills, sessions)
    engine.dispose()


MEMBER_CARD = "2990000000026"


def enrol_with_points(chain: Chain, points: int = 1000, card_number: str = MEMBER_CARD) -> str:
    """Enrol a member whose card holds `points`, spendable at once; returns the card's number."""
    with chain.sessions.begin() as session:
        session.execute(
            text(
                "with account as (insert into account (account_id, opened_at) "
                "  values (gen_random_uuid(), now()) returning account_id), "
                "person as (insert into member (member_id, member_code, account_id, given_name, family_name, language, joined_on) "
                "  select gen_random_uuid(), :card, account_id, 'Žofie', 'Nováková', 'cs', current_date from account returning *) "
                "insert into card (card_number, state, account_id, member_id, created_at, issued_at) "
                "select :card, 'active', account_id, member_id, now(), now() from person"
            ),
            {"card": card_number},
        )
    if points:
        day = datetime.now(UTC) - timedelta(days=60)
        sale = chain.till.sale(
            examples.SHORTEST_SALE,
            business_date=day.date().isoformat(),
            closed_at=day.isoformat(),
            card_number=card_number,
            totals={"payable_amount": points * 100},
        )
        sale["lines"][0] |= {"quantity": "1", "unit_price": points * 100, "total_amount": points * 100}
        assert chain.till.post("/receipts", sale).get_json()["points"]["available"] == points
    return card_number


@pytest.fixture
def till(chain: Chain) -> TillClient:
    return chain.till


def code_of(response: TestResponse) -> str:
    """The last segment of the problem's type."""
    assert response.mimetype == "application/problem+json", response.data
    problem = response.get_json()
    assert problem["status"] == response.status_code
    return problem["type"].rpartition("/")[2]

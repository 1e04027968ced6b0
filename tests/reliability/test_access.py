"""S2 and S9 for tills: every call, with every kind of key, for things of the own store and of another one."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from core.settings import Settings
from pos_api import examples
from tests.pos_api.conftest import MEMBER_CARD, code_of, enrol_with_points, open_chain
from wsgi import create_app

OPEN = {"/pos/v1/openapi.json", "/pos/v1/healthz", "/pos/v1/readyz"}
"""Calls that need no key, besides the pages of /docs."""
ARGUMENTS = {
    "card_number": examples.CARD_NUMBER,
    "store_code": "S1",
    "till_code": "T1",
    "business_date": "2026-11-21",
    "receipt_number": "000123",
    "redemption_id": str(uuid4()),
    "gift_card_number": "G4Q7M9XKD2R5T8VB",
}
OURS = "/pos/v1/"


@pytest.fixture(scope="module")
def application(make_database, tmp_path_factory):
    """The whole application, screens and all, with a chain whose stores have sold something."""
    from core.database import make_engine, make_sessions

    engine = make_engine(make_database(), pool_size=10, lock_timeout=5)
    loaded = Settings.load()
    values = {name: getattr(loaded, name) for name in loaded.__slots__}
    app = create_app(make_sessions(engine), Settings(**{**values, "data": tmp_path_factory.mktemp("data")}))
    yield app
    engine.dispose()


@pytest.fixture(scope="module")
def chain(application):
    sessions = application.extensions["pos_api"]
    chain = open_chain(application, sessions)
    enrol_with_points(chain, 1000)
    return chain


def calls(app) -> list[tuple[str, str]]:
    """Return (method, path below /pos/v1) of every call that tills can make, from the routes that are served."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(OURS) or rule.rule.startswith("/pos/v1/docs"):
            continue
        values = {name: ARGUMENTS[name] for name in rule.arguments}
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            path = adapter.build(rule.endpoint, values, method=method)
            if path.startswith(OURS) and path not in OPEN:
                found.append((method, path.removeprefix("/pos/v1")))
    return sorted(set(found))


def sent(till, method: str, path: str, body: Any = None):
    return till.post(path, body or {}) if method == "POST" else till.send(method, path)


class TestEveryCall:
    def test_is_in_the_contract(self, application, chain):
        """A route that the contract does not list fails the build, and so does a call without a route."""
        document = chain.till.get("/openapi.json").get_json()
        listed = {
            (method.upper(), path.format(**ARGUMENTS))
            for path, methods in document["paths"].items()
            for method in methods
            if method in {"get", "post", "put", "delete", "patch"}
        }
        listed = {(method, path.removeprefix("/pos/v1")) for method, path in listed}
        served = set(calls(application))
        assert served <= listed
        assert {call for call in listed if f"/pos/v1{call[1]}" not in OPEN} <= served
        assert len(served) >= 12

    @pytest.mark.parametrize(
        ("key", "status", "code"),
        [
            (None, 401, "unauthenticated"),
            ("rgl_000000000000_" + "0" * 64, 401, "unauthenticated"),
            ("revoked", 403, "revoked_key"),
        ],
        ids=["none", "unknown", "revoked"],
    )
    def test_wants_a_key_that_counts(self, application, chain, key, status, code):
        till = chain.revoked if key == "revoked" else type(chain.till)(application, key)
        for method, path in calls(application):
            answer = sent(till, method, path)
            assert (answer.status_code, code_of(answer)) == (status, code), (method, path)

    def test_carries_strict_headers_and_no_cookie(self, application, chain):
        for method, path in [*calls(application), ("GET", "/nothing"), ("DELETE", "/receipts")]:
            for till in (chain.till, chain.nobody):
                headers = sent(till, method, path).headers
                assert headers["X-Content-Type-Options"] == "nosniff", path
                assert headers["Strict-Transport-Security"].startswith("max-age="), path
                assert "default-src 'none'" in headers["Content-Security-Policy"], path
                assert "Set-Cookie" not in headers, path
                assert "Access-Control-Allow-Origin" not in headers, path


class TestTills:
    def test_of_another_store_get_nothing(self, chain):
        sale = chain.till.sale(card_number=MEMBER_CARD)
        assert chain.till.post("/receipts", sale).status_code == 201
        held = chain.till.post("/redemptions", {"card_number": MEMBER_CARD, "points": 10}).get_json()
        place = f"/redemptions/{held['redemption_id']}"
        receipt = f"/receipts/S1/T1/{sale['business_date']}/{sale['receipt_number']}"
        foreign: list[Callable[[Any], Any]] = [
            lambda till: till.get(receipt),
            lambda till: till.get(place),
            lambda till: till.post(f"{place}/release", {}),
            lambda till: till.post(f"{place}/post", {}),
        ]
        for request in foreign:
            answer = request(chain.elsewhere)
            assert (answer.status_code, code_of(answer)) == (403, "other_store")
        for request in foreign[:3]:
            assert request(chain.neighbour).status_code == 200

    def test_cannot_post_for_another_store(self, chain):
        """A receipt is that of the till whose key it came with: nothing in a body says otherwise."""
        sale = chain.elsewhere.sale(receipt_number="mine", currency="EUR")
        for name in ("store_code", "till_code", "store_id", "till_id", "account_id", "points"):
            answer = chain.elsewhere.post("/receipts", sale | {name: "S1"})
            assert (answer.status_code, code_of(answer)) == (422, "invalid_content"), name
        assert chain.elsewhere.post("/receipts", sale).status_code == 201
        kept = chain.elsewhere.get(f"/receipts/S2/T1/{sale['business_date']}/mine")
        assert kept.status_code == 200
        assert chain.till.get(f"/receipts/S1/T1/{sale['business_date']}/mine").status_code == 404

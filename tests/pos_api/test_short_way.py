"""What goes the short way is answered as on the long one, in every byte of its head and in all of its body."""

import re
from copy import deepcopy

import pytest
from flask.globals import request_ctx

from pos_api import examples
from pos_api.short_way import SHORT, Found
from tests.pos_api.conftest import open_chain
from wsgi import create_app

CARD = f"/cards/{examples.CARD_NUMBER}"
MOMENTS = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[^\"]*")
IDS = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture
def chain(sessions):
    """A chain whose tills speak to the application that is served."""
    return open_chain(create_app(sessions), sessions)


def way_of(app, monkeypatch):
    """Let what the application does tell by which way each request came."""
    ways, own = [], type(app).preprocess_request

    def tell(self):
        ways.append(isinstance(request_ctx.url_adapter, Found))
        return own(self)

    monkeypatch.setattr(type(app), "preprocess_request", tell)
    return ways


def said(response):
    body = IDS.sub(b"ID", MOMENTS.sub(b"MOMENT", response.data))
    return response.status, list(response.headers), body


def ask_all(till, calls):
    """What is said to each call; a copy is sent, since the client adds to what it is given."""
    return {
        name: said(till.send(method, path, **deepcopy(request)))
        for name, (method, path, request) in calls.items()
    }


CALLS = {
    "a card": ("GET", CARD, {}),
    "a card once more": ("GET", CARD, {}),
    "a card with a question": ("GET", f"{CARD}?a=b", {}),
    "no such card": ("GET", "/cards/2990000000996", {}),
    "a word for a card": ("GET", "/cards/nobody", {}),
    "no key": ("GET", CARD, {"headers": {"Authorization": ""}}),
    "a wrong key": ("GET", CARD, {"headers": {"Authorization": "Bearer rk_none"}}),
    "an odd host": ("GET", CARD, {"headers": {"Host": "a host"}}),
    "a quote": ("POST", "/quotes", {"json": examples.SHORTEST_QUOTE}),
    "no JSON": ("POST", "/quotes", {"data": b"{", "content_type": "application/json"}),
    "no type": ("POST", "/receipts", {"data": b"{}"}),
    "a receipt that breaks rules": ("POST", "/receipts", {"json": {"type": "sale"}}),
}
OTHERS = {
    "only the head": ("HEAD", CARD, {}),
    "what may be done": ("OPTIONS", "/receipts", {}),
    "a wrong method": ("PUT", "/receipts", {}),
    "one that is read only": ("POST", CARD, {}),
    "one that is written only": ("GET", "/quotes", {}),
    "a slash too many": ("POST", "/quotes/", {"json": {}}),
    "no number": ("GET", "/cards/", {}),
    "two parts": ("GET", f"{CARD}/block", {}),
    "a number with signs": ("GET", "/cards/29%2090", {}),
    "a number that is too long": ("GET", f"/cards/{'9' * 300}", {}),
    "an address as it is written down": ("GET", "/cards/%3Ccard_number%3E", {}),
    "another call": ("GET", "/snapshot", {}),
}


class TestShortWay:
    def test_knows_the_calls_of_every_minute(self, chain):
        assert len(chain.app._short) == len(SHORT)

    def test_answers_as_the_long_one(self, chain, monkeypatch):
        ways = way_of(chain.app, monkeypatch)
        short = [ask_all(chain.till, CALLS) for _ in range(2)]
        assert ways == [True] * 2 * len(CALLS)
        monkeypatch.setitem(vars(chain.app), "_short", {})
        long = ask_all(chain.till, CALLS)
        assert not any(ways[2 * len(CALLS) :])
        assert short == [long, long]
        assert {answer[0][:3] for answer in long.values()} == {"200", "400", "401", "404", "415", "422"}

    def test_books_receipts_as_the_long_one(self, chain, monkeypatch):
        ways = way_of(chain.app, monkeypatch)
        body = chain.till.sale(card_number=None)
        short = chain.till.post("/receipts", body)
        monkeypatch.setitem(vars(chain.app), "_short", {})
        long = chain.till.post("/receipts", chain.till.sale(card_number=None))
        assert said(short) == said(long)
        assert ways == [True, False]
        assert chain.till.post("/receipts", body).json["replayed"] is True

    def test_leaves_all_else_to_the_long_one(self, chain, monkeypatch):
        ways = way_of(chain.app, monkeypatch)
        found = ask_all(chain.till, OTHERS)
        monkeypatch.setitem(vars(chain.app), "_short", {})
        # What a snapshot says differs each time.
        assert [answer[0] for answer in found.values()] == [
            a[0] for a in ask_all(chain.till, OTHERS).values()
        ]
        assert ways
        assert not any(ways)

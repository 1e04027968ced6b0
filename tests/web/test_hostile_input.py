"""What no form of ours sends: NUL, numbers beyond every column, thousands of characters. Nothing breaks by it."""

from urllib.parse import quote

import pytest
from sqlalchemy import update

from catalogs.models import Edition
from core.database import make_engine, make_sessions
from tests.reliability.rotation import SOAK_TIMEOUT, TIMES, turn
from tests.web.conftest import Visitor, settings_for
from tests.web.house import CARDS, furnish
from tests.web.mutated_forms import FormMutator
from tests.web.test_guard import ARGUMENTS
from web.roles import ANYBODY, ROLES, ROUTES, may
from wsgi import create_app

TEXTS = ("a\0b", "x" * 5_000)
NUMBERS = (2**31, 2**63, 10**40)
FIELDS = (
    "sku", "text", "kind", "reaction", "scope", "decision_id", "offer_code", "receipt", "day", "next", "answered",
    "name", "code", "version", "edition", "edition_id", "number", "place", "page", "layout", "theme", "store", "q",
    "document", "pages", "articles", "pinned", "action", "hold_out", "valid_from", "valid_to", "size", "state", "from", "to", "tab", "after", "before", "reason", "note", "purpose", "channel", "language", "back",
)  # fmt: skip


CHOICES = {"reaction": "never", "scope": "item", "kind": "complaint", "text": "stale"}
"""What lets the hostile rest of a form through to where it would be kept."""


def addresses(app, house, method):
    """Yield endpoint and address of every route that the people know, one part of it being hostile, or none."""
    there = {
        "member_id": house.members[0],
        "edition_id": house.edition_id,
        "copy_id": house.copy_id,
        "run_id": house.run_id,
        "case_number": "1001-9",
    }
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in ROUTES or method not in rule.methods or rule.endpoint.startswith("my"):
            continue
        plain = {name: (ARGUMENTS | there)[name] for name in rule.arguments}
        yield rule.endpoint, adapter.build(rule.endpoint, plain, method=method)
        for name in rule.arguments:
            odd = NUMBERS if isinstance(plain[name], int) else TEXTS if isinstance(plain[name], str) else ()
            for value in odd:
                marked = adapter.build(rule.endpoint, plain | {name: "7654321"}, method=method)
                yield rule.endpoint, marked.replace("7654321", quote(str(value), safe=""))


@pytest.fixture(scope="module")
def own_app(make_database, tmp_path_factory):
    """An application with a house of its own: much of it may be changed by what is sent."""
    engine = make_engine(make_database())
    yield create_app(make_sessions(engine), settings_for(tmp_path_factory.mktemp("hostile")))
    engine.dispose()


@pytest.fixture(scope="module")
def own_house(own_app):
    house = furnish(own_app, own_app.extensions["web"].sessions)
    goods = list(house.articles.values())
    page = {"layout": "six", "headline": {}, "articles": goods, "pinned": []}
    content = {
        "format": 2,
        "categories": ["Tea"],
        "colour": 0,
        "ranking": goods,
        "beside": {},
        "pages": [page],
    }
    with own_app.extensions["web"].sessions.begin() as session:
        session.execute(update(Edition).values(content=content | {"voucher_batches": [], "size": "A4"}))
    return house


@pytest.fixture(scope="module")
def entered(own_app, own_house):
    """Return a function that returns a browser and its token, of whoever may enter a route."""
    kept = {}

    def enter(endpoint):
        role = None if ROUTES[endpoint] == ANYBODY else next(role for role in ROLES if may(role, endpoint))
        if role not in kept:
            visitor = Visitor(own_app.test_client())
            if role:
                visitor.sign_in(own_house.people[role])
            kept[role] = visitor, visitor.token() if role else visitor.token("/sign-in")
        return kept[role]

    return enter


class TestEveryRoute:
    def test_breaks_by_no_address(self, own_app, own_house, entered):
        broken = []
        for endpoint, address in addresses(own_app, own_house, "GET"):
            visitor, _token = entered(endpoint)
            if visitor.get(address).status_code >= 500:
                broken.append((endpoint, address[:80]))
        assert broken == []

    @pytest.mark.parametrize("value", [*TEXTS, "9" * 5_000], ids=["nul", "long", "number"])
    def test_breaks_by_no_form(self, own_app, own_house, entered, value):
        broken = []
        form = dict.fromkeys(FIELDS, value)
        for endpoint, address in addresses(own_app, own_house, "POST"):
            if endpoint.endswith("sign_out"):
                continue
            visitor, token = entered(endpoint)
            for choices in ({}, CHOICES):
                answer = visitor.client.post(address, data=form | choices | {"csrf_token": token})
                if answer.status_code >= 500:
                    broken.append((endpoint, address[:80]))
        assert broken == []


MUTATED = 200
"""Requests of this commit; in as many commits as it takes every route has its turn, again and again."""


class TestADriversOwnQuestion:
    def test_breaks_by_no_nul(self, entered):
        visitor, token = entered("pickups.reserve")
        form = {"reward_code": "a\0b", "card_number": CARDS[0], "store_code": "S1", "csrf_token": token}
        assert visitor.client.post("/pickups/reserve", data=form).status_code == 422


class TestMutatedRequests:
    def breaks_nothing(self, own_app, own_house, entered, publish, count):
        mutator = FormMutator(turn())
        plain = {
            (endpoint, method): address
            for method in ("POST", "GET")
            for endpoint, address in addresses(own_app, own_house, method)
            if "7654321" not in address and not endpoint.endswith(("sign_out", "sign_in"))
        }
        routes = [(endpoint, method, address) for (endpoint, method), address in sorted(plain.items())]
        publish(f"S1 screens: {count} requests to {len(routes)} routes, seed {turn()}")
        broken = []
        for endpoint, method, address, rest in mutator.requests(routes, count):
            visitor, token = entered(endpoint)
            headers = {"X-CSRF-Token": token}
            body = dict(rest)
            if str(body.get("content_type", "")).endswith("urlencoded"):
                body["data"] = f"csrf_token={token}&{body['data']}"
            answer = visitor.client.open(address, method=method, headers=headers, buffered=True, **body)
            if answer.status_code >= 500:
                broken.append((endpoint, method, address[:200], str(rest)[:200]))
        assert broken == []

    def test_break_nothing(self, own_app, own_house, entered, publish):
        self.breaks_nothing(own_app, own_house, entered, publish, MUTATED)

    @pytest.mark.soak
    @pytest.mark.timeout(SOAK_TIMEOUT)
    def test_break_nothing_by_the_ten_thousand(self, own_app, own_house, entered, publish):
        self.breaks_nothing(own_app, own_house, entered, publish, max(MUTATED, round(20_000 * TIMES)))

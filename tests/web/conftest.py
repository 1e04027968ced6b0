"""A small house with people of every role, served by the real application."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.database import Sessions, make_engine, make_sessions
from core.settings import Settings
from tests.web.house import PASSWORD, House, furnish
from wsgi import create_app


@pytest.fixture(scope="session")
def web_sessions(make_database: Callable[[], str]) -> Iterator[Sessions]:
    """One furnished database for all tests that only look."""
    engine = make_engine(make_database())
    yield make_sessions(engine)
    engine.dispose()


def settings_for(data: Path) -> Settings:
    loaded = Settings.load()
    return Settings(**{**{name: getattr(loaded, name) for name in loaded.__slots__}, "data": data})


@pytest.fixture(scope="session")
def app(web_sessions: Sessions, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(web_sessions, settings_for(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="session")
def house(app: Flask, web_sessions: Sessions) -> House:
    """Stores, articles, members, receipts posted through the tills' interface, groups and suggestions."""
    return furnish(app, web_sessions)


@dataclass
class Visitor:
    """A browser without JavaScript: keeps cookies, finds the token in forms."""

    client: FlaskClient

    def get(self, address: str, **options: Any) -> TestResponse:
        return self.client.get(address, buffered=True, **options)

    def token(self, address: str = "/account/password") -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(address).get_data(as_text=True))
        return found.group(1) if found else ""

    def post(
        self,
        address: str,
        form: dict[str, str] | None = None,
        *,
        page: str = "/account/password",
        **options: Any,
    ):
        return self.client.post(address, data={"csrf_token": self.token(page), **(form or {})}, **options)

    def sign_in(self, login: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/sign-in", {"login": login, "password": password}, page="/sign-in")


@pytest.fixture
def visit(app: Flask, house: House) -> Callable[[str | None], Visitor]:
    """Return a function that opens a browser, signed in as the person of a role if one is named."""

    def open_browser(role: str | None = None) -> Visitor:
        visitor = Visitor(app.test_client())
        if role:
            answer = visitor.sign_in(house.people[role])
            assert answer.status_code == 302, answer.get_data(as_text=True)
        return visitor

    return open_browser

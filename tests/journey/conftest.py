"""The whole house behind a real server, looked at through a real browser."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server
from werkzeug.wsgi import ClosingIterator

from core.database import make_engine, make_sessions
from tests.journey.films import film_a_card
from tests.web.conftest import settings_for
from tests.web.house import CARDS, House, furnish
from wsgi import create_app

expect.set_options(timeout=20_000)
"""A machine that does other work too is slow, and no test is about that; five seconds are the library's choice."""


@pytest.fixture(scope="session")
def journey_app(
    make_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    engine = make_engine(make_database())
    yield create_app(make_sessions(engine), settings_for(tmp_path_factory.mktemp("journey")))
    engine.dispose()


@pytest.fixture(scope="session")
def journey_house(journey_app: Flask) -> House:
    return furnish(journey_app, journey_app.extensions["web"].sessions)


def at_once(app: Flask) -> WSGIApplication:
    """Answer with the whole body: this server forgets to close a file when the browser hangs up in the middle of it."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        with closing(ClosingIterator(app(environ, start_response))) as body:
            return list(body)

    return serve


@pytest.fixture(scope="session")
def address(journey_app: Flask) -> Iterator[str]:
    """The address of a server of this test run."""
    server = make_server("127.0.0.1", 0, at_once(journey_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


ARGUMENTS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
"""The till looks through a camera; a machine that runs tests has none, and plays a film of a card instead."""


@pytest.fixture(scope="session")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    film = film_a_card(tmp_path_factory.mktemp("camera") / "card.y4m", CARDS[0])
    camera = f"--use-file-for-fake-video-capture={film}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, camera])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str, journey_house: House) -> Iterator[Page]:
    """A page that fails the test when the console reports an error, a broken policy among them."""
    context = browser.new_context(base_url=address, locale="en-GB", viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []

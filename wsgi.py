"""The application that a WSGI server serves: the tills' interface and the people's screens."""

from flask import Flask

from campaigns.books import share_book
from core import clock
from core.database import Sessions, make_engine, make_sessions, sandbox_url
from core.errors import Refused
from core.settings import Settings
from pos_api.app import PREFIX
from pos_api.app import register as register_tills
from pos_api.short_way import TillsFirst
from pos_api.warming import warm_up
from web.registration import register as register_screens

LARGEST_FORM = 2 * 1024 * 1024
LONGEST_WAIT = 5
"""Seconds that a request waits for another one's work; the till contract names them."""
WARM = 4
"""Connections that a worker opens for tills before it serves: as many as it works on at once, and one to spare."""
SCREENS_POOL = 3
"""Connections of screens in each worker, and as many more when all are taken; none of them is one that a till waits for."""


class NoDatabase(Refused):
    """The environment names no database."""


def create_app(sessions: Sessions | None = None, settings: Settings | None = None) -> Flask:
    """
    Return the application; without `sessions` it works on the database that `DATABASE_URL` names.

    Raises `NoDatabase` when there is neither.
    """
    settings = settings or Settings.load()
    sandbox, for_screens = None, sessions
    if sessions is None:
        if settings.database_url is None:
            raise NoDatabase(
                "Set DATABASE_URL, or start the server with `python3 dev serve`, which brings a database"
            )
        url = settings.database_url
        sessions = make_sessions(
            make_engine(url, pool_size=settings.pool_size, lock_timeout=LONGEST_WAIT, by_index=True)
        )
        for_screens = make_sessions(make_engine(url, pool_size=SCREENS_POOL, lock_timeout=LONGEST_WAIT))
        # A till that is being made is one till: it needs no more than a connection.
        trial = make_engine(sandbox_url(url), pool_size=1, lock_timeout=LONGEST_WAIT, by_index=True)
        sandbox = make_sessions(trial)
    app = TillsFirst("web", prefix=PREFIX, static_folder=None)
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_FORM
    app.config["MAX_FORM_PARTS"] = 200
    register_tills(app, sessions, sandbox)
    assert for_screens is not None
    if sandbox is not None:
        # A worker of its own: whoever makes an application of sessions decides that.
        warm_up(sessions, connections=min(WARM, settings.pool_size), now=clock.now())
        share_book(sessions.kw["bind"], other=for_screens.kw["bind"])
    register_screens(
        app,
        for_screens,
        data=settings.data,
        secure_cookies=settings.secure_cookies,
        proxies=settings.proxies,
    )
    return app

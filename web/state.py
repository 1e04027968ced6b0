"""What the screens know of their process and of the present request."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast
from uuid import UUID

from flask import current_app, g
from sqlalchemy.orm import Session

from core import clock
from core.database import Sessions


@dataclass(frozen=True, slots=True)
class State:
    """What the process was started with."""

    sessions: Sessions
    data: Path
    secure_cookies: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in; people of one store carry it with them."""

    person_id: UUID
    login: str
    name: str
    role: str
    language: str
    csrf_token: str
    store_id: int | None
    store_code: str | None
    store_name: str | None
    timezone: str


def state() -> State:
    """Return what the process was started with."""
    return cast("State", current_app.extensions["web"])


def transaction() -> AbstractContextManager[Session]:
    """Return the one transaction of a request's work; it commits at the end of its block."""
    return state().sessions.begin()


def viewer() -> Viewer:
    """Return who is signed in; only routes that need a sign-in may ask."""
    return cast("Viewer", g.viewer)


def viewer_or_none() -> Viewer | None:
    """Return who is signed in, if anybody is."""
    return cast("Viewer | None", g.get("viewer"))


def now() -> datetime:
    """Return the moment at which this request came in: one moment for all it does."""
    if "now" not in g:
        g.now = clock.now()
    return cast("datetime", g.now)

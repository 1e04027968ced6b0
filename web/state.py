"""What the screens know of their process and of the present request."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast
from uuid import UUID

from flask import current_app, g, request
from sqlalchemy.orm import Session

from core import clock
from core.database import Sessions


@dataclass(frozen=True, slots=True)
class State:
    """What the process was started with."""

    sessions: Sessions
    data: Path
    secure_cookies: bool
    proxies: int = 0
    """How many proxies of ours stand before the process; each adds one address to X-Forwarded-For."""


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


@dataclass(frozen=True, slots=True)
class Customer:
    """A member on their own pages; `store_id` is the home store's, `currency` and `timezone` its or the chain's."""

    member_id: UUID
    account_id: UUID
    member_code: str
    given_name: str
    family_name: str
    email: str | None
    language: str
    account_role: str
    csrf_token: str
    store_id: int | None
    store_name: str | None
    currency: str
    timezone: str
    email_is_proven: bool
    """Whether the code of this sign-in went to the address that is known today."""
    role: str = "customer"

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def actor(self) -> str:
        """As whom the audit trail names them."""
        return f"member {self.member_code}"


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


def customer() -> Customer:
    """Return the member whose own pages these are; only their routes may ask."""
    return cast("Customer", g.customer)


def customer_or_none() -> Customer | None:
    """Return the member who is signed in on their own pages, if anybody is."""
    return cast("Customer | None", g.get("customer"))


def is_customers() -> bool:
    """Return whether the request is for the customers' own pages, where nobody else's session counts."""
    return request.path == "/my" or request.path.startswith("/my/")


def reader() -> Viewer | Customer | None:
    """Return whoever is signed in where the request belongs."""
    return customer_or_none() if is_customers() else viewer_or_none()


def now() -> datetime:
    """Return the moment at which this request came in: one moment for all it does."""
    if "now" not in g:
        g.now = clock.now()
    return cast("datetime", g.now)

"""Which till is speaking: its key, and what that key opens."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import request
from psycopg import errors
from sqlalchemy.orm import Session

from core.driver import put_off
from pos_api.problems import Problem
from sales.queries import TILL_OF_KEY, RevokedKey, UnknownKey, key_prefix, till_in_row, till_of_key
from sales.receipts import TillIdentity

_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{1,200}) *", re.ASCII | re.IGNORECASE)

UNKNOWN = {"WWW-Authenticate": 'Bearer realm="regulars", error="invalid_token"'}


def bearer() -> str:
    """Return the till key of the current request; raises `unauthenticated` when it has none."""
    match = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        raise Problem("unauthenticated", "Send Authorization: Bearer <till key>.")
    return match[1]


_MOST_KEPT = 10_000
_last_seen: dict[str, TillIdentity] = {}
"""What each key opened when it was last looked up: a guess, which every request checks."""


def till_of(session: Session, key: str) -> TillIdentity:
    """
    Return the till that `key` was given to; raises `unauthenticated` or `revoked_key`.

    The till of a key that was seen before is taken for granted until the next question to the
    database, which the key's own travels with; so it may also be that question that raises. A till
    that has changed meanwhile raises psycopg's SerializationFailure: a new attempt knows it.
    """
    guess = _last_seen.get(key)
    if guess is None:
        with _told_to_tills():
            return _remembered(key, till_of_key(session, key))

    def check(row: Any) -> None:
        with _told_to_tills():
            if _remembered(key, till_in_row(row, key)) != guess:
                raise errors.SerializationFailure("the till is not what it was when its key was last seen")

    put_off(session, TILL_OF_KEY, (key_prefix(key),), check=check)
    return guess


def _remembered(key: str, till: TillIdentity) -> TillIdentity:
    if len(_last_seen) >= _MOST_KEPT:
        _last_seen.clear()
    _last_seen[key] = till
    return till


@contextmanager
def _told_to_tills() -> Iterator[None]:
    try:
        yield
    except UnknownKey as error:
        raise Problem("unauthenticated", "The till key is unknown.", headers=UNKNOWN) from error
    except RevokedKey as error:
        raise Problem("revoked_key", "The till key was revoked.") from error


def in_own_store(till: TillIdentity, store_code: str) -> None:
    """Raise `other_store` unless `store_code` is the store of `till`; its other tills are allowed."""
    if store_code != till.store_code:
        raise Problem("other_store", f"The key belongs to store {till.store_code}.")


def actor_of(till: TillIdentity) -> str:
    """Return how the audit trail names what `till` does."""
    return till.actor

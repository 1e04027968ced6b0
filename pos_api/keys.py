"""Which till is speaking: its key, and what that key opens."""

import re

from flask import request
from sqlalchemy.orm import Session

from pos_api.problems import Problem
from sales.queries import RevokedKey, UnknownKey, till_of_key
from sales.receipts import TillIdentity

_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{1,200}) *", re.ASCII | re.IGNORECASE)

UNKNOWN = {"WWW-Authenticate": 'Bearer realm="regulars", error="invalid_token"'}


def bearer() -> str:
    """Return the till key of the current request; raises `unauthenticated` when it has none."""
    match = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        raise Problem("unauthenticated", "Send Authorization: Bearer <till key>.")
    return match[1]


def till_of(session: Session, key: str) -> TillIdentity:
    """Return the till that `key` was given to; raises `unauthenticated` or `revoked_key`."""
    try:
        return till_of_key(session, key)
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
    return f"till {till.store_code}/{till.till_code}"

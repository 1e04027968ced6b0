"""The Idempotency-Key of a till: claimed in the transaction of its request, so that a failed attempt leaves none."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from core.driver import driver_of
from pos_api.problems import Problem

HEADER = "Idempotency-Key"

_KEY = re.compile("[!-~]{1,255}").fullmatch


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered under the key before."""

    status: int
    body: dict[str, Any]


def key_of_request() -> str | None:
    """Return the current request's Idempotency-Key, None without one; raises `invalid_content`."""
    key = request.headers.get(HEADER)
    if key is not None and not _KEY(key):
        raise Problem("invalid_content", f"{HEADER} must be 1 to 255 visible ASCII characters.")
    return key


# Whoever comes second waits here until the first has committed or failed.
_CLAIM = """
    insert into idempotency_record (till_id, key, fingerprint, status, body, created_at)
    values (%s, %s, %s, %s, '{}', %s) on conflict do nothing
"""
_KEPT = "select fingerprint, status, body from idempotency_record where till_id = %s and key = %s"
_KEEP = "update idempotency_record set body = %s where till_id = %s and key = %s"


def claim(
    session: Session, *, till_id: int, key: str, fingerprint: bytes, status: int, now: datetime
) -> Kept | None:
    """
    Claim `key` for the body with this fingerprint, to be answered with `status`.

    Returns what was answered when the same body came under the key before; raises
    `idempotency_conflict` when another one did.
    """
    connection = driver_of(session)
    claimed = connection.execute(_CLAIM, (till_id, key, fingerprint, status, now), prepare=True)
    if claimed.rowcount:
        return None
    row = connection.execute(_KEPT, (till_id, key), prepare=True).fetchone()
    if row is None or bytes(row[0]) != fingerprint:
        raise Problem("idempotency_conflict", f"Another body came under the {HEADER} {key} before.")
    return Kept(row[1], row[2])


def keep(session: Session, *, till_id: int, key: str, body: dict[str, Any]) -> None:
    """Keep `body` as what is answered under the claimed `key`."""
    driver_of(session).execute(_KEEP, (Jsonb(body), till_id, key))

"""The Idempotency-Key of a till: claimed in the transaction of its request, so that a failed attempt leaves none."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from flask import request
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from core.driver import ask
from pos_api.problems import Problem

HEADER = "Idempotency-Key"

_KEY = re.compile("[!-~]{1,255}").fullmatch


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
_KEPT = "select fingerprint, body from idempotency_record where till_id = %s and key = %s"
_KEEP = "update idempotency_record set body = %s where till_id = %s and key = %s"


def claim(
    session: Session, *, till_id: int, key: str, fingerprint: bytes, status: int, now: datetime
) -> dict[str, Any] | None:
    """
    Claim `key` for the body with this fingerprint, to be answered with `status`.

    Returns what was answered when the same body came under the key before; raises
    `idempotency_conflict` when another one did.
    """
    if ask(session, _CLAIM, (till_id, key, fingerprint, status, now)).rowcount:
        return None
    row = ask(session, _KEPT, (till_id, key)).fetchone()
    if row is None or bytes(row[0]) != fingerprint:
        raise Problem("idempotency_conflict", f"Another body came under the {HEADER} {key} before.")
    body: dict[str, Any] = row[1]
    return body


def once(
    session: Session,
    work: Callable[[], dict[str, Any]],
    *,
    till_id: int,
    key: str | None,
    document: Mapping[str, Any],
    now: datetime,
    status: int = 201,
) -> dict[str, Any]:
    """
    Return what `work` answers with `status`, or what it answered when `document` came under `key` to this address before.

    Without a key `work` is simply done.
    """
    if key is None:
        return work()
    said = json.dumps([request.path, document], sort_keys=True)
    meaning = sha256(said.encode()).digest()
    kept = claim(session, till_id=till_id, key=key, fingerprint=meaning, status=status, now=now)
    if kept is not None:
        return kept
    body = work()
    ask(session, _KEEP, (Jsonb(body), till_id, key))
    return body

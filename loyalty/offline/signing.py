"""Keys that sign allowances: one is current, made when first needed; retired ones verify what they signed."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core.audit import record_event
from loyalty.models import SigningKey
from loyalty.offline.allowances import Key

SECRET = 32
"""Bytes, as many as the signature's hash gives out."""


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as people see it: never its secret."""

    key_id: str
    created_at: datetime
    retired_at: datetime | None
    revoked_at: datetime | None


def current_key(session: Session, *, now: datetime) -> Key:
    """Return the key that signs; makes the first one, which whoever asks at the same moment gets too."""
    return _find_current(session) or _make(session, now=now)


def keys_named(session: Session, key_ids: Collection[str]) -> dict[str, Key]:
    """Return those of the keys that there ever were."""
    rows = session.execute(
        select(SigningKey.key_id, SigningKey.secret, SigningKey.revoked_at).where(
            SigningKey.key_id.in_(key_ids)
        )
    )
    return {row.key_id: Key(row.key_id, row.secret, row.revoked_at is not None) for row in rows}


def all_keys(session: Session) -> list[KeyView]:
    """Return every key there ever was, the newest first."""
    rows = session.execute(
        select(
            SigningKey.key_id, SigningKey.created_at, SigningKey.retired_at, SigningKey.revoked_at
        ).order_by(SigningKey.created_at.desc(), SigningKey.key_id)
    )
    return [KeyView(*row) for row in rows]


def rotate_key(session: Session, *, now: datetime, actor: str, revoke: bool = False) -> str:
    """
    Let a new key sign from now on and return its id.

    What the old one signed holds until it ends by itself; with `revoke` it does not hold any more
    from now on, nor does what any key before it signed.
    """
    session.execute(update(SigningKey).where(SigningKey.retired_at.is_(None)).values(retired_at=now))
    if revoke:
        session.execute(update(SigningKey).where(SigningKey.revoked_at.is_(None)).values(revoked_at=now))
    key = _make(session, now=now)
    record_event(
        session,
        now=now,
        actor=actor,
        action="signing_key.rotate",
        subject_kind="signing_key",
        subject_id=key.key_id,
        detail={"revoked": revoke},
    )
    return key.key_id


def _make(session: Session, *, now: datetime) -> Key:
    session.execute(
        upsert(SigningKey)
        .values(key_id=f"k{secrets.token_hex(4)}", secret=secrets.token_bytes(SECRET), created_at=now)
        .on_conflict_do_nothing()
    )
    key = _find_current(session)
    assert key is not None
    return key


def _find_current(session: Session) -> Key | None:
    row = session.execute(
        select(SigningKey.key_id, SigningKey.secret).where(SigningKey.retired_at.is_(None))
    ).one_or_none()
    return None if row is None else Key(row.key_id, row.secret)

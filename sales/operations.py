"""Writes about stores, tills and their keys."""

import re
import secrets
from datetime import datetime
from hashlib import sha256

from babel.numbers import is_currency
from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core.audit import record_event
from core.clock import zone
from core.errors import Conflict, NotFound, Refused
from sales.countries import country_of
from sales.models import Store, Till, TillKey
from sales.queries import LIVE_KEY, store_of_code

CODE = re.compile(r"[A-Za-z0-9._-]{1,40}")
"""What store and till codes are made of: they stand in addresses, with a slash between them."""


class BadCode(Refused):
    """A store or till code has characters that addresses cannot carry, or is too long."""


class UnknownCurrency(Refused):
    """The code is no currency of ISO 4217."""


class StoreExists(Conflict):
    """There is a store of this code already."""


class TillNotFound(NotFound):
    """The store has no till of this code."""


def check_code(code: str, *, what: str) -> str:
    """Return `code` if it may be the code of a store or till; raises `BadCode`."""
    if not CODE.fullmatch(code):
        raise BadCode(
            f"{code!r} cannot be the code of a {what}: 1 to 40 of A-Z, a-z, 0-9, dot, hyphen, underscore"
        )
    return code


def check_currency(code: str) -> str:
    """Return `code` if it is a currency of ISO 4217; raises `UnknownCurrency`."""
    if not (len(code) == 3 and code.isascii() and code.isupper() and is_currency(code, "en")):
        raise UnknownCurrency(f"{code!r} is no currency of ISO 4217")
    return code


def add_store(
    session: Session,
    *,
    store_code: str,
    name: str,
    currency: str,
    timezone: str,
    city: str | None = None,
    country: str | None = None,
) -> int:
    """
    Open a store and return its id.

    Raises `BadCode`, `UnknownCurrency`, `core.clock.UnknownTimeZone` or `StoreExists`.
    """
    check_code(store_code, what="store")
    check_currency(currency)
    zone(timezone)
    store_id: int | None = session.scalar(
        upsert(Store)
        .values(
            store_code=store_code,
            name=name,
            currency=currency,
            timezone=timezone,
            city=city,
            country=country_of(country),
        )
        .on_conflict_do_nothing()
        .returning(Store.store_id)
    )
    if store_id is None:
        raise StoreExists(f"there is a store {store_code!r} already")
    return store_id


def add_till(
    session: Session, *, store_code: str, till_code: str, now: datetime, actor: str, start: str = LIVE_KEY
) -> str:
    """
    Give a till a new key and return it, the only time that it can be read; makes the till if need be.

    Keys given before stay valid until they are revoked, so that a till can change
    over without a gap. `start` says whether it is a key of the house or of the sandbox.
    Raises `BadCode` or `StoreNotFound`.
    """
    check_code(till_code, what="till")
    store = store_of_code(session, store_code)
    session.execute(
        upsert(Till).values(store_id=store.store_id, till_code=till_code).on_conflict_do_nothing()
    )
    till_id = _till_id(session, store_code=store_code, till_code=till_code)
    prefix = secrets.token_hex(6)
    key = f"{start}_{prefix}_{secrets.token_hex(32)}"
    session.execute(
        insert(TillKey).values(
            till_id=till_id, prefix=prefix, secret_sha256=sha256(key.encode()).digest(), created_at=now
        )
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="till.key",
        subject_kind="till",
        subject_id=f"{store_code}/{till_code}",
        detail={"prefix": prefix},
    )
    return key


def revoke_till_keys(session: Session, *, store_code: str, till_code: str, now: datetime, actor: str) -> int:
    """Revoke every valid key of a till and return how many there were; raises `TillNotFound`."""
    till_id = _till_id(session, store_code=store_code, till_code=till_code)
    revoked = session.scalars(
        update(TillKey)
        .where(TillKey.till_id == till_id, TillKey.revoked_at.is_(None))
        .values(revoked_at=func.greatest(TillKey.created_at, now))
        .returning(TillKey.prefix)
    ).all()
    record_event(
        session,
        now=now,
        actor=actor,
        action="till.revoke",
        subject_kind="till",
        subject_id=f"{store_code}/{till_code}",
        detail={"prefixes": list(revoked)},
    )
    return len(revoked)


def _till_id(session: Session, *, store_code: str, till_code: str) -> int:
    till_id = session.scalar(
        select(Till.till_id)
        .join(Store, Store.store_id == Till.store_id)
        .where(Store.store_code == store_code, Till.till_code == till_code)
    )
    if till_id is None:
        raise TillNotFound(f"there is no till {till_code!r} in store {store_code!r}")
    return till_id

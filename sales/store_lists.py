"""Stores and tills as an administrator looks at them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from core.keyset import Ask, Page, read_page
from sales.models import Receipt, Store, Till, TillKey
from sales.queries import StoreNotFound

STORE_SORTS: Final = ("store_code", "name", "city", "tills", "seen_at")


@dataclass(frozen=True, slots=True)
class StoreRow:
    """One store; `seen_at` is when its newest receipt came."""

    store_id: int
    store_code: str
    name: str
    city: str | None
    country: str | None
    currency: str
    timezone: str
    tills: int
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class TillRow:
    """One till; without `prefix` it has no valid key."""

    till_id: int
    till_code: str
    prefix: str | None
    key_created_at: datetime | None
    seen_at: datetime | None


def list_stores(session: Session, ask: Ask) -> Page[StoreRow]:
    """Return a page of stores; words in code, name and city."""
    statement = _stores()
    if ask.words:
        statement = statement.where(
            or_(
                Store.store_code == ask.words,
                Store.name.icontains(ask.words, autoescape=True),
                Store.city.icontains(ask.words, autoescape=True),
            )
        )
    page = read_page(session, statement, ask=ask, sorts=STORE_SORTS, key="store_id", count=True)
    return Page(tuple(StoreRow(*row[:9]) for row in page.rows), page.following, page.previous, page.total)


def store_codes(session: Session) -> dict[int, str]:
    """Return the codes of all stores by id."""
    return {row.store_id: row.store_code for row in session.execute(select(Store.store_id, Store.store_code))}


def store_names(session: Session) -> dict[int, str]:
    """Return the names of all stores by id."""
    return {row.store_id: row.name for row in session.execute(select(Store.store_id, Store.name))}


def read_store(session: Session, *, store_code: str) -> tuple[StoreRow, list[TillRow]]:
    """Return one store with its tills; raises `StoreNotFound`."""
    row = session.execute(_stores().where(Store.store_code == store_code)).one_or_none()
    if row is None:
        raise StoreNotFound(f"There is no store {store_code}")
    store = StoreRow(*row)
    seen = (
        select(func.max(Receipt.received_at))
        .where(Receipt.store_id == store.store_id, Receipt.till_id == Till.till_id)
        .scalar_subquery()
    )
    tills = session.execute(
        select(Till.till_id, Till.till_code, TillKey.prefix, TillKey.created_at, seen)
        .outerjoin(TillKey, (TillKey.till_id == Till.till_id) & TillKey.revoked_at.is_(None))
        .where(Till.store_id == store.store_id)
        .order_by(Till.till_code, TillKey.created_at.desc())
    )
    return store, [TillRow(*till) for till in tills]


def _stores() -> Select[*tuple[Any, ...]]:
    tills = select(func.count()).where(Till.store_id == Store.store_id).scalar_subquery()
    seen = select(func.max(Receipt.closed_at)).where(Receipt.store_id == Store.store_id).scalar_subquery()
    return select(
        Store.store_id,
        Store.store_code,
        Store.name,
        Store.city,
        Store.country,
        Store.currency,
        Store.timezone,
        tills.label("tills"),
        seen.label("seen_at"),
    )

"""Reads about stores, tills and their keys, and the answers that receipts got."""

import hmac
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.driver import ask
from core.errors import NotFound, Refused
from sales.models import Article, Store
from sales.receipts import TillIdentity


class UnknownKey(NotFound):
    """Nobody was ever given this till key."""


class RevokedKey(Refused):
    """The till key was valid once."""


class StoreNotFound(NotFound):
    """There is no store of this code."""


class ReceiptNotFound(NotFound):
    """No receipt of this identity was stored."""


@dataclass(frozen=True, slots=True)
class StoreView:
    """A store, with what its currency and time zone decide."""

    store_id: int
    store_code: str
    name: str
    currency: str
    timezone: str
    city: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the till was told about a receipt; None for an imported one, whose answer is made when asked."""

    business_date: date
    receipt_id: UUID
    answer: dict[str, Any] | None


TILL_OF_KEY = """
    select key.secret_sha256, key.revoked_at, till.till_id, till.till_code,
           store.store_id, store.store_code, store.currency, store.timezone
    from till_key as key
    join till on till.till_id = key.till_id
    join store on store.store_id = till.store_id
    where key.prefix = %s
"""


LIVE_KEY, SANDBOX_KEY = "rgl", "rgs"
"""What a till key begins with: it says in which house it was given out, so that no two can be mistaken."""


def key_prefix(key: str) -> str | None:
    """Return the readable part of a till key, None when `key` has not the form "rgl_<prefix>_<secret>"."""
    parts = key.split("_")
    known = len(parts) == 3 and parts[0] in {LIVE_KEY, SANDBOX_KEY} and key.isascii()
    return parts[1] if known else None


def is_sandbox_key(key: str) -> bool:
    """Return whether `key` says that it was given out in a sandbox."""
    return key.startswith(f"{SANDBOX_KEY}_")


def till_of_key(session: Session, key: str) -> TillIdentity:
    """Return the till that `key` was given to; raises `UnknownKey` or `RevokedKey`."""
    prefix = key_prefix(key)
    row = ask(session, TILL_OF_KEY, (prefix,)).fetchone() if prefix else None
    return till_in_row(row, key)


def till_in_row(row: tuple[Any, ...] | None, key: str) -> TillIdentity:
    """Return the till in the row that `TILL_OF_KEY` found for the prefix of `key`; raises as `till_of_key` does."""
    if row is None or not hmac.compare_digest(row[0], sha256(key.encode()).digest()):
        raise UnknownKey("this till key was never given to anybody")
    if row[1] is not None:
        raise RevokedKey("this till key was revoked")
    return TillIdentity(
        till_id=row[2],
        till_code=row[3],
        store_id=row[4],
        store_code=row[5],
        currency=row[6],
        timezone=row[7],
    )


def store_of_code(session: Session, store_code: str) -> StoreView:
    """Return the store called `store_code`; raises `StoreNotFound`."""
    row = session.execute(
        select(
            Store.store_id,
            Store.store_code,
            Store.name,
            Store.currency,
            Store.timezone,
            Store.city,
            Store.country,
        ).where(Store.store_code == store_code)
    ).one_or_none()
    if row is None:
        raise StoreNotFound(f"there is no store {store_code!r}")
    return StoreView(*row)


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article and the category it stands in, if any."""

    article_id: int
    category: str | None


def find_article(session: Session, sku: str) -> ArticleView | None:
    """Return the article numbered `sku`, None when nobody has heard of it."""
    row = session.execute(
        select(Article.article_id, Article.category).where(Article.sku == sku)
    ).one_or_none()
    return None if row is None else ArticleView(*row)


_ANSWER = """
    select receipt.receipt_id, receipt.answer
    from receipt
    join till on till.till_id = receipt.till_id
    join store on store.store_id = receipt.store_id
    where receipt.business_date = %s and receipt.receipt_number = %s
      and till.till_code = %s and store.store_code = %s
"""


def stored_answer(
    session: Session, *, store_code: str, till_code: str, business_date: date, receipt_number: str
) -> StoredAnswer:
    """Return what was answered to the receipt of this identity; raises `ReceiptNotFound`."""
    row = ask(session, _ANSWER, (business_date, receipt_number, till_code, store_code)).fetchone()
    if row is None:
        raise ReceiptNotFound(
            f"there is no receipt {store_code}/{till_code}/{business_date.isoformat()}/{receipt_number}"
        )
    return StoredAnswer(business_date, row[0], row[1])

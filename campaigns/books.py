"""
What every process keeps at hand for decisions: articles that may be offered, the rules within baskets, what stores sell.

Whoever is asked for a decision at a till does not wait for it to be read: a thread of its own reads it, and until there
is a first one there are no offers. It is read anew with every run, with every change of what is too private, and now
and then.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from basket_analysis.mining.basket_rule_lists import basket_rules
from basket_analysis.mining.basket_rules import BasketRules
from basket_analysis.offers.sensitive_lists import read_sensitive
from campaigns.choosing import Article

LONGEST_WAIT: Final = 2.0
"""Seconds that a screen waits for a book; a till does not wait."""
PAUSE: Final = 30.0
"""Seconds after which reading that failed is tried again."""
STALE_AFTER: Final = 900.0
"""Seconds after which it is read anew though no new run is served: articles get other names."""

_log = logging.getLogger(__name__)

Words = tuple[int, str | None]

_GOODS: Final = text(
    "select article_id, sku, gtin, name, category, type, department, brand, price from article"
)
_SOLD: Final = text("select store_id, array_agg(article_id) from sold_lately group by store_id")
_COMMON: Final = text("select store_id, article_ids from store_offers")
_WORDS: Final = text("select jsonb_build_array(count(*), max(set_at)) from sensitive_word")


@dataclass(frozen=True)
class Book:
    """What was true when it was read; nothing in it changes. What is too private is in none of it."""

    run_id: UUID
    rules: BasketRules
    goods: Mapping[int, Article]
    by_code: Mapping[str, Article]
    """By sku and by GTIN."""
    sold: Mapping[int, frozenset[int]]
    """By store: what it sold in the last four weeks."""
    common: Mapping[int, Sequence[int]]
    """By store: what most of its baskets hold."""
    private: frozenset[str]
    """Categories of which something is too private: no reason names them."""
    words_read: Words
    read_at: float

    def in_basket(self, skus: Iterable[str | None], gtins: Iterable[str | None]) -> tuple[Article, ...]:
        """Return the articles of lines, as far as they are known and may be spoken of."""
        by_code = self.by_code
        found = (
            by_code.get(sku or "") or by_code.get(gtin or "") for sku, gtin in zip(skus, gtins, strict=True)
        )
        return tuple(article for article in found if article is not None)


_kept: WeakKeyDictionary[Engine, Book] = WeakKeyDictionary()
_reading: WeakKeyDictionary[Engine, Thread] = WeakKeyDictionary()
_failed: WeakKeyDictionary[Engine, float] = WeakKeyDictionary()
_lock: Final = Lock()


def book_at_hand(session: Session, *, run_id: UUID, words: Words, wait: bool = False) -> Book | None:
    """
    Return the book that this process has; None while there is none, or what is too private has changed since.

    That of a run before, or of a quarter of an hour ago, stands until the new one is read. With `wait` one is waited for,
    two seconds at most, where there is none that may be used.
    """
    engine = engine_of(session)
    kept = _kept.get(engine)
    usable = kept is not None and kept.words_read == words
    fresh = kept is not None and kept.run_id == run_id and monotonic() < kept.read_at + STALE_AFTER
    if not (usable and fresh):
        thread = _read_aside(engine, run_id)
        if wait and not usable and thread is not None:
            thread.join(LONGEST_WAIT)
            kept = _kept.get(engine)
    return kept if kept is not None and kept.words_read == words else None


def kept_book(session: Session) -> Book | None:
    """Return the book that this process has, of whichever run."""
    return _kept.get(engine_of(session))


def read_book(session: Session, *, run_id: UUID) -> Book:
    """Read the book of a run in `session`, and keep it for this process."""
    found: list[Any] = session.scalar(_WORDS) or [0, None]
    covers = read_sensitive(session).covers
    goods: dict[int, Article] = {}
    private: set[str] = set()
    for row in session.execute(_GOODS):
        if not covers(row.department, row.category, row.type):
            goods[row.article_id] = Article(*row)
        elif row.category is not None:
            private.add(row.category)
    by_code: dict[str, Article] = {
        article.gtin: article for article in goods.values() if article.gtin is not None
    }
    by_code.update((article.sku, article) for article in goods.values())
    sold = {row[0]: frozenset(row[1]) & goods.keys() for row in session.execute(_SOLD)}
    common = {
        row[0]: tuple(article_id for article_id in row[1] if article_id in goods)
        for row in session.execute(_COMMON)
    }
    book = Book(
        run_id=run_id,
        rules=basket_rules(session, run_id=run_id),
        goods=goods,
        by_code=by_code,
        sold=sold,
        common=common,
        private=frozenset(private),
        words_read=(found[0], found[1]),
        read_at=monotonic(),
    )
    _kept[engine_of(session)] = book
    return book


def share_book(engine: Engine, *, other: Engine) -> None:
    """Let those who work with `other`, on the same database, begin with the book that is at hand for `engine`, if there is one."""
    kept = _kept.get(engine)
    if kept is not None:
        _kept[other] = kept


def engine_of(session: Session) -> Engine:
    """Return the engine that a session works with."""
    bind = session.get_bind()
    return bind.engine if isinstance(bind, Connection) else bind


def _read_aside(engine: Engine, run_id: UUID) -> Thread | None:
    with _lock:
        under_way = _reading.get(engine)
        if under_way is not None and under_way.is_alive():
            return under_way
        if monotonic() < _failed.get(engine, 0.0) + PAUSE:
            return None
        thread = Thread(target=_read, args=(engine, run_id), name="decision book", daemon=True)
        _reading[engine] = thread
        thread.start()
        return thread


def _read(engine: Engine, run_id: UUID) -> None:
    try:
        with Session(engine) as session, session.begin():
            session.connection().exec_driver_sql("set local lock_timeout = '2s'")
            session.connection().exec_driver_sql("set local statement_timeout = '20s'")
            read_book(session, run_id=run_id)
    except Exception:  # noqa: BLE001 - whatever it was, tills sell on
        _failed[engine] = monotonic()
        _log.exception("the rules within baskets could not be read; offers go on without them")

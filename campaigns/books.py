"""
What every process keeps at hand for decisions: the rules within baskets, and the words of what is too private.

Whoever is asked for a decision at a till does not wait for them to be read: a thread of its own reads them, and until
then there are no ties, or, where the words are not known, no offers.
"""

import logging
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from basket_analysis.basket_rule_lists import basket_rules
from basket_analysis.basket_rules import BasketRules
from basket_analysis.sensitive import SensitiveWords, read_sensitive

LONGEST_WAIT: Final = 2.0
"""Seconds that a screen waits for a first book; a till does not wait."""
PAUSE: Final = 30.0
"""Seconds after which reading that failed is tried again."""

_log = logging.getLogger(__name__)

Words = tuple[int, str | None]

_WORDS: Final = text("select jsonb_build_array(count(*), max(set_at)) from sensitive_word")


@dataclass(frozen=True, slots=True)
class Book:
    """Rules of one run and the words as they stood when they were read; nothing in it changes."""

    run_id: UUID
    rules: BasketRules
    words: SensitiveWords
    words_read: Words


_kept: WeakKeyDictionary[Engine, Book] = WeakKeyDictionary()
_reading: WeakKeyDictionary[Engine, Thread] = WeakKeyDictionary()
_failed: WeakKeyDictionary[Engine, float] = WeakKeyDictionary()
_lock: Final = Lock()


def book_at_hand(session: Session, *, run_id: UUID, words: Words, wait: bool = False) -> Book | None:
    """
    Return the book of a run; without ties while its rules are being read, None while the words are.

    With `wait` it is waited for, two seconds at most.
    """
    engine = engine_of(session)
    kept = _kept.get(engine)
    if kept is None or kept.run_id != run_id or kept.words_read != words:
        thread = _read_aside(engine, run_id)
        if wait and thread is not None:
            thread.join(LONGEST_WAIT)
            kept = _kept.get(engine)
    if kept is None or kept.words_read != words:
        return None
    if kept.run_id != run_id:
        return Book(run_id, BasketRules(), kept.words, words)
    return kept


def kept_book(session: Session) -> Book | None:
    """Return the book that this process has, of whichever run."""
    return _kept.get(engine_of(session))


def read_book(session: Session, *, run_id: UUID) -> Book:
    """Read the book of a run in `session`, and keep it for this process."""
    found: list[Any] = session.scalar(_WORDS) or [0, None]
    words = read_sensitive(session)
    book = Book(run_id, basket_rules(session, run_id=run_id), words, (found[0], found[1]))
    _kept[engine_of(session)] = book
    return book


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

"""Codes that stand for an article because a person said so, kept at hand by every process."""

import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from core.database import engine_of
from core.driver import driver_of
from sales.articlecodes import LENGTHS

KEPT_FOR = 60.0
"""Seconds after which a process reads them again; one that was given just now works at once where it was given."""

_kept: WeakKeyDictionary[Engine, tuple[float, Mapping[str, str]]] = WeakKeyDictionary()

# A code that has become an article's own means that article.
_GIVEN = """
    select given.code, article.sku from article_code as given join article using (article_id)
    where not exists (select from article as own where own.sku = given.code or own.gtin = given.code)
"""


def given_skus(session: Session) -> Mapping[str, str]:
    """Return the SKU that each given code stands for, from this process' copy while that is fresh."""
    engine = engine_of(session)
    kept = _kept.get(engine)
    if kept is None or time.monotonic() - kept[0] >= KEPT_FOR:
        read_at = time.monotonic()
        kept = _kept[engine] = read_at, dict(driver_of(session).execute(_GIVEN).fetchall())
    return kept[1]


def forget_given(session: Session) -> None:
    """Let this process read the given codes again once the caller's transaction is committed."""
    engine = engine_of(session)
    event.listen(session, "after_commit", lambda _: _kept.pop(engine, None), once=True)


def code_of(sku: str | None, gtin: str | None) -> str | None:
    """Return the code by which a person gives a line its article: its SKU, else its GTIN, padded where it has a GTIN's length."""
    if sku is not None or gtin is None:
        return sku
    return gtin.zfill(14) if len(gtin) in LENGTHS and gtin.isascii() and gtin.isdigit() else gtin

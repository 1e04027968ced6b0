"""Unknown articles as people decide about them: one code, however many lines, receipts and stores it was sold on."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import BigInteger, DateTime, Numeric, String, Subquery, column, or_, select, text
from sqlalchemy.orm import Session

from core.audit import record_event
from core.driver import driver_of
from core.errors import NotFound
from core.keyset import Ask, Page, read_page
from sales.article_lists import article_of_code, find_articles
from sales.given_codes import code_of, forget_given
from sales.known_articles import DECODED, resolve_known, waiting_values
from sales.models import Article, ArticleCode
from sales.work_queue import FlagNotOpen, ReasonMissing

FIRST_WORDS: Final = 3
GROUP_SORTS: Final = ("lines", "code", "stores", "first_seen", "last_seen")


class NoSuchCode(NotFound):
    """Nothing waits under this code, or it was given to no article."""


@dataclass(frozen=True, slots=True)
class UnknownArticle:
    """Lines with one code that no article has, in one store or in all."""

    code: str
    name: str | None
    """As the newest receipt says it."""
    lines: int
    receipts: int
    stores: int
    quantity: Decimal
    unit: str | None
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class SoldAs:
    """One of the newest lines with a code."""

    flag_id: int
    store_code: str
    store_name: str
    timezone: str
    receipt_number: str
    name: str | None
    quantity: Decimal
    unit: str | None
    unit_price: int
    currency: str
    flagged_at: datetime


@dataclass(frozen=True, slots=True)
class GivenCode:
    """A code that stands for an article, and who said so."""

    code: str
    sku: str
    name: str
    set_by: str
    set_at: datetime


_GROUPS = re.sub(
    r"%\((\w+)\)s",
    r":\1",
    f"""
    with {DECODED}
    select code, (array_agg(name order by flagged_at desc) filter (where name is not null))[1] as name,
           count(*) as lines, count(distinct receipt_id) as receipts, count(distinct store_id) as stores,
           sum(quantity) as quantity, min(unit) as unit, min(flagged_at) as first_seen, max(flagged_at) as last_seen
    from open_flag where code is not null group by code
""",
)
_COLUMNS = (
    column("code", String),
    column("name", String),
    column("lines", BigInteger),
    column("receipts", BigInteger),
    column("stores", BigInteger),
    column("quantity", Numeric),
    column("unit", String),
    column("first_seen", DateTime(timezone=True)),
    column("last_seen", DateTime(timezone=True)),
)
_NEWEST = f"""
    with {DECODED}
    select flag_id, store.store_code, store.name, store.timezone, receipt.receipt_number, line.name, line.quantity,
           line.unit, line.unit_price, receipt.currency, flagged_at
    from open_flag
    join store using (store_id)
    join receipt using (business_date, receipt_id)
    join receipt_line as line using (business_date, receipt_id, line_number)
    where open_flag.code = %(code)s order by flagged_at desc, flag_id desc limit %(limit)s
"""
_DISMISS = f"""
    with {DECODED}
    update receipt_flag as flag
    set state = 'dismissed', resolved_by = %(actor)s, resolved_at = %(now)s, note = %(note)s
    from open_flag where open_flag.code = %(code)s and flag.flag_id = open_flag.flag_id and flag.state = 'open'
"""


def list_unknown(session: Session, ask: Ask, *, store_id: int | None = None) -> Page[UnknownArticle]:
    """Return a page of the codes that wait, each once. Words are a code or part of a name."""
    groups = _groups(session, store_id)
    statement = select(groups)
    if ask.words:
        named = groups.c.name.icontains(ask.words, autoescape=True)
        statement = statement.where(or_(named, groups.c.code.in_([ask.words, code_of(None, ask.words)])))
    page = read_page(
        session, statement, ask=ask, sorts=GROUP_SORTS, key="code", count=True, filled=GROUP_SORTS
    )
    return Page(
        tuple(UnknownArticle(*row[: len(_COLUMNS)]) for row in page.rows),
        page.following,
        page.previous,
        page.total,
    )


def read_unknown(session: Session, code: str, *, store_id: int | None = None) -> UnknownArticle:
    """Return what waits under a code; raises `NoSuchCode`."""
    groups = _groups(session, store_id)
    row = session.execute(select(groups).where(groups.c.code == code)).one_or_none()
    if row is None:
        raise NoSuchCode("Nothing waits under this code")
    return UnknownArticle(*row)


def newest_sold_as(
    session: Session, code: str, *, store_id: int | None = None, limit: int = 10
) -> list[SoldAs]:
    """Return the newest lines that wait under a code."""
    values = waiting_values(session, store_id) | {"code": code, "limit": limit}
    return [SoldAs(*row) for row in driver_of(session).execute(_NEWEST, values).fetchall()]


def articles_like(session: Session, name: str | None, *, limit: int = 5) -> list[tuple[str, str]]:
    """Return SKU and name of articles that are called much like `name`: by its first three words, else by fewer."""
    words = (name or "").split()[:FIRST_WORDS]
    for count in range(len(words), 0, -1):
        if found := find_articles(session, " ".join(words[:count]), limit=limit):
            return [(one.sku, one.name) for one in found]
    return []


def give_code(session: Session, code: str, *, article: str, actor: str, now: datetime) -> int:
    """
    Let `code` stand for the article of a SKU or GTIN, on lines that wait and on those to come; returns how many waited.

    What the receipts earned stays as it was booked. Raises `NoSuchArticle`.
    """
    found = article_of_code(session, article)
    driver_of(session).execute(
        """
        insert into article_code (code, article_id, set_by, set_at) values (%s, %s, %s, %s)
        on conflict (code) do update
        set article_id = excluded.article_id, set_by = excluded.set_by, set_at = excluded.set_at
        """,
        (code, found.article_id, actor, now),
    )
    resolved = resolve_known(session, actor=actor, now=now)
    _recorded(session, "link", code, {"sku": found.sku, "resolved": resolved}, actor=actor, now=now)
    return resolved


def take_code_back(session: Session, code: str, *, actor: str, now: datetime) -> None:
    """Let `code` stand for no article any more; lines keep the one that they found. Raises `NoSuchCode`."""
    row = (
        driver_of(session)
        .execute("delete from article_code where code = %s returning article_id", (code,))
        .fetchone()
    )
    if row is None:
        raise NoSuchCode("This code was given to no article")
    sku = session.scalar(select(Article.sku).where(Article.article_id == row[0]))
    _recorded(session, "withdraw", code, {"sku": sku}, actor=actor, now=now)


def dismiss_code(
    session: Session, code: str, *, note: str, store_id: int | None, actor: str, now: datetime
) -> int:
    """
    Take all lines with a code out of the queue, with a reason; returns how many.

    Raises `ReasonMissing`, and `FlagNotOpen` when none waits any more.
    """
    if not note.strip():
        raise ReasonMissing("Say why this is dismissed")
    values = waiting_values(session, store_id) | {
        "code": code,
        "note": note.strip(),
        "actor": actor,
        "now": now,
    }
    dismissed = driver_of(session).execute(_DISMISS, values).rowcount
    if not dismissed:
        raise FlagNotOpen("Somebody has dealt with this already")
    detail = {"dismissed": dismissed, "note": note.strip(), "store_id": store_id}
    _recorded(session, "dismiss", code, detail, actor=actor, now=now)
    return dismissed


def list_given(session: Session) -> list[GivenCode]:
    """Return the codes that stand for articles, the newest first."""
    statement = (
        select(ArticleCode.code, Article.sku, Article.name, ArticleCode.set_by, ArticleCode.set_at)
        .join(Article, Article.article_id == ArticleCode.article_id)
        .order_by(ArticleCode.set_at.desc(), ArticleCode.code)
    )
    return [GivenCode(*row) for row in session.execute(statement)]


def _groups(session: Session, store_id: int | None) -> Subquery:
    values = waiting_values(session, store_id)
    return text(_GROUPS).bindparams(**values).columns(*_COLUMNS).subquery()


def _recorded(
    session: Session, action: str, code: str, detail: dict[str, object], *, actor: str, now: datetime
) -> None:
    record_event(
        session,
        now=now,
        actor=actor,
        action=f"article_code.{action}",
        subject_kind="article_code",
        subject_id=code,
        detail=detail,
    )
    forget_given(session)

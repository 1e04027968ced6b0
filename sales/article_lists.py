"""Articles as people look at them: the list, one article with its weeks, and a quick search by word or code."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.keyset import Ask, Page, alphabetical, read_page
from sales.articlecodes import find_gtin
from sales.models import Article, Receipt, ReceiptLine, Store

ARTICLE_SORTS: Final = ("article", "sku", "department", "category", "type", "brand")


class NoSuchArticle(NotFound):
    """There is no article with this code."""


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """One article; price in minor units of the chain's currency, None without a price list."""

    article_id: int
    sku: str
    gtin: str | None
    name: str
    department: str | None
    category: str | None
    type: str | None
    brand: str | None
    unit: str
    tax_rate: Decimal
    price: int | None


@dataclass(frozen=True, slots=True)
class ArticleSold:
    """What one store sold of an article in the week from `monday`."""

    monday: date
    store_code: str
    store_name: str
    currency: str
    quantity: Decimal
    amount: int
    baskets: int


@dataclass(frozen=True, slots=True)
class ArticleWeek:
    """What was sold of an article in the week from `monday`."""

    monday: date
    quantity: Decimal
    amount: int
    baskets: int


@dataclass(frozen=True, slots=True)
class ArticleStore:
    """What a store sold of an article in a period."""

    store_code: str
    name: str
    currency: str
    quantity: Decimal
    amount: int
    baskets: int


def list_articles(session: Session, ask: Ask) -> Page[ArticleRow]:
    """Return a page of articles; filters department, category, type, brand; words in the name, or a number or GTIN."""
    statement = _articles()
    filed = (Article.department, Article.category, Article.type, Article.brand)
    for column in filed:
        if wanted := ask.filters.get(column.key):
            statement = statement.where(column == wanted)
    if ask.words:
        statement = statement.where(_fits(ask.words))
    page = read_page(
        session,
        statement,
        ask=ask,
        sorts=ARTICLE_SORTS,
        key="article_id",
        count=True,
        filled=("sku", "article"),
    )
    return Page(tuple(ArticleRow(*row[:11]) for row in page.rows), page.following, page.previous, page.total)


def find_articles(session: Session, words: str, *, limit: int = 8) -> list[ArticleRow]:
    """Return the few articles that fit best: an exact code first, then names that begin with the words."""
    if not words.strip():
        return []
    begins = Article.name.istartswith(words, autoescape=True)
    exact = or_(Article.sku == words, Article.gtin == (find_gtin(words) or words))
    statement = (
        _articles().where(_fits(words)).order_by(exact.desc(), begins.desc(), Article.name, Article.sku)
    )
    return [ArticleRow(*row[:11]) for row in session.execute(statement.limit(limit))]


def last_prices(
    session: Session, article_ids: Collection[int], *, since: date, currency: str | None = None
) -> dict[int, int]:
    """
    Return the price last paid for one piece of each article since a day, for chains without a price list.

    With a `currency` only what was paid in it counts: a figure in koruna is none in euro.
    """
    if not article_ids:
        return {}
    statement = (
        select(ReceiptLine.article_id, ReceiptLine.unit_price)
        .ext(distinct_on(ReceiptLine.article_id))
        .where(
            ReceiptLine.article_id.in_(article_ids),
            ReceiptLine.business_date >= since,
            ReceiptLine.unit_price > 0,
        )
        .order_by(ReceiptLine.article_id, ReceiptLine.business_date.desc(), ReceiptLine.receipt_id.desc())
    )
    if currency is not None:
        statement = statement.join(Receipt, _of_receipt()).where(Receipt.currency == currency)
    rows = session.execute(statement)
    return {row.article_id: row.unit_price for row in rows}


def read_article(session: Session, *, sku: str) -> ArticleRow:
    """Return one article; raises `NoSuchArticle`."""
    row = session.execute(_articles().where(Article.sku == sku)).one_or_none()
    if row is None:
        raise NoSuchArticle(f"There is no article {sku}")
    return ArticleRow(*row[:11])


def article_of_code(session: Session, code: str) -> ArticleRow:
    """Return the article with an SKU or, if there is none, a GTIN; raises `NoSuchArticle`."""
    statement = (
        _articles()
        .where(or_(Article.sku == code, Article.gtin == (find_gtin(code) or code)))
        .order_by((Article.sku == code).desc())
    )
    row = session.execute(statement).first()
    if row is None:
        raise NoSuchArticle(f"No article has the code {code}")
    return ArticleRow(*row[:11])


def departments(session: Session) -> list[str]:
    """Return the departments there are, in order."""
    found = session.scalars(select(Article.department).distinct().order_by(Article.department))
    return [department for department in found if department]


def sold_of_article(
    session: Session, *, article_id: int, since: date, until: date, store_id: int | None = None
) -> list[ArticleSold]:
    """
    Return what each store sold of an article in each week of the half-open period, oldest first.

    Weeks and stores come of one reading: lines are kept by day, and one article's lie anywhere in it.
    """
    monday = func.date_trunc("week", ReceiptLine.business_date).label("monday")
    statement = (
        select(
            monday,
            Store.store_code,
            Store.name,
            Store.currency,
            func.sum(ReceiptLine.quantity),
            func.sum(ReceiptLine.total_amount),
            func.count(ReceiptLine.receipt_id.distinct()),
        )
        .select_from(ReceiptLine)
        .join(Receipt, _of_receipt())
        .join(Store, Store.store_id == Receipt.store_id)
        .where(*_sold(article_id, since, until, store_id))
        .group_by(monday, Store.store_id)
        .order_by(monday, Store.store_code)
    )
    return [
        ArticleSold(start.date(), code, name, currency, quantity, int(amount), baskets)
        for start, code, name, currency, quantity, amount, baskets in session.execute(statement)
    ]


def article_by_week(sold: Sequence[ArticleSold], *, currency: str) -> list[ArticleWeek]:
    """Return the weeks of `sold`, oldest first; amounts are those of stores that sell in `currency`."""
    weeks: dict[date, list[ArticleSold]] = {}
    for one in sold:
        weeks.setdefault(one.monday, []).append(one)
    return [
        ArticleWeek(
            monday,
            sum((one.quantity for one in of_week), Decimal(0)),
            sum(one.amount for one in of_week if one.currency == currency),
            sum(one.baskets for one in of_week),
        )
        for monday, of_week in sorted(weeks.items())
    ]


def article_by_store(sold: Sequence[ArticleSold], *, currency: str, limit: int = 12) -> list[ArticleStore]:
    """Return the stores of `sold` that sell in `currency`, those that took most first."""
    stores: dict[tuple[str, str, str], list[ArticleSold]] = {}
    for one in sold:
        if one.currency == currency:
            stores.setdefault((one.store_code, one.store_name, one.currency), []).append(one)
    found = [
        ArticleStore(
            *store,
            sum((one.quantity for one in of_store), Decimal(0)),
            sum(one.amount for one in of_store),
            sum(one.baskets for one in of_store),
        )
        for store, of_store in stores.items()
    ]
    return sorted(found, key=lambda one: (-one.amount, one.store_code))[:limit]


def _of_receipt() -> Any:
    return (Receipt.business_date == ReceiptLine.business_date) & (
        Receipt.receipt_id == ReceiptLine.receipt_id
    )


def _sold(article_id: int, since: date, until: date, store_id: int | None) -> list[Any]:
    conditions: list[Any] = [
        ReceiptLine.article_id == article_id,
        ReceiptLine.business_date >= since,
        ReceiptLine.business_date < until,
        Receipt.type == "sale",
        Receipt.mode == "live",
    ]
    if store_id is not None:
        conditions.append(Receipt.store_id == store_id)
    return conditions


def _fits(words: str) -> Any:
    gtin = find_gtin(words)
    every_word = [Article.name.icontains(word, autoescape=True) for word in words.split()]
    codes = [Article.sku == words]
    if gtin:
        codes.append(Article.gtin == gtin)
    named = every_word[0] if every_word else Article.name.icontains(words, autoescape=True)
    for one in every_word[1:]:
        named &= one
    return or_(named, *codes)


def _articles() -> Select[*tuple[Any, ...]]:
    return select(
        Article.article_id,
        Article.sku,
        Article.gtin,
        Article.name,
        Article.department,
        Article.category,
        Article.type,
        Article.brand,
        Article.unit,
        Article.tax_rate,
        Article.price,
        alphabetical(Article.name).label("article"),
    )

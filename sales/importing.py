"""Stores and articles from files: what is new is added, what differs is brought up to date."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import zone
from core.progress import Report
from core.row_import import BadRow, Cells, Fate, import_rows, needed, optional, whole_number
from core.tabular import Columns, Summary
from sales.articlecodes import normalise_gtin
from sales.countries import country_of
from sales.models import Article, Store
from sales.operations import check_code, check_currency

STORES = Columns(required=("store_code", "name", "currency", "timezone"), optional=("city", "country"))
ARTICLES = Columns(
    required=("sku", "name", "unit", "tax_rate"),
    optional=("gtin", "department", "category", "type", "brand", "price", "cost", "picture"),
)
UNITS = ("pcs", "kg", "l", "m")

_TAX_RATE = re.compile(r"\d{1,3}(\.\d{1,2})?")
_PICTURE = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A store as a file states it."""

    store_code: str
    name: str
    currency: str
    timezone: str
    city: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """An article as a file states it; amounts in minor units."""

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
    cost: int | None
    picture: str | None


def import_stores(session: Session, path: Path, *, report: Report) -> Summary:
    """Add the stores of a file and bring known ones up to date; a store's currency never changes."""

    def store(rows: Sequence[StoreRow]) -> Sequence[Fate]:
        codes = [row.store_code for row in rows]
        stored = select(Store.store_code, Store.currency).where(Store.store_code.in_(codes))
        known = {row.store_code: row.currency for row in session.execute(stored)}
        refusals = {
            row.store_code: f"the store counts in {known[row.store_code]}, which cannot change"
            for row in rows
            if known.get(row.store_code, row.currency) != row.currency
        }
        return _upsert(session, Store.store_code, rows, refusals)

    return import_rows(path, STORES, parse=_store, key=lambda row: row.store_code, store=store, report=report)


def import_articles(session: Session, path: Path, *, report: Report) -> Summary:
    """Add the articles of a file and bring known ones up to date; a GTIN stays with one article."""

    def store(rows: Sequence[ArticleRow]) -> Sequence[Fate]:
        holders = {row.gtin: row.sku for row in reversed(rows) if row.gtin}
        known = select(Article.gtin, Article.sku).where(Article.gtin.in_(holders))
        holders |= {row.gtin: row.sku for row in session.execute(known)}
        refusals = {
            row.sku: f"gtin {row.gtin} belongs to article {holders[row.gtin]}"
            for row in rows
            if row.gtin and holders[row.gtin] != row.sku
        }
        return _upsert(session, Article.sku, rows, refusals)

    return import_rows(path, ARTICLES, parse=_article, key=lambda row: row.sku, store=store, report=report)


def _store(cells: Cells) -> StoreRow:
    timezone = needed(cells, "timezone")
    zone(timezone)
    return StoreRow(
        store_code=check_code(needed(cells, "store_code"), what="store"),
        name=needed(cells, "name"),
        currency=check_currency(needed(cells, "currency")),
        timezone=timezone,
        city=optional(cells, "city"),
        country=country_of(optional(cells, "country")),
    )


def _article(cells: Cells) -> ArticleRow:
    unit, tax_rate, gtin = needed(cells, "unit"), needed(cells, "tax_rate"), cells["gtin"]
    picture = optional(cells, "picture")
    if unit not in UNITS:
        raise BadRow(f"unit is none of {', '.join(UNITS)}")
    if not _TAX_RATE.fullmatch(tax_rate):
        raise BadRow("tax_rate is no number with at most two decimals")
    if picture is not None and (not _PICTURE.fullmatch(picture) or ".." in picture):
        raise BadRow("picture is no plain path of a file")
    sku = (cells["sku"] or "").strip()
    if not sku or len(sku) > 64:
        raise BadRow("sku is empty, or longer than 64 characters")
    return ArticleRow(
        sku=sku,
        gtin=normalise_gtin(gtin) if gtin else None,
        name=needed(cells, "name"),
        department=optional(cells, "department"),
        category=optional(cells, "category"),
        type=optional(cells, "type"),
        brand=optional(cells, "brand"),
        unit=unit,
        tax_rate=Decimal(tax_rate).quantize(Decimal("0.01")),
        price=whole_number(cells, "price"),
        cost=whole_number(cells, "cost"),
        picture=picture,
    )


def _upsert(
    session: Session, key: Any, rows: Sequence[StoreRow] | Sequence[ArticleRow], refusals: dict[str, str]
) -> list[Fate]:
    """Write the rows that are not refused, and return of each whether that changed anything, or its refusal."""
    table, name = key.class_, key.key
    code: Callable[[Any], str] = lambda row: str(getattr(row, name))  # noqa: E731 - one name for one thing
    values = [asdict(row) for row in rows if code(row) not in refusals]
    changed: set[str] = set()
    for start in range(0, len(values), 1000):
        part = values[start : start + 1000]
        statement = insert(table).values(part)
        others = [column for column in part[0] if column != name]
        differs: list[ColumnElement[bool]] = [
            getattr(table, column).is_distinct_from(statement.excluded[column]) for column in others
        ]
        statement = statement.on_conflict_do_update(
            index_elements=[key],
            set_={column: statement.excluded[column] for column in others},
            where=or_(*differs),
        )
        changed.update(session.scalars(statement.returning(key)))
    session.flush()
    return [refusals.get(code(row), code(row) in changed) for row in rows]

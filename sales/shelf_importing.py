"""Counts of stock and prices from files: what is new is added, what differs is brought up to date."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.progress import Report
from core.row_import import BadRow, Cells, Fate, import_rows, needed, optional, whole_number
from core.tabular import Columns, Summary, is_file

STOCK = Columns(required=("store_code", "sku", "quantity"), optional=("counted_at",))
PRICES = Columns(required=("sku", "price", "valid_from"), optional=("store_code", "valid_to"))

_QUANTITY = re.compile(r"-?\d{1,9}(\.\d{1,3})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class StockRow:
    """A count as a file states it; `counted_at` None where it does not say when."""

    store_code: str
    sku: str
    quantity: Decimal
    counted_at: datetime | None


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price as a file states it, in minor units; without a store it holds in all."""

    store_code: str | None
    sku: str
    price: int
    valid_from: date
    valid_to: date | None


def import_stock(session: Session, path: Path, *, now: datetime, report: Report) -> Summary:
    """
    Take the counts of a file; one that is older than what is known of its article and store is left out, unchanged.

    Rows that do not say when they were counted were counted when the file was written.
    """
    written = min(datetime.fromtimestamp(path.stat().st_mtime, UTC), now) if is_file(path) else now

    def store(rows: Sequence[StockRow]) -> Sequence[Fate]:
        known = _Known.read(session, rows)
        values = {
            (store_id, article_id): (row.quantity, row.counted_at or written)
            for row in rows
            if (store_id := known.store(row)) is not None and (article_id := known.article(row)) is not None
        }
        places = list(values)
        changed = driver_of(session).execute(
            """
            insert into article_stock as known (store_id, article_id, quantity, counted_at)
            select * from unnest(%s::integer[], %s::integer[], %s::numeric[], %s::timestamptz[])
            on conflict (store_id, article_id)
            do update set quantity = excluded.quantity, counted_at = excluded.counted_at
            where excluded.counted_at >= known.counted_at
              and (excluded.quantity, excluded.counted_at) is distinct from (known.quantity, known.counted_at)
            returning store_id, article_id
            """,
            (
                [store_id for store_id, _ in places],
                [article_id for _, article_id in places],
                [values[place][0] for place in places],
                [values[place][1] for place in places],
            ),
        )
        fresh = set(changed.fetchall())
        return [known.refusal(row) or (known.store(row), known.article(row)) in fresh for row in rows]

    return import_rows(
        path,
        STOCK,
        parse=lambda cells: _stock(cells, now),
        key=lambda row: f"{row.store_code}/{row.sku}",
        store=store,
        report=report,
    )


def import_prices(session: Session, path: Path, *, report: Report) -> Summary:
    """
    Take the prices of a file; one that begins on the day of a known one of its article and store replaces it.

    `valid_to` is the first day on which a price no longer holds. Prices that ended stay: the lowest of the
    last 30 days is read from them.
    """

    def store(rows: Sequence[PriceRow]) -> Sequence[Fate]:
        known = _Known.read(session, rows)
        good = [row for row in rows if known.refusal(row) is None]
        changed = driver_of(session).execute(
            """
            insert into article_price as known (article_id, store_id, valid_from, price, valid_to)
            select * from unnest(%s::integer[], %s::integer[], %s::date[], %s::bigint[], %s::date[])
            on conflict (article_id, store_id, valid_from)
            do update set price = excluded.price, valid_to = excluded.valid_to
            where (excluded.price, excluded.valid_to) is distinct from (known.price, known.valid_to)
            returning article_id, store_id, valid_from
            """,
            (
                [known.article(row) for row in good],
                [known.store(row) for row in good],
                [row.valid_from for row in good],
                [row.price for row in good],
                [row.valid_to for row in good],
            ),
        )
        fresh = set(changed.fetchall())
        return [
            known.refusal(row) or (known.article(row), known.store(row), row.valid_from) in fresh
            for row in rows
        ]

    return import_rows(
        path,
        PRICES,
        parse=_price,
        key=lambda row: f"{row.store_code or 'all stores'}/{row.sku}/{row.valid_from}",
        store=store,
        report=report,
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """The stores and articles that rows name, by their codes."""

    stores: Mapping[str, int]
    articles: Mapping[str, int]

    @classmethod
    def read(cls, session: Session, rows: Iterable[StockRow | PriceRow]) -> "_Known":
        codes, skus = {row.store_code for row in rows}, {row.sku for row in rows}
        driver = driver_of(session)
        stores = driver.execute(
            "select store_code, store_id from store where store_code = any(%s)", ([*filter(None, codes)],)
        ).fetchall()
        # In the order of their numbers, so that two imports never wait for each other's articles.
        articles = driver.execute(
            "select sku, article_id from article where sku = any(%s) order by article_id", ([*skus],)
        ).fetchall()
        return cls(dict(stores), dict(articles))

    def store(self, row: StockRow | PriceRow) -> int | None:
        return self.stores.get(row.store_code) if row.store_code else None

    def article(self, row: StockRow | PriceRow) -> int | None:
        return self.articles.get(row.sku)

    def refusal(self, row: StockRow | PriceRow) -> str | None:
        """Return why a row cannot be taken, None when it can."""
        if row.store_code and row.store_code not in self.stores:
            return f"there is no store {row.store_code}"
        return None if row.sku in self.articles else f"there is no article {row.sku}"


def _stock(cells: Cells, now: datetime) -> StockRow:
    quantity, text = needed(cells, "quantity"), optional(cells, "counted_at")
    if not _QUANTITY.fullmatch(quantity):
        raise BadRow("quantity is no number with at most three decimals")
    counted_at = _moment(text) if text else None
    if counted_at is not None and counted_at > now:
        raise BadRow("counted_at is in the future")
    return StockRow(needed(cells, "store_code"), needed(cells, "sku"), Decimal(quantity), counted_at)


def _price(cells: Cells) -> PriceRow:
    price = whole_number(cells, "price")
    if price is None:
        raise BadRow("price is empty")
    text = optional(cells, "valid_to")
    valid_from, valid_to = (
        _day(needed(cells, "valid_from"), "valid_from"),
        _day(text, "valid_to") if text else None,
    )
    if valid_to is not None and valid_to <= valid_from:
        raise BadRow("valid_to, the first day without this price, is not after valid_from")
    return PriceRow(optional(cells, "store_code"), needed(cells, "sku"), price, valid_from, valid_to)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1900 < moment.year < 9999:
        raise BadRow("counted_at is no moment with an offset, such as 2026-11-22T06:00:00+01:00")
    return moment.astimezone(UTC)


def _day(text: str, column: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadRow(f"{column} is no date such as 2026-11-23")

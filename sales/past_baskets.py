"""Past baskets as they were put on the counter: the lines of live sales at their list prices, day by day."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of

ROWS_AT_ONCE: Final = 2_000
THOUSANDTHS: Final = 1_000
HUNDREDTHS: Final = 100
UNITS: Final = ("pcs", "kg", "l", "m")
"""The units of lines by their number; another number is a line that names none."""


class PastBasket(NamedTuple):
    """
    A live sale that was not voided, with its lines of positive quantity as parallel sequences.

    `articles` holds None where nobody knew the article; `quantities` are thousandths, `prices` list prices
    in minor units, `units` places in `UNITS` or -1, `rates` hundredths of a percent of tax or None.
    """

    receipt_id: UUID
    store_id: int
    closed_at: datetime
    account_id: str | None
    member_id: str | None
    card_number: str | None
    operator_code: str | None
    discount_amount: int
    numbers: Sequence[int]
    articles: Sequence[int | None]
    quantities: Sequence[int]
    prices: Sequence[int]
    units: Sequence[int]
    rates: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Goods:
    """An article as offers look at it; `tax_rate` in percent, `cost` before tax in minor units, None if unknown."""

    article_id: int
    sku: str
    gtin: str | None
    department: str | None
    category: str | None
    type: str | None
    brand: str | None
    unit: str
    tax_rate: Decimal
    cost: int | None


_BASKETS = """
    with line as (
        select receipt_id,
               array_agg(line_number::int order by line_number) as numbers,
               array_agg(article_id order by line_number) as articles,
               array_agg((quantity * 1000)::bigint order by line_number) as quantities,
               array_agg(unit_price order by line_number) as prices,
               array_agg((case unit when 'pcs' then 0 when 'kg' then 1 when 'l' then 2 when 'm' then 3 else -1 end)::int
                         order by line_number) as units,
               array_agg((tax_rate * 100)::int order by line_number) as rates
        from receipt_line
        where business_date = %(day)s and quantity > 0
        group by receipt_id
        having not %(narrowed)s
            or bool_or(article_id is null) and %(unknown)s or bool_or(article_id = any(%(articles)s))
    )
    select receipt_id, store_id, closed_at, account_id::text, member_id::text, card_number, operator_code, discount_amount,
           numbers, articles, quantities, prices, units, rates
    from receipt join line using (receipt_id)
    where business_date = %(day)s and type = 'sale' and mode = 'live' and store_id = any(%(stores)s)
      and currency = %(currency)s
    order by closed_at, receipt_id
"""


def past_baskets(
    session: Session,
    *,
    day: date,
    stores: Collection[int],
    currency: str,
    articles: Collection[int] | None = None,
    unknown: bool = True,
    voided: Collection[UUID] = (),
) -> Iterator[PastBasket]:
    """
    Yield the sales of a business date in the order of their time, out of a cursor of the database.

    With `articles` only baskets that hold one of them, or, if `unknown`, an article that nobody knew.
    """
    values = {
        "day": day,
        "stores": list(stores),
        "currency": currency,
        "narrowed": articles is not None,
        "articles": list(articles or ()),
        "unknown": unknown,
    }
    with driver_of(session).cursor("past_baskets", binary=True) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(_BASKETS, values)
        for row in cursor:
            if row[0] not in voided:
                yield PastBasket._make(row)


_DAYS = """
    select business_date, count(*)
    from receipt
    where business_date >= %(since)s and business_date < %(until)s and type = 'sale' and mode = 'live'
      and store_id = any(%(stores)s) and currency = %(currency)s
    group by business_date
    order by business_date
"""


def days_with_baskets(
    session: Session, *, since: date, until: date, stores: Collection[int], currency: str
) -> dict[date, int]:
    """Return how many live sales each business date of the half-open period has, in order; voided ones are in it."""
    values = {"since": since, "until": until, "stores": list(stores), "currency": currency}
    return dict(driver_of(session).execute(_DAYS, values).fetchall())


_VOIDED = """
    select original_receipt_id, original_business_date
    from receipt_link
    where type = 'void' and original_receipt_id is not null
      and original_business_date >= %s and original_business_date < %s
"""


def voided_sales(session: Session, *, since: date, until: date) -> dict[UUID, date]:
    """Return the receipts of the half-open period that were voided, with their business dates."""
    return dict(driver_of(session).execute(_VOIDED, (since, until)).fetchall())


_UNKNOWN = """
    select receipt_id, line_number, sku, gtin
    from receipt_line
    where business_date = %s and article_id is null and quantity > 0
"""


def unknown_codes(session: Session, *, day: date) -> dict[tuple[UUID, int], tuple[str | None, str | None]]:
    """Return SKU and GTIN, as the till gave them, of the lines of a business date whose articles nobody knew."""
    rows = driver_of(session).execute(_UNKNOWN, (day,)).fetchall()
    return {(receipt_id, number): (sku, gtin) for receipt_id, number, sku, gtin in rows}


_GOODS = "select article_id, sku, gtin, department, category, type, brand, unit, tax_rate, cost from article"


def all_goods(session: Session) -> dict[int, Goods]:
    """Return every article as it is known now, by its id."""
    return {row[0]: Goods(*row) for row in driver_of(session).execute(_GOODS).fetchall()}

"""A sale on which offers were given: its lines, the versions its receipt stated, and what came back of it since."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.driver import driver_of
from loyalty.printing import language_of_store
from loyalty.returns.refunds import Brought, Outstanding, brought_by_line
from rewards.carts import CartLine, Occasion, Presented
from rewards.codec import read_offer
from rewards.kept_units import GivenThen, SoldLine, presented_then
from rewards.offers import DISCOUNTS, Offer


@dataclass(frozen=True, slots=True)
class SaleWithOffers:
    """What is still out of a sale, and the names of the offers that were given on it."""

    outstanding: Outstanding
    earlier: Sequence[tuple[int, int]]
    """What each return that stands was due, and the points that came back with it, in order."""
    names: Mapping[str, str]
    versions: Mapping[str, int]


_HEAD = """
    select receipt.closed_at, receipt.currency, store.store_code, store.timezone,
           receipt.quote_id is not null and not exists (
               select from receipt_flag as flag
               where flag.business_date = receipt.business_date and flag.receipt_id = receipt.receipt_id
                 and flag.code = 'quote_expired') as quoted,
           coalesce((select past.choice from offer_choice_past as past
                     where past.until > least(receipt.closed_at, receipt.received_at)
                     order by past.until limit 1),
                    (select choice from offer_book)) as choice
    from receipt join store using (store_id)
    where receipt.business_date = %(business_date)s and receipt.receipt_id = %(receipt_id)s
"""

_LINES = """
    select line.line_number, line.quantity, line.unit, line.unit_price, line.total_amount, line.discounts,
           coalesce(article.sku, line.sku) as sku, coalesce(sold.gtin, line.gtin) as gtin,
           sold.category, sold.type, sold.department, sold.brand,
           article.article_id is not null as known
    from receipt_line as line
    join receipt using (business_date, receipt_id)
    left join article using (article_id)
    left join lateral (
        select article.gtin, article.department, article.category, article.type, article.brand,
               'infinity'::timestamptz as until
        union all
        select past.gtin, past.department, past.category, past.type, past.brand, past.until
        from article_past as past
        where past.article_id = line.article_id and past.until > least(receipt.closed_at, receipt.received_at)
        order by until limit 1
    ) as sold on true
    where line.business_date = %(business_date)s and line.receipt_id = %(receipt_id)s
    order by line.line_number
"""

# A till that does not say which version it meant had the newest that was live when it closed the receipt.
_OFFERS = """
    with stated as (
        select distinct part ->> 'offer_code' as offer_code, (part ->> 'offer_version')::integer as version
        from receipt_line as line, jsonb_array_elements(line.discounts) as part
        where line.business_date = %(business_date)s and line.receipt_id = %(receipt_id)s
    )
    select distinct on (given.offer_code) given.offer_code, given.version, given.document
    from stated
    join receipt on receipt.business_date = %(business_date)s and receipt.receipt_id = %(receipt_id)s
    join offer_version as given on given.offer_code = stated.offer_code
     and (given.version = stated.version
          or stated.version is null and given.live_from is not null and given.live_from <= receipt.closed_at)
    order by given.offer_code, given.version desc
"""

_USES = """
    select offer_code, sum(uses)::integer as uses from offer_use
    where business_date = %(business_date)s and receipt_id = %(receipt_id)s
    group by offer_code having sum(uses) > 0
"""

# Whatever codes the till wrote, and however: vouchers were there that the sale redeemed, and those whose value it states.
_VOUCHERS = """
    select batch.batch_code, batch.currency, coalesce(used.minimum_amount, batch.minimum_amount) as minimum_amount,
           coalesce(used.codes, '{}') as codes
    from voucher_batch as batch
    left join (
        select voucher.batch_code, max(voucher.minimum_amount) as minimum_amount,
               array_agg(distinct voucher.voucher_code order by voucher.voucher_code) as codes
        from voucher_event join voucher using (voucher_code)
        where voucher_event.receipt_id = %(receipt_id)s and voucher_event.event = 'redeemed'
        group by voucher.batch_code
    ) as used using (batch_code)
    where used.batch_code is not null or batch.batch_code in (
        select part ->> 'offer_code'
        from receipt_line as line, jsonb_array_elements(line.discounts) as part
        where line.business_date = %(business_date)s and line.receipt_id = %(receipt_id)s)
"""

_RETURNS = """
    select link.arrival, line.original_line_number, line.counted_quantity, line.points_spent
    from receipt_link as link
    join receipt_line as line using (business_date, receipt_id)
    where link.original_identity = %(identity)s and link.original_receipt_id is not null and link.type = 'return'
      and line.counted_quantity is not null
      and not exists (select from receipt_link as void
                      where void.original_identity = link.identity and void.original_receipt_id is not null
                        and void.type = 'void')
    order by link.arrival, line.line_number
"""


def read_sale_with_offers(
    session: Session, *, business_date: date, receipt_id: UUID, identity: str
) -> SaleWithOffers | None:
    """
    Return what is out of a sale under the offers that its receipt stated, after the returns that stand.

    None when no offer or voucher that is known was given on it: then everything costs what it cost.
    """
    values = {"business_date": business_date, "receipt_id": receipt_id, "identity": identity}
    with driver_of(session).pipeline():
        head, lines, offers, uses, vouchers, returns = (
            _rows(session).execute(query, values)
            for query in (_HEAD, _LINES, _OFFERS, _USES, _VOUCHERS, _RETURNS)
        )
    sale = head.fetchone()
    assert sale is not None
    stated = [(row, _offer(row)) for row in offers.fetchall()]
    # An offer may be called as the batch is that it gives: what is stated is then the vouchers' value.
    given = {
        row.offer_code: (row.version, offer) for row, offer in stated if isinstance(offer.benefit, DISCOUNTS)
    }
    rows = lines.fetchall()
    presented = _presented(vouchers.fetchall(), _stated(rows), known=given.keys())
    paying = {batch for batch, found in presented.items() if found.value_amount}
    if not given and not paying:
        return None
    versions = tuple(offer for _, offer in given.values())
    then = GivenThen(
        offers=versions,
        occasion=Occasion(
            at=sale.closed_at,
            timezone=sale.timezone,
            store_code=sale.store_code,
            currency=sale.currency,
            presented=presented_then(versions, presented),
        ),
        # Without its quote a receipt counted one, however often it was: only more than that is known then.
        times={row.offer_code: row.uses for row in uses.fetchall() if sale.quoted or row.uses > 1},
        choice=sale.choice,
    )
    known = given.keys() | paying
    outstanding = Outstanding([_sold(line, known) for line in rows], then)
    earlier = [
        (outstanding.bring_back(brought).amount, points) for brought, points in _in_order(returns.fetchall())
    ]
    language = language_of_store(sale.timezone)
    return SaleWithOffers(
        outstanding=outstanding,
        earlier=earlier,
        names={code: offer.name(language) for code, (_, offer) in given.items()},
        versions={code: version for code, (version, _) in given.items()},
    )


def _offer(row: Any) -> Offer:
    return replace(read_offer(row.document), version=row.version)


def _sold(row: Any, known: set[str]) -> SoldLine:
    discounts: dict[str, int] = {}
    for part in row.discounts or ():
        if part["offer_code"] in known:
            discounts[part["offer_code"]] = discounts.get(part["offer_code"], 0) + part["amount"]
    line = CartLine(
        line_number=row.line_number,
        quantity=row.quantity,
        unit=row.unit,
        unit_price=row.unit_price,
        sku=row.sku,
        gtin=row.gtin,
        category=row.category,
        type=row.type,
        department=row.department,
        brand=row.brand,
        known=row.known,
    )
    return SoldLine(line, row.total_amount, discounts)


def _stated(lines: Sequence[Any]) -> dict[str, int]:
    """Return what each code took off in all, by the receipt."""
    stated: dict[str, int] = {}
    for line in lines:
        for part in line.discounts or ():
            stated[part["offer_code"]] = stated.get(part["offer_code"], 0) + part["amount"]
    return stated


def _presented(
    vouchers: Sequence[Any], stated: Mapping[str, int], *, known: Collection[str]
) -> dict[str, Presented]:
    """
    Return the vouchers of a receipt by batch: together they are worth what the batch took off.

    What took nothing off only opens offers; what is `known` as an offer's discount is no voucher's value.
    """
    return {
        row.batch_code: Presented(
            codes=tuple(row.codes[:1]) or (row.batch_code,),
            value_amount=None if row.batch_code in known else stated.get(row.batch_code),
            minimum_amount=row.minimum_amount,
            currency=row.currency,
        )
        for row in vouchers
    }


def _in_order(rows: Sequence[Any]) -> list[tuple[Brought, int]]:
    """Return what came back with each return, goods and points, in the order in which they were booked."""
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.arrival, []).append(row)
    return [
        (
            brought_by_line((line.original_line_number, line.counted_quantity) for line in lines),
            sum(line.points_spent for line in lines),
        )
        for lines in found.values()
    ]


def _rows(session: Session) -> psycopg.Cursor[Any]:
    return driver_of(session).cursor(row_factory=namedtuple_row)

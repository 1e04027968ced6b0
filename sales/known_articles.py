"""Articles that became known after they were sold: lines find them, and their flags are closed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.audit import record_event
from core.driver import driver_of
from sales.barcode_layouts import decoded_in_store

NOTE = "the article is known now"

# Codes that a shop's own scales printed are found by what they stand for.
_IN_STORE = r"""
    select distinct flag.store_id, line.gtin
    from receipt_flag as flag
    join receipt_line as line using (business_date, receipt_id, line_number)
    where flag.state = 'open' and flag.code = 'unknown_article' and line.article_id is null
      and line.gtin ~ '^0?2[0-9]{12}$' and (%(store_id)s::integer is null or flag.store_id = %(store_id)s)
"""
DECODED = """
    decoded as (
        select * from unnest(cast(%(stores)s as integer[]), cast(%(codes)s as text[]), cast(%(skus)s as text[]),
                             cast(%(gtins)s as text[])) as decoded (store_id, code, sku, gtin)
    ), open_flag as (
        select flag.flag_id, flag.store_id, flag.business_date, flag.receipt_id, flag.line_number, flag.flagged_at,
               coalesce(line.sku, decoded.sku, decoded.gtin,
                   case when line.gtin ~ '^([0-9]{8}|[0-9]{12,14})$' then lpad(line.gtin, 14, '0') else line.gtin end) as code,
               coalesce(line.sku, decoded.sku) as sku, coalesce(decoded.gtin, lpad(line.gtin, 14, '0')) as gtin,
               line.name, line.quantity, line.unit
        from receipt_flag as flag
        join receipt_line as line using (business_date, receipt_id, line_number)
        left join decoded on decoded.store_id = flag.store_id and decoded.code = line.gtin
        where flag.state = 'open' and flag.code = 'unknown_article'
          and (cast(%(store_id)s as integer) is null or flag.store_id = %(store_id)s)
    )
"""
"""Lines that wait as unknown articles, each with the code that `sales.given_codes.code_of` returns for it."""

_FOUND = f"""
    with {DECODED}, found as (
        select flag_id, store_id, business_date, receipt_id, line_number,
               coalesce(by_sku.article_id, by_gtin.article_id, given.article_id) as article_id
        from open_flag
        left join article as by_sku on by_sku.sku = open_flag.sku
        left join article as by_gtin on by_gtin.gtin = open_flag.gtin
        left join article_code as given on given.code = open_flag.code
        where coalesce(by_sku.article_id, by_gtin.article_id, given.article_id) is not null
    )
"""
_COUNT = _FOUND + "select count(*) from found"
_RESOLVE = (
    _FOUND
    + """
    , lines as (
        update receipt_line as line set article_id = found.article_id
        from found
        where line.business_date = found.business_date and line.receipt_id = found.receipt_id
          and line.line_number = found.line_number and line.article_id is null
    ), flags as (
        update receipt_flag as flag
        set state = 'resolved', resolved_by = %(actor)s, resolved_at = %(now)s, note = %(note)s
        from found where flag.flag_id = found.flag_id and flag.state = 'open'
        returning 1
    )
    select count(*) from flags
"""
)


def count_known(session: Session, *, store_id: int | None = None) -> int:
    """Return how many lines were sold as unknown articles that are known by now."""
    row = driver_of(session).execute(_COUNT, waiting_values(session, store_id)).fetchone()
    return int(row[0]) if row else 0


def resolve_known(session: Session, *, store_id: int | None = None, actor: str, now: datetime) -> int:
    """
    Give lines that were sold as unknown the articles that are known by now; returns how many.

    Their flags are closed. What the receipts earned stays as it was booked.
    """
    values = {**waiting_values(session, store_id), "actor": actor, "now": now, "note": NOTE}
    row = driver_of(session).execute(_RESOLVE, values).fetchone()
    resolved = int(row[0]) if row else 0
    if resolved:
        record_event(
            session,
            now=now,
            actor=actor,
            action="queue.articles",
            subject_kind="work queue",
            subject_id="unknown_article",
            detail={"resolved": resolved, "store_id": store_id},
        )
    return resolved


def waiting_values(session: Session, store_id: int | None) -> dict[str, Any]:
    """Return the values for the places in `DECODED`: what the in-store barcodes among the lines stand for."""
    scanned: Sequence[Any] = (
        driver_of(session).execute(_IN_STORE, {"store_id": store_id}).fetchall()  # pairs of store and code
    )
    decoded = [
        (at, code, found.sku, found.gtin)
        for at, code in scanned
        if (found := decoded_in_store(session, code, store_id=at))
    ]
    columns = list(zip(*decoded, strict=True)) or [(), (), (), ()]
    names = ("stores", "codes", "skus", "gtins")
    return {**{name: list(column) for name, column in zip(names, columns, strict=True)}, "store_id": store_id}

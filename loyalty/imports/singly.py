"""Receipts of a file that go the till's own way, one by one: returns, voids, and sales that a return waits for."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from loyalty.checkout import Outcome, settle
from sales.receipt_chunks import Chunk, moment_of
from sales.receipt_loading import Arrivals
from sales.receipts import Original, PostedLine, PostedReceipt, Tender, TillIdentity, Totals


def settle_each(session: Session, arrivals: Arrivals, *, now: datetime) -> int:
    """Settle every receipt of `arrivals` in the order in which they were closed; returns the points earned."""
    earned = 0
    for till, posted in sorted(
        _posted(arrivals), key=lambda pair: (pair[1].closed_at, pair[1].receipt_number)
    ):
        outcome = settle(session, till=till, posted=posted, now=now, imported=True)
        # Another content under one identity was sorted out before; a till that is faster is met again.
        assert isinstance(outcome, Outcome)
        earned += outcome.answer["points"]["earned"]
    return earned


def _posted(arrivals: Arrivals) -> Iterator[tuple[TillIdentity, PostedReceipt]]:
    chunk = arrivals.chunk
    rows = chunk.rows.to_pylist()
    for index, start in enumerate(chunk.starts.tolist()):
        store = arrivals.stores.distinct[int(arrivals.stores.places[index])]
        till = TillIdentity(
            till_id=int(arrivals.till_ids[index]),
            store_id=store.store_id,
            store_code=store.store_code,
            till_code=chunk.identity["till_code"][index] or "",
            currency=store.currency,
            timezone=store.timezone,
        )
        lines = tuple(_line(row) for row in rows[start : start + int(chunk.counts[index])])
        yield till, _receipt(chunk, index, lines)


def _receipt(chunk: Chunk, index: int, lines: tuple[PostedLine, ...]) -> PostedReceipt:
    head = {name: texts[index] for name, texts in chunk.head.items()}
    rounding, payable, tenders = json.loads(chunk.totals[index] or "[0, null, []]")
    return PostedReceipt(
        type=head["type"] or "",
        business_date=chunk.business_dates[index],
        receipt_number=chunk.identity["receipt_number"][index] or "",
        closed_at=moment_of(int(chunk.microseconds[index])),
        currency=head["currency"] or "",
        operator_code=head["operator_code"],
        card_number=head["card_number"],
        lines=lines,
        tenders=tuple(Tender(kind, amount) for kind, amount in tenders),
        totals=Totals(
            payable_amount=sum(line.total_amount for line in lines) if payable is None else payable,
            discount_amount=sum(line.discount_amount for line in lines),
            rounding_amount=rounding,
        ),
        original=_original(head),
    )


def _original(head: dict[str, str | None]) -> Original | None:
    day = head["original_business_date"]
    if day is None:
        return None
    return Original(
        store_code=head["original_store_code"] or "",
        till_code=head["original_till_code"] or "",
        business_date=date.fromisoformat(day),
        receipt_number=head["original_receipt_number"] or "",
    )


def _line(row: dict[str, Any]) -> PostedLine:
    return PostedLine(
        line_number=row["line_number"],
        quantity=row["quantity"],
        unit_price=row["unit_price"],
        total_amount=row["total_amount"],
        tax_rate=row["tax_rate"],
        gtin=row["gtin"],
        sku=row["sku"],
        name=row["name"],
        unit=row["unit"],
        discount_amount=row["discount_amount"],
        original_line_number=row["original_line_number"],
        reason=row["return_reason"],
    )

"""The record of receipts: written once, as the till stated them and with what was made of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import ask
from core.ids import find_uuid
from core.quick_json import text_of
from sales.receipts import (
    LIVE,
    Flag,
    PostedLine,
    PostedReceipt,
    TillIdentity,
    line_gross,
    own_identity,
    receipt_document,
)

LARGEST_STORED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class LinePoints:
    """What a line earned and spent, or on a return took back and gave back, and the quantity that counts there."""

    points: int = 0
    points_spent: int = 0
    counted_quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A receipt as it is kept for ever: what the till stated, and what was made of it."""

    receipt_id: UUID
    posted: PostedReceipt
    till: TillIdentity
    fingerprint: bytes
    received_at: datetime
    account_id: UUID | None
    member_id: UUID | None
    articles: Sequence[int | None]
    """The article of each line, in the order of the lines; None where nobody knows it."""
    points: Mapping[int, LinePoints] = field(default_factory=dict)
    """By line number."""
    flags: Sequence[Flag] = ()
    original_receipt_id: UUID | None = None
    answer: Mapping[str, Any] | None = None
    programme_version: int | None = None
    """Of a sale, the version of the programme's rules that it was booked under; None is the contract's own."""
    excluded_lines: Sequence[int] = ()
    """Numbers of the lines that these rules left out."""
    offer_points: Mapping[str, Any] | None = None
    """What offers added to the points of a sale."""


_RECORD = """
    with lines as (
        insert into receipt_line (
            business_date, receipt_id, line_number, article_id, sku, gtin, name, quantity, unit, unit_price,
            discount_amount, total_amount, tax_rate, discounts, original_line_number, return_reason,
            points, points_spent, counted_quantity)
        select %(business_date)s::date, %(receipt_id)s::uuid, line.*
        from json_to_recordset(%(lines)s) as line (
            line_number integer, article_id integer, sku text, gtin text, name text, quantity numeric, unit text,
            unit_price bigint, discount_amount bigint, total_amount bigint, tax_rate numeric, discounts jsonb,
            original_line_number integer, return_reason text,
            points bigint, points_spent bigint, counted_quantity numeric)
    )
    insert into receipt (
        business_date, receipt_id, store_id, till_id, receipt_number, type, mode, offline, closed_at, received_at,
        operator_code, card_number, card_entry_mode, account_id, member_id, currency, gross_amount,
        discount_amount, points_amount, rounding_amount, payable_amount, tenders, quote_id, redemption_ids,
        voucher_codes, original_store_code, original_till_code, original_business_date, original_receipt_number,
        original_receipt_id, fingerprint, answer, programme_version, excluded_lines, offer_points)
    values (
        %(business_date)s, %(receipt_id)s, %(store_id)s, %(till_id)s, %(receipt_number)s, %(type)s, %(mode)s,
        %(offline)s, %(closed_at)s, %(received_at)s, %(operator_code)s, %(card_number)s, %(card_entry_mode)s,
        %(account_id)s, %(member_id)s, %(currency)s, %(gross_amount)s, %(discount_amount)s, %(points_amount)s,
        %(rounding_amount)s, %(payable_amount)s, %(tenders)s, %(quote_id)s, %(redemption_ids)s,
        %(voucher_codes)s, %(original_store_code)s, %(original_till_code)s, %(original_business_date)s,
        %(original_receipt_number)s, %(original_receipt_id)s, %(fingerprint)s, %(answer)s,
        %(programme_version)s::integer, %(excluded_lines)s::integer[], %(offer_points)s::jsonb)
"""

_FLAG = """
    insert into receipt_flag (business_date, receipt_id, store_id, flagged_at, code, line_number, detail)
    select %(business_date)s::date, %(receipt_id)s::uuid, %(store_id)s::integer, %(received_at)s::timestamptz, flag.*
    from json_to_recordset(%(flags)s) as flag (code text, line_number integer, detail text)
"""


def record_receipt(session: Session, record: Record) -> None:
    """
    Write a receipt with its lines, and its flags, if it has any.

    Flags of training and suspended receipts are told to the till only: there is nothing
    about them that a person would have to put right.
    """
    posted, till = record.posted, record.till
    original = posted.original
    totals = posted.totals
    values = {
        "business_date": posted.business_date,
        "receipt_id": record.receipt_id,
        "store_id": till.store_id,
        "till_id": till.till_id,
        "receipt_number": posted.receipt_number,
        "type": posted.type,
        "mode": posted.mode,
        "offline": posted.offline,
        "closed_at": posted.closed_at,
        "received_at": record.received_at,
        "operator_code": posted.operator_code,
        "card_number": posted.card_number,
        "card_entry_mode": posted.card_entry_mode,
        "account_id": record.account_id,
        "member_id": record.member_id,
        "currency": posted.currency,
        "gross_amount": _gross(posted),
        "discount_amount": totals.discount_amount,
        "points_amount": totals.points_amount,
        "rounding_amount": totals.rounding_amount,
        "payable_amount": totals.payable_amount or 0,
        "tenders": _json([{"type": tender.type, "amount": tender.amount} for tender in posted.tenders]),
        "quote_id": posted.quote_id and find_uuid(posted.quote_id),
        "redemption_ids": _json(posted.redemption_ids),
        "voucher_codes": _json(posted.voucher_codes),
        "original_store_code": original and original.store_code,
        "original_till_code": original and original.till_code,
        "original_business_date": original and original.business_date,
        "original_receipt_number": original and original.receipt_number,
        "original_receipt_id": record.original_receipt_id,
        "fingerprint": record.fingerprint,
        "answer": None if record.answer is None else text_of(record.answer),
        "programme_version": record.programme_version,
        "excluded_lines": list(record.excluded_lines) or None,
        "offer_points": None if record.offer_points is None else text_of(record.offer_points),
        "lines": _lines_json(record),
    }
    ask(session, _RECORD, values)
    # Most receipts have none: a statement that writes none costs nearly as much as one that does.
    if record.flags and posted.mode == LIVE:
        ask(session, _FLAG, values | {"flags": _flags_json(record.flags)})


def _lines_json(record: Record) -> str:
    none = LinePoints()
    return text_of(
        [
            _line_row(line, article_id, record.points.get(line.line_number, none))
            for line, article_id in zip(record.posted.lines, record.articles, strict=True)
        ],
        default=str,
    )


def _line_row(line: PostedLine, article_id: int | None, points: LinePoints) -> dict[str, Any]:
    """Return what the database reads; what is not there is left out, since every name costs it something."""
    row: dict[str, Any] = {
        "line_number": line.line_number,
        "quantity": str(line.quantity),
        "unit_price": line.unit_price,
        "discount_amount": line.discount_amount,
        "total_amount": line.total_amount,
        "points": points.points,
        "points_spent": points.points_spent,
        "counted_quantity": points.counted_quantity,
    }
    optional = (
        ("article_id", article_id),
        ("sku", line.sku),
        ("gtin", line.gtin),
        ("name", line.name),
        ("unit", line.unit),
        ("tax_rate", None if line.tax_rate is None else str(line.tax_rate)),
        ("original_line_number", line.original_line_number),
        ("return_reason", line.reason),
    )
    row |= {name: value for name, value in optional if value is not None}
    if line.discounts:
        row["discounts"] = [
            {"offer_code": part.offer_code, "offer_version": part.offer_version, "amount": part.amount}
            for part in line.discounts
        ]
    return row


def _flags_json(flags: Iterable[Flag]) -> str:
    return text_of(
        [{"code": flag.code, "line_number": flag.line_number, "detail": flag.detail} for flag in flags]
    )


def _json(content: Sequence[Any]) -> str | None:
    return text_of(content) if content else None


def _gross(posted: PostedReceipt) -> int:
    """Return the gross amount as stated, else what the lines make."""
    if posted.totals.gross_amount is not None:
        return posted.totals.gross_amount
    gross = sum(map(line_gross, posted.lines))
    if abs(gross) > LARGEST_STORED:
        # Quantity times price of a nonsensical line; what was charged for it is at least a number of money.
        gross = sum(line.total_amount + line.discount_amount for line in posted.lines)
    return gross


_QUARANTINE = """
    insert into quarantined_receipt (
        business_date, store_id, till_id, receipt_number, fingerprint, body, received_at)
    values (%s, %s, %s, %s, %s, %s, %s)
    on conflict do nothing
"""


def quarantine(
    session: Session, *, posted: PostedReceipt, till: TillIdentity, fingerprint: bytes, now: datetime
) -> None:
    """Keep a body that came under the identity of another one, once however often it comes; nothing is booked."""
    ask(
        session,
        _QUARANTINE,
        (
            posted.business_date,
            till.store_id,
            till.till_id,
            posted.receipt_number,
            fingerprint,
            text_of(receipt_document(posted)),
            now,
        ),
    )


_LINK = """
    insert into receipt_link (
        receipt_id, business_date, type, identity, original_identity, original_business_date, original_receipt_id)
    values (%s, %s, %s, %s, %s, %s, %s)
"""


def link_to_original(
    session: Session,
    *,
    receipt_id: UUID,
    posted: PostedReceipt,
    till: TillIdentity,
    original_receipt_id: UUID | None,
) -> None:
    """Note what a live return or void names; without `original_receipt_id` it waits for its original to come."""
    assert posted.original is not None
    linked = original_receipt_id is not None
    ask(
        session,
        _LINK,
        (
            receipt_id,
            posted.business_date,
            posted.type,
            own_identity(posted, till),
            posted.original.identity,
            posted.original.business_date if linked else None,
            original_receipt_id,
        ),
    )


@dataclass(frozen=True, slots=True)
class Arrival:
    """A return or void that waited, and what it amounted to now that its original has come."""

    receipt_id: UUID
    business_date: date
    original_receipt_id: UUID
    original_business_date: date
    account_id: UUID | None
    points: Mapping[int, LinePoints]
    flags: Sequence[Flag] = ()


_ARRIVALS = """
    with arrived as (
        select * from json_to_recordset(%(receipts)s) as arrived (
            receipt_id uuid, business_date date, original_receipt_id uuid, original_business_date date,
            account_id uuid)
    ), links as (
        update receipt_link as link
        set original_receipt_id = arrived.original_receipt_id,
            original_business_date = arrived.original_business_date
        from arrived where link.receipt_id = arrived.receipt_id
    ), receipts as (
        update receipt
        set original_receipt_id = arrived.original_receipt_id, account_id = arrived.account_id
        from arrived
        where receipt.business_date = arrived.business_date and receipt.receipt_id = arrived.receipt_id
        returning receipt.receipt_id, receipt.business_date, receipt.store_id
    ), lines as (
        update receipt_line as line
        set points = counted.points, points_spent = counted.points_spent,
            counted_quantity = counted.counted_quantity
        from json_to_recordset(%(lines)s) as counted (
            receipt_id uuid, business_date date, line_number integer, points bigint, points_spent bigint,
            counted_quantity numeric)
        where line.business_date = counted.business_date and line.receipt_id = counted.receipt_id
          and line.line_number = counted.line_number
    ), resolved as (
        update receipt_flag as flag
        set state = 'resolved', resolved_by = 'the original came', resolved_at = %(now)s
        from arrived
        where flag.business_date = arrived.business_date and flag.receipt_id = arrived.receipt_id
          and flag.code = 'original_missing' and flag.state = 'open'
    )
    insert into receipt_flag (business_date, receipt_id, store_id, flagged_at, code, line_number, detail)
    select receipts.business_date, receipts.receipt_id, receipts.store_id, %(now)s, flag.code, flag.line_number,
           flag.detail
    from json_to_recordset(%(flags)s) as flag (receipt_id uuid, code text, line_number integer, detail text)
    join receipts using (receipt_id)
"""


def record_arrivals(session: Session, arrivals: Sequence[Arrival], *, now: datetime) -> None:
    """Write what returns and voids amounted to whose original came after them."""
    if not arrivals:
        return
    receipts = [
        {
            "receipt_id": arrival.receipt_id,
            "business_date": arrival.business_date,
            "original_receipt_id": arrival.original_receipt_id,
            "original_business_date": arrival.original_business_date,
            "account_id": arrival.account_id,
        }
        for arrival in arrivals
    ]
    lines = [
        {
            "receipt_id": arrival.receipt_id,
            "business_date": arrival.business_date,
            "line_number": line_number,
            "points": points.points,
            "points_spent": points.points_spent,
            "counted_quantity": points.counted_quantity,
        }
        for arrival in arrivals
        for line_number, points in arrival.points.items()
    ]
    flags = [
        {
            "receipt_id": arrival.receipt_id,
            "code": flag.code,
            "line_number": flag.line_number,
            "detail": flag.detail,
        }
        for arrival in arrivals
        for flag in arrival.flags
    ]
    values = {
        "receipts": text_of(receipts, default=str),
        "lines": text_of(lines, default=str),
        "flags": text_of(flags, default=str),
        "now": now,
    }
    ask(session, _ARRIVALS, values)

"""Receipts as they are stored: read back as what their tills stated, and given to an account later."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from core.driver import ask, driver_of
from core.errors import NotFound
from sales.receipts import (
    Discount,
    Original,
    PostedLine,
    PostedReceipt,
    Tender,
    TillIdentity,
    Totals,
)


class ReceiptNotStored(NotFound):
    """There is no such receipt, or it is another store's."""


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """A stored receipt: what its till stated, and whose it is."""

    receipt_id: UUID
    till: TillIdentity
    posted: PostedReceipt
    account_id: UUID | None
    articles: tuple[int | None, ...]
    """The article of each line, None where nobody knew it."""
    offer_points: Mapping[str, Any] | None = None
    """What offers add to the points of a sale, as it was kept."""


_RECEIPT = """
    select receipt.*, store.store_code, store.currency as store_currency, store.timezone, till.till_code
    from receipt
    join store using (store_id)
    join till using (till_id)
    where receipt.business_date = %(business_date)s and receipt.receipt_id = %(receipt_id)s
"""
_LINES = """
    select * from receipt_line
    where business_date = %(business_date)s and receipt_id = %(receipt_id)s
    order by line_number
"""


def read_stored(session: Session, *, business_date: date, receipt_id: UUID) -> StoredReceipt:
    """
    Return a stored receipt; raises `ReceiptNotStored`.

    Sums that its till left out are there as they were made of its lines.
    """
    values = {"business_date": business_date, "receipt_id": receipt_id}
    with driver_of(session).cursor(row_factory=dict_row) as cursor:
        head = cursor.execute(_RECEIPT, values).fetchone()
        if head is None:
            raise ReceiptNotStored("There is no such receipt")
        lines = cursor.execute(_LINES, values).fetchall()
    till = TillIdentity(
        till_id=head["till_id"],
        store_id=head["store_id"],
        store_code=head["store_code"],
        till_code=head["till_code"],
        currency=head["store_currency"],
        timezone=head["timezone"],
    )
    articles = tuple(line["article_id"] for line in lines)
    return StoredReceipt(
        receipt_id, till, _posted(head, lines), head["account_id"], articles, head["offer_points"]
    )


def _posted(head: dict[str, Any], lines: Sequence[dict[str, Any]]) -> PostedReceipt:
    return PostedReceipt(
        type=head["type"],
        business_date=head["business_date"],
        receipt_number=head["receipt_number"],
        closed_at=head["closed_at"],
        currency=head["currency"],
        mode=head["mode"],
        offline=head["offline"],
        operator_code=head["operator_code"],
        card_number=head["card_number"],
        card_entry_mode=head["card_entry_mode"],
        quote_id=str(head["quote_id"]) if head["quote_id"] else None,
        lines=tuple(map(_line, lines)),
        redemption_ids=tuple(head["redemption_ids"] or ()),
        voucher_codes=tuple(head["voucher_codes"] or ()),
        tenders=tuple(Tender(one["type"], one["amount"]) for one in head["tenders"] or ()),
        totals=Totals(
            payable_amount=head["payable_amount"],
            gross_amount=head["gross_amount"],
            discount_amount=head["discount_amount"],
            points_amount=head["points_amount"],
            rounding_amount=head["rounding_amount"],
        ),
        original=_original(head),
    )


def _original(head: dict[str, Any]) -> Original | None:
    if head["original_receipt_number"] is None:
        return None
    return Original(
        store_code=head["original_store_code"],
        till_code=head["original_till_code"],
        business_date=head["original_business_date"],
        receipt_number=head["original_receipt_number"],
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
        discounts=tuple(
            Discount(part["offer_code"], part["offer_version"], part["amount"])
            for part in row["discounts"] or ()
        ),
        original_line_number=row["original_line_number"],
        reason=row["return_reason"],
    )


_ACCOUNT = """
    with lines as (
        update receipt_line as line
        set points = share.points
        from json_to_recordset(%(shares)s) as share (line_number integer, points bigint)
        where line.business_date = %(business_date)s and line.receipt_id = %(receipt_id)s
          and line.line_number = share.line_number
    )
    update receipt
    set account_id = %(account_id)s, member_id = %(member_id)s, programme_version = %(programme_version)s,
        excluded_lines = %(excluded_lines)s::integer[]
    where business_date = %(business_date)s and receipt_id = %(receipt_id)s and account_id is null
"""


class NotNobodys(Exception):  # noqa: N818 - a bug of ours, never an answer to anybody
    """A receipt was to be given to an account that belonged to one already."""


def record_account(
    session: Session,
    *,
    business_date: date,
    receipt_id: UUID,
    account_id: UUID,
    member_id: UUID | None,
    points: Mapping[int, int],
    programme_version: int | None,
    excluded_lines: Sequence[int],
) -> None:
    """
    Write whose a stored sale is and what its lines earned, which nobody knew when it came.

    The caller holds the sale. Raises `NotNobodys` when it belongs to an account already.
    """
    shares = [{"line_number": line_number, "points": share} for line_number, share in points.items()]
    cursor = driver_of(session).execute(
        _ACCOUNT,
        {
            "business_date": business_date,
            "receipt_id": receipt_id,
            "account_id": account_id,
            "member_id": member_id,
            "shares": json.dumps(shares),
            "programme_version": programme_version,
            "excluded_lines": list(excluded_lines) or None,
        },
    )
    if cursor.rowcount != 1:
        raise NotNobodys(str(receipt_id))


def move_receipts(session: Session, *, source: UUID, target: UUID) -> None:
    """Give all receipts of an account to another, which holds their points from now on; the caller holds both."""
    driver_of(session).execute("update receipt set account_id = %s where account_id = %s", (target, source))


_ANSWER = "update receipt set answer = %s where business_date = %s and receipt_id = %s"


def replace_answer(
    session: Session, *, business_date: date, receipt_id: UUID, answer: Mapping[str, Any]
) -> None:
    """Keep what a till is told of a receipt that was written in this transaction, which was not known before."""
    ask(session, _ANSWER, (json.dumps(answer), business_date, receipt_id))

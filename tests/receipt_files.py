"""Receipts files for tests: rows as dictionaries, written as CSV."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sales.receipt_rows import COLUMNS
from sales.receipts import PostedReceipt, TillIdentity

LINE = {
    "store_code": "S1",
    "till_code": "T1",
    "business_date": "2026-11-21",
    "receipt_number": "000001",
    "type": "sale",
    "closed_at": "2026-11-21T12:00:00+01:00",
    "card_number": "2990000000019",
    "currency": "CZK",
    "line_number": "1",
    "sku": "sku1",
    "quantity": "1",
    "unit_price": "1000",
    "total_amount": "1000",
}


def line(**changes: Any) -> dict[str, Any]:
    """A good row, but for the changes."""
    return {**LINE, **changes}


def write_receipts(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write the rows with all columns that any of them has."""
    rows = list(rows)
    names = [name for name in COLUMNS.all if any(row.get(name) is not None for row in rows)]
    extra = sorted({name for row in rows for name in row} - set(COLUMNS.all))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*names, *extra], extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows({name: "" if cell is None else cell for name, cell in row.items()} for row in rows)
    return path


def rows_of(posted: PostedReceipt, till: TillIdentity) -> list[dict[str, Any]]:
    """Return what a file says of a posted receipt, one row a line."""
    original = posted.original
    head = {
        "store_code": till.store_code,
        "till_code": till.till_code,
        "business_date": posted.business_date.isoformat(),
        "receipt_number": posted.receipt_number,
        "type": posted.type,
        "closed_at": posted.closed_at.isoformat(),
        "card_number": posted.card_number,
        "operator_code": posted.operator_code,
        "currency": posted.currency,
        "original_store_code": original and original.store_code,
        "original_till_code": original and original.till_code,
        "original_business_date": original and original.business_date.isoformat(),
        "original_receipt_number": original and original.receipt_number,
    }
    return [
        {
            **head,
            "line_number": one.line_number,
            "sku": one.sku,
            "gtin": one.gtin,
            "name": one.name,
            "quantity": one.quantity,
            "unit": one.unit,
            "unit_price": one.unit_price,
            "discount_amount": one.discount_amount,
            "total_amount": one.total_amount,
            "tax_rate": one.tax_rate,
            "original_line_number": one.original_line_number,
            "return_reason": one.reason,
        }
        for one in posted.lines
    ]

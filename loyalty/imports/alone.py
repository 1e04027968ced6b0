"""Receipts of a POSLog that go the till's own way: returns, voids, training, and what points paid for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.driver import driver_of
from loyalty.checkout import Quarantined, settle
from sales.poslog_spool import Kept
from sales.queries import StoreView
from sales.receipt_codes import Codes, tills_of
from sales.receipt_loading import TAKEN, prepare_months
from sales.receipts import PostedReceipt, TillIdentity, masked, receipt_document
from sales.stored_receipts import read_stored


@dataclass
class SettledAlone:
    """What became of some receipts."""

    written: int = 0
    unchanged: int = 0
    points: int = 0
    refused: list[tuple[Kept, str]] = field(default_factory=list)


def settle_alone(session: Session, receipts: Sequence[Kept], codes: Codes, *, now: datetime) -> SettledAlone:
    """Settle receipts in their order; what is stored already is left alone."""
    done = SettledAlone()
    prepare_months(session, [kept.posted.business_date for kept in receipts])
    for kept, till in zip(receipts, _tills(session, receipts, codes), strict=True):
        stored = _stored(session, till, kept.posted)
        if stored is not None:
            if says_the_same(stored, kept.posted):
                done.unchanged += 1
            else:
                done.refused.append((kept, TAKEN))
            continue
        outcome = settle(session, till=till, posted=kept.posted, now=now, imported=True)
        if isinstance(outcome, Quarantined):
            # A till was faster with something else; what it sent stands.
            done.refused.append((kept, TAKEN))
        else:
            done.written += not outcome.replayed
            done.unchanged += outcome.replayed
            done.points += 0 if outcome.replayed else outcome.answer["points"]["earned"]
    return done


def _tills(session: Session, receipts: Sequence[Kept], codes: Codes) -> list[TillIdentity]:
    found = codes.stores(session, [kept.store_code for kept in receipts])
    stores: list[StoreView] = [store for store in found if store is not None]
    till_ids = tills_of(session, stores, [kept.till_code for kept in receipts])
    return [
        TillIdentity(
            till_id=till_id,
            store_id=store.store_id,
            store_code=store.store_code,
            till_code=kept.till_code,
            currency=store.currency,
            timezone=store.timezone,
        )
        for kept, store, till_id in zip(receipts, stores, till_ids, strict=True)
    ]


_STORED = """
    select receipt_id from receipt
    where business_date = %s and store_id = %s and till_id = %s and receipt_number = %s
"""


def _stored(session: Session, till: TillIdentity, posted: PostedReceipt) -> PostedReceipt | None:
    values = (posted.business_date, till.store_id, till.till_id, posted.receipt_number)
    row = driver_of(session).execute(_STORED, values).fetchone()
    if row is None:
        return None
    return read_stored(session, business_date=posted.business_date, receipt_id=row[0]).posted


def says_the_same(stored: PostedReceipt, told: PostedReceipt) -> bool:
    """Return whether a stored receipt is what a file tells, of all that such a file can tell."""
    return _comparable(stored) == _comparable(told)


def _comparable(receipt: PostedReceipt) -> dict[str, Any]:
    document = receipt_document(masked(receipt))
    for name in ("offline", "quote_id", "card_entry_mode", "redemption_ids", "voucher_codes"):
        document.pop(name, None)
    totals = document.pop("totals", {})
    if receipt.type == "void":
        document.pop("lines", None)
        document.pop("tenders", None)
        return document
    lines = sorted(document.pop("lines", ()), key=lambda line: line["line_number"])
    for line in lines:
        line.pop("discounts", None)
    sums = {name: totals.get(name, 0) for name in ("payable_amount", "points_amount", "rounding_amount")}
    return {**document, "lines": lines, "totals": sums}

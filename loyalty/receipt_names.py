"""Receipts as people know them: by number, store and day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty.offer_points import OfferPoints, read_offer_points
from sales.models import Receipt, ReceiptLink, Store


@dataclass(frozen=True, slots=True)
class ReceiptName:
    """A receipt as people know it, with its key and the zone of its store."""

    business_date: date
    receipt_id: UUID
    store_name: str
    timezone: str
    receipt_number: str
    type: str
    received_at: datetime
    added: OfferPoints
    """What offers added to its points."""


def read_receipt_names(
    session: Session, keys: Collection[tuple[date, UUID]]
) -> tuple[dict[UUID, ReceiptName], dict[UUID, ReceiptName]]:
    """Return receipts by their id, and the originals of those among them that are returns or voids."""
    names = receipt_names(session, keys)
    links = session.execute(
        select(
            ReceiptLink.receipt_id, ReceiptLink.original_business_date, ReceiptLink.original_receipt_id
        ).where(
            ReceiptLink.receipt_id.in_([receipt_id for _day, receipt_id in keys]),
            ReceiptLink.original_receipt_id.is_not(None),
        )
    ).all()
    originals = receipt_names(session, {(link[1], link[2]) for link in links if link[1] and link[2]})
    return names, {link[0]: originals[link[2]] for link in links if link[2] in originals}


def receipt_names(session: Session, keys: Collection[tuple[date, UUID]]) -> dict[UUID, ReceiptName]:
    """Return receipts by their id; those that are not there are left out."""
    if not keys:
        return {}
    rows = session.execute(
        select(
            Receipt.business_date,
            Receipt.receipt_id,
            Store.name,
            Store.timezone,
            Receipt.receipt_number,
            Receipt.type,
            Receipt.received_at,
            Receipt.offer_points,
        )
        .join(Store, Store.store_id == Receipt.store_id)
        .where(
            Receipt.business_date.in_({day for day, _receipt_id in keys}),
            Receipt.receipt_id.in_([receipt_id for _day, receipt_id in keys]),
        )
    )
    return {
        row.receipt_id: ReceiptName(
            business_date=row.business_date,
            receipt_id=row.receipt_id,
            store_name=row.name,
            timezone=row.timezone,
            receipt_number=row.receipt_number,
            type=row.type,
            received_at=row.received_at,
            added=read_offer_points(row.offer_points),
        )
        for row in rows
    }

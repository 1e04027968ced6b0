"""Receipts as people know them: by number, store and day."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty.offer_points import OfferPoints, read_offer_points
from rewards.offer_models import OfferUse, OfferVersion
from sales.models import Receipt, ReceiptLink, Store

POINT_BENEFITS: Final = ("points", "points_multiplier")
"""What offers that give points say of their benefit."""


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
    offers: tuple[Mapping[str, str], ...] = ()
    """What these offers are called, by language, in the order of their codes."""


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
    ).all()
    offers = _offers_for_points(
        session, {(row.business_date, row.receipt_id) for row in rows if row.offer_points}
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
            offers=tuple(offers.get(row.receipt_id, ())),
        )
        for row in rows
    }


def _offers_for_points(
    session: Session, keys: Collection[tuple[date, UUID]]
) -> dict[UUID, list[Mapping[str, str]]]:
    """Return the names of the offers that gave receipts points, by the receipt's id."""
    if not keys:
        return {}
    rows = session.execute(
        select(OfferUse.receipt_id, OfferVersion.document["name"])
        .join(
            OfferVersion,
            (OfferVersion.offer_code == OfferUse.offer_code)
            & (OfferVersion.version == OfferUse.offer_version),
        )
        .where(
            OfferUse.business_date.in_({day for day, _receipt_id in keys}),
            OfferUse.receipt_id.in_([receipt_id for _day, receipt_id in keys]),
            OfferUse.reversed_by.is_(None),
            OfferVersion.document["benefit"]["kind"].astext.in_(POINT_BENEFITS),
        )
        .order_by(OfferUse.offer_code)
    )
    names: dict[UUID, list[Mapping[str, str]]] = {}
    for receipt_id, name in rows:
        names.setdefault(receipt_id, []).append(name)
    return names

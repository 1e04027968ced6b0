"""Points as people look at them: lots by their end, and a statement of entries."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.keyset import Ask, Page, read_page
from loyalty.lots import last_day
from loyalty.models import Balance, LedgerEntry, LedgerLeg, Lot


@dataclass(frozen=True, slots=True)
class LotView:
    """Points that were earned together and are not used up."""

    business_date: date
    receipt_id: UUID | None
    earned: int
    remaining: int
    available_at: datetime
    expires_at: datetime | None

    @property
    def last_day(self) -> date | None:
        """The last day on which these points can be spent."""
        return last_day(self.expires_at) if self.expires_at else None


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry as its account saw it: `points` is the change of what the account holds."""

    entry_id: UUID
    reason: str
    business_date: date
    booked_at: datetime
    receipt_id: UUID | None
    note: str | None
    points: int
    reserved: int


def balances(session: Session, account_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the points of some accounts; those without an entry are left out."""
    rows = session.execute(
        select(Balance.account_id, Balance.points).where(Balance.account_id.in_(account_ids))
    )
    return {row.account_id: row.points for row in rows}


def lots_of(session: Session, *, account_id: UUID) -> list[LotView]:
    """Return the lots of an account that hold points or a debt, in the order in which they are spent."""
    rows = session.execute(
        select(Lot.business_date, Lot.receipt_id, Lot.earned, Lot.remaining, Lot.available_at, Lot.expires_at)
        .where(Lot.account_id == account_id, Lot.remaining != 0)
        .order_by(Lot.expires_at.asc().nulls_last(), Lot.business_date, Lot.booked_at, Lot.lot_id)
    )
    return [LotView(*row) for row in rows]


def list_entries(session: Session, ask: Ask, *, account_id: UUID) -> Page[EntryView]:
    """Return a page of an account's entries."""
    held = func.coalesce(func.sum(LedgerLeg.points).filter(LedgerLeg.book == "points"), 0)
    reserved = func.coalesce(func.sum(LedgerLeg.points).filter(LedgerLeg.book == "reserved"), 0)
    statement: Select[*tuple[Any, ...]] = (
        select(
            LedgerEntry.entry_id,
            LedgerEntry.reason,
            LedgerEntry.business_date,
            LedgerEntry.booked_at,
            LedgerEntry.receipt_id,
            LedgerEntry.note,
            held.label("points"),
            reserved.label("reserved"),
        )
        .join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.entry_id)
        .where(LedgerEntry.account_id == account_id)
        .group_by(LedgerEntry.entry_id)
    )
    page = read_page(
        session,
        statement,
        ask=ask,
        sorts=("booked_at", "business_date"),
        key="entry_id",
        filled=("booked_at",),
    )
    return Page(tuple(_entry(row) for row in page.rows), page.following, page.previous)


def _entry(row: Any) -> EntryView:
    return EntryView(
        entry_id=row.entry_id,
        reason=row.reason,
        business_date=row.business_date,
        booked_at=row.booked_at,
        receipt_id=row.receipt_id,
        note=row.note,
        points=int(row.points),
        reserved=int(row.reserved),
    )


def points_of_receipt(session: Session, *, business_date: date, receipt_id: UUID) -> dict[str, int]:
    """Return what the entries caused by one receipt changed, summed by reason."""
    rows = session.execute(
        select(LedgerEntry.reason, func.sum(LedgerLeg.points))
        .join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.entry_id)
        .where(
            LedgerEntry.business_date == business_date,
            LedgerEntry.receipt_id == receipt_id,
            LedgerLeg.book == "points",
        )
        .group_by(LedgerEntry.reason)
    )
    return {reason: int(points) for reason, points in rows}

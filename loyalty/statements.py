"""Points as people look at them: lots by their end, a statement of entries, and the programme's weeks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, select
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


@dataclass(frozen=True, slots=True)
class WeekOfPoints:
    """Points that moved in the week from `monday`, all counts non-negative."""

    monday: date
    issued: int
    spent: int
    expired: int


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What the chain owes its members: points per month in which they would expire."""

    points: int
    accounts: int
    by_month: tuple[tuple[date, int], ...]


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


def points_by_week(session: Session, *, since: date, until: date) -> list[WeekOfPoints]:
    """Return the weeks of the half-open period in which points moved, by business date, oldest first."""
    monday = func.date_trunc("week", LedgerEntry.business_date).label("monday")
    points = LedgerLeg.points
    issued = func.sum(case((LedgerEntry.reason.in_(("earn", "adjust")), points), else_=0))
    taken_back = func.sum(case((LedgerEntry.reason == "reverse", points), else_=0))
    spent = func.sum(case((LedgerEntry.reason == "spend", -points), else_=0))
    given_back = func.sum(case((LedgerEntry.reason == "return", points), else_=0))
    expired = func.sum(case((LedgerEntry.reason == "expire", -points), else_=0))
    rows = session.execute(
        select(monday, issued + taken_back, spent - given_back, expired)
        .join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.entry_id)
        .where(
            LedgerEntry.business_date >= since,
            LedgerEntry.business_date < until,
            LedgerLeg.book.in_(("points", "reserved")),
        )
        .group_by(monday)
        .order_by(monday)
    )
    return [
        WeekOfPoints(start.date(), max(0, int(given)), max(0, int(used)), max(0, int(lost)))
        for start, given, used, lost in rows
    ]


def outstanding(session: Session, *, months: int = 13) -> Outstanding:
    """Return what all accounts hold together, and the next months in which points expire."""
    points, accounts = session.execute(
        select(func.coalesce(func.sum(Balance.points), 0), func.count().filter(Balance.points > 0))
    ).one()
    month = func.date_trunc("month", Lot.expires_at - timedelta(hours=12)).label("month")
    rows = session.execute(
        select(month, func.sum(Lot.remaining))
        .where(Lot.remaining > 0, Lot.expires_at.is_not(None))
        .group_by(month)
        .order_by(month)
        .limit(months)
    )
    return Outstanding(int(points), accounts, tuple((start.date(), int(total)) for start, total in rows))

"""Lots as people look at them: those that hold something, by their end, and all there ever were."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.keyset import Ask, Page, read_page
from loyalty.lots import last_day
from loyalty.models import Lot
from loyalty.receipt_names import ReceiptName, receipt_names


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
class LotRow:
    """A lot with its story: what it held at first, what is left, and when its points can be spent."""

    lot_id: UUID
    business_date: date
    booked_at: datetime
    receipt: ReceiptName | None
    earned: int
    remaining: int
    available_at: datetime
    expires_at: datetime | None

    @property
    def last_day(self) -> date | None:
        """The last day on which these points can be spent."""
        return last_day(self.expires_at) if self.expires_at else None

    def state(self, now: datetime) -> str:
        """Return pending, available, used, expired, or debt for what stands below zero."""
        if self.remaining < 0:
            return "debt"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        if not self.remaining:
            return "used"
        return "pending" if self.available_at > now else "available"


def lots_of(session: Session, *, account_id: UUID) -> list[LotView]:
    """Return the lots of an account that hold points or a debt, in the order in which they are spent."""
    rows = session.execute(
        select(Lot.business_date, Lot.receipt_id, Lot.earned, Lot.remaining, Lot.available_at, Lot.expires_at)
        .where(Lot.account_id == account_id, Lot.remaining != 0)
        .order_by(Lot.expires_at.asc().nulls_last(), Lot.business_date, Lot.booked_at, Lot.lot_id)
    )
    return [LotView(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Ending:
    """What is left of an account's lots that end on one day, None for never."""

    last_day: date | None
    pending: bool
    points: int


def endings(lots: Sequence[LotView], now: datetime) -> list[Ending]:
    """Return what `lots` hold by the day on which it ends, in their order; what is pending stands apart."""
    left: dict[tuple[date | None, bool], int] = {}
    for lot in lots:
        when = lot.last_day, lot.available_at > now
        left[when] = left.get(when, 0) + lot.remaining
    return [Ending(day, pending, points) for (day, pending), points in left.items()]


def list_lots(session: Session, ask: Ask, *, account_id: UUID) -> Page[LotRow]:
    """Return a page of all lots of an account, those that are used up too unless the filter `held` is set."""
    statement: Select[*tuple[Any, ...]] = select(
        Lot.lot_id,
        Lot.business_date,
        Lot.booked_at,
        Lot.receipt_id,
        Lot.earned,
        Lot.remaining,
        Lot.available_at,
        Lot.expires_at,
    ).where(Lot.account_id == account_id)
    if ask.filters.get("held") == "yes":
        statement = statement.where(Lot.remaining != 0)
    page = read_page(
        session,
        statement,
        ask=ask,
        sorts=("business_date", "available_at", "expires_at", "earned", "remaining"),
        key="lot_id",
        filled=("business_date", "available_at", "earned", "remaining"),
    )
    names = receipt_names(
        session, {(row.business_date, row.receipt_id) for row in page.rows if row.receipt_id}
    )
    lots = (
        LotRow(
            row.lot_id,
            row.business_date,
            row.booked_at,
            names.get(row.receipt_id),
            row.earned,
            row.remaining,
            row.available_at,
            row.expires_at,
        )
        for row in page.rows
    )
    return Page(tuple(lots), page.following, page.previous)

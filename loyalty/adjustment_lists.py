"""Adjustments as people look at them: who asked for what, what approving would change, and the limits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.clock import business_day
from core.ids import uuid7
from core.keyset import Ask, Page, read_page
from customers.models import Member
from loyalty.accounts import read_lots
from loyalty.adjustments import NoSuchAdjustment, timezone_of
from loyalty.holding import Holding
from loyalty.ledger import Cause
from loyalty.lots import last_day
from loyalty.models import Adjustment, LedgerEntry
from loyalty.opening import present_account
from loyalty.programme.versions import programmes


@dataclass(frozen=True, slots=True)
class AdjustmentRow:
    """One adjustment with its member, None where it was for an account without."""

    adjustment_id: UUID
    account_id: UUID
    member_id: UUID | None
    member_code: str | None
    given_name: str | None
    family_name: str | None
    points: int
    reason: str
    note: str
    state: str
    points_limit: int
    needs_second: bool
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None

    @property
    def name(self) -> str:
        """Given and family name of the member."""
        return f"{self.given_name or ''} {self.family_name or ''}".strip()


@dataclass(frozen=True, slots=True)
class Change:
    """What an adjustment would change if it were booked now: available points, and of those that end when."""

    available_before: int
    available_after: int
    pieces: tuple[tuple[date | None, int, int], ...]
    """By last day (None: they never end): how many lots would get or lose points, and how many points."""

    @property
    def possible(self) -> bool:
        """Whether there is enough to take."""
        return self.available_after >= 0 or self.available_after >= self.available_before


def list_adjustments(session: Session, ask: Ask, *, member_id: UUID | None = None) -> Page[AdjustmentRow]:
    """Return a page of adjustments; filters: state, reason, requested_by. Of one member if `member_id` is given."""
    statement = _rows()
    if member_id is not None:
        statement = statement.where(Adjustment.member_id == member_id)
    for name, column in (
        ("state", Adjustment.state),
        ("reason", Adjustment.reason),
        ("requested_by", Adjustment.requested_by),
    ):
        if value := ask.filters.get(name):
            statement = statement.where(column == value)
    page = read_page(
        session,
        statement,
        ask=ask,
        sorts=("requested_at", "points", "decided_at"),
        key="adjustment_id",
        filled=("requested_at",),
    )
    return Page(tuple(AdjustmentRow(*row[:17]) for row in page.rows), page.following, page.previous)


def read_adjustment(session: Session, *, adjustment_id: UUID) -> AdjustmentRow:
    """Return one adjustment; raises `NoSuchAdjustment`."""
    row = session.execute(_rows().where(Adjustment.adjustment_id == adjustment_id)).one_or_none()
    if row is None:
        raise NoSuchAdjustment("There is no such adjustment")
    return AdjustmentRow(*row)


def waiting_adjustments(session: Session) -> int:
    """Return how many requests wait for a second person."""
    waiting = select(func.count()).select_from(Adjustment).where(Adjustment.state == "requested")
    return session.scalar(waiting) or 0


def entry_of_adjustment(session: Session, *, adjustment_id: UUID) -> UUID | None:
    """Return the entry with which an adjustment was booked, if it was."""
    return session.scalar(
        select(LedgerEntry.entry_id).where(
            LedgerEntry.reference == adjustment_id, LedgerEntry.reason == "adjust"
        )
    )


def change_of(session: Session, *, account_id: UUID, points: int, now: datetime) -> Change:
    """Return what adjusting an account by `points` would change if it were booked at `now`, where it would be."""
    account_id = present_account(session, account_id=account_id)
    holding = Holding(account_id, read_lots(session, account_id=account_id), now=now)
    before = holding.spendable
    timezone = timezone_of(session, account_id=account_id)
    today = business_day(now, timezone)
    cause = Cause(today, now, reference=uuid7())
    if points > 0:
        lot = holding.grant(
            points, cause, expires_at=programmes(session).on(today).expires_at(today, timezone)
        )
        moved: Iterable[tuple[UUID, int]] = [(lot.lot_id, points)]
    else:
        taken = holding.confiscate(min(-points, max(0, before)), cause)
        sums: dict[UUID, int] = {}
        for piece in taken:
            sums[piece.lot_id] = sums.get(piece.lot_id, 0) - piece.points
        moved = sums.items()
    return Change(before, before + points, _by_end(holding, moved))


def _by_end(holding: Holding, moved: Iterable[tuple[UUID, int]]) -> tuple[tuple[date | None, int, int], ...]:
    ends: dict[date | None, list[int]] = {}
    for lot_id, points in moved:
        expires_at = holding.lots[lot_id].expires_at
        ends.setdefault(expires_at and last_day(expires_at), []).append(points)
    ordered = sorted(ends.items(), key=lambda item: item[0] or date.max)
    return tuple((end, len(changes), sum(changes)) for end, changes in ordered)


def _rows() -> Select[*tuple[Any, ...]]:
    return select(
        Adjustment.adjustment_id,
        Adjustment.account_id,
        Adjustment.member_id,
        Member.member_code,
        Member.given_name,
        Member.family_name,
        Adjustment.points,
        Adjustment.reason,
        Adjustment.note,
        Adjustment.state,
        Adjustment.points_limit,
        Adjustment.needs_second,
        Adjustment.requested_by,
        Adjustment.requested_at,
        Adjustment.decided_by,
        Adjustment.decided_at,
        Adjustment.decision_note,
    ).outerjoin(Member, Member.member_id == Adjustment.member_id)

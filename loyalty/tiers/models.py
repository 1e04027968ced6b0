"""Tables of tiers: versions of the scheme, what qualifies, how accounts stand, and what happened."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

EVENTS = ("up", "down", "grace", "kept", "warned", "granted", "grant_ended", "joined")


class TierScheme(Base):
    """
    A version of the tiers, in force from the start of `valid_from` until a later one is.

    A draft may be changed; approved by a second person, rejected or withdrawn it stands as it is
    for ever, which a trigger sees to.
    """

    __tablename__ = "tier_scheme"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'approved', 'rejected', 'withdrawn')", name="state"),
        CheckConstraint(
            "(state = 'draft') = (decided_by is null) and (state = 'draft') = (decided_at is null)",
            name="decided",
        ),
        CheckConstraint("state <> 'approved' or decided_by <> drafted_by", name="second_person"),
        CheckConstraint("state <> 'rejected' or decision_reason is not null", name="reason"),
        Index("tier_scheme_valid_idx", "valid_from", postgresql_where="state = 'approved'"),
    )

    version: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    valid_from: Mapped[date]
    state: Mapped[str]
    rules: Mapped[dict[str, Any]]
    note: Mapped[str]
    drafted_by: Mapped[str]
    drafted_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]


class QualifyingEntry(Base):
    """
    What one receipt qualifies an account for: a sale adds, a return takes off on its own day.

    A cache of the database's function `qualifying_facts`, kept for accounts that have a standing.
    """

    __tablename__ = "qualifying_entry"
    __table_args__ = (CheckConstraint("visits in (0, 1)", name="visits"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), primary_key=True)
    business_date: Mapped[date] = mapped_column(primary_key=True)
    receipt_id: Mapped[UUID] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    currency: Mapped[str]
    spend: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    visits: Mapped[int] = mapped_column(SmallInteger)


class TierStanding(Base):
    """How an account stands: a cache of what its entries, its grants and the schemes come to on `as_of`."""

    __tablename__ = "tier_standing"
    __table_args__ = (
        Index("tier_standing_due_idx", "due_on", "account_id", postgresql_where="due_on is not null"),
        Index("tier_standing_tier_idx", "tier_code"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), primary_key=True)
    joined_on: Mapped[date]
    tier_code: Mapped[str | None]
    """The tier that holds: what was earned, or what somebody granted where that is higher."""
    earned_code: Mapped[str | None]
    since: Mapped[date | None]
    period_end: Mapped[date | None]
    """The day after the period at whose end the earned tier is looked at."""
    grace_until: Mapped[date | None]
    due_on: Mapped[date | None]
    """The next day on which something happens to it without any receipt."""
    warned_for: Mapped[date | None]
    """The end of period that the member was warned of."""
    as_of: Mapped[date]
    changed_at: Mapped[datetime]


class TierGrant(Base):
    """A tier that an account has until a day whatever it earns: given by a person, or kept when accounts were joined."""

    __tablename__ = "tier_grant"
    __table_args__ = (
        CheckConstraint("kind in ('manual', 'joined')", name="kind"),
        CheckConstraint("valid_from <= valid_until", name="period"),
    )

    grant_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), index=True)
    kind: Mapped[str]
    tier_code: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    """The last day on which it holds."""
    reason: Mapped[str]
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]


class TierEvent(Base):
    """What happened to an account's tier, and why; append-only."""

    __tablename__ = "tier_event"
    __table_args__ = (
        CheckConstraint(
            "kind in ('up', 'down', 'grace', 'kept', 'warned', 'granted', 'grant_ended', 'joined')",
            name="kind",
        ),
        Index("tier_event_account_id_idx", "account_id", "event_id"),
    )

    event_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    happened_on: Mapped[date]
    recorded_at: Mapped[datetime]
    kind: Mapped[str]
    from_code: Mapped[str | None]
    to_code: Mapped[str | None]
    receipt_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]]
    actor: Mapped[str]

"""Tables of referral: the rules, members' codes, whom they brought, and what became of it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class ReferralRules(Base):
    """What bringing somebody is rewarded with; no row means that there is no referral."""

    __tablename__ = "referral_rules"
    __table_args__ = (
        CheckConstraint("singleton", name="singleton"),
        CheckConstraint(
            "referrer_points >= 0 and referred_points >= 0 and minimum_points >= 0", name="points"
        ),
        CheckConstraint("most_per_year >= 0 and within_days > 0", name="limits"),
    )

    singleton: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    referrer_points: Mapped[int] = mapped_column(BigInteger)
    referred_points: Mapped[int] = mapped_column(BigInteger)
    minimum_points: Mapped[int] = mapped_column(BigInteger)
    """What the first purchase that counts must have earned, after returns."""
    most_per_year: Mapped[int]
    """How many of a calendar year's referrals a member is rewarded for."""
    within_days: Mapped[int]
    """How long after joining the first purchase that counts may be."""
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class ReferralCode(Base):
    """The code by which a member brings others."""

    __tablename__ = "referral_code"

    code: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), unique=True)
    made_at: Mapped[datetime]


class Referral(Base):
    """That somebody was brought by a member: waiting, then rewarded, refused or lapsed."""

    __tablename__ = "referral"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'rewarded', 'refused', 'lapsed')", name="state"),
        CheckConstraint("(state = 'waiting') = (decided_at is null)", name="decided"),
        CheckConstraint("state <> 'refused' or reason is not null", name="reason"),
        CheckConstraint("referrer_id <> referred_id", name="other"),
        CheckConstraint(
            "(state = 'rewarded') = (referrer_points is not null and referred_points is not null)",
            name="rewarded",
        ),
        Index("referral_referrer_id_idx", "referrer_id", "decided_at"),
        Index("referral_waiting_idx", "made_at", postgresql_where="state = 'waiting'"),
    )

    referral_id: Mapped[UUID] = mapped_column(primary_key=True)
    referrer_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    referred_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), unique=True)
    code: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str | None]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    joined_on: Mapped[date]
    business_date: Mapped[date | None]
    receipt_id: Mapped[UUID | None]
    """With business_date names the first purchase that counted."""
    decided_at: Mapped[datetime | None]
    referrer_points: Mapped[int | None] = mapped_column(BigInteger)
    """What the referrer was given: nothing when the year's referrals were used up."""
    referred_points: Mapped[int | None] = mapped_column(BigInteger)
    referrer_adjustment_id: Mapped[UUID | None] = mapped_column(ForeignKey("adjustment.adjustment_id"))
    referred_adjustment_id: Mapped[UUID | None] = mapped_column(ForeignKey("adjustment.adjustment_id"))

"""Tables: rehearsals of offers on past baskets, what was rehearsed, and the days that are done."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class Rehearsal(Base):
    """One run of offers over the baskets of a period; once it is completed it never changes."""

    __tablename__ = "rehearsal"
    __table_args__ = (
        CheckConstraint("first_day < following_day", name="period"),
        CheckConstraint("(completed_at is null) = (results is null)", name="completed"),
    )

    rehearsal_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_day: Mapped[date]
    following_day: Mapped[date]
    store_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    """The stores whose baskets are taken; all of them have one currency."""
    beside: Mapped[dict[str, Any]]
    """What was live when it was asked for, and so is applied beside: `choice`, and `offers` as [version, document]."""
    requested_by: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(index=True)
    completed_at: Mapped[datetime | None]
    results: Mapped[dict[str, Any] | None]


class RehearsedOffer(Base):
    """An offer as it was rehearsed, and what it came to."""

    __tablename__ = "rehearsed_offer"
    __table_args__ = (Index("rehearsed_offer_version_idx", "offer_code", "version"),)

    rehearsal_id: Mapped[UUID] = mapped_column(ForeignKey("rehearsal.rehearsal_id"), primary_key=True)
    offer_code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    document: Mapped[dict[str, Any]]
    results: Mapped[dict[str, Any] | None]


class RehearsalPart(Base):
    """What one day of a rehearsal came to; kept until the rehearsal is completed."""

    __tablename__ = "rehearsal_part"

    rehearsal_id: Mapped[UUID] = mapped_column(ForeignKey("rehearsal.rehearsal_id"), primary_key=True)
    business_date: Mapped[date] = mapped_column(primary_key=True)
    sums: Mapped[dict[str, Any]]

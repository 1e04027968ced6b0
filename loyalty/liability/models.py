"""Tables of figures that the night keeps: what moved per day, and what is owed."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class PointsDay(Base):
    """What the entries of a business date, booked before `PointsSummary.booked_before`, moved, by reason."""

    __tablename__ = "points_day"

    business_date: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger)


class PointsOwed(Base):
    """
    What entries booked before `PointsSummary.booked_before` left in the lots that receipts gave.

    By the receipt's store and the moment at which the lot ends, which is infinite where it never does; what lies in
    reservations is told apart. Lots that no receipt gave are few, and are not in here.
    """

    __tablename__ = "points_owed"

    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"), primary_key=True, autoincrement=False)
    expires_at: Mapped[datetime] = mapped_column(primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)


class PointsSummary(Base):
    """The one row that says up to which moment of booking `PointsDay` and `PointsOwed` are complete."""

    __tablename__ = "points_summary"
    __table_args__ = (CheckConstraint("singleton", name="singleton"),)

    singleton: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    booked_before: Mapped[datetime]


class LiabilityReport(Base):
    """What the chain owed its members when the night of a business day ran, and how that was estimated."""

    __tablename__ = "liability_report"

    business_day: Mapped[date] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime]
    evidence: Mapped[dict[str, Any]]


class LiabilityLine(Base):
    """A part of a report: the points that one store's receipts gave and that end in one month."""

    __tablename__ = "liability_line"

    business_day: Mapped[date] = mapped_column(
        ForeignKey("liability_report.business_day", ondelete="CASCADE"), primary_key=True
    )
    line_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    store_id: Mapped[int | None] = mapped_column(ForeignKey("store.store_id"))
    currency: Mapped[str]
    month: Mapped[date | None]
    points: Mapped[int] = mapped_column(BigInteger)
    value_amount: Mapped[int] = mapped_column(BigInteger)
    expected_amount: Mapped[int] = mapped_column(BigInteger)

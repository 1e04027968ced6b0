"""Tables of the ground floor: the night's runs and steps, and the audit trail."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

STATES = "('waiting', 'running', 'completed', 'failed', 'stopped')"


class JobRun(Base):
    """One run of a job for one business day; unique, so that it happens once however many processes tick."""

    __tablename__ = "job_run"
    __table_args__ = (
        UniqueConstraint("job", "business_day"),
        CheckConstraint(f"state in {STATES}", name="state"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    job: Mapped[str]
    business_day: Mapped[date]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    stop_requested_at: Mapped[datetime | None]


class JobStep(Base):
    """One step of a run, with how far it got and what it reported."""

    __tablename__ = "job_step"
    __table_args__ = (
        UniqueConstraint("run_id", "name"),
        CheckConstraint(f"state in {STATES}", name="state"),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("job_run.run_id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    state: Mapped[str]
    done: Mapped[int] = mapped_column(server_default="0")
    total: Mapped[int | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    result: Mapped[dict[str, Any] | None]


class AuditEvent(Base):
    """Who did or looked at what; append-only."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("audit_event_subject_idx", "subject_kind", "subject_id", "happened_at"),)

    event_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    detail: Mapped[dict[str, Any] | None]

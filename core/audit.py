"""The audit trail: who did or looked at what."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.models import AuditEvent


def record_event(
    session: Session,
    *,
    now: datetime,
    actor: str,
    action: str,
    subject_kind: str,
    subject_id: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write that `actor` did `action` (such as "card.block", "member.view") to one subject, for ever."""
    session.execute(
        insert(AuditEvent).values(
            happened_at=now,
            actor=actor,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            detail=detail,
        )
    )

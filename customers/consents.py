"""What members agree to and withdraw: each decision is a row, and the newest one holds."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from customers.models import Consent


def write_consent(
    session: Session,
    *,
    member_id: UUID,
    purpose: str,
    channel: str | None,
    granted: bool,
    source: str,
    text_version: str,
    now: datetime,
) -> None:
    """Write what a member decided about a purpose in a channel."""
    session.execute(
        insert(Consent).values(
            member_id=member_id,
            purpose=purpose,
            channel=channel,
            granted=granted,
            text_version=text_version,
            source=source,
            recorded_at=now,
        )
    )


def agrees(session: Session, *, member_id: UUID, purpose: str, channel: str | None) -> bool:
    """Return whether a member's newest decision about a purpose in a channel is that they agree."""
    decided = select(Consent.granted).where(Consent.member_id == member_id, Consent.purpose == purpose)
    newest = decided.where(Consent.channel.is_not_distinct_from(channel)).order_by(
        Consent.recorded_at.desc(), Consent.consent_id.desc()
    )
    return bool(session.scalar(newest.limit(1)))

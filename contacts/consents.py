"""What members agree to and withdraw. A withdrawal holds at once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.audit import record_event
from customers.models import Consent


def decide_consent(
    session: Session,
    *,
    member_id: UUID,
    purpose: str,
    channel: str | None,
    granted: bool,
    source: str,
    text_version: str,
    actor: str,
    now: datetime,
) -> None:
    """
    Keep what a member decided about a purpose in a channel; `source` says where: desk, account, unsubscribe.

    The member's history reads it from there. What waits in the outbox for a withdrawn purpose is cancelled by the database in the same transaction.
    """
    decision = {"purpose": purpose, "channel": channel, "granted": granted}
    session.execute(
        insert(Consent).values(
            **decision, member_id=member_id, text_version=text_version, source=source, recorded_at=now
        )
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="consent.give" if granted else "consent.withdraw",
        subject_kind="member",
        subject_id=str(member_id),
        detail={**decision, "text_version": text_version, "source": source},
    )


def agrees(session: Session, *, member_id: UUID, purpose: str, channel: str | None) -> bool:
    """Return whether a member's newest decision about a purpose in a channel is that they agree."""
    decided = select(Consent.granted).where(Consent.member_id == member_id, Consent.purpose == purpose)
    newest = decided.where(Consent.channel.is_not_distinct_from(channel)).order_by(
        Consent.recorded_at.desc(), Consent.consent_id.desc()
    )
    return bool(session.scalar(newest.limit(1)))

"""What members agree to and withdraw. A withdrawal holds at once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.audit import record_event
from customers.consents import write_consent


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
    write_consent(
        session,
        member_id=member_id,
        purpose=purpose,
        channel=channel,
        granted=granted,
        source=source,
        text_version=text_version,
        now=now,
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

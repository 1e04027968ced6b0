"""The outbox: what is to be sent to whom. Whoever may not be written to gets nothing into it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from contacts.mail_texts import Mail
from contacts.models import OutgoingMail
from core.driver import driver_of
from core.ids import uuid7

Purpose = Literal["service", "offers", "catalog", "surveys"]

SECRET_KINDS: Final = ("sign_in_code", "consent_confirmation")
"""What they say is forgotten once it is sent or given up, and shown to nobody: only the mailbox is to have it."""

WANTED: Final = """
    member.profiling_objected_at is null
    and coalesce((
        select consent.granted from consent
        where consent.member_id = member.member_id and consent.purpose = %(purpose)s and consent.channel = 'email'
        order by consent.recorded_at desc, consent.consent_id desc limit 1
    ), false)
    and not coalesce((
        select answer.reaction in ('never', 'wrong_product')
            or answer.reaction = 'not_now' and answer.recorded_at > %(now)s::timestamptz - interval '30 days'
        from reaction as answer
        where answer.scope = 'all' and (
            answer.member_id = member.member_id
            or answer.member_id is null and answer.account_id = member.account_id)
        order by answer.recorded_at desc, answer.reaction_id desc limit 1
    ), false)
"""
"""
Whether a `member` is to be written to for a `purpose`: they agreed to it by e-mail, do not object to profiling,
and did not say "never" about everything.
"""

_WANTED_NOW = f"select 1 from member where member_id = %(member_id)s and {WANTED}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a mail brings along; `path` is relative to the data folder, and read when the mail is sent."""

    path: str
    name: str
    content_type: str = "application/pdf"
    sha256: str | None = None
    """Hexadecimal; a file of another content is not sent."""


def queue_mail(
    session: Session,
    *,
    member_id: UUID | None,
    kind: str,
    source: str,
    recipient: str,
    language: str,
    mail: Mail,
    purpose: Purpose = "service",
    attachments: Iterable[Attachment] = (),
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    as_of: datetime | None = None,
    urgent: bool = False,
    now: datetime,
) -> UUID | None:
    """
    Put a mail into the outbox; return its number.

    None when the person has one of this kind from this source already, or when the purpose is none they agreed
    to. Whether they still agree is looked at again when it is sent. An address that is none is kept as failed.
    What was chosen by what the member said until `as_of` is cancelled when they refuse anything, open a case or
    bring something back later.
    """
    if purpose != "service" and not _is_wanted(session, member_id=member_id, purpose=purpose, now=now):
        return None
    address = mail_address(recipient)
    values = {
        "mail_id": uuid7(),
        "member_id": member_id,
        "kind": kind,
        "source": source,
        "purpose": purpose,
        "urgency": 0 if urgent else 1 if purpose == "service" else 2,
        "language": language,
        "recipient": address or recipient,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "attachments": [asdict(one) for one in attachments],
        "queued_at": now,
        "not_before": not_before or now,
        "not_after": not_after,
        "as_of": as_of,
        "state": "queued" if address else "failed",
        "finished_at": None if address else now,
        "answer": None if address else "not an e-mail address",
    }
    statement = insert(OutgoingMail).values(values).on_conflict_do_nothing().returning(OutgoingMail.mail_id)
    return session.scalar(statement)


def mail_address(text: str) -> str | None:
    """Return an address in the form that is written to, None when it is none."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def _is_wanted(session: Session, *, member_id: UUID | None, purpose: str, now: datetime) -> bool:
    """
    Return whether a member agrees now, and hold them until the transaction ends.

    Who withdraws holds the member too, and cancels what waits then: one of the two sees the other.
    """
    driver = driver_of(session)
    values = {"member_id": member_id, "purpose": purpose, "now": now}
    driver.execute("select from member where member_id = %(member_id)s for no key update", values)
    found = driver.execute(_WANTED_NOW, values).fetchone()
    return found is not None

"""
Agreeing to mail twice: what is said at a counter is asked of the mailbox, and holds once that has confirmed it.

The link in the mail needs no sign-in: whoever can read it is who was asked.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from contacts.consents import decide_consent
from contacts.mail_texts import write_mail
from contacts.models import ConsentRequest
from contacts.outbox import queue_mail
from contacts.unsubscribing import BadLink, signing_key
from core.audit import record_event
from core.clock import business_day
from core.i18n import show_date
from core.ids import uuid7
from customers.models import Consent, Member
from sales.business_days import chain_timezone

PATH: Final = "/confirm/"
VALID: Final = timedelta(days=7)
ASKED_AGAIN: Final = timedelta(days=1)
"""How long the same question is not asked again."""
SOURCE: Final = "confirmation"
"""How a consent says that the mailbox gave it."""
_ID, _MARK = 16, 16

State = Literal["open", "confirmed", "over"]


@dataclass(frozen=True, slots=True)
class Question:
    """What a mailbox was asked: may we write about `purposes`? `over` is what cannot be confirmed any more."""

    request_id: UUID
    member_id: UUID
    purposes: tuple[str, ...]
    source: str
    text_version: str
    asked_at: datetime
    valid_until: datetime
    confirmed_at: datetime | None
    state: State


def ask_to_confirm(
    session: Session,
    *,
    member_code: str,
    purposes: Iterable[str],
    source: str,
    text_version: str,
    actor: str,
    now: datetime,
) -> UUID | None:
    """
    Ask a member's mailbox whether it may be written to about `purposes`; return the number of the question.

    None when the member has no address, nothing is asked, or the same was asked within a day. Nothing is agreed to by it.
    """
    wanted = tuple(sorted(set(purposes)))
    if not wanted:
        return None
    # Held, so that two counters ask once.
    person = session.execute(
        select(Member).where(Member.member_code == member_code).with_for_update()
    ).scalar_one()
    if person.email is None or _just_asked(session, person, wanted, now):
        return None
    question = ConsentRequest(
        request_id=uuid7(),
        member_id=person.member_id,
        purposes=list(wanted),
        email_sha256=_hash(person.email),
        text_version=text_version,
        source=source,
        asked_at=now,
        valid_until=now + VALID,
    )
    session.add(question)
    session.flush()
    _mail(session, person, question)
    record_event(
        session,
        now=now,
        actor=actor,
        action="consent.ask",
        subject_kind="member",
        subject_id=member_code,
        detail={"purposes": list(wanted), "source": source, "text_version": text_version},
    )
    return question.request_id


def read_question(session: Session, token: str, *, now: datetime) -> Question:
    """Return what a link asks, and whether it may still be answered; raises `BadLink`."""
    return _seen(session, _asked(session, token), now)


def confirm(session: Session, token: str, *, now: datetime) -> Question:
    """
    Agree to what a link asks, and return it; raises `BadLink`.

    What is confirmed already, or cannot be any more, is returned as it is, and nothing changes.
    """
    row = _asked(session, token, hold=True)
    question = _seen(session, row, now)
    if question.state != "open":
        return question
    for purpose in question.purposes:
        decide_consent(
            session,
            member_id=question.member_id,
            purpose=purpose,
            channel="email",
            granted=True,
            source=SOURCE,
            text_version=question.text_version,
            actor="member",
            now=now,
        )
    session.execute(
        update(ConsentRequest)
        .where(ConsentRequest.request_id == question.request_id)
        .values(confirmed_at=now)
        .execution_options(synchronize_session="fetch")
    )
    return _seen(session, row, now)


def questions_of_member(session: Session, *, member_id: UUID, now: datetime) -> list[Question]:
    """Return every question that a member's mailbox was asked, the newest first."""
    rows = session.scalars(
        select(ConsentRequest)
        .where(ConsentRequest.member_id == member_id)
        .order_by(ConsentRequest.asked_at.desc())
    )
    return [_seen(session, row, now) for row in rows]


def open_questions(session: Session, *, member_id: UUID, now: datetime) -> dict[str, Question]:
    """Return the purposes about which a member's mailbox was asked and may still answer, each with its newest question."""
    questions = questions_of_member(session, member_id=member_id, now=now)
    return {
        purpose: question
        for question in reversed(questions)
        if question.state == "open"
        for purpose in question.purposes
    }


def confirm_path(key: bytes, request_id: UUID) -> str:
    """Return the path under which a question is answered."""
    return PATH + urlsafe_b64encode(request_id.bytes + _mark(key, request_id.bytes)).decode().rstrip("=")


def _asked(session: Session, token: str, *, hold: bool = False) -> ConsentRequest:
    try:
        whole = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Error, ValueError):
        raise BadLink("there is no such link") from None
    signed, mark = whole[:_ID], whole[_ID:]
    if len(signed) != _ID or not hmac.compare_digest(mark, _mark(signing_key(session), signed)):
        raise BadLink("there is no such link")
    row = session.get(ConsentRequest, UUID(bytes=signed), with_for_update=hold)
    if row is None:
        raise BadLink("there is no such link")
    return row


def _seen(session: Session, row: ConsentRequest, now: datetime) -> Question:
    """Return a question as it stands: while it is open, only what was not decided about since it was asked."""
    purposes, state = tuple(row.purposes), _state(session, row, now)
    if state == "open":
        purposes = tuple(purpose for purpose in purposes if purpose not in _decided_since(session, row))
        state = "open" if purposes else "over"
    return Question(
        row.request_id,
        row.member_id,
        purposes or tuple(row.purposes),
        row.source,
        row.text_version,
        row.asked_at,
        row.valid_until,
        row.confirmed_at,
        state,
    )


def _state(session: Session, row: ConsentRequest, now: datetime) -> State:
    if row.confirmed_at is not None:
        return "confirmed"
    email = session.scalar(select(Member.email).where(Member.member_id == row.member_id))
    same = email is not None and _hash(email) == bytes(row.email_sha256)
    return "open" if same and now < row.valid_until else "over"


def _decided_since(session: Session, row: ConsentRequest) -> set[str]:
    return set(
        session.scalars(
            select(Consent.purpose).where(
                Consent.member_id == row.member_id,
                Consent.channel == "email",
                Consent.recorded_at >= row.asked_at,
            )
        )
    )


def _just_asked(session: Session, person: Member, purposes: tuple[str, ...], now: datetime) -> bool:
    asked = select(func.count()).where(
        ConsentRequest.member_id == person.member_id,
        ConsentRequest.email_sha256 == _hash(person.email or ""),
        ConsentRequest.purposes.contains(list(purposes)),
        ConsentRequest.confirmed_at.is_(None),
        ConsentRequest.asked_at > now - ASKED_AGAIN,
    )
    return bool(session.scalar(asked))


def _mail(session: Session, person: Member, question: ConsentRequest) -> None:
    timezone = chain_timezone(session)
    mail = write_mail(
        "consent_confirmation",
        person.language,
        name=person.given_name,
        purposes=list(question.purposes),
        path=confirm_path(signing_key(session), question.request_id),
        asked=show_date(business_day(question.asked_at, timezone), person.language, style="long"),
        last=show_date(business_day(question.valid_until, timezone), person.language, style="long"),
    )
    queue_mail(
        session,
        member_id=person.member_id,
        kind="consent_confirmation",
        source=f"question {question.request_id}",
        recipient=person.email or "",
        language=person.language,
        mail=mail,
        not_after=question.valid_until,
        now=question.asked_at,
    )


def _hash(email: str) -> bytes:
    return hashlib.sha256(email.encode()).digest()


def _mark(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, b"confirm" + signed, "sha256")[:_MARK]

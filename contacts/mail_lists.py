"""The outbox as people look at it: what waits, what was sent and what was not; never what a secret mail says."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from contacts.models import OutgoingMail
from contacts.outbox import SECRET_KINDS
from core.errors import NotFound
from core.keyset import Ask, Page, read_page
from customers.models import Member

STATES: Final = ("queued", "sending", "sent", "uncertain", "failed", "cancelled")
KINDS: Final = (
    "sign_in_code",
    "consent_confirmation",
    "answer_thanks",
    "case_opened",
    "case_resolved",
    "expiry_warning",
    "tier_warning",
    "gift_waits",
    "catalog",
)
MAIL_SORTS: Final = ("queued_at", "kind", "state", "finished_at")


class NoSuchMail(NotFound):
    """There is no such mail."""


@dataclass(frozen=True, slots=True)
class MailView:
    """One mail; `text` is None for what must not be read by anybody but its recipient."""

    mail_id: UUID
    kind: str
    purpose: str
    state: str
    subject: str
    recipient: str
    member_id: UUID | None
    member_code: str | None
    language: str
    queued_at: datetime
    not_before: datetime
    finished_at: datetime | None
    attempts: int
    answer: str | None
    attachments: list[dict[str, Any]]
    text: str | None


def list_mails(session: Session, ask: Ask) -> Page[MailView]:
    """Return a page of mails. Filters: state, kind. Words are an address or a member code."""
    statement = _mails()
    for name, column in (("state", OutgoingMail.state), ("kind", OutgoingMail.kind)):
        if value := ask.filters.get(name):
            statement = statement.where(column == value)
    if ask.words:
        statement = statement.where(
            (func.lower(OutgoingMail.recipient) == ask.words.casefold()) | (Member.member_code == ask.words)
        )
    page = read_page(
        session, statement, ask=ask, sorts=MAIL_SORTS, key="mail_id", count=True, filled=("queued_at",)
    )
    return Page(tuple(MailView(*row[:16]) for row in page.rows), page.following, page.previous, page.total)


def read_mail(session: Session, mail_id: UUID) -> MailView:
    """Return one mail; raises `NoSuchMail`."""
    row = session.execute(_mails().where(OutgoingMail.mail_id == mail_id)).one_or_none()
    if row is None:
        raise NoSuchMail("there is no such mail")
    return MailView(*row)


def mails_of_member(session: Session, member_id: UUID) -> list[MailView]:
    """Return every mail to a member, the newest first."""
    statement = _mails().where(OutgoingMail.member_id == member_id)
    rows = session.execute(statement.order_by(OutgoingMail.queued_at.desc(), OutgoingMail.mail_id))
    return [MailView(*row) for row in rows]


def mails_by_state(session: Session) -> Counter[str]:
    """Return how many mails there are in each state."""
    rows = session.execute(
        select(OutgoingMail.state, func.count().label("mails")).group_by(OutgoingMail.state)
    )
    return Counter({row.state: row.mails for row in rows})


def _mails() -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = select(
        OutgoingMail.mail_id,
        OutgoingMail.kind,
        OutgoingMail.purpose,
        OutgoingMail.state,
        OutgoingMail.subject,
        OutgoingMail.recipient,
        OutgoingMail.member_id,
        Member.member_code,
        OutgoingMail.language,
        OutgoingMail.queued_at,
        OutgoingMail.not_before,
        OutgoingMail.finished_at,
        OutgoingMail.attempts,
        OutgoingMail.answer,
        OutgoingMail.attachments,
        case((OutgoingMail.kind.in_(SECRET_KINDS), None), else_=OutgoingMail.text).label("text"),
    ).outerjoin(Member, Member.member_id == OutgoingMail.member_id)
    return statement

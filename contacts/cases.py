"""Cases: complaints, return disputes, grievances and questions, each open until somebody settles it."""

from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from stdnum import luhn

from contacts.mail_texts import Mail, write_mail
from contacts.models import CASE_NUMBERS, MemberCase
from contacts.operations import record_contact
from contacts.outbox import queue_mail
from core.audit import record_event
from core.errors import Conflict, NotFound, Refused
from core.ids import uuid7
from core.payment_cards import payment_card_numbers
from customers.models import Member
from sales.models import Article

Kind = Literal["complaint", "return", "grievance", "question"]
KINDS: Final[tuple[Kind, ...]] = ("complaint", "return", "grievance", "question")
LONGEST_TEXT: Final = 2000


class NoSuchCase(NotFound):
    """There is no case of this number."""


class AlreadyResolved(Conflict):
    """The case was resolved before."""


class BadCase(Refused):
    """What was said about a case cannot be kept; `field` names it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def open_case(
    session: Session,
    *,
    member_id: UUID,
    kind: Kind,
    text: str,
    article_id: int | None = None,
    receipt: tuple[date, UUID] | None = None,
    owner: str | None = None,
    channel: str,
    actor: str,
    now: datetime,
) -> str:
    """
    Open a case of a member and return its number; the member is told by mail, where we know where.

    While it is open, the article it is about, and what is of the same category, is promoted to this member by
    nobody. `receipt` is its business date and number in the database. Raises `BadCase`.
    """
    said = _checked("text", text)
    digits = str(session.scalar(select(CASE_NUMBERS.next_value())))
    case = MemberCase(
        case_id=uuid7(),
        case_number=f"{digits}-{luhn.calc_check_digit(digits)}",
        member_id=member_id,
        kind=kind,
        article_id=article_id,
        business_date=receipt[0] if receipt else None,
        receipt_id=receipt[1] if receipt else None,
        channel=channel,
        text=said,
        owner=owner or actor,
        state="open",
        opened_at=now,
        opened_by=actor,
    )
    session.add(case)
    session.flush()
    _note(session, case, event="case_opened", direction="inbound", channel=channel, actor=actor, now=now)
    return case.case_number


def resolve_case(
    session: Session, *, case_number: str, resolution: str, channel: str, actor: str, now: datetime
) -> None:
    """
    Settle an open case and thank the member by mail; `resolution` is what they are told.

    Raises `NoSuchCase`, `AlreadyResolved` or `BadCase`.
    """
    said = _checked("resolution", resolution)
    case = session.scalar(
        select(MemberCase).where(MemberCase.case_number == case_number.strip()).with_for_update()
    )
    if case is None:
        raise NoSuchCase(f"there is no case {case_number!r}")
    if case.state != "open":
        raise AlreadyResolved(f"case {case.case_number} is resolved already")
    case.state, case.resolution, case.resolved_at, case.resolved_by = "resolved", said, now, actor
    session.flush()
    _note(session, case, event="case_resolved", direction="outbound", channel=channel, actor=actor, now=now)


def _checked(field: str, text: str) -> str:
    said = text.strip()
    if not said:
        raise BadCase(field, "say it in a few words")
    if len(said) > LONGEST_TEXT:
        raise BadCase(field, f"at most {LONGEST_TEXT} characters")
    if payment_card_numbers(said):
        raise BadCase(field, "holds the number of a payment card")
    return said


def _note(
    session: Session,
    case: MemberCase,
    *,
    event: Literal["case_opened", "case_resolved"],
    direction: Literal["inbound", "outbound"],
    channel: str,
    actor: str,
    now: datetime,
) -> None:
    """Write what happened to a case into the member's history and the audit trail, and tell the member."""
    article = session.get(Article, case.article_id) if case.article_id is not None else None
    record_contact(
        session,
        member_id=case.member_id,
        at=now,
        channel=channel,
        direction=direction,
        kind=event,
        detail={
            "number": case.case_number,
            "kind": case.kind,
            "sku": article.sku if article else None,
            "article": article.name if article else None,
        },
        source=f"case {case.case_number}",
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action=event.replace("_", ".", 1),
        subject_kind="case",
        subject_id=case.case_number,
        detail={"member_id": str(case.member_id), "kind": case.kind, "sku": article.sku if article else None},
    )
    person = session.get_one(Member, case.member_id)
    if person.email is None:
        return
    queue_mail(
        session,
        member_id=case.member_id,
        kind=event,
        source=f"case {case.case_number}",
        recipient=person.email,
        language=person.language,
        mail=_mail(event, person, case, article),
        now=now,
    )


def _mail(event: str, person: Member, case: MemberCase, article: Article | None) -> Mail:
    return write_mail(
        event,
        person.language,
        name=person.given_name,
        number=case.case_number,
        subject=article.name if article else "",
        resolution=case.resolution or "",
    )

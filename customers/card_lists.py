"""Cards as people look at them: the stock and all that were handed out, and one card with its story."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.keyset import Ask, Page, read_page
from core.models import AuditEvent
from customers.models import Account, Card, Member
from customers.queries import CardNotFound

CARD_SORTS: Final = ("card_number", "created_at")
_BROUGHT_TO_HOLDER: Final = ("member.enrol", "card.adopt")


@dataclass(frozen=True, slots=True)
class CardRow:
    """One card; `since` is from when a blocked or expired one was out of use."""

    card_number: str
    state: str
    account_id: UUID | None
    member_id: UUID | None
    member_code: str | None
    given_name: str | None
    family_name: str | None
    role: str | None
    household_code: str | None
    replaced_by: str | None
    replaces: str | None
    blocked_reason: str | None
    since: datetime | None
    created_at: datetime
    issued_at: datetime | None

    @property
    def name(self) -> str | None:
        """The holder's name."""
        return f"{self.given_name} {self.family_name}".strip() if self.member_id else None


@dataclass(frozen=True, slots=True)
class CardEvent:
    """Something that was done to a card."""

    happened_at: datetime
    actor: str
    action: str
    detail: dict[str, Any]


def list_cards(session: Session, ask: Ask) -> Page[CardRow]:
    """
    Return a page of cards.

    Filter: state. Words are the beginning of a number, or a member code.
    """
    statement = _cards()
    if state := ask.filters.get("state"):
        statement = statement.where(Card.state == state)
    if ask.words:
        digits = ask.words.replace(" ", "").replace("-", "")
        statement = statement.where(
            or_(
                Card.card_number.between(digits, digits + "9" * 20) if digits.isdigit() else False,
                Card.member_id.in_(select(Member.member_id).where(Member.member_code == ask.words)),
            )
        )
    page = read_page(session, statement, ask=ask, sorts=CARD_SORTS, key="card_number", filled=CARD_SORTS)
    return Page(tuple(CardRow(*row[:15]) for row in page.rows), page.following, page.previous)


def read_card(session: Session, *, card_number: str) -> CardRow:
    """Return one card; raises `CardNotFound`."""
    row = session.execute(_cards().where(Card.card_number == card_number).limit(1)).one_or_none()
    if row is None:
        raise CardNotFound(f"the card number {card_number} was never seen")
    return CardRow(*row[:15])


def story_of_card(session: Session, *, card_number: str) -> list[CardEvent]:
    """
    Return what was done to a card, the newest first; how it came to its holder is part of it.

    That is kept with the member who holds it: such an event's `detail` has their `member_code`.
    """
    # Asked first: beside a question within, the index of the trail would not be used.
    holders = session.scalars(
        select(Member.member_code)
        .join(Card, Card.account_id == Member.account_id)
        .where(Card.card_number == card_number)
    ).all()
    rows = session.execute(
        select(
            AuditEvent.happened_at,
            AuditEvent.actor,
            AuditEvent.action,
            case(
                (AuditEvent.subject_kind == "card", AuditEvent.detail),
                else_=func.jsonb_build_object("member_code", AuditEvent.subject_id),
            ),
        )
        .where(
            or_(
                and_(
                    AuditEvent.subject_kind == "card",
                    AuditEvent.subject_id == card_number,
                    AuditEvent.action != "card.view",
                ),
                and_(
                    AuditEvent.subject_kind == "member",
                    AuditEvent.subject_id.in_(holders),
                    AuditEvent.action.in_(_BROUGHT_TO_HOLDER),
                    AuditEvent.detail["card_number"].astext == card_number,
                ),
            )
        )
        .order_by(AuditEvent.happened_at.desc(), AuditEvent.event_id.desc())
        .limit(50)
    )
    return [
        CardEvent(happened_at, actor, action, detail or {}) for happened_at, actor, action, detail in rows
    ]


def _cards() -> Select[*tuple[Any, ...]]:
    predecessor = aliased(Card)
    replaces = (
        select(func.max(predecessor.card_number))
        .where(predecessor.replaced_by == Card.card_number, predecessor.account_id == Card.account_id)
        .scalar_subquery()
    )
    return (
        select(
            Card.card_number,
            Card.state,
            Card.account_id,
            Card.member_id,
            Member.member_code,
            Member.given_name,
            Member.family_name,
            Member.role,
            Account.household_code,
            Card.replaced_by,
            replaces.label("replaces"),
            Card.blocked_reason,
            Card.blocked_at.label("since"),
            Card.created_at,
            Card.issued_at,
        )
        .outerjoin(Member, Member.member_id == Card.member_id)
        .outerjoin(Account, Account.account_id == Card.account_id)
    )

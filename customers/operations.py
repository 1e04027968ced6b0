"""Writes about cards and accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.payment_cards import is_payment_card_number
from customers.cardnumbers import LooksLikePaymentCard, normalise_card_number
from customers.models import Account, Card, Member


class MemberNotFound(NotFound):
    """Nobody is enrolled under this code."""


class CardTaken(Conflict):
    """The card is in somebody's hands already, or is out of use."""


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """A card and the state that issuing left it in."""

    card_number: str
    state: str


def issue_cards(
    session: Session,
    *,
    card_numbers: Sequence[str],
    now: datetime,
    actor: str,
    member_code: str | None = None,
) -> list[IssuedCard]:
    """
    Hand out cards: each opens an account of its own, or joins the account of the member named.

    Numbers never seen and cards in stock become "issued", for a member "active"; what
    is so already stays as it is. Raises `BadCardNumber`, `LooksLikePaymentCard`, `MemberNotFound` or `CardTaken`.
    """
    numbers = [normalise_card_number(number) for number in card_numbers]
    member = _member(session, member_code) if member_code is not None else None
    return [_issue(session, number, member=member, now=now, actor=actor) for number in numbers]


def _issue(
    session: Session, number: str, *, member: tuple[UUID, UUID] | None, now: datetime, actor: str
) -> IssuedCard:
    state, member_id = ("issued", None) if member is None else ("active", member[0])
    known = session.execute(
        select(Card.state, Card.member_id).where(Card.card_number == number).with_for_update()
    ).one_or_none()
    if known is None and is_payment_card_number(number):
        raise LooksLikePaymentCard
    if known is not None and (known.state, known.member_id) == (state, member_id):
        return IssuedCard(number, state)
    if known is not None and known.state != "stock":
        raise CardTaken(f"card {number} is {known.state} already")
    account_id = open_account(session, now=now) if member is None else member[1]
    handed = {"state": state, "account_id": account_id, "member_id": member_id, "issued_at": now}
    if known is None:
        session.execute(insert(Card).values(card_number=number, created_at=now, **handed))
    else:
        session.execute(update(Card).where(Card.card_number == number).values(**handed))
    record_event(
        session,
        now=now,
        actor=actor,
        action="card.issue",
        subject_kind="card",
        subject_id=number,
        detail={"state": state},
    )
    return IssuedCard(number, state)


def open_account(session: Session, *, now: datetime) -> UUID:
    """Open an account that holds no points yet and return its id."""
    account_id = uuid7()
    session.execute(insert(Account).values(account_id=account_id, opened_at=now))
    return account_id


def put_into_use(session: Session, *, card_number: str, now: datetime) -> UUID | None:
    """
    Return the account of a card from stock that was scanned at a till, opened by the first who asks.

    Such a card has reached a customer, whatever the office knows: it is issued from now on. None when it
    is in stock no more, and has its account: what it became meanwhile is to be looked up again.
    """
    known = session.execute(
        select(Card.state, Card.account_id).where(Card.card_number == card_number).with_for_update()
    ).one()
    if known.account_id is not None:
        return None
    if known.state != "stock":
        raise CardTaken(f"card {card_number} is {known.state}")
    account_id = open_account(session, now=now)
    session.execute(
        update(Card)
        .where(Card.card_number == card_number)
        .values(state="issued", account_id=account_id, issued_at=now)
    )
    return account_id


def _member(session: Session, member_code: str) -> tuple[UUID, UUID]:
    row = session.execute(
        # Shared with others who give them cards, but not with a move to another account.
        select(Member.member_id, Member.account_id)
        .where(Member.member_code == member_code)
        .with_for_update(read=True)
    ).one_or_none()
    if row is None:
        raise MemberNotFound(f"there is no member {member_code!r}")
    return row.member_id, row.account_id

"""Enrolling a member at the till: a card gets its holder."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import exists, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Conflict
from core.ids import uuid7
from core.payment_cards import is_payment_card_number
from customers.cardnumbers import LooksLikePaymentCard, normalise_card_number
from customers.contact_details import Consents
from customers.models import Card, Consent, Member
from customers.operations import open_account
from customers.queries import known_cards

TEXT_VERSION = "till"
"""Which words were agreed to: those that the cashier read out or handed over."""

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Letters and digits that cannot be mistaken for each other."""


class AlreadyRegistered(Conflict):
    """The card has a holder."""


class CardBlocked(Conflict):
    """The card is blocked or out of date."""


class CardInUse(Conflict):
    """The card was replaced, or belongs to somebody."""


@dataclass(frozen=True, slots=True)
class NewMember:
    """A person as the till states it; the contact details in their normal form."""

    given_name: str
    family_name: str
    language: str
    email: str | None
    phone: str | None
    consents: Consents


def enrol_member(
    session: Session,
    *,
    card_number: str,
    person: NewMember,
    store_code: str | None,
    today: date,
    now: datetime,
    actor: str,
) -> str:
    """
    Make `person` the holder of a card from stock, issued or never seen before; returns the member's code.

    Points that the card has earned become theirs. What they agreed to for e-mail is left to their mailbox
    (`contacts.confirmations`). Raises `BadCardNumber`, `AlreadyRegistered`, `CardBlocked` or `CardInUse`.
    """
    card = hold_card(session, card_number=normalise_card_number(card_number), now=now)
    if card.state == "replaced":
        raise CardInUse(f"card {card.card_number} was replaced by {card.replaced_by}")
    if card.state in {"blocked", "expired"}:
        raise CardBlocked(f"card {card.card_number} is {card.state}")
    if card.member_id is not None:
        raise AlreadyRegistered(f"card {card.card_number} has a holder already")
    account_id = card.account_id or open_account(session, now=now)
    member_id, member_code = uuid7(), _new_code()
    session.execute(
        insert(Member).values(
            member_id=member_id,
            member_code=member_code,
            account_id=account_id,
            role=_role(session, account_id),
            given_name=person.given_name,
            family_name=person.family_name,
            email=person.email,
            phone=person.phone,
            language=person.language,
            home_store_code=store_code,
            joined_on=today,
        )
    )
    _record_consents(session, member_id, person.consents, now=now, actor=actor)
    session.execute(
        update(Card)
        .where(Card.card_number == card.card_number)
        .values(state="active", account_id=account_id, member_id=member_id, issued_at=card.issued_at or now)
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="member.enrol",
        subject_kind="member",
        subject_id=member_code,
        detail={"card_number": card.card_number},
    )
    return member_code


def hold_card(session: Session, *, card_number: str, now: datetime) -> Card:
    """
    Return a card, locked for the transaction; a valid number never seen before goes into stock.

    Raises `LooksLikePaymentCard` for one never seen that can be a payment card's.
    """
    if is_payment_card_number(card_number) and not known_cards(session, {card_number}):
        raise LooksLikePaymentCard
    session.execute(
        upsert(Card).values(card_number=card_number, state="stock", created_at=now).on_conflict_do_nothing()
    )
    return session.execute(select(Card).where(Card.card_number == card_number).with_for_update()).scalar_one()


def _record_consents(
    session: Session,
    member_id: UUID,
    consents: Iterable[tuple[str, str | None]],
    *,
    now: datetime,
    actor: str,
) -> None:
    given = [
        {
            "member_id": member_id,
            "purpose": purpose,
            "channel": channel,
            "granted": True,
            "text_version": TEXT_VERSION,
            "source": actor,
            "recorded_at": now,
        }
        for purpose, channel in consents
        if channel != "email"
    ]
    if given:
        session.execute(insert(Consent), given)


def _role(session: Session, account_id: UUID) -> str:
    inhabited = session.scalar(select(exists().where(Member.account_id == account_id)))
    return "spender" if inhabited else "owner"


def _new_code() -> str:
    """Return a code that nobody has: 50 random bits, in letters that cannot be mistaken for each other."""
    return "M-" + "".join(secrets.choice(LETTERS) for _ in range(10))

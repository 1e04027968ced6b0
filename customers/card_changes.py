"""Cards that are lost, stolen or worn out: blocked with a reason, replaced in one transaction."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from customers.cardnumbers import normalise_card_number
from customers.enrolment import CardInUse, hold_card
from customers.models import Card, Member
from customers.operations import open_account
from customers.queries import CardNotFound


def block_card(session: Session, *, card_number: str, reason: str, now: datetime, actor: str) -> None:
    """
    Block a card from now on; a blocked one stays as it is.

    Raises `CardNotFound`, or `CardInUse` when it was replaced or is out of use.
    """
    card = _known_card(session, card_number)
    if card.state == "blocked":
        return
    if card.state == "replaced":
        raise CardInUse(f"card {card_number} was replaced by {card.replaced_by}")
    if card.state == "expired":
        raise CardInUse(f"card {card_number} is out of use already")
    _change(
        session,
        card,
        state="blocked",
        blocked_reason=reason,
        blocked_at=now,
        account_id=card.account_id or open_account(session, now=now),
    )
    _record(session, "card.block", card_number, {"reason": reason}, now=now, actor=actor)


def replace_card(
    session: Session,
    *,
    card_number: str,
    new_card_number: str,
    reason: str,
    now: datetime,
    actor: str,
    has_history: Callable[[UUID], bool],
) -> None:
    """
    Put `new_card_number` in the place of a card: account, holder and all that hangs on them follow.

    The new card may be of stock, never seen, or issued without a holder, if `has_history`
    denies that anything was ever booked on its account. Raises `CardNotFound`,
    `BadCardNumber` or `CardInUse`.
    """
    successor = normalise_card_number(new_card_number)
    old = _known_card(session, card_number)
    if old.state == "replaced":
        raise CardInUse(f"card {card_number} was replaced by {old.replaced_by}")
    new = hold_card(session, card_number=successor, now=now)
    if successor == card_number or not _free(session, new, has_history):
        raise CardInUse(f"card {successor} is {new.state}")
    account_id = old.account_id or open_account(session, now=now)
    _change(
        session,
        new,
        state="issued" if old.member_id is None else "active",
        account_id=account_id,
        member_id=old.member_id,
        issued_at=now,
    )
    _change(
        session,
        old,
        state="replaced",
        replaced_by=successor,
        account_id=account_id,
        blocked_reason=old.blocked_reason or reason,
    )
    _record(session, "card.replace", card_number, {"reason": reason, "by": successor}, now=now, actor=actor)


def expire_card(session: Session, *, card_number: str, reason: str, now: datetime, actor: str) -> None:
    """
    Put a card out of use for good, from now on; one that is so stays as it is.

    Receipts that were closed before still earn. Raises `CardNotFound`, or `CardInUse` when it was replaced.
    """
    card = _known_card(session, card_number)
    if card.state == "expired":
        return
    if card.state == "replaced":
        raise CardInUse(f"card {card_number} was replaced by {card.replaced_by}")
    _change(session, card, state="expired", blocked_at=card.blocked_at or now)
    _record(session, "card.expire", card_number, {"reason": reason}, now=now, actor=actor)


def anonymous_account(session: Session, *, card_number: str) -> tuple[str, UUID]:
    """
    Return number and account of a card that is used without a name, locked.

    Raises `BadCardNumber`, `CardNotFound`, or `CardInUse` when it is somebody's, or not in use.
    """
    card = _known_card(session, normalise_card_number(card_number))
    if card.state != "issued" or card.account_id is None or card.member_id is not None:
        raise CardInUse(f"card {card.card_number} is {card.state}")
    if session.scalar(select(exists().where(Member.account_id == card.account_id))):
        raise CardInUse(f"card {card.card_number} belongs to a household")
    return card.card_number, card.account_id


def _change(session: Session, card: Card, **values: Any) -> None:
    """Change a card that was read under its lock, and only from the state in which it was."""
    changed = session.execute(
        update(Card)
        .where(Card.card_number == card.card_number, Card.state == card.state)
        .values(**values)
        .returning(Card.card_number)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if changed is None:
        raise CardInUse(f"card {card.card_number} is {card.state} no more")
    session.expire(card)


def _known_card(session: Session, card_number: str) -> Card:
    card = session.execute(
        select(Card).where(Card.card_number == card_number).with_for_update()
    ).scalar_one_or_none()
    if card is None:
        raise CardNotFound(f"the card number {card_number} was never seen")
    return card


def _free(session: Session, card: Card, has_history: Callable[[UUID], bool]) -> bool:
    """Return whether nobody would lose anything if the card became somebody else's."""
    if card.state == "stock":
        return True
    if card.state != "issued" or card.account_id is None or card.member_id is not None:
        return False
    others = select(exists().where(Card.account_id == card.account_id, Card.card_number != card.card_number))
    members = select(exists().where(Member.account_id == card.account_id))
    shared = session.scalar(others) or session.scalar(members)
    return not shared and not has_history(card.account_id)


def _record(
    session: Session, action: str, card_number: str, detail: dict[str, str], *, now: datetime, actor: str
) -> None:
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="card",
        subject_id=card_number,
        detail=detail,
    )

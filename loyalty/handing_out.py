"""Handing cards out at the office: new ones, and ones that have earned without a name."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.cardnumbers import normalise_card_number
from customers.models import Card, Member
from customers.operations import IssuedCard, MemberNotFound, issue_cards
from loyalty.households import adopt_card
from loyalty.reservations import Zone
from sales.models import Store


def hand_out_cards(
    session: Session, *, card_numbers: Sequence[str], member_code: str | None, now: datetime, actor: str
) -> list[IssuedCard]:
    """
    Hand out cards as `issue_cards` does; for a member also those in use without a name, with all they earned.

    Raises `BadCardNumber`, `MemberNotFound`, `CardTaken`, `CardInUse` or `PointsReserved`.
    """
    issued = []
    for number in map(normalise_card_number, card_numbers):
        if member_code is not None and _has_no_name(session, number):
            member_id, zone = _member(session, member_code)
            adopt_card(session, member_id=member_id, card_number=number, place=zone, now=now, actor=actor)
            issued.append(IssuedCard(number, "active"))
        else:
            issued += issue_cards(
                session, card_numbers=[number], member_code=member_code, now=now, actor=actor
            )
    return issued


def _has_no_name(session: Session, number: str) -> bool:
    card = session.execute(select(Card.state, Card.member_id).where(Card.card_number == number)).one_or_none()
    return card is not None and card.state == "issued" and card.member_id is None


def _member(session: Session, member_code: str) -> tuple[UUID, Zone]:
    """Return the member and whose days count for what is booked: the home store's, else the first store's."""
    member = session.execute(
        select(Member.member_id, Member.home_store_code).where(Member.member_code == member_code)
    ).one_or_none()
    if member is None:
        raise MemberNotFound(f"there is no member {member_code!r}")
    zone = session.scalar(
        select(Store.timezone)
        .order_by((Store.store_code == member.home_store_code).desc().nulls_last(), Store.store_code)
        .limit(1)
    )
    return member.member_id, Zone(zone or "UTC")

"""Households and their points: members join with all they hold, and leave with what they are given."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from contacts.moved_answers import bring_answers
from core.audit import record_event
from customers.card_changes import anonymous_account
from customers.households import (
    LARGEST,
    HouseholdFull,
    InAnotherHousehold,
    NoHousehold,
    Placed,
    hold_member,
    household_of,
    move_cards,
    move_member,
    name_household,
    needs_another_owner,
    use_invitation,
    void_invitations,
)
from customers.operations import open_account
from loyalty.joining import join_accounts, move_points
from loyalty.opening import hold_account
from loyalty.reservations import Place


def join_household(
    session: Session, *, member_id: UUID, code: str, place: Place, now: datetime, actor: str
) -> int:
    """
    Let a member join the household that invited them, with all their points and cards; returns the points.

    Raises `NoSuchMember`, `NoInvitation`, `InAnotherHousehold`, `HouseholdFull` or `PointsReserved`.
    """
    invitation = use_invitation(session, code=code, member_id=member_id, now=now)
    target = invitation.account_id
    source = hold_member(session, member_id).account_id
    if source == target:
        raise InAnotherHousehold("The member belongs to this household already")
    # Accounts first, then people, as whoever books a receipt does it.
    points = join_accounts(session, source=source, target=target, place=place, now=now, note="household")
    member = hold_member(session, member_id)
    if len(household_of(session, source)) > 1:
        raise InAnotherHousehold("The member shares an account with others: they leave that household first")
    if len(household_of(session, target)) >= LARGEST:
        raise HouseholdFull(f"A household has at most {LARGEST} members")
    household = name_household(session, account_id=target)
    move_member(session, member=member, account_id=target, role=invitation.role)
    move_cards(session, source=source, target=target)
    bring_answers(session, account_id=source, member_id=member_id, now=now)
    void_invitations(session, account_id=source, now=now)
    detail = {"household": household, "role": invitation.role, "points": points}
    _record(session, "household.join", member, detail, now=now, actor=actor)
    return points


def leave_household(
    session: Session, *, member_id: UUID, place: Place, now: datetime, actor: str, points: int = 0
) -> UUID:
    """
    Let a member leave their household for an account of their own, and return that.

    The points stay with the household but for those `points`, of what can be spent, that it
    hands over. The member's cards go along; what they bought stays where its points are.
    Raises `NoSuchMember`, `NoHousehold`, `LastOwner` or `TooFewPoints`.
    """
    source = hold_member(session, member_id).account_id
    hold_account(session, account_id=source, now=now)
    members = {one.member_id: one for one in household_of(session, source)}
    member = members.get(member_id)
    if member is None or len(members) < 2:
        raise NoHousehold("The member shares the account with nobody")
    needs_another_owner(members.values(), without=member_id)
    target = open_account(session, now=now)
    if points:
        move_points(
            session, source=source, target=target, points=points, place=place, now=now, note="household"
        )
    move_member(session, member=member, account_id=target, role="owner")
    bring_answers(session, account_id=source, member_id=member_id, now=now)
    _record(session, "household.leave", member, {"points": points}, now=now, actor=actor)
    return target


def adopt_card(
    session: Session, *, member_id: UUID, card_number: str, place: Place, now: datetime, actor: str
) -> int:
    """
    Give a member a card that was used without a name; what it has earned becomes theirs, and what was answered with it.

    Returns those points. Raises `BadCardNumber`, `CardNotFound`, `CardInUse`, `NoSuchMember` or `PointsReserved`.
    """
    member = hold_member(session, member_id)
    number, source = anonymous_account(session, card_number=card_number)
    points = join_accounts(
        session, source=source, target=member.account_id, place=place, now=now, note="card"
    )
    move_cards(session, source=source, target=member.account_id, member_id=member_id)
    bring_answers(session, account_id=source, member_id=member_id, now=now)
    _record(session, "card.adopt", member, {"card_number": number, "points": points}, now=now, actor=actor)
    return points


def _record(
    session: Session, action: str, member: Placed, detail: dict[str, Any], *, now: datetime, actor: str
) -> None:
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="member",
        subject_id=member.member_code,
        detail=detail,
    )

"""Households: several members who share one account, each as its owner, a spender or an earner."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Conflict, NotFound, Refused
from core.ids import uuid7
from customers.enrolment import LETTERS
from customers.member_lists import NoSuchMember
from customers.models import ACCOUNT_ROLES, Account, Card, HouseholdInvitation, Member

VALID_FOR = timedelta(days=7)
"""How long an invitation can be used."""
LARGEST = 10
"""Members of a household."""


class NotOwner(Refused):
    """Only an owner of the household decides that."""


class NoInvitation(NotFound):
    """There is no such invitation: it never was, is over, was used or taken back."""


class LastOwner(Conflict):
    """A household needs an owner."""


class NoHousehold(Conflict):
    """The member shares the account with nobody."""


class InAnotherHousehold(Conflict):
    """The member shares an account with others, and leaves them first."""


class HouseholdFull(Conflict):
    """The household has as many members as there may be."""


class BadRole(Refused):
    """There is no such role on an account."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A member on their account, locked."""

    member_id: UUID
    member_code: str
    account_id: UUID
    role: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that somebody used: into which household, as what."""

    account_id: UUID
    role: str


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that can still be used; its code is known to nobody but who was given it."""

    invitation_id: UUID
    role: str
    expires_at: datetime


def hold_member(session: Session, member_id: UUID) -> Placed:
    """Return a member, locked for the transaction; raises `NoSuchMember`."""
    row = session.execute(
        select(Member.member_id, Member.member_code, Member.account_id, Member.role)
        .where(Member.member_id == member_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NoSuchMember("There is no such member")
    return Placed(*row)


def household_of(session: Session, account_id: UUID) -> list[Placed]:
    """Return the members of an account, locked in one order for the transaction."""
    rows = session.execute(
        select(Member.member_id, Member.member_code, Member.account_id, Member.role)
        .where(Member.account_id == account_id)
        .order_by(Member.member_id)
        .with_for_update()
    )
    return [Placed(*row) for row in rows]


def name_household(session: Session, *, account_id: UUID) -> str:
    """Return the code of an account's household, given to it when it has none."""
    session.execute(
        update(Account)
        .where(Account.account_id == account_id, Account.household_code.is_(None))
        .values(household_code="H-" + "".join(secrets.choice(LETTERS) for _ in range(8)))
    )
    code = session.scalar(select(Account.household_code).where(Account.account_id == account_id))
    assert code is not None
    return code


def invite(session: Session, *, owner_id: UUID, role: str, now: datetime, actor: str) -> str:
    """
    Return a code with which one more member may join the owner's household as `role`, within seven days.

    The first invitation makes the account a household. The code is shown this once: what
    is kept is its hash. Raises `NoSuchMember`, `NotOwner`, `BadRole` or `HouseholdFull`.
    """
    owner = hold_member(session, owner_id)
    _needs_owner(owner)
    _needs_role(role)
    if len(household_of(session, owner.account_id)) >= LARGEST:
        raise HouseholdFull(f"A household has at most {LARGEST} members")
    household = name_household(session, account_id=owner.account_id)
    code = "".join(secrets.choice(LETTERS) for _ in range(12))
    session.execute(
        insert(HouseholdInvitation).values(
            invitation_id=uuid7(),
            account_id=owner.account_id,
            code_sha256=_hash(code),
            role=role,
            invited_by=owner_id,
            created_at=now,
            expires_at=now + VALID_FOR,
        )
    )
    _record(session, "household.invite", owner, {"household": household, "role": role}, now=now, actor=actor)
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def open_invitations(session: Session, *, account_id: UUID, now: datetime) -> list[OpenInvitation]:
    """Return the invitations of a household that can still be used, the newest first."""
    rows = session.execute(
        select(HouseholdInvitation.invitation_id, HouseholdInvitation.role, HouseholdInvitation.expires_at)
        .where(
            HouseholdInvitation.account_id == account_id,
            HouseholdInvitation.used_at.is_(None),
            HouseholdInvitation.expires_at > now,
        )
        .order_by(HouseholdInvitation.created_at.desc())
    )
    return [OpenInvitation(*row) for row in rows]


def take_invitations_back(session: Session, *, owner_id: UUID, now: datetime, actor: str) -> int:
    """Make the open invitations of the owner's household worthless and return how many those were."""
    owner = hold_member(session, owner_id)
    _needs_owner(owner)
    count = void_invitations(session, account_id=owner.account_id, now=now)
    if count:
        _record(session, "household.uninvite", owner, {"count": count}, now=now, actor=actor)
    return count


def void_invitations(session: Session, *, account_id: UUID, now: datetime) -> int:
    """Make the open invitations to an account worthless and return how many those were."""
    voided = session.scalars(
        update(HouseholdInvitation)
        .where(
            HouseholdInvitation.account_id == account_id,
            HouseholdInvitation.used_at.is_(None),
            HouseholdInvitation.expires_at > now,
        )
        .values(used_at=now)
        .returning(HouseholdInvitation.invitation_id)
    ).all()
    return len(voided)


def use_invitation(session: Session, *, code: str, member_id: UUID, now: datetime) -> Invitation:
    """Use an invitation, once whoever else tries; raises `NoInvitation`."""
    row = session.execute(
        update(HouseholdInvitation)
        .where(
            HouseholdInvitation.code_sha256 == _hash(code),
            HouseholdInvitation.used_at.is_(None),
            HouseholdInvitation.expires_at > now,
        )
        .values(used_at=now, used_by=member_id)
        .returning(HouseholdInvitation.account_id, HouseholdInvitation.role)
    ).one_or_none()
    if row is None:
        raise NoInvitation("There is no such invitation, or it is over")
    return Invitation(*row)


def move_member(session: Session, *, member: Placed, account_id: UUID, role: str) -> None:
    """Put a member with all their cards, old ones too, on another account."""
    session.execute(
        update(Member).where(Member.member_id == member.member_id).values(account_id=account_id, role=role)
    )
    session.execute(update(Card).where(Card.member_id == member.member_id).values(account_id=account_id))


def move_cards(session: Session, *, source: UUID, target: UUID, member_id: UUID | None = None) -> None:
    """Put all cards of an account on another; those that are nobody's become `member_id`'s, in use ones active."""
    session.execute(select(Card.card_number).where(Card.account_id == source).with_for_update())
    if member_id is not None:
        session.execute(
            update(Card)
            .where(Card.account_id == source, Card.member_id.is_(None), Card.state == "issued")
            .values(state="active")
        )
        session.execute(
            update(Card)
            .where(Card.account_id == source, Card.member_id.is_(None))
            .values(member_id=member_id)
        )
    session.execute(update(Card).where(Card.account_id == source).values(account_id=target))


def change_role(
    session: Session, *, member_id: UUID, role: str, owner_id: UUID, now: datetime, actor: str
) -> None:
    """
    Make a member owner, spender or earner of their household, as one of its owners wants it.

    Raises `NoSuchMember`, `NotOwner`, `BadRole` or `LastOwner`.
    """
    _needs_role(role)
    account_id = hold_member(session, owner_id).account_id
    members = {one.member_id: one for one in household_of(session, account_id)}
    if member_id not in members:
        raise NotOwner("The owner of another household cannot decide that")
    _needs_owner(members[owner_id])
    member = members[member_id]
    if member.role == "owner" and role != "owner":
        needs_another_owner(members.values(), without=member_id)
    session.execute(update(Member).where(Member.member_id == member_id).values(role=role))
    detail = {"role": role, "was": member.role, "by": members[owner_id].member_code}
    _record(session, "household.role", member, detail, now=now, actor=actor)


def needs_another_owner(members: Iterable[Placed], *, without: UUID) -> None:
    """Raise `LastOwner` unless somebody else of `members` is an owner."""
    if not any(one.role == "owner" and one.member_id != without for one in members):
        raise LastOwner("A household needs an owner: make somebody else one first")


def members_on(session: Session, account_id: UUID) -> int:
    """Return how many members share an account."""
    return (
        session.scalar(select(func.count()).select_from(Member).where(Member.account_id == account_id)) or 0
    )


def _needs_owner(member: Placed) -> None:
    if member.role != "owner":
        raise NotOwner("Only an owner of the household decides that")


def _needs_role(role: str) -> None:
    if role not in ACCOUNT_ROLES:
        raise BadRole(f"{role!r} is none of {', '.join(ACCOUNT_ROLES)}")


def _hash(code: str) -> bytes:
    plain = "".join(code.split()).replace("-", "").upper()
    return sha256(plain.encode()).digest()


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

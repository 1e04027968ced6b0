"""Reads about contacts: what passed between chain and member, and what members refused."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from contacts.models import Contact
from contacts.reactions import Answered, Refusals, standing_refusals
from contacts.refusal_questions import REFUSALS
from core.driver import driver_of
from customers.models import Member
from customers.standings import may_be_profiled


@dataclass(frozen=True, slots=True)
class ContactView:
    """One event between the chain and a member; direction is inbound, outbound or internal."""

    contact_id: int
    at: datetime
    channel: str
    direction: str
    kind: str
    detail: dict[str, Any]


def contacts_of_member(session: Session, *, member_id: UUID, limit: int = 100) -> list[ContactView]:
    """
    Return the newest events of a member's history, newest first.

    What the analysis found out is left out for members who may not be profiled any more.
    """
    rows = session.execute(
        select(
            Contact.contact_id,
            Contact.at,
            Contact.channel,
            Contact.direction,
            Contact.kind,
            Contact.detail,
        )
        .join(Member, Member.member_id == Contact.member_id)
        .where(Contact.member_id == member_id, or_(Contact.channel != "analysis", may_be_profiled()))
        .order_by(Contact.at.desc(), Contact.contact_id.desc())
        .limit(limit)
    )
    return [ContactView(*row) for row in rows]


def refusals_of(session: Session, accounts: Mapping[UUID, UUID], *, now: datetime) -> dict[UUID, Refusals]:
    """
    Return what members refuse at `now`, by member; those who refuse nothing are left out.

    `accounts` gives each member's account: answers given with its cards before anybody had
    registered them hold for all of its members. Articles of open cases are among it, as quieted.
    """
    values = {"members": list(accounts), "accounts": list(set(accounts.values()))}
    own: dict[UUID, list[Answered]] = defaultdict(list)
    for member_id, account_id, *answer in driver_of(session).execute(REFUSALS, values).fetchall():
        if member_id is not None:
            own[member_id].append(Answered(*answer))
        else:
            for heir, account in accounts.items():
                if account == account_id:
                    own[heir].append(Answered(*answer))
    standing = {member_id: standing_refusals(answers, now=now) for member_id, answers in own.items()}
    return {member_id: refusals for member_id, refusals in standing.items() if refusals != Refusals()}

"""Reads of decisions: one by its id, those about a member, and what of them still stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from campaigns.decision_ids import day_of
from contacts.queries import refusals_of
from core.errors import NotFound
from customers.models import Member
from customers.operations import MemberNotFound

STANDS: Final = timedelta(days=28)
"""So long an offer that was told is still one."""

Outcome = Literal["bought", "accepted", "refused"]


class NoSuchDecision(NotFound):
    """There is no decision of this id, or it is none of whoever answers it."""


@dataclass(frozen=True, slots=True)
class DecisionView:
    """
    One decision, and what came of it: what the member answered to it, else whether it was bought since.

    What was bought is known from the night on.
    """

    decision_id: UUID
    at: datetime
    member_id: UUID | None
    account_id: UUID | None
    channel: str
    store_id: int | None
    article_id: int
    sku: str
    name: str
    category: str | None
    offer_code: str | None
    score: float
    propensity: float
    explored: bool
    reason: dict[str, Any]
    outcome: Outcome | None
    outcome_at: datetime | None


# The newest answer to it or, given later without naming it, about its article; one that was taken back is none.
_VIEW = """
    select decision.decision_id, decision.at, decision.member_id, decision.account_id, decision.channel,
           decision.store_id, decision.article_id, article.sku, article.name, article.category, decision.offer_code,
           decision.score, decision.propensity, decision.explored, decision.reason,
           case when answer.reaction = 'accepted' then 'accepted'
                when answer.reaction is not null then 'refused'
                when bought.bought_at is not null then 'bought' end as outcome,
           coalesce(answer.recorded_at, bought.bought_at) as outcome_at
    from decision
    join article using (article_id)
    left join decision_outcome as bought
      on bought.day = decision.day and bought.decision_id = decision.decision_id
    left join lateral (
        select nullif(said.reaction, 'taken_back') as reaction,
               case when said.reaction <> 'taken_back' then said.recorded_at end as recorded_at
        from reaction as said
        where (said.member_id = decision.member_id
               or said.member_id is null and said.account_id = decision.account_id)
          and said.scope <> 'all' and said.recorded_at >= decision.at
          and (said.decision_id = decision.decision_id or said.article_id = decision.article_id)
        order by said.recorded_at desc, said.reaction_id desc limit 1
    ) as answer on true
"""

_ONE = text(f"{_VIEW} where decision.day = :day and decision.decision_id = :decision_id")

_OF_MEMBER = text(
    f"{_VIEW} where decision.member_id = :member_id order by decision.at desc, decision.decision_id limit :limit"
)

_STANDING = text(f"""
    select * from (
        select distinct on (article_id) * from ({_VIEW}
            where decision.member_id = :member_id and decision.day >= :since and decision.at <= :now) as told
        order by article_id, at desc
    ) as newest
    where outcome is null and not exists (
        select from receipt join receipt_line as line using (business_date, receipt_id)
        where receipt.account_id = newest.account_id and receipt.type = 'sale' and receipt.mode = 'live'
          and receipt.business_date >= :since and line.business_date >= :since
          and receipt.closed_at >= newest.at and line.article_id = newest.article_id)
    order by at desc, decision_id
""")


def decision(session: Session, decision_id: UUID) -> DecisionView:
    """Return a decision; raises `NoSuchDecision`."""
    row = None
    if (day := day_of(decision_id)) is not None:
        row = session.execute(_ONE, {"day": day, "decision_id": decision_id}).one_or_none()
    if row is None:
        raise NoSuchDecision(f"there is no decision {decision_id}")
    return DecisionView(*row)


def answerable(
    session: Session, decision_id: UUID, *, member_id: UUID | None, account_id: UUID | None
) -> DecisionView:
    """
    Return a decision that this member, or this card without one, may answer.

    What was told beside a basket without a card may be answered by whoever shows one then. Another's raises
    `NoSuchDecision` too: nobody learns that there is one.
    """
    found = decision(session, decision_id)
    if found.member_id is not None:
        theirs = found.member_id == member_id
    else:
        theirs = found.account_id is None or found.account_id == account_id
    if not theirs:
        raise NoSuchDecision(f"there is no decision {decision_id}")
    return found


def member_of_code(session: Session, member_code: str) -> UUID:
    """Return whose code it is; raises `MemberNotFound`."""
    member_id = session.scalar(select(Member.member_id).where(Member.member_code == member_code))
    if member_id is None:
        raise MemberNotFound(f"there is no member {member_code!r}")
    return member_id


def decisions_of_member(session: Session, member_id: UUID, *, limit: int = 50) -> list[DecisionView]:
    """Return what a member was offered, newest first."""
    rows = session.execute(_OF_MEMBER, {"member_id": member_id, "limit": limit})
    return [DecisionView(*row) for row in rows]


def open_offers(session: Session, member_id: UUID, *, now: datetime, limit: int = 20) -> list[DecisionView]:
    """
    Return what a member was offered in any channel in the last four weeks and what still stands, newest first.

    Each article once; neither bought nor answered since, nothing that is refused by now or quieted by an open case,
    and nothing at all for who objects to profiling.
    """
    member = session.get(Member, member_id)
    if member is None or member.profiling_objected_at is not None:
        return []
    values = {"member_id": member_id, "since": (now - STANDS).date(), "now": now}
    told = [DecisionView(*row) for row in session.execute(_STANDING, values)]
    refused = refusals_of(session, {member_id: member.account_id}, now=now).get(member_id)
    if refused is not None:
        told = [
            one
            for one in told
            if not refused.cover(one.article_id, one.category, one.name)
            and not (one.offer_code is not None and refused.cover_offer(one.offer_code))
        ]
    return told[:limit]

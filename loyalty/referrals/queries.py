"""Referrals as people look at them: who brought whom, and what became of it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from core.keyset import Ask, Page, read_page
from customers.models import Member
from loyalty.referrals.models import Referral, ReferralCode


@dataclass(frozen=True, slots=True)
class ReferralRow:
    """One referral with both members; `reason` of a rewarded one is "capped" when the referrer got nothing."""

    referral_id: UUID
    made_at: datetime
    state: str
    reason: str | None
    referrer_id: UUID
    referrer_code: str
    referred_id: UUID
    referred_code: str
    joined_on: date
    business_date: date | None
    receipt_id: UUID | None
    decided_at: datetime | None
    referrer_points: int | None
    referred_points: int | None
    made_by: str


def list_referrals(session: Session, ask: Ask) -> Page[ReferralRow]:
    """Return a page of referrals; filters: state and reason."""
    referrer, referred = aliased(Member), aliased(Member)
    statement = (
        select(
            Referral.referral_id,
            Referral.made_at,
            Referral.state,
            Referral.reason,
            Referral.referrer_id,
            referrer.member_code.label("referrer_code"),
            Referral.referred_id,
            referred.member_code.label("referred_code"),
            Referral.joined_on,
            Referral.business_date,
            Referral.receipt_id,
            Referral.decided_at,
            Referral.referrer_points,
            Referral.referred_points,
            Referral.made_by,
        )
        .join(referrer, referrer.member_id == Referral.referrer_id)
        .join(referred, referred.member_id == Referral.referred_id)
    )
    for name, column in (("state", Referral.state), ("reason", Referral.reason)):
        if value := ask.filters.get(name):
            statement = statement.where(column == value)
    page = read_page(session, statement, ask=ask, sorts=("made_at",), key="referral_id", filled=("made_at",))
    return Page(tuple(ReferralRow(*row[:15]) for row in page.rows), page.following, page.previous)


def referrals_by_state(session: Session) -> dict[str, int]:
    """Return how many referrals there are of each state."""
    rows = session.execute(select(Referral.state, func.count()).group_by(Referral.state))
    return {row[0]: row[1] for row in rows}


def points_for_referrals(session: Session) -> int:
    """Return the points that were given for referrals in all."""
    both = func.coalesce(Referral.referrer_points, 0) + func.coalesce(Referral.referred_points, 0)
    return int(session.scalar(select(func.coalesce(func.sum(both), 0))) or 0)


def people_brought(session: Session) -> dict[UUID, int]:
    """Return how many people each member has brought whose first purchase counted."""
    rows = session.execute(
        select(Referral.referrer_id, func.count())
        .where(Referral.state == "rewarded")
        .group_by(Referral.referrer_id)
    )
    return {row[0]: row[1] for row in rows}


def known_referral_code(session: Session, *, member_id: UUID) -> str | None:
    """Return the code by which a member brings others, if they have asked for one."""
    return session.scalar(select(ReferralCode.code).where(ReferralCode.member_id == member_id))


def brought_by(session: Session, *, member_id: UUID) -> int:
    """Return how many members somebody has brought, whatever became of it."""
    return (
        session.scalar(select(func.count()).select_from(Referral).where(Referral.referrer_id == member_id))
        or 0
    )

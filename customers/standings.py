"""Where members are in their life with the chain, and what they are worth, as a run of the analysis saw it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from customers.models import Member, MemberStanding


class NoStanding(NotFound):
    """The run did not see that member, as it does not see companies and those who object to profiling."""


@dataclass(frozen=True, slots=True)
class StandingView:
    """
    One member's standing.

    `financial` is what the next year is expected to bring in minor units of `currency` (None without a purchase):
    margin, or revenue where costs are not known; `financial_rank` the share of members who bring less.
    `informational` is 0 to 100 and the sum of what is `told_…`; `reference_value` people: `brought` and `household`.
    Pauses and `silence` are in days on which the chain trades as usual; `recent_gap` and `earlier_gap`
    are None while there is too little to compare.
    """

    phase: str
    phase_since: date
    value_class: str
    value_since: date
    financial: int
    currency: str | None
    margin: bool
    financial_rank: float
    informational: int
    told_profile: int
    told_consents: int
    told_answers: int
    told_redemptions: int
    reference_value: int
    brought: int
    household: int
    visits: int
    last_visit: date | None
    silence: float
    usual_gap: float
    long_gap: float
    lost_gap: float
    recent_gap: float | None
    earlier_gap: float | None


FIELDS = tuple(StandingView.__slots__)


def may_be_profiled() -> ColumnElement[bool]:
    """Return what holds of members who are people and do not object to profiling, for a query that has `Member`."""
    return and_(
        Member.profiling_objected_at.is_(None),
        func.coalesce(Member.company_name, Member.company_id, Member.vat_id).is_(None),
    )


def standing_of(session: Session, *, member_id: UUID, run_id: UUID) -> StandingView | None:
    """Return a member's standing in a run; None when it did not see them, or they may not be profiled any more."""
    row = session.execute(
        select(*(getattr(MemberStanding, name) for name in FIELDS))
        .join(Member, Member.member_id == MemberStanding.member_id)
        .where(MemberStanding.run_id == run_id, MemberStanding.member_id == member_id, may_be_profiled())
    ).one_or_none()
    return StandingView(*row) if row else None


def standing_of_code(session: Session, *, member_code: str, run_id: UUID) -> tuple[UUID, StandingView]:
    """Return the id and the standing of the member with that code; raises `NoStanding`."""
    member_id = session.scalar(select(Member.member_id).where(Member.member_code == member_code))
    if member_id is None:
        raise NoStanding(f"there is no member {member_code}")
    standing = standing_of(session, member_id=member_id, run_id=run_id)
    if standing is None:
        raise NoStanding(
            f"member {member_code} has no phase: a company, objects to profiling, or joined since"
        )
    return member_id, standing

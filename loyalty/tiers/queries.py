"""Reads of tiers for people: how an account stands and why, how many stand where, and who moves soon."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.driver import driver_of
from customers.models import Member
from customers.operations import MemberNotFound
from loyalty.opening import present_account
from loyalty.tiers.models import TierEvent, TierGrant, TierStanding
from loyalty.tiers.scheme import Scheme
from loyalty.tiers.standings import read_known, read_state, stand
from loyalty.tiers.state import TierState
from loyalty.tiers.versions import schemes

MOST_MOVES: Final = 200


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened to the tier of an account."""

    on: date
    recorded_at: datetime
    kind: str
    before: str | None
    after: str | None
    business_date: date | None
    receipt_id: UUID | None
    detail: Mapping[str, Any]
    actor: str


@dataclass(frozen=True, slots=True)
class Granted:
    """A tier that an account has until a day, and why."""

    kind: str
    tier_code: str
    valid_from: date
    valid_until: date
    reason: str
    granted_by: str


@dataclass(frozen=True, slots=True)
class TierStory:
    """How an account stands among the tiers, what it has in the period, what people gave it, and what happened."""

    state: TierState
    window_start: date
    grants: tuple[Granted, ...]
    happened: tuple[Happened, ...]
    """The newest first."""

    @property
    def scheme(self) -> Scheme:
        """The tiers that hold."""
        return self.state.scheme


def tier_story(session: Session, *, account_id: UUID, today: date) -> TierStory | None:
    """Return how an account stands `today` and how it came there; None where there are no tiers."""
    versions = schemes(session)
    if not versions or not versions.on(today).tiers:
        return None
    account_id = present_account(session, account_id=account_id)
    (known, *_) = read_known(session, account_ids=[account_id])
    if known.stored is None:
        state = read_state(session, account_id=account_id, schemes=versions, today=today)
    else:
        state = stand(versions, known, day=max(today, known.stored["as_of"])).state
    if state is None:
        return None
    return TierStory(
        state,
        state.scheme.window_start(state.joined_on, today),
        _grants(session, account_id),
        _happened(session, account_id),
    )


def _grants(session: Session, account_id: UUID) -> tuple[Granted, ...]:
    rows = session.execute(
        select(
            TierGrant.kind,
            TierGrant.tier_code,
            TierGrant.valid_from,
            TierGrant.valid_until,
            TierGrant.reason,
            TierGrant.granted_by,
        )
        .where(TierGrant.account_id == account_id)
        .order_by(TierGrant.valid_until.desc(), TierGrant.grant_id)
    )
    return tuple(Granted(*row) for row in rows)


def _happened(session: Session, account_id: UUID) -> tuple[Happened, ...]:
    rows = session.execute(
        select(
            TierEvent.happened_on,
            TierEvent.recorded_at,
            TierEvent.kind,
            TierEvent.from_code,
            TierEvent.to_code,
            TierEvent.receipt_id,
            TierEvent.detail,
            TierEvent.actor,
        )
        .where(TierEvent.account_id == account_id)
        .order_by(TierEvent.happened_on.desc(), TierEvent.event_id.desc())
    )
    return tuple(
        Happened(
            row.happened_on,
            row.recorded_at,
            row.kind,
            row.from_code,
            row.to_code,
            row.happened_on if row.receipt_id else None,
            row.receipt_id,
            row.detail,
            row.actor,
        )
        for row in rows
    )


def account_of_member(session: Session, *, member_code: str) -> tuple[UUID, UUID]:
    """Return the member and the account of a code; raises `MemberNotFound`."""
    row = session.execute(
        select(Member.member_id, Member.account_id).where(Member.member_code == member_code)
    ).one_or_none()
    if row is None:
        raise MemberNotFound(f"there is no member {member_code!r}")
    return row.member_id, row.account_id


def accounts_by_tier(session: Session) -> dict[str | None, int]:
    """Return how many accounts stand at each tier, and at none."""
    rows = session.execute(select(TierStanding.tier_code, func.count()).group_by(TierStanding.tier_code))
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class Move:
    """An account whose tier will be looked at soon, and what it needs to keep it."""

    account_id: UUID
    member_id: UUID | None
    member_code: str | None
    tier_code: str
    on: date
    in_grace: bool
    qualifying: int
    missing: int


_ENDING = """
    select standing.account_id, member.member_id, member.member_code, standing.earned_code,
           coalesce(standing.grace_until + 1, standing.period_end) as moves_on,
           standing.grace_until is not null as in_grace
    from tier_standing as standing
    left join lateral (
        select member_id, member_code from member where member.account_id = standing.account_id
        order by joined_on, member_id limit 1
    ) as member on true
    where standing.earned_code = any(%(codes)s) and standing.tier_code = standing.earned_code
      and (standing.grace_until is not null or standing.warned_for = standing.period_end)
    order by moves_on, standing.account_id
    limit %(most)s
"""


def moving_soon(session: Session, *, today: date) -> list[Move]:
    """
    Return whose tier ends unless they buy more, the soonest first; at most 200.

    Those that were warned, or are kept by grace, and have not bought enough since.
    """
    versions = schemes(session)
    scheme = versions.on(today)
    codes = [tier.code for tier in scheme.tiers if tier.threshold]
    values = {"codes": codes, "most": MOST_MOVES}
    rows = driver_of(session).execute(_ENDING, values).fetchall()
    known = {one.account_id: one for one in read_known(session, account_ids=[row[0] for row in rows])}
    moves: list[Move] = []
    for account_id, member_id, member_code, code, on, in_grace in rows:
        one = known[account_id]
        last = on - timedelta(days=1)
        first = scheme.window_start(one.joined_on, today if in_grace else last)
        total = one.record.total(scheme, first, one.record.before(today + timedelta(days=1)))
        missing = scheme.missing(scheme.rank(code) - 1, total)
        if missing:
            moves.append(Move(account_id, member_id, member_code, code, on, in_grace, int(total), missing))
    return moves

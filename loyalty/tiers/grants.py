"""Tiers that people give, with an end date and a reason, and that are kept when accounts are joined."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.clock import business_day
from core.errors import Refused
from core.ids import uuid7
from customers.models import Member
from loyalty.adjustments import BadAdjustment, checked_text, timezone_of
from loyalty.opening import hold_account, present_account
from loyalty.tiers.models import QualifyingEntry, TierGrant, TierStanding
from loyalty.tiers.scheme import DAY, Schemes, years_later
from loyalty.tiers.standings import SYSTEM, restand, tell
from loyalty.tiers.versions import schemes

LONGEST_YEARS: Final = 5


class BadGrant(Refused):
    """Tier, end or reason are not as they must be; `field` names which."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


def grant_tier(
    session: Session,
    *,
    account_id: UUID,
    member_id: UUID | None,
    tier_code: str,
    valid_until: date,
    reason: str,
    actor: str,
    now: datetime,
) -> UUID:
    """
    Give an account at least a tier from today up to and with `valid_until`; nothing lowers it before.

    What it earns beside counts as ever. Raises `BadGrant`.
    """
    account_id = present_account(session, account_id=account_id)
    today = business_day(now, timezone_of(session, account_id=account_id))
    versions = schemes(session)
    scheme = versions.on(today)
    if scheme.rank(tier_code) < 0:
        raise BadGrant("tier", f"There is no tier {tier_code!r} today")
    if not today <= valid_until <= years_later(today, LONGEST_YEARS):
        raise BadGrant("until", f"It ends between today and {LONGEST_YEARS} years from now")
    try:
        said = checked_text(session, "reason", reason, required=True)
    except BadAdjustment as refusal:
        raise BadGrant("reason", str(refusal)) from refusal
    hold_account(session, account_id=account_id, now=now)
    before = session.scalar(select(TierStanding.tier_code).where(TierStanding.account_id == account_id))
    grant_id = _grant(
        session,
        account_id=account_id,
        kind="manual",
        tier_code=tier_code,
        valid_from=today,
        valid_until=valid_until,
        reason=said,
        actor=actor,
        now=now,
    )
    detail = {"until": valid_until.isoformat(), "reason": said}
    event = _event(account_id, "granted", on=today, before=before, after=tier_code, detail=detail)
    tell(session, [event], now=now, actor=actor)
    restand(session, account_ids=[account_id], schemes=versions, today=today, now=now)
    code = session.scalar(select(Member.member_code).where(Member.member_id == member_id))
    record_event(
        session,
        now=now,
        actor=actor,
        action="tiers.grant",
        subject_kind="account" if code is None else "member",
        subject_id=code or str(account_id),
        detail={"tier": tier_code, "was": before, **detail},
    )
    return grant_id


def join_standings(
    session: Session, *, source: UUID, target: UUID, today: date, now: datetime, note: str
) -> None:
    """
    Let an account that was joined to another bring along what it qualified for, and the better of both tiers.

    Called when the receipts have moved, with both accounts held.
    """
    versions = schemes(session)
    if not versions:
        return
    rows = session.execute(
        select(
            TierStanding.account_id,
            TierStanding.joined_on,
            TierStanding.tier_code,
            TierStanding.period_end,
            TierStanding.grace_until,
        ).where(TierStanding.account_id.in_((source, target)))
    ).all()
    kept = {row.account_id: row for row in rows}
    session.execute(update(TierGrant).where(TierGrant.account_id == source).values(account_id=target))
    session.execute(delete(QualifyingEntry).where(QualifyingEntry.account_id == source))
    session.execute(delete(TierStanding).where(TierStanding.account_id == source))
    if not kept and versions.approved[0].valid_from > today:
        return
    if source in kept and target in kept:
        joined_on = min(row.joined_on for row in kept.values())
        session.execute(
            update(TierStanding).where(TierStanding.account_id == target).values(joined_on=joined_on)
        )
    first = versions.counted_from
    state = restand(session, account_ids=[target], schemes=versions, today=today, now=now, since=first)[
        target
    ]
    best = _best(versions, kept, today)
    if best is None or state.scheme.rank(best.tier_code) <= state.scheme.rank(state.code):
        return
    assert best.tier_code is not None
    until = max(today, best.grace_until or (best.period_end or years_later(today, 1)) - DAY)
    _grant(
        session,
        account_id=target,
        kind="joined",
        tier_code=best.tier_code,
        valid_from=today,
        valid_until=until,
        reason=note,
        actor=SYSTEM,
        now=now,
    )
    detail = {"until": until.isoformat(), "reason": note}
    event = _event(target, "joined", on=today, before=state.code, after=best.tier_code, detail=detail)
    tell(session, [event], now=now)
    restand(session, account_ids=[target], schemes=versions, today=today, now=now)


def _best(versions: Schemes, kept: Mapping[UUID, Any], today: date) -> Any:
    """Return the standing of the best tier, the one that lasts longest of equal ones."""
    scheme = versions.on(today)
    held = [row for row in kept.values() if row.tier_code is not None]
    return max(held, key=lambda row: (scheme.rank(row.tier_code), row.period_end or date.max), default=None)


def _grant(
    session: Session,
    *,
    account_id: UUID,
    kind: str,
    tier_code: str,
    valid_from: date,
    valid_until: date,
    reason: str,
    actor: str,
    now: datetime,
) -> UUID:
    grant_id = uuid7()
    session.execute(
        insert(TierGrant).values(
            grant_id=grant_id,
            account_id=account_id,
            kind=kind,
            tier_code=tier_code,
            valid_from=valid_from,
            valid_until=valid_until,
            reason=reason,
            granted_by=actor,
            granted_at=now,
        )
    )
    return grant_id


def _event(
    account_id: UUID, kind: str, *, on: date, before: str | None, after: str, detail: dict[str, str]
) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "happened_on": on,
        "kind": kind,
        "from_code": before,
        "to_code": after,
        "receipt_id": None,
        "detail": detail,
    }

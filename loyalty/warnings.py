"""Warnings before points end, as they are kept: each account is told once 30 and once 7 days before."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from contacts.queries import ContactView
from core.driver import driver_of
from customers.models import Member
from loyalty.expiry import WARNED_BEFORE
from loyalty.lots import last_day
from loyalty.models import ExpiryWarning, Lot

_FARTHEST: Final = timedelta(days=WARNED_BEFORE[0] + 3)
"""Beyond any end that is due, whatever the zone of its midnight."""


@dataclass(frozen=True, slots=True)
class WarningView:
    """What an account was told, when, and how long before."""

    last_day: date
    days_before: int
    points: int
    warned_at: datetime


def ends_to_warn_of(session: Session, *, today: date, now: datetime) -> list[tuple[datetime, int]]:
    """Return each moment at which points end within thirty days of `today`, and which warning it calls for."""
    moments = session.scalars(
        select(Lot.expires_at)
        .where(Lot.remaining > 0, Lot.expires_at > now, Lot.expires_at <= now + _FARTHEST)
        .distinct()
        .order_by(Lot.expires_at)
    )
    return [
        (moment, _warning(left))
        for moment in moments
        if moment is not None and (left := (last_day(moment) - today).days) <= WARNED_BEFORE[0]
    ]


def _warning(days_left: int) -> int:
    """Return the nearest of the warnings: who was not told in time is not told twice at once."""
    return WARNED_BEFORE[1] if days_left <= WARNED_BEFORE[1] else WARNED_BEFORE[0]


# What ends pays debts first, the earliest first: only what is left over is lost.
_WARN = """
    insert into expiry_warning (account_id, expires_at, days_before, points, warned_at)
    select account_id, %(moment)s, %(days)s, lost, %(now)s
    from (
        select ending.account_id,
               least(ending.points, ending.points + ending.before + coalesce(debt.points, 0)) as lost
        from (
            select account_id, sum(remaining) as points,
                   coalesce((
                       select sum(earlier.remaining) from lot as earlier
                       where earlier.account_id = lot.account_id and earlier.remaining > 0
                         and earlier.expires_at > %(now)s and earlier.expires_at < %(moment)s
                   ), 0) as before
            from lot where expires_at = %(moment)s and remaining > 0
            group by account_id
        ) as ending
        left join lateral (
            select sum(remaining) as points from lot
            where lot.account_id = ending.account_id and lot.remaining < 0
        ) as debt on true
    ) as losses
    where lost > 0
    on conflict do nothing
"""


def warn_accounts(session: Session, *, moment: datetime, days_before: int, now: datetime) -> int:
    """Record that the accounts whose points end at `moment` are warned, each once, and return how many those are."""
    values = {"moment": moment, "days": days_before, "now": now}
    return driver_of(session).execute(_WARN, values).rowcount


def warnings_of(session: Session, *, account_id: UUID, now: datetime) -> list[WarningView]:
    """Return what an account was told of points that have not ended yet, the newest first."""
    rows = session.execute(
        select(
            ExpiryWarning.expires_at,
            ExpiryWarning.days_before,
            ExpiryWarning.points,
            ExpiryWarning.warned_at,
        )
        .where(ExpiryWarning.account_id == account_id, ExpiryWarning.expires_at > now)
        .order_by(ExpiryWarning.warned_at.desc(), ExpiryWarning.expires_at)
    )
    return [WarningView(last_day(row[0]), *row[1:]) for row in rows]


def warned_of_member(session: Session, *, member_id: UUID, limit: int = 50) -> list[ContactView]:
    """Return the newest warnings of a member's account as events of their history: tills say them from then on."""
    rows = session.execute(
        select(ExpiryWarning.warned_at, ExpiryWarning.points, ExpiryWarning.expires_at)
        .join(Member, Member.account_id == ExpiryWarning.account_id)
        .where(Member.member_id == member_id)
        .order_by(ExpiryWarning.warned_at.desc(), ExpiryWarning.expires_at)
        .limit(limit)
    )
    return [
        ContactView(
            0,
            row.warned_at,
            "till",
            "outbound",
            "expiry_warning",
            {"points": row.points, "last_day": last_day(row.expires_at)},
        )
        for row in rows
    ]

"""What the night does for points: it ends those that have ended, warns of those that soon will, and keeps figures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.jobs import Shift
from loyalty.accounts import open_holding, read_lots_of
from loyalty.holding import Holding
from loyalty.ledger import Cause
from loyalty.liability.figures import keep_points_days
from loyalty.liability.reports import keep_report
from loyalty.models import Balance, Lot, Quote, Redemption
from loyalty.opening import hold_account
from loyalty.operations import book
from loyalty.programme.versions import programmes
from loyalty.reservations import Zone
from loyalty.warnings import ends_to_warn_of, warn_accounts
from rewards.offer_uses import clear_holds
from sales.business_days import chain_timezone

ACCOUNTS_AT_ONCE = 500
HELD_AT_ONCE = 50
QUOTES_AT_ONCE = 10_000
QUOTES_KEPT = timedelta(days=7)
"""They promise ten minutes; a till that was offline may come with its receipt days later."""


def expire_points(shift: Shift) -> dict[str, Any]:
    """
    Book the end of every lot that has ended; returns how many points ended on how many accounts.

    A lot ends by its own moment, the end of a day in its store's zone, so the step may
    run at any time and again. Each portion of accounts is its own transaction.
    """
    ended = accounts = 0
    with shift.sessions() as session:
        total = session.scalar(select(func.count(Lot.account_id.distinct())).where(*_due(shift.now))) or 0
    last: UUID | None = None
    while True:
        shift.report(accounts, total)
        due, points = shift.transact(partial(_expire_next, after=last, now=shift.now))
        ended += points
        if not due:
            shift.report(total, total)
            return {"accounts": accounts, "points": ended}
        accounts += len(due)
        last = due[-1]


def _expire_next(session: Session, *, after: UUID | None, now: datetime) -> tuple[Sequence[UUID], int]:
    due = _next_accounts(session, after=after, now=now)
    return due, expire_accounts(session, account_ids=due, now=now)


def expire_reservations(shift: Shift) -> dict[str, Any]:
    """
    Book that reservations are over whose time is: points go back to their lots, gifts to who comes for them.

    They count as over from that moment on, whoever has booked it, so the step may run at any time and
    again. Each portion of accounts is its own transaction. Returns on how many accounts there were any.
    """
    accounts = 0
    last: UUID | None = None
    while True:
        shift.report(accounts, None)
        due = shift.transact(partial(_end_next_reservations, after=last, now=shift.now))
        if not due:
            return {"accounts": accounts}
        accounts += len(due)
        last = due[-1]


def _end_next_reservations(session: Session, *, after: UUID | None, now: datetime) -> Sequence[UUID]:
    due = _accounts_with_lapsed(session, after=after, now=now)
    place = Zone(chain_timezone(session))
    # Tills take the account first and the gift then: who held gifts while waiting for accounts would stand in their way.
    for account_id in due:
        hold_account(session, account_id=account_id, now=now)
    for account_id in due:
        book(session, [open_holding(session, account_id=account_id, till=place, now=now)])
    return due


def _accounts_with_lapsed(session: Session, *, after: UUID | None, now: datetime) -> Sequence[UUID]:
    accounts = (
        select(Redemption.account_id)
        .where(Redemption.state == "reserved", Redemption.expires_at <= now)
        .distinct()
        .order_by(Redemption.account_id)
    )
    if after is not None:
        accounts = accounts.where(Redemption.account_id > after)
    return session.scalars(accounts.limit(HELD_AT_ONCE)).all()


def expire_accounts(session: Session, *, account_ids: Sequence[UUID], now: datetime) -> int:
    """Lock these accounts, book the end of their points that have ended, and return how many those were."""
    if not account_ids:
        return 0
    # Always in one order: two who lock the same accounts must not wait for each other.
    session.execute(
        select(Balance.account_id)
        .where(Balance.account_id.in_(account_ids))
        .order_by(Balance.account_id)
        .with_for_update()
    )
    lots = read_lots_of(session, account_ids=account_ids)
    holdings = [Holding(account_id, lots.get(account_id, ()), now=now) for account_id in account_ids]
    ended = sum(holding.expire(Cause(now.date(), now)) for holding in holdings)
    book(session, holdings)
    return ended


def warn_of_expiry(shift: Shift) -> dict[str, Any]:
    """
    Record whom to tell of points that end within thirty and within seven days; returns how many of each.

    Counted from the day after the one that the night closes, or from today where that is
    later. Each account is told once for each end and each distance, however often this runs.
    """
    today = max(shift.business_day + timedelta(days=1), shift.now.date())
    with shift.sessions() as session:
        ends = ends_to_warn_of(session, today=today, now=shift.now)
    told = {30: 0, 7: 0}
    for done, (moment, days_before) in enumerate(ends):
        shift.report(done, len(ends))
        told[days_before] += shift.transact(
            partial(warn_accounts, moment=moment, days_before=days_before, now=shift.now)
        )
    shift.report(len(ends), len(ends))
    return {"thirty_days_before": told[30], "seven_days_before": told[7]}


def sum_points(shift: Shift) -> dict[str, Any]:
    """Add what was booked since the last night to the sums per day; returns how many of them changed."""
    return {"sums": shift.transact(partial(keep_points_days, now=shift.now))}


def keep_liability(shift: Shift) -> dict[str, Any]:
    """Keep what is outstanding as the report of the business day, in place of an earlier one."""
    with shift.sessions.begin() as session:
        programme = programmes(session).on(shift.business_day)
        liability = keep_report(session, business_day=shift.business_day, programme=programme, now=shift.now)
    return {"points": liability.points, "lines": len(liability.lines)}


def _due(now: datetime) -> tuple[Any, ...]:
    return Lot.remaining > 0, Lot.expires_at <= now


def _next_accounts(session: Session, *, after: UUID | None, now: datetime) -> Sequence[UUID]:
    accounts = select(Lot.account_id).where(*_due(now)).distinct().order_by(Lot.account_id)
    if after is not None:
        accounts = accounts.where(Lot.account_id > after)
    return session.scalars(accounts.limit(ACCOUNTS_AT_ONCE)).all()


def clear_quotes(shift: Shift) -> dict[str, Any]:
    """Delete quotes older than a week, and what they held, a batch at a time so that no till waits; returns how many."""
    shift.transact(partial(clear_holds, before=shift.now - QUOTES_KEPT))
    old = (
        select(Quote.quote_id)
        .where(Quote.quoted_at < shift.now - QUOTES_KEPT)
        .order_by(Quote.quoted_at)
        .limit(QUOTES_AT_ONCE)
    )
    deleting = delete(Quote).where(Quote.quote_id.in_(old)).returning(Quote.quote_id)
    cleared = 0
    while True:
        count = len(shift.transact(lambda session: session.execute(deleting).all()))
        cleared += count
        shift.report(cleared, None)
        if count < QUOTES_AT_ONCE:
            return {"quotes": cleared}

"""What the night does about referrals: both are rewarded once a purchase has stood its return window."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.driver import driver_of
from core.jobs import Shift
from customers.models import Member
from loyalty.adjustments import book_reward
from loyalty.opening import hold_account, present_account
from loyalty.programme.versions import programmes
from loyalty.referrals.models import Referral
from loyalty.referrals.operations import LAPSED, REFUSED, REWARDED, WAITING, Rules, known_by, referral_rules

ACTOR: Final = "referral"


@dataclass(frozen=True, slots=True)
class Purchase:
    """A live sale that stands, and what it earned after what came back of it."""

    business_date: date
    receipt_id: UUID
    programme_version: int | None
    points: int


# What came back is found by the sale's identity, by which links are indexed.
_QUALIFYING = """
    select sale.business_date, sale.receipt_id, sale.programme_version, sums.points - coalesce(back.points, 0)
    from receipt as sale
    join store using (store_id)
    join till using (till_id)
    cross join lateral (
        select store.store_code || '/' || till.till_code || '/' || to_char(sale.business_date, 'YYYY-MM-DD') || '/'
               || sale.receipt_number as name
    ) as identity
    cross join lateral (
        select coalesce(sum(line.points), 0)::bigint as points from receipt_line as line
        where line.business_date = sale.business_date and line.receipt_id = sale.receipt_id
    ) as sums
    left join lateral (
        select sum(line.points)::bigint as points
        from receipt_link as link
        join receipt_line as line using (business_date, receipt_id)
        where link.original_identity = identity.name and link.original_receipt_id = sale.receipt_id
          and link.type = 'return'
          and not exists (select from receipt_link as void
                          where void.original_identity = link.identity and void.type = 'void')
    ) as back on true
    where sale.account_id = %(account_id)s and sale.type = 'sale' and sale.mode = 'live'
      and sale.business_date between %(first)s and %(last)s
      and not exists (select from receipt_link as void
                      where void.original_identity = identity.name and void.type = 'void'
                        and void.original_receipt_id = sale.receipt_id)
    order by sale.business_date, sale.closed_at, sale.receipt_id
"""


def settle_referral(session: Session, *, referral_id: UUID, rules: Rules, today: date, now: datetime) -> str:
    """
    Decide about a referral that waits, if it can be decided `today`, and return its state.

    The first purchase that has earned enough, after what came back of it, and whose return window is
    over, is the one that counts. Who has come to share a household with the referrer since is refused.
    """
    referral = session.execute(
        select(Referral.referrer_id, Referral.referred_id, Referral.joined_on, Referral.made_at)
        .where(Referral.referral_id == referral_id, Referral.state == WAITING)
        .with_for_update()
    ).one_or_none()
    if referral is None:
        return session.scalars(select(Referral.state).where(Referral.referral_id == referral_id)).one()
    account_id = _account(session, referral.referred_id)
    last = referral.joined_on + timedelta(days=rules.within_days)
    versions = programmes(session)
    found = None
    for purchase in _purchases(session, account_id, referral.joined_on, last):
        over = versions.numbered(purchase.programme_version).pending_until(purchase.business_date)
        if purchase.points >= max(1, rules.minimum_points) and over <= today:
            found = purchase
            break
    if found is None:
        over = versions.on(last).pending_until(last)
        if today <= over:
            return WAITING
        return _decide(session, referral_id, LAPSED, now)
    if account_id == _account(session, referral.referrer_id):
        return _decide(session, referral_id, REFUSED, now, reason="household")
    known = known_by(
        session,
        referrer_id=referral.referrer_id,
        referred_id=referral.referred_id,
        joined_at=referral.made_at,
    )
    if known is not None:
        return _decide(session, referral_id, REFUSED, now, reason=known)
    _reward(session, referral_id, found, rules, today=today, now=now)
    return REWARDED


def _purchases(session: Session, account_id: UUID, first: date, last: date) -> list[Purchase]:
    values = {"account_id": account_id, "first": first, "last": last}
    rows = driver_of(session).execute(_QUALIFYING, values).fetchall()
    return [Purchase(*row) for row in rows]


def _reward(
    session: Session, referral_id: UUID, found: Purchase, rules: Rules, *, today: date, now: datetime
) -> None:
    """Give both their points; a referrer who was rewarded often enough this year gets none."""
    row = session.execute(
        select(Referral.referrer_id, Referral.referred_id).where(Referral.referral_id == referral_id)
    ).one()
    # In the order in which everybody holds accounts, and before anything else that a receipt of theirs may want.
    for account_id in sorted({_account(session, row.referrer_id), _account(session, row.referred_id)}):
        hold_account(session, account_id=account_id, now=now)
    # Two nights, or whoever else, count the year's rewards one after the other; rows that name the member need not wait.
    session.execute(
        select(Member.member_id).where(Member.member_id == row.referrer_id).with_for_update(key_share=True)
    )
    given = _rewarded_in(session, row.referrer_id, today)
    capped = given >= rules.most_per_year
    points = {
        row.referrer_id: 0 if capped else rules.referrer_points,
        row.referred_id: rules.referred_points,
    }
    booked = {
        member_id: book_reward(
            session,
            account_id=_account(session, member_id),
            member_id=member_id,
            points=count,
            note="A member brought you" if member_id == row.referred_id else "You brought a member",
            actor=ACTOR,
            now=now,
        )
        for member_id, count in points.items()
        if count
    }
    session.execute(
        update(Referral)
        .where(Referral.referral_id == referral_id)
        .values(
            state=REWARDED,
            reason="capped" if capped else None,
            business_date=found.business_date,
            receipt_id=found.receipt_id,
            decided_at=now,
            referrer_points=points[row.referrer_id],
            referred_points=points[row.referred_id],
            referrer_adjustment_id=booked.get(row.referrer_id),
            referred_adjustment_id=booked.get(row.referred_id),
        )
        .execution_options(synchronize_session=False)
    )


def _rewarded_in(session: Session, referrer_id: UUID, today: date) -> int:
    """Return how many referrals a member was rewarded for in the calendar year of `today`."""
    year = datetime(today.year, 1, 1, tzinfo=UTC)
    return (
        session.scalar(
            select(func.count())
            .select_from(Referral)
            .where(
                Referral.referrer_id == referrer_id,
                Referral.state == REWARDED,
                Referral.reason.is_(None),
                Referral.decided_at >= year,
            )
        )
        or 0
    )


def _decide(session: Session, referral_id: UUID, state: str, now: datetime, reason: str | None = None) -> str:
    session.execute(
        update(Referral)
        .where(Referral.referral_id == referral_id)
        .values(state=state, reason=reason, decided_at=now)
        .execution_options(synchronize_session=False)
    )
    return state


def _account(session: Session, member_id: UUID) -> UUID:
    account_id = session.scalars(select(Member.account_id).where(Member.member_id == member_id)).one()
    return present_account(session, account_id=account_id)


def reward_referrals(shift: Shift) -> dict[str, Any]:
    """
    Decide about every referral that can be decided by now, in the order in which they were made.

    What is decided waits no longer, so the step may run again; each referral is a transaction.
    """
    today = max(shift.business_day + timedelta(days=1), shift.now.date())
    with shift.sessions() as session:
        rules = referral_rules(session)
        waiting = session.scalars(
            select(Referral.referral_id)
            .where(Referral.state == WAITING)
            .order_by(Referral.made_at, Referral.referral_id)
        ).all()
    if rules is None:
        return {"waiting": len(waiting)}
    states: Counter[str] = Counter()
    for done, referral_id in enumerate(waiting):
        shift.report(done, len(waiting))
        settle = partial(settle_referral, referral_id=referral_id, rules=rules, today=today, now=shift.now)
        states[shift.transact(settle)] += 1
    shift.report(len(waiting), len(waiting))
    return dict(sorted(states.items()))

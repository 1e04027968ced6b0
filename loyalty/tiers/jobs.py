"""What the night does for tiers: ends of periods, grace and warnings, and accounts that nobody has looked at yet."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.jobs import Shift
from loyalty.tiers.scheme import Schemes
from loyalty.tiers.standings import restand
from loyalty.tiers.versions import read_schemes

ACCOUNTS_AT_ONCE = 200


def settle_tiers(shift: Shift) -> dict[str, Any]:
    """
    Look at every account to whose tier something happens by now, and at those never looked at; returns how many.

    Counted for the day after the one that the night closes, or for today where that is later. What
    was done is not due any more, so the step may run again; each portion of accounts is a transaction.
    """
    today = max(shift.business_day + timedelta(days=1), shift.now.date())
    with shift.sessions() as session:
        versions = read_schemes(session)
        if not versions or versions.approved[0].valid_from > today:
            return {"accounts": 0}
        total = _count(session, _DUE, today) + _count(session, _NEW, today)
    done = 0
    for question in (_DUE, _NEW):
        last: UUID | None = None
        while True:
            shift.report(min(done, total), total)
            due = shift.transact(
                partial(
                    _settle_next, question=question, versions=versions, last=last, today=today, now=shift.now
                )
            )
            if not due:
                break
            done += len(due)
            last = due[-1]
    shift.report(total, total)
    return {"accounts": done}


def _settle_next(
    session: Session, question: str, versions: Schemes, last: UUID | None, *, today: date, now: datetime
) -> Sequence[UUID]:
    due = _next(session, question, today, last)
    _settle(session, due, versions, today, now)
    return due


def _settle(session: Session, due: Sequence[UUID], versions: Schemes, today: date, now: datetime) -> None:
    """Hold these accounts, in the order in which everybody does, and look at those that were not joined to others."""
    if not due:
        return
    held = driver_of(session).execute(
        """
        select account_id, held.moved_to from unnest(%s::uuid[]) as account_id
        cross join lateral hold_account(account_id, %s::timestamptz) as held
        """,
        (sorted(due), now),
    )
    standing = [account_id for account_id, moved_to in held.fetchall() if moved_to is None]
    restand(session, account_ids=standing, schemes=versions, today=today, now=now)


_DUE = "select account_id from tier_standing where due_on <= %(today)s"
_NEW = """
    select account.account_id from account
    left join tier_standing as standing using (account_id)
    left join balance using (account_id)
    where standing.account_id is null and balance.moved_to is null
"""


def _next(session: Session, question: str, today: date, last: UUID | None) -> Sequence[UUID]:
    after = "" if last is None else "where account_id > %(last)s"
    statement = f"select account_id from ({question}) as due {after} order by account_id limit %(most)s"
    values = {"today": today, "last": last, "most": ACCOUNTS_AT_ONCE}
    return [row[0] for row in driver_of(session).execute(statement, values).fetchall()]


def _count(session: Session, question: str, today: date) -> int:
    statement = f"select count(*) from ({question}) as due"
    row = driver_of(session).execute(statement, {"today": today}).fetchone()
    assert row is not None
    return int(row[0])

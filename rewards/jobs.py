"""What the night does for vouchers: those whose last day is over everywhere end, and what tills forgot they held is free."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import driver_of
from core.jobs import Shift
from sales.models import Store

AT_ONCE: Final = 5000

_LAPSED = """
    with due as (
        select redemption_id, voucher_code from voucher_reservation
        where state = 'reserved' and expires_at <= %(now)s
        order by voucher_code limit %(most)s for update skip locked
    ), resolved as (
        update voucher_reservation as hold set state = 'expired', resolved_at = %(now)s
        from due where hold.redemption_id = due.redemption_id
    ), changed as (
        update voucher set state = 'issued', reserved_until = null, redemption_id = null
        from due
        where voucher.voucher_code = due.voucher_code and voucher.redemption_id = due.redemption_id and state = 'reserved'
        returning voucher.voucher_code, due.redemption_id
    ), noted as (
        insert into voucher_event (voucher_code, event, happened_at, actor, redemption_id)
        select voucher_code, 'released', %(now)s, 'night', redemption_id from changed
    )
    select count(*) from due
"""

_OVER = """
    with due as (
        select voucher_code from voucher where state = 'issued' and valid_until < %(today)s
        order by voucher_code limit %(most)s for update skip locked
    ), changed as (
        update voucher set state = 'expired' from due
        where voucher.voucher_code = due.voucher_code and state = 'issued'
        returning voucher.voucher_code
    ), noted as (
        insert into voucher_event (voucher_code, event, happened_at, actor)
        select voucher_code, 'expired', %(now)s, 'night' from changed
    )
    select count(*) from due
"""


def expire_vouchers(shift: Shift) -> dict[str, Any]:
    """
    Note that vouchers are over whose last day has ended in every store, and that reservations are.

    Both count as over from their moment on, whoever has noted it; so this may run at any time and again.
    Each portion is its own transaction. Returns how many of each.
    """
    with shift.sessions() as session:
        today = _latest_today(session.scalars(select(Store.timezone).distinct()).all(), shift.now)
    values = {"now": shift.now, "today": today, "most": AT_ONCE}
    return {
        "reservations": _in_portions(shift, _LAPSED, values),
        "vouchers": _in_portions(shift, _OVER, values),
    }


def _latest_today(timezones: Sequence[str], now: datetime) -> date:
    """Return the day of the store where it is earliest: what ended before it has ended everywhere."""
    return min((business_day(now, zone) for zone in timezones), default=now.date())


def _in_portions(shift: Shift, statement: str, values: dict[str, Any]) -> int:
    done = 0
    while True:
        count = shift.transact(lambda session: _count(session, statement, values))
        done += count
        shift.report(done, None)
        if count < AT_ONCE:
            return done


def _count(session: Session, statement: str, values: dict[str, Any]) -> int:
    row = driver_of(session).execute(statement, values).fetchone()
    assert row is not None
    return int(row[0])

"""Accounts under their lock: their lots are read, and what is over by now is booked before anything else."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import ask, driver_of
from loyalty.holding import Holding
from loyalty.ledger import Cause
from loyalty.lots import Lot
from loyalty.reservations import (
    Place,
    cause_of,
    change_state,
    held_pieces,
    let_go_of_gift,
    read_redemptions,
)


def open_holding(
    session: Session,
    *,
    account_id: UUID,
    till: Place,
    now: datetime,
    redemptions: Iterable[UUID] = (),
    lots: Iterable[UUID] = (),
) -> Holding:
    """
    Return a held account with its lots, after what is over by now was booked so.

    Points that have ended end, and reservations whose time is over are given back, but for
    those in `redemptions`, whose fate the caller decides. Empty lots are read too when
    points may come back to them: those that `redemptions` were taken from, and `lots`.
    """
    spared = list(redemptions)
    over = _lapsed(session, account_id, now=now, spared=spared)
    held = {redemption_id: held_pieces(session, redemption_id) for redemption_id in (*over, *spared)}
    touched = {*lots, *(piece.lot_id for pieces in held.values() for piece in pieces)}
    holding = Holding(account_id, read_lots(session, account_id=account_id, touched=touched), now=now)
    for redemption in read_redemptions(session, over).values():
        holding.release(held[redemption.redemption_id], cause_of(redemption, till, now))
        let_go_of_gift(session, redemption, now=now, actor="time")
        change_state(session, redemption, "expired", now=now)
    holding.expire(Cause(business_day(now, till.timezone), now))
    return holding


def _lapsed(session: Session, account_id: UUID, *, now: datetime, spared: Sequence[UUID]) -> list[UUID]:
    """Return the reservations of an account whose time is over although nobody has booked so."""
    rows = driver_of(session).execute(
        """
        select redemption_id from redemption
        where account_id = %s and state = 'reserved' and expires_at <= %s and redemption_id <> all(%s::uuid[])
        order by expires_at, redemption_id
        """,
        (account_id, now, list(spared)),
    )
    return [row[0] for row in rows.fetchall()]


_LOTS = """
    select lot_id, account_id, business_date, receipt_id, booked_at, available_at, expires_at, earned,
           line_numbers, line_remaining
    from lot
    where account_id = %(account_id)s and remaining <> 0
    union
    select lot_id, account_id, business_date, receipt_id, booked_at, available_at, expires_at, earned,
           line_numbers, line_remaining
    from lot
    where lot_id = any(%(touched)s) and account_id = %(account_id)s
"""


def read_lots(session: Session, *, account_id: UUID, touched: Iterable[UUID] = ()) -> list[Lot]:
    """Return the lots of a held account that are not empty, and those `touched` even when they are."""
    values = {"account_id": account_id, "touched": list(touched)}
    rows = ask(session, _LOTS, values).fetchall()
    return [_lot(*row) for row in rows]


_LOTS_OF = """
    select lot_id, account_id, business_date, receipt_id, booked_at, available_at, expires_at, earned,
           line_numbers, line_remaining
    from lot
    where account_id = any(%s) and remaining <> 0
"""


def read_lots_of(session: Session, *, account_ids: Sequence[UUID]) -> dict[UUID, list[Lot]]:
    """Return the lots of many held accounts that are not empty, by account."""
    lots: dict[UUID, list[Lot]] = {}
    for row in driver_of(session).execute(_LOTS_OF, (list(account_ids),)).fetchall():
        lot = _lot(*row)
        lots.setdefault(lot.account_id, []).append(lot)
    return lots


def _lot(*columns: Any) -> Lot:
    lot_id, account_id, business_date, receipt_id, booked_at, available_at, expires_at, earned = columns[:8]
    lines = dict(zip(columns[8], columns[9], strict=True))
    return Lot(
        lot_id, account_id, business_date, receipt_id, booked_at, available_at, expires_at, earned, lines
    )

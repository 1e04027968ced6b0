"""
Points that move from one account to another: all of them when accounts are joined, some when people part.

Two entries for each move, one on either account, balanced by the book `merged`. Points keep
the day from which they can be spent and the day on which they end. When accounts are joined
every lot lives on in one lot of the other account, so that returns find what their sale earned.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import driver_of
from core.errors import Conflict
from core.ids import uuid7
from loyalty.accounts import open_holding
from loyalty.holding import Holding
from loyalty.ledger import Cause, Entry, Leg
from loyalty.lots import NO_LINE, Lot, Piece, for_spending, pieces_of
from loyalty.opening import hold_account
from loyalty.operations import book
from loyalty.reservations import Place
from loyalty.tiers.grants import join_standings
from sales.stored_receipts import move_receipts


class PointsReserved(Conflict):
    """Points of the account are held for a purchase that is being paid."""


class TooFewPoints(Conflict):
    """The account has fewer points to spend than that."""


def join_accounts(
    session: Session, *, source: UUID, target: UUID, place: Place, now: datetime, note: str
) -> int:
    """
    Move all that `source` holds to `target` and close it; returns the points that moved, below zero for a debt.

    Receipts and redemptions go along; members and cards are the caller's. Raises `PointsReserved`.
    """
    accounts = _held(session, source, target, place, now)
    if _reserved(session, source):
        raise PointsReserved("points are held for a purchase: try again when it is paid, or in ten minutes")
    cause = Cause(business_day(now, place.timezone), now, reference=uuid7(), note=note)
    moved = move_all(accounts[source], accounts[target], cause)
    book(session, accounts.values())
    driver = driver_of(session)
    for statement in _FOLLOWING:
        driver.execute(statement, {"source": source, "target": target, "now": now})
    move_receipts(session, source=source, target=target)
    today = business_day(now, place.timezone)
    join_standings(session, source=source, target=target, today=today, now=now, note=note)
    return moved


def move_points(
    session: Session, *, source: UUID, target: UUID, points: int, place: Place, now: datetime, note: str
) -> None:
    """
    Move `points` that could be spent, as they would be spent; each keeps its end.

    Raises `TooFewPoints`.
    """
    accounts = _held(session, source, target, place, now)
    if not 0 < points <= accounts[source].spendable:
        raise TooFewPoints(f"{max(0, accounts[source].spendable)} points can be handed over, not {points}")
    cause = Cause(business_day(now, place.timezone), now, reference=uuid7(), note=note)
    move_some(accounts[source], accounts[target], points, cause)
    book(session, accounts.values())


def move_all(source: Holding, target: Holding, cause: Cause) -> int:
    """Move every lot of `source` that is not empty into a lot of its own in `target`; returns the points."""
    given: list[Leg] = []
    taken: list[Leg] = []
    for lot in source.lots.values():
        if not lot.remaining and not any(lot.lines.values()):
            continue
        successor = _successor(lot, target.account_id)
        for line_number, points in sorted(lot.lines.items()):
            if points:
                given.append(Leg("points", -points, lot.lot_id, line_number))
                taken.append(Leg("points", points, successor.lot_id, line_number))
        target.lots[successor.lot_id] = successor
        source.lots[lot.lot_id] = _emptied(lot)
    _enter(source, given, cause)
    _enter(target, taken, cause)
    return sum(leg.points for leg in taken)


def move_some(source: Holding, target: Holding, points: int, cause: Cause) -> None:
    """Move `points` into lots of `target` that end when those end from which they come."""
    pieces, _ = pieces_of(points, for_spending(source.lots.values(), source.now))
    given = [Leg("points", -piece.points, piece.lot_id, piece.line_number) for piece in pieces]
    taken: list[Leg] = []
    for lot in _split_off(source, pieces, target.account_id, cause):
        target.lots[lot.lot_id] = lot
        taken.append(Leg("points", lot.earned, lot.lot_id, NO_LINE))
    for piece in pieces:
        lot = source.lots[piece.lot_id]
        source.lots[piece.lot_id] = lot.with_added(piece.line_number, -piece.points)
    _enter(source, given, cause)
    _enter(target, taken, cause)


def _split_off(source: Holding, pieces: list[Piece], account_id: UUID, cause: Cause) -> Iterator[Lot]:
    taken: dict[UUID, int] = {}
    for piece in pieces:
        taken[piece.lot_id] = taken.get(piece.lot_id, 0) + piece.points
    for lot_id, points in taken.items():
        lot = source.lots[lot_id]
        yield Lot(
            lot_id=uuid7(),
            account_id=account_id,
            business_date=lot.business_date,
            receipt_id=None,
            booked_at=cause.booked_at,
            available_at=lot.available_at,
            expires_at=lot.expires_at,
            earned=points,
            lines={NO_LINE: points},
        )


def _successor(lot: Lot, account_id: UUID) -> Lot:
    return Lot(
        lot_id=uuid7(),
        account_id=account_id,
        business_date=lot.business_date,
        receipt_id=lot.receipt_id,
        booked_at=lot.booked_at,
        available_at=lot.available_at,
        expires_at=lot.expires_at,
        earned=lot.earned,
        lines=dict(lot.lines),
        moved_from=lot.lot_id,
    )


def _emptied(lot: Lot) -> Lot:
    for line_number, points in lot.lines.items():
        lot = lot.with_added(line_number, -points)
    return lot


def _enter(holding: Holding, legs: list[Leg], cause: Cause) -> None:
    if legs:
        counter = Leg("merged", -sum(leg.points for leg in legs))
        balanced = (*legs, counter) if counter.points else tuple(legs)
        holding.entries.append(Entry(holding.account_id, "merge", cause, balanced))


def _held(session: Session, source: UUID, target: UUID, place: Place, now: datetime) -> dict[UUID, Holding]:
    """Return both accounts under their locks, taken in one order whoever joins whom, with what is over booked."""
    for account_id in sorted((source, target)):
        hold_account(session, account_id=account_id, now=now)
    return {
        account_id: open_holding(session, account_id=account_id, till=place, now=now)
        for account_id in (source, target)
    }


def _reserved(session: Session, account_id: UUID) -> bool:
    """Return whether points are held for a redemption; those whose time is over were given back already."""
    open_ones = "select exists (select from redemption where account_id = %s and state = 'reserved')"
    row = driver_of(session).execute(open_ones, (account_id,)).fetchone()
    return bool(row and row[0])


# Empty lots live on too: what was spent from them may come back.
_FOLLOWING = (
    """
    insert into lot (lot_id, account_id, business_date, receipt_id, booked_at, available_at, expires_at, earned,
                     remaining, line_numbers, line_remaining, moved_from)
    select uuid7_at(%(now)s), %(target)s, business_date, receipt_id, booked_at, available_at, expires_at, earned,
           0, line_numbers, array_fill(0::bigint, array[cardinality(line_numbers)]), lot_id
    from lot
    where account_id = %(source)s
      and not exists (select from lot as successor where successor.moved_from = lot.lot_id)
    """,
    "update balance set moved_to = %(target)s where account_id = %(source)s or moved_to = %(source)s",
    "update redemption set account_id = %(target)s where account_id = %(source)s",
)

"""The books: entries, lots and balances are written together, under the account's lock."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.driver import ask
from core.trips import Answer
from loyalty.holding import Holding
from loyalty.ledger import Entry
from loyalty.lots import Lot

_BOOK = """
    with entries as (
        insert into ledger_entry (
            entry_id, account_id, reason, business_date, booked_at, receipt_id, reference, note)
        select * from json_to_recordset(%s) as entry (
            entry_id uuid, account_id uuid, reason text, business_date date, booked_at timestamptz,
            receipt_id uuid, reference uuid, note text)
    ), legs as (
        insert into ledger_leg (entry_id, leg_number, account_id, book, lot_id, line_number, points)
        select * from json_to_recordset(%s) as leg (
            entry_id uuid, leg_number smallint, account_id uuid, book text, lot_id uuid, line_number integer,
            points bigint)
    ), created as (
        insert into lot (
            lot_id, account_id, business_date, receipt_id, booked_at, available_at, expires_at, earned,
            remaining, line_numbers, line_remaining, moved_from)
        select * from json_to_recordset(%s) as lot (
            lot_id uuid, account_id uuid, business_date date, receipt_id uuid, booked_at timestamptz,
            available_at timestamptz, expires_at timestamptz, earned bigint, remaining bigint,
            line_numbers bigint[], line_remaining bigint[], moved_from uuid)
    ), changed as (
        update lot
        set remaining = now.remaining, line_numbers = now.line_numbers, line_remaining = now.line_remaining
        from json_to_recordset(%s) as now (
            lot_id uuid, was bigint, remaining bigint, line_numbers bigint[], line_remaining bigint[])
        where lot.lot_id = now.lot_id and lot.remaining = now.was
        returning 1
    ), balances as (
        update balance
        set points = balance.points + moved.points, reserved = balance.reserved + moved.reserved
        from json_to_recordset(%s) as moved (account_id uuid, points bigint, reserved bigint)
        where balance.account_id = moved.account_id
        returning 1
    )
    select (select count(*) from changed), (select count(*) from balances)
"""


_BOOK_EARNING = """
    select book_earning(
        %s::uuid, %s::uuid, %s::date, %s::timestamptz, %s::uuid, %s::uuid, %s::timestamptz, %s::timestamptz,
        %s::bigint, %s::bigint[], %s::bigint[])
"""


class NotHeld(Exception):  # noqa: N818 - a bug of ours, never an answer to anybody
    """Points moved on an account whose lock was not held."""


def book(session: Session, holdings: Iterable[Holding]) -> None:
    """
    Write what was made of `holdings`, in one statement; the callers hold their locks.

    Raises `NotHeld` when a lot or a balance is not what it was when read.
    """
    send_to_books(session, holdings)()


def send_to_books(session: Session, holdings: Iterable[Holding]) -> Callable[[], None]:
    """
    Do as `book` does, and return what looks whether all was held.

    Together with others its answer is not there before the trip is over.
    """
    moved = [holding for holding in holdings if holding.entries]
    if not moved:
        return lambda: None
    if len(moved) == 1 and moved[0].has_only_earned:
        return _send_earning(session, moved[0])
    changed = [pair for holding in moved for pair in holding.changed]
    answer = ask(
        session,
        _BOOK,
        (
            json.dumps([_entry_row(entry) for holding in moved for entry in holding.entries], default=str),
            json.dumps(
                [row for holding in moved for entry in holding.entries for row in _leg_rows(entry)],
                default=str,
            ),
            json.dumps([_lot_row(lot) for holding in moved for lot in holding.created], default=str),
            json.dumps([_change_row(was, now) for was, now in changed], default=str),
            json.dumps([_balance_row(holding) for holding in moved], default=str),
        ),
    )
    return _look(answer, (len(changed), len(moved)), moved)


def held_by_the_database(holdings: Iterable[Holding]) -> bool:
    """Return whether the database itself refuses to write these, should an account not be held."""
    moved = [holding for holding in holdings if holding.entries]
    return len(moved) <= 1 and all(holding.has_only_earned for holding in moved)


def _look(answer: Answer, expected: tuple[Any, ...], moved: Sequence[Holding]) -> Callable[[], None]:
    def look() -> None:
        if answer.fetchone() != expected:
            raise NotHeld(", ".join(str(holding.account_id) for holding in moved))

    return look


def _send_earning(session: Session, holding: Holding) -> Callable[[], None]:
    """Write an entry that earned a lot, which is all that happens to most accounts at most receipts."""
    (entry,), (lot,) = holding.entries, holding.created
    values = (
        entry.entry_id,
        entry.account_id,
        entry.cause.business_date,
        entry.cause.booked_at,
        entry.cause.receipt_id,
        lot.lot_id,
        lot.available_at,
        lot.expires_at,
        lot.earned,
        list(lot.lines),
        list(lot.lines.values()),
    )
    return _look(ask(session, _BOOK_EARNING, values), (True,), [holding])


def _entry_row(entry: Entry) -> dict[str, Any]:
    cause = entry.cause
    return {
        "entry_id": entry.entry_id,
        "account_id": entry.account_id,
        "reason": entry.reason,
        "business_date": cause.business_date,
        "booked_at": _moment(cause.booked_at),
        "receipt_id": cause.receipt_id,
        "reference": cause.reference,
        "note": cause.note,
    }


def _leg_rows(entry: Entry) -> Sequence[dict[str, Any]]:
    return [
        {
            "entry_id": entry.entry_id,
            "leg_number": number,
            "account_id": entry.account_id,
            "book": leg.book,
            "lot_id": leg.lot_id,
            "line_number": leg.line_number,
            "points": leg.points,
        }
        for number, leg in enumerate(entry.legs, 1)
    ]


def _lot_row(lot: Lot) -> dict[str, Any]:
    return {
        "lot_id": lot.lot_id,
        "account_id": lot.account_id,
        "business_date": lot.business_date,
        "receipt_id": lot.receipt_id,
        "booked_at": _moment(lot.booked_at),
        "available_at": _moment(lot.available_at),
        "expires_at": lot.expires_at and _moment(lot.expires_at),
        "earned": lot.earned,
        "remaining": lot.remaining,
        "line_numbers": list(lot.lines),
        "line_remaining": list(lot.lines.values()),
        "moved_from": lot.moved_from,
    }


def _change_row(was: Lot, now: Lot) -> dict[str, Any]:
    return {
        "lot_id": now.lot_id,
        "was": was.remaining,
        "remaining": now.remaining,
        "line_numbers": list(now.lines),
        "line_remaining": list(now.lines.values()),
    }


def _balance_row(holding: Holding) -> dict[str, Any]:
    return {
        "account_id": holding.account_id,
        "points": holding.added("points"),
        "reserved": holding.added("reserved"),
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat()

"""
Points of many receipts at once, by the rules that a till's receipts are booked by.

What a receipt earns is asked of the programme itself; only the sharing over lines and the
writing are done for all at once. A test holds both against the till's way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import errors
from sqlalchemy.orm import Session

from core.coded import Coded
from core.copying import copy_rows
from core.driver import driver_of
from core.ids import ID, coded_ids, ids_as_arrow, uuid7_bytes_at
from core.money import split_largest_remainder
from loyalty.programme.rules import Programmes

MOMENT = pa.timestamp("us", "UTC")
SAFE = 2**62


@dataclass(frozen=True)
class EarningSales:
    """Sales that earn, with the lines of each one after another; arrays of receipts unless said otherwise."""

    receipt_ids: pa.Array
    """Of `core.ids.ID`."""
    business_dates: Coded[date]
    timezones: Coded[str]
    account_ids: Coded[UUID]
    """None where nobody's; such a sale has no shares."""
    starts: np.ndarray
    """Where each receipt's lines begin."""
    line_numbers: np.ndarray
    """Of lines."""
    shares: np.ndarray
    """Of lines: the points earned."""


def share_over_lines(points: Sequence[int], totals: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """
    Return the share of each line in the points of its receipt.

    `totals` are the lines' net amounts, the receipts' lines one after another from
    `starts`, in the order of line numbers. By largest remainder, ties to the lower
    line number; negative lines have none; where no line is positive the first has all.
    """
    if not len(starts):
        return np.zeros(len(totals), np.int64)
    counts = np.diff(starts, append=len(totals))
    weights = np.where(totals > 0, totals, 0)
    whole = np.add.reduceat(weights, starts)
    weights[starts[whole == 0]] = 1
    whole = np.where(whole == 0, 1, whole)
    if max(points) * int(weights.max()) >= SAFE:
        return _shared_one_by_one(points, weights, starts, counts)
    receipt = np.repeat(np.arange(len(starts)), counts)
    product = np.array(points, np.int64)[receipt] * weights
    shares: np.ndarray = product // whole[receipt]
    left = np.array(points, np.int64) - np.add.reduceat(shares, starts)
    by_remainder = np.lexsort((np.arange(len(totals)), -(product % whole[receipt]), receipt))
    # Sorted by receipt first, so that a line's place among its receipt's is counted from where that begins.
    place = np.arange(len(totals)) - starts[receipt]
    shares[by_remainder[place < left[receipt]]] += 1
    return shares


def _shared_one_by_one(
    points: Sequence[int], weights: np.ndarray, starts: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Share amounts that 64 bits cannot hold, in Python's own numbers."""
    shares = [
        share
        for of_receipt, start, count in zip(points, starts, counts, strict=True)
        for share in split_largest_remainder(of_receipt, weights[start : start + count].tolist())
    ]
    return np.array(shares, object)


def book_earned(session: Session, sales: EarningSales, *, rules: Programmes, now: datetime) -> int:
    """
    Book what `sales` earn: an entry, a lot and its legs for each that earns at all; returns the points.

    Each by the rules of its business date. Whoever holds one of the accounts is waited for; its lock is held to the end of the transaction.
    """
    points = np.add.reduceat(sales.shares, sales.starts) if len(sales.starts) else sales.shares
    earning = np.flatnonzero(points)
    if not len(earning):
        return 0
    accounts, days = sales.account_ids.where(earning), sales.business_dates.where(earning)
    earned = points[earning]
    _add_to_balances(session, accounts, earned)
    count = len(earning)
    common: dict[str, Any] = {
        "account_id": coded_ids(accounts),
        "business_date": days.as_arrow(pa.date32()),
        "booked_at": pa.repeat(pa.scalar(now, MOMENT), count),
        "receipt_id": sales.receipt_ids.take(pa.array(earning)),
    }
    moment = np.full(count, int(now.timestamp() * 1000))
    # One moment of booking for all: their ids are what puts a statement in the order of the days.
    in_order = np.argsort(days.of_each(date.toordinal).numbers(), kind="stable")
    ordered = np.empty((count, 16), np.uint8)
    ordered[in_order] = np.sort(uuid7_bytes_at(moment).view("S16"), axis=0).view(np.uint8)
    entry_ids, lot_ids = ids_as_arrow(ordered), ids_as_arrow(uuid7_bytes_at(moment))
    given = pa.array(earned.tolist(), pa.int64())
    reason = pa.repeat("earn", count)
    copy_rows(session, "ledger_entry", {"entry_id": entry_ids, "reason": reason, **common})
    _write_legs(session, entry_ids, lot_ids, common["account_id"], given)
    _write_lots(session, sales, earning, rules, {"lot_id": lot_ids, "earned": given, **common})
    return int(earned.sum())


_BALANCES = """
    insert into balance (account_id, points)
    select account_id, sum(points)
    from unnest(%s::uuid[], %s::bigint[]) as earned (account_id, points)
    group by account_id
    order by account_id
    on conflict (account_id) do update set points = balance.points + excluded.points
    where balance.moved_to is null
"""


def _add_to_balances(session: Session, accounts: Coded[UUID], earned: np.ndarray) -> None:
    """Add to the accounts' balances, first of all and in order, so that nobody can wait for us in a circle."""
    sums = np.zeros(len(accounts.distinct), earned.dtype)
    np.add.at(sums, accounts.places, earned)
    owners = accounts.used()
    added = driver_of(session).execute(_BALANCES, (owners, sums[np.unique(accounts.places)].tolist()))
    if added.rowcount != len(owners):
        raise errors.SerializationFailure("an account was joined to another meanwhile")


def _write_legs(
    session: Session, entry_ids: pa.Array, lot_ids: pa.Array, accounts: pa.Array, earned: pa.Array
) -> None:
    """Write a leg to the account's lot and one against what the chain has issued, for each entry."""
    count = len(earned)
    both = pa.array(np.repeat(np.arange(count), 2))
    first = pa.array(np.tile([True, False], count))
    points = earned.take(both)
    legs: dict[str, Any] = {
        "entry_id": entry_ids.take(both),
        "leg_number": pc.if_else(first, 1, 2),
        "account_id": accounts.take(both),
        "book": pc.if_else(first, "points", "issued"),
        "lot_id": pc.if_else(first, lot_ids.take(both), pa.scalar(None, ID)),
        "points": pc.if_else(first, points, pc.negate(points)),
    }
    copy_rows(session, "ledger_leg", legs)


def _write_lots(
    session: Session,
    sales: EarningSales,
    earning: np.ndarray,
    rules: Programmes,
    common: dict[str, Any],
) -> None:
    days, zones = sales.business_dates.where(earning), sales.timezones.mapped(str).where(earning)
    # A day and a time zone as one number: few pairs, many lots.
    base = len(zones.distinct)
    pairs, places = np.unique(days.places * base + zones.places, return_inverse=True)
    asked = [(days.distinct[pair // base], zones.distinct[pair % base]) for pair in pairs.tolist()]
    available = [rules.on(day).available_at(day, zone) for day, zone in asked]
    expires = [rules.on(day).expires_at(day, zone) for day, zone in asked]
    numbers, remaining = _line_arrays(sales, earning)
    lots: dict[str, Any] = {
        **common,
        "available_at": pa.array(available, MOMENT).take(pa.array(places)),
        "expires_at": pa.array(expires, MOMENT).take(pa.array(places)),
        "remaining": common["earned"],
        "line_numbers": numbers,
        "line_remaining": remaining,
    }
    copy_rows(session, "lot", lots)


def _line_arrays(sales: EarningSales, earning: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """Return, for each receipt that earns, the numbers of its earning lines and their shares."""
    with_share = sales.shares > 0
    per_receipt = np.add.reduceat(with_share.astype(np.int64), sales.starts)[earning]
    offsets = pa.array(np.concatenate(([0], np.cumsum(per_receipt))), pa.int32())

    def listed(values: np.ndarray) -> pa.Array:
        return pa.ListArray.from_arrays(offsets, pa.array(values[with_share].tolist(), pa.int64()))

    return listed(sales.line_numbers), listed(sales.shares)

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

from core.copying import copy_rows
from core.driver import driver_of
from core.ids import uuid7s_at
from core.money import split_largest_remainder
from loyalty.programme.rules import Programmes

MOMENT = pa.timestamp("us", "UTC")
SAFE = 2**62


@dataclass(frozen=True)
class EarningSales:
    """Sales that earn, with the lines of each one after another; arrays of receipts unless said otherwise."""

    receipt_ids: Sequence[str]
    business_dates: Sequence[date]
    timezones: Sequence[str]
    account_ids: Sequence[UUID | None]
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
    chosen = earning.tolist()
    accounts = [account for index in chosen if (account := sales.account_ids[index]) is not None]
    earned = points[earning].tolist()
    _add_to_balances(session, accounts, earned)
    texts = {account: str(account) for account in set(accounts)}
    common: dict[str, Any] = {
        "account_id": pa.array([texts[account] for account in accounts]),
        "business_date": pa.array([sales.business_dates[index] for index in chosen], pa.date32()),
        "booked_at": pa.repeat(pa.scalar(now, MOMENT), len(chosen)),
        "receipt_id": pa.array([sales.receipt_ids[index] for index in chosen]),
    }
    moment = [int(now.timestamp() * 1000)] * len(chosen)
    # One moment of booking for all: their ids are what puts a statement in the order of the days.
    in_order = np.argsort([sales.business_dates[index].toordinal() for index in chosen], kind="stable")
    ordered = np.empty(len(chosen), object)
    ordered[in_order] = sorted(uuid7s_at(moment))
    entry_ids, lot_ids = pa.array(ordered), pa.array(uuid7s_at(moment))
    reason = pa.repeat("earn", len(chosen))
    copy_rows(session, "ledger_entry", {"entry_id": entry_ids, "reason": reason, **common})
    _write_legs(session, entry_ids, lot_ids, common["account_id"], earned)
    _write_lots(session, sales, earning, rules, {"lot_id": lot_ids, "earned": earned, **common})
    return sum(earned)


_BALANCES = """
    insert into balance (account_id, points)
    select account_id, sum(points)
    from unnest(%s::uuid[], %s::bigint[]) as earned (account_id, points)
    group by account_id
    order by account_id
    on conflict (account_id) do update set points = balance.points + excluded.points
    where balance.moved_to is null
"""


def _add_to_balances(session: Session, accounts: Sequence[UUID], earned: Sequence[int]) -> None:
    """Add to the accounts' balances, first of all and in order, so that nobody can wait for us in a circle."""
    sums: dict[UUID, int] = {}
    for account, points in zip(accounts, earned, strict=True):
        sums[account] = sums.get(account, 0) + points
    added = driver_of(session).execute(_BALANCES, (list(sums), list(sums.values())))
    if added.rowcount != len(sums):
        raise errors.SerializationFailure("an account was joined to another meanwhile")


def _write_legs(
    session: Session, entry_ids: pa.Array, lot_ids: pa.Array, accounts: pa.Array, earned: Sequence[int]
) -> None:
    """Write a leg to the account's lot and one against what the chain has issued, for each entry."""
    count = len(earned)
    given = pa.array(earned, pa.int64())
    legs: dict[str, Any] = {
        "entry_id": pa.concat_arrays([entry_ids, entry_ids]),
        "leg_number": pa.concat_arrays([pa.repeat(1, count), pa.repeat(2, count)]),
        "account_id": pa.concat_arrays([accounts, accounts]),
        "book": pa.concat_arrays([pa.repeat("points", count), pa.repeat("issued", count)]),
        "lot_id": pa.concat_arrays([lot_ids, pa.nulls(count, pa.string())]),
        "points": pa.concat_arrays([given, pc.negate(given)]),
    }
    copy_rows(session, "ledger_leg", legs)


def _write_lots(
    session: Session,
    sales: EarningSales,
    earning: np.ndarray,
    rules: Programmes,
    common: dict[str, Any],
) -> None:
    places = [(sales.business_dates[index], sales.timezones[index]) for index in earning.tolist()]
    ends = {
        (day, zone): (rules.on(day).available_at(day, zone), rules.on(day).expires_at(day, zone))
        for day, zone in set(places)
    }
    numbers, remaining = _line_arrays(sales, earning)
    lots: dict[str, Any] = {
        **common,
        "available_at": pa.array([ends[place][0] for place in places], MOMENT),
        "expires_at": pa.array([ends[place][1] for place in places], MOMENT),
        "remaining": common["earned"],
        "line_numbers": numbers,
        "line_remaining": remaining,
    }
    copy_rows(session, "lot", lots)


def _line_arrays(sales: EarningSales, earning: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """Return, for each receipt that earns, the numbers of its earning lines and their shares, as SQL arrays."""
    with_share = sales.shares > 0
    per_receipt = np.add.reduceat(with_share.astype(np.int64), sales.starts)[earning]
    offsets = pa.array(np.concatenate(([0], np.cumsum(per_receipt))), pa.int32())

    def joined(values: np.ndarray) -> pa.Array:
        texts = pa.array(values[with_share].tolist(), pa.int64()).cast(pa.string())
        lists = pc.binary_join(pa.ListArray.from_arrays(offsets, texts), ",")
        return pc.binary_join_element_wise("{", lists, "}", "")

    return joined(sales.line_numbers), joined(sales.shares)

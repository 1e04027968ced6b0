"""Writing receipts of a file: who is meant by their codes, which are known already, and the rows themselves."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
from psycopg.rows import dict_row
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.coded import Coded
from core.copying import copy_rows
from core.driver import driver_of
from core.ids import coded_ids, ids_as_arrow, uuid7_bytes_at
from sales.queries import StoreView
from sales.receipt_chunks import Chunk, fingerprint_of
from sales.receipt_codes import Codes, tills_of
from sales.receipt_rows import MOMENT
from sales.receipts import Flag

NO_STORE = "there is no store of this code"
TAKEN = "another receipt of this identity is stored already"


@dataclass(frozen=True)
class Arrivals:
    """Receipts of a file that are not stored yet, with what their codes mean; arrays of receipts."""

    chunk: Chunk
    receipt_ids: pa.Array
    """Of `core.ids.ID`."""
    stores: Coded[StoreView]
    till_ids: np.ndarray
    fingerprints: Sequence[bytes]
    articles: pa.Array
    """Of lines: the article's id, null where nobody knows the article."""

    def only(self, kept: np.ndarray) -> "Arrivals":
        """Return the receipts that `kept`, booleans of receipts, is true for."""
        if kept.all():
            return self
        return Arrivals(
            chunk=self.chunk.only(kept),
            receipt_ids=self.receipt_ids.filter(pa.array(kept)),
            stores=self.stores.where(kept),
            till_ids=self.till_ids[kept],
            fingerprints=[self.fingerprints[index] for index in np.flatnonzero(kept).tolist()],
            articles=self.articles.filter(pa.array(np.repeat(kept, self.chunk.counts))),
        )


@dataclass(frozen=True, slots=True)
class Holders:
    """Whose receipts are: of receipts, None where nobody's."""

    account_ids: Coded[UUID]
    member_ids: Coded[UUID]


@dataclass(frozen=True, slots=True)
class BookedRules:
    """Under which rules receipts were booked: the version of each, and which lines those left out."""

    versions: pa.Array
    """Of receipts: null is the contract's own programme."""
    excluded: np.ndarray | None
    """Of lines, booleans; None where no line is."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """What became of the receipts of a chunk."""

    arrivals: Arrivals
    unchanged_rows: int
    unchanged_receipts: int
    refused: list[tuple[list[int], str]]
    """Row numbers and the reason."""


def prepare_months(session: Session, days: Sequence[date]) -> None:
    """Make the partitions of the months of `days`; of no others, however far apart they are."""
    for month in sorted({day.replace(day=1) for day in set(days)}):
        session.execute(select(func.ensure_receipt_months(month, month)))


def sort_out(session: Session, chunk: Chunk, codes: Codes) -> Sorted:
    """Part the receipts of `chunk` into new ones, those stored already with the same content, and refused ones."""
    refused: list[tuple[list[int], str]] = []

    def refuse(doubtful: Mapping[int, str]) -> None:
        nonlocal chunk
        for reason in sorted(set(doubtful.values())):
            chosen = _chosen(chunk, [index for index, why in doubtful.items() if why == reason])
            refused.append((chunk.rows_of(chosen), reason))
        chunk = chunk.only(~_chosen(chunk, doubtful))

    refuse(chunk.problems())
    store_codes = chunk.coded["store_code"]
    known = dict(zip(store_codes.distinct, codes.stores(session, store_codes.distinct), strict=True))
    strange = store_codes.of_each(lambda code: known[code] is None).numbers(bool)
    refuse(dict.fromkeys(np.flatnonzero(strange).tolist(), NO_STORE))
    views = {code: store for code, store in known.items() if store is not None}
    # Without those that were refused, every code is that of a store.
    stores = chunk.coded["store_code"].of_each(views.__getitem__)
    till_ids = _tills(session, stores, chunk.coded["till_code"])
    fingerprints = chunk.fingerprints
    same, other = _known(session, chunk, stores, till_ids, fingerprints)
    unchanged = len(chunk.rows_of(_chosen(chunk, same)))
    refused.append((chunk.rows_of(_chosen(chunk, other)), TAKEN))
    new = ~_chosen(chunk, [*same, *other])
    chunk, stores = chunk.only(new), stores.where(new)
    store_ids = stores.of_each(lambda store: store.store_id).numbers()
    arrivals = Arrivals(
        chunk=chunk,
        receipt_ids=ids_as_arrow(uuid7_bytes_at(chunk.microseconds // 1000)),
        stores=stores,
        till_ids=till_ids[new],
        fingerprints=[fingerprints[index] for index in np.flatnonzero(new).tolist()],
        articles=codes.articles(session, chunk.rows, store_ids[chunk.receipt_of_line]),
    )
    return Sorted(arrivals, unchanged, len(same), [(rows, reason) for rows, reason in refused if rows])


def _tills(session: Session, stores: Coded[StoreView], till_codes: Coded[str]) -> np.ndarray:
    """Return the till's id of each receipt; each till is asked for once."""
    # A store and a code as one number.
    base = len(till_codes.distinct) or 1
    pairs, places = np.unique(stores.places * base + till_codes.places, return_inverse=True)
    asked = [divmod(pair, base) for pair in pairs.tolist()]
    found = tills_of(
        session,
        [stores.distinct[store] for store, _ in asked],
        [till_codes.distinct[code] for _, code in asked],
    )
    return np.array(found, np.int64)[places]


def write(
    session: Session,
    arrivals: Arrivals,
    *,
    holders: Holders,
    points: np.ndarray,
    flags: Sequence[tuple[int, Flag]],
    now: datetime,
    rules: BookedRules,
) -> None:
    """Insert the receipts, their lines with their shares of `points`, and flags with the receipt's index."""
    chunk, count = arrivals.chunk, len(arrivals.chunk)
    if not count:
        return
    business_dates = chunk.days.as_arrow(pa.date32())
    receipts: dict[str, Any] = {
        "business_date": business_dates,
        "receipt_id": arrivals.receipt_ids,
        "store_id": arrivals.stores.of_each(lambda store: store.store_id).as_arrow(),
        "till_id": arrivals.till_ids,
        "receipt_number": chunk.cells["receipt_number"],
        "type": chunk.cells["type"],
        "mode": pa.repeat("live", count),
        "offline": pa.repeat(pa.scalar(value=False), count),
        "closed_at": pa.array(chunk.microseconds).cast(MOMENT),
        "received_at": pa.repeat(pa.scalar(now, MOMENT), count),
        "operator_code": chunk.coded["operator_code"].as_arrow(pa.string()),
        "card_number": chunk.coded["card_number"].as_arrow(pa.string()),
        "account_id": coded_ids(holders.account_ids),
        "member_id": coded_ids(holders.member_ids),
        "currency": chunk.cells["currency"],
        **_amounts(chunk),
        "fingerprint": pa.array(arrivals.fingerprints, pa.binary()),
        "programme_version": rules.versions,
        "excluded_lines": _excluded_lines(chunk, rules.excluded),
    }
    copy_rows(session, "receipt", receipts)
    of_line = pa.array(chunk.receipt_of_line)
    lines: dict[str, Any] = {
        "business_date": business_dates.take(of_line),
        "receipt_id": arrivals.receipt_ids.take(of_line),
        "article_id": arrivals.articles,
        "points": _whole(points),
    }
    kept = ("line_number", "sku", "gtin", "name", "quantity", "unit", "unit_price", "discount_amount")
    for name in (*kept, "total_amount", "tax_rate", "original_line_number", "return_reason"):
        lines[name] = chunk.rows.column(name)
    copy_rows(session, "receipt_line", lines)
    _write_flags(session, arrivals, flags, now)


def _amounts(chunk: Chunk) -> dict[str, Any]:
    """Return, of receipts, what they come to: as stated where the file does, else what their lines make."""
    sums = chunk.sum_by_receipt(chunk.amounts("total_amount"))
    made = {
        "gross_amount": _whole(chunk.sum_by_receipt(chunk.gross)),
        "discount_amount": _whole(chunk.sum_by_receipt(chunk.amounts("discount_amount"))),
        "points_amount": pa.repeat(0, len(chunk)),
    }
    if not chunk.says_totals:
        return {
            **made,
            "rounding_amount": pa.repeat(0, len(chunk)),
            "payable_amount": _whole(sums),
        }
    stated = [json.loads(totals) if totals else [0, None, []] for totals in chunk.totals]
    return {
        **made,
        "rounding_amount": [rounding for rounding, _, _ in stated],
        "payable_amount": [
            net if payable is None else payable
            for net, (_, payable, _) in zip(sums.tolist(), stated, strict=True)
        ],
        "tenders": [
            json.dumps([{"type": kind, "amount": amount} for kind, amount in tenders]) if tenders else None
            for _, _, tenders in stated
        ],
    }


def _whole(numbers: np.ndarray) -> pa.Array:
    """Return sums as a column, those also that were counted in Python's own numbers."""
    return pa.array(numbers.tolist() if numbers.dtype == object else numbers, pa.int64())


def _write_flags(
    session: Session, arrivals: Arrivals, flags: Sequence[tuple[int, Flag]], now: datetime
) -> None:
    if flags:
        receipts = np.array([index for index, _ in flags], np.int64)
        stores = arrivals.stores.where(receipts)
        flagged: dict[str, Any] = {
            "business_date": arrivals.chunk.days.where(receipts).as_arrow(pa.date32()),
            "receipt_id": arrivals.receipt_ids.take(pa.array(receipts)),
            "store_id": stores.of_each(lambda store: store.store_id).as_arrow(),
            "code": [flag.code for _, flag in flags],
            "line_number": [flag.line_number for _, flag in flags],
            "detail": [flag.detail for _, flag in flags],
            "flagged_at": pa.repeat(pa.scalar(now, MOMENT), len(flags)),
        }
        copy_rows(session, "receipt_flag", flagged)


def _excluded_lines(chunk: Chunk, excluded: np.ndarray | None) -> list[list[int] | None]:
    """Return, of receipts, the numbers of the lines that earned nothing; None where all did."""
    found: list[list[int] | None] = [None] * len(chunk)
    if excluded is None:
        return found
    numbers = chunk.rows.column("line_number").to_numpy()
    by_receipt: dict[int, list[int]] = {}
    for line in np.flatnonzero(excluded).tolist():
        by_receipt.setdefault(int(chunk.receipt_of_line[line]), []).append(int(numbers[line]))
    for index, lines in by_receipt.items():
        found[index] = lines
    return found


def _chosen(chunk: Chunk, indexes: Any) -> np.ndarray:
    chosen = np.zeros(len(chunk), bool)
    chosen[list(indexes)] = True
    return chosen


_BEGUN = """
    select day from unnest(%s::date[]) as asked (day)
    where exists (select from receipt where receipt.business_date = asked.day)
"""
_INCOMING = """
    create temporary table if not exists incoming_receipt (
        position integer, business_date date, store_id integer, till_id integer, receipt_number text,
        fingerprint bytea
    ) on commit delete rows
"""
_KNOWN = """
    select incoming.position, receipt.business_date, receipt.receipt_id,
           receipt.fingerprint = incoming.fingerprint
    from incoming_receipt as incoming
    join receipt using (business_date, store_id, till_id, receipt_number)
    where receipt.business_date between %s and %s
"""


def _known(
    session: Session,
    chunk: Chunk,
    stores: Coded[StoreView],
    till_ids: np.ndarray,
    fingerprints: Sequence[bytes],
) -> tuple[list[int], list[int]]:
    """Return which receipts are stored with the same content, and which identities have another content."""
    driver = driver_of(session)
    days = chunk.days.used()
    begun = {row[0] for row in driver.execute(_BEGUN, (days,)).fetchall()}
    # Of a day of which nothing is stored yet, nothing need be asked.
    asked = chunk.days.of_each(begun.__contains__).numbers(bool)
    positions = np.flatnonzero(asked)
    if not len(positions):
        return [], []
    driver.execute(_INCOMING)
    incoming: dict[str, Any] = {
        "position": positions,
        "business_date": chunk.days.where(asked).as_arrow(pa.date32()),
        "store_id": stores.where(asked).of_each(lambda store: store.store_id).as_arrow(),
        "till_id": till_ids[asked],
        "receipt_number": chunk.cells["receipt_number"].take(pa.array(positions)),
        "fingerprint": pa.array([fingerprints[position] for position in positions.tolist()], pa.binary()),
    }
    copy_rows(session, "incoming_receipt", incoming)
    driver.execute("analyze incoming_receipt")
    found = driver.execute(_KNOWN, (min(begun), max(begun))).fetchall()
    same = [position for position, _, _, agrees in found if agrees]
    # A receipt that a till posted has the till's fingerprint; what counts is what it says.
    doubtful = {receipt_id: (position, day) for position, day, receipt_id, agrees in found if not agrees}
    stored = _stored_fingerprints(
        session,
        {receipt_id: day for receipt_id, (_, day) in doubtful.items()},
        {receipt_id for receipt_id, (position, _) in doubtful.items() if chunk.totals[position]},
    )
    other: list[int] = []
    for receipt_id, (position, _) in doubtful.items():
        (same if stored[receipt_id] == fingerprints[position] else other).append(position)
    return same, other


_STORED_HEADS = """
    select store.store_code, till.till_code, receipt.*
    from unnest(%s::date[], %s::uuid[]) as asked (business_date, receipt_id)
    join receipt using (business_date, receipt_id)
    join store using (store_id)
    join till using (till_id)
"""
_STORED_LINES = """
    select receipt_line.*
    from unnest(%s::date[], %s::uuid[]) as asked (business_date, receipt_id)
    join receipt_line using (business_date, receipt_id)
    order by receipt_line.line_number
"""


def _stored_fingerprints(
    session: Session, days: Mapping[UUID, date], with_totals: Collection[UUID]
) -> dict[UUID, bytes]:
    """Return what the fingerprints of stored receipts would be, had they come by file."""
    if not days:
        return {}
    asked = (list(days.values()), list(days))
    with driver_of(session).cursor(row_factory=dict_row) as cursor:
        heads = cursor.execute(_STORED_HEADS, asked).fetchall()
        lines: dict[UUID, list[dict[str, Any]]] = {}
        for line in cursor.execute(_STORED_LINES, asked):
            lines.setdefault(line["receipt_id"], []).append(line)
    return {
        head["receipt_id"]: fingerprint_of(
            head, lines.get(head["receipt_id"], ()), with_totals=head["receipt_id"] in with_totals
        )
        for head in heads
    }

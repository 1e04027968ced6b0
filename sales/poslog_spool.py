"""A POSLog file on its way in: its plain sales as rows of a receipts file, everything else kept one by one."""

import json
from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa

from core.progress import Report
from core.tabular import Batch, RefusedRow, RefusedRows
from sales.poslog import PoslogReader
from sales.poslog_transactions import (
    Cells,
    FindPlace,
    NoReceipt,
    NotUnderstood,
    Told,
    identity_cells,
    told,
)
from sales.receipt_chunks import LARGEST, REPEATED, TOO_LARGE
from sales.receipt_loading import TAKEN
from sales.receipt_rows import COLUMNS, IDENTITY, FindOwn, check_rows
from sales.receipt_spool import SPOILT, Refusals, Spool
from sales.receipts import VOID, Original, PostedLine, PostedReceipt, Tender, Totals

ROWS = 20_000
"""Lines that are checked together."""
NAMES = ("line", *IDENTITY)
"""The columns of the file of refused transactions: where it begins, and which receipt it names."""
_LINE = tuple(name for name in COLUMNS.all if name not in IDENTITY)


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt that goes its way alone, with the line of the file on which it begins."""

    line: int
    store_code: str
    till_code: str
    posted: PostedReceipt


class PoslogRefusals(Refusals):
    """Which transactions are refused and why."""

    def __init__(self, table: "PoslogTable", file: IO[bytes]) -> None:
        super().__init__()
        self._table = table
        self._file = file

    def add_transaction(self, line: int, cells: Cells, reason: str) -> None:
        """Refuse the transaction that begins on `line`."""
        self._file.write(json.dumps([line, cells, reason]).encode() + b"\n")
        self.unreadable += 1

    def write(self, path: Path, sink: RefusedRows) -> None:
        """Hand the refused transactions to `sink`, each once, with its first reason."""
        reasons = self._by_transaction()
        if reasons:
            with PoslogReader(path) as reader:
                for number, (line, element) in enumerate(reader.transactions()):
                    if number in reasons:
                        cells = {"line": str(line), **identity_cells(element)}
                        sink.add(RefusedRow(cells, reasons[number]))
        self._file.seek(0)
        for text in self._file:
            line, cells, reason = json.loads(text)
            sink.add(RefusedRow({**cells, "line": str(line)}, reason))

    def _by_transaction(self) -> dict[int, str]:
        words = list(self._known)
        found: dict[int, str] = {}
        for row, reason in zip(self._rows, self._reasons, strict=True):
            number = self._table.transaction_of(row)
            if found.get(number, SPOILT) == SPOILT:
                found[number] = words[reason]
        return found


class PoslogTable(AbstractContextManager["PoslogTable"]):
    """Reads a POSLog as if its plain sales were rows of a receipts file."""

    def __init__(self, find_place: FindPlace, others: IO[bytes]) -> None:
        self.names = list(NAMES)
        self._find_place = find_place
        self._others = others
        self._starts = array("q")
        self._numbers = array("q")
        self._identities = array("q")
        self._contents = array("q")
        self._rows_read = 0
        self._pending: list[tuple[int, int, Told]] = []
        self.kept = array("q")
        """Of receipts that go alone: number in the file, moment in microseconds, offset; one after another."""
        self.receipts = 0
        self.skipped = 0

    def opened(self, path: Path, refusals: PoslogRefusals, own: FindOwn) -> "PoslogTable":
        """Begin to read the file."""
        self._reader, self._refusals, self._own = PoslogReader(path), refusals, own
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._reader.__exit__(None, None, None)

    def percent(self) -> int:
        """Return how much of the file has been read."""
        return self._reader.percent()

    def batches(self) -> Iterator[Batch]:
        """Yield the lines of plain sales; put everything else aside."""
        sales: list[Told] = []
        lines = 0
        for number, (line, element) in enumerate(self._reader.transactions()):
            try:
                found = told(element, self._find_place)
            except NoReceipt:
                self.skipped += 1
                continue
            except NotUnderstood as refusal:
                self.receipts += 1
                self._refusals.add_transaction(line, identity_cells(element), str(refusal))
                continue
            self.receipts += 1
            self._see(number, found)
            if found.plain:
                self._starts.append(self._rows_read + lines)
                self._numbers.append(number)
                sales.append(found)
                lines += len(found.lines)
            else:
                self._pending.append((number, line, found))
            if lines >= ROWS or len(self._pending) >= ROWS:
                yield self._batch(sales, lines)
                sales, lines = [], 0
        yield self._batch(sales, lines)

    def _see(self, number: int, found: Told) -> None:
        self._identities.extend([hash(found.identity), number])
        lines = (tuple(line.values()) for line in found.lines)
        sums = (found.mode, found.payable_amount, found.points_amount, found.rounding_amount)
        self._contents.append(hash((*found.head.values(), *sums, *found.tenders, *lines)))

    def _batch(self, sales: list[Told], lines: int) -> Batch:
        self._put_aside()
        batch = Batch(self._rows_read, _rows(sales), ())
        self._rows_read += lines
        return batch

    def _put_aside(self) -> None:
        """Check the receipts that go alone by the same rules as all others, and keep the good ones."""
        if not self._pending:
            return
        checked = check_rows(
            _rows([_with_a_line(one) for _, _, one in self._pending]), first_row=0, own=self._own
        )
        counts = [max(1, len(one.lines)) for _, _, one in self._pending]
        ends = np.cumsum(counts)
        wrong: dict[int, str] = {}
        for row, reason, _ in checked.bad:
            wrong.setdefault(int(np.searchsorted(ends, row, side="right")), reason)
        for index, (number, line, found) in enumerate(self._pending):
            if problem := wrong.get(index) or _impossible(found):
                self._refusals.add_transaction(line, _identity(found), problem)
                continue
            moment = datetime.fromisoformat(found.head["closed_at"] or "").astimezone(UTC)
            self.kept.extend([number, int(moment.timestamp() * 1_000_000), self._others.tell()])
            self._others.write(json.dumps([line, asdict(found)]).encode() + b"\n")
        self._pending = []

    def transaction_of(self, row: int) -> int:
        """Return the number in the file of the transaction that a row is of."""
        return self._numbers[int(np.searchsorted(self._starts, row, side="right")) - 1]

    def numbers_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the numbers in the file of the transactions that rows are of."""
        places = np.searchsorted(np.array(self._starts, np.int64), rows, side="right") - 1
        return np.array(self._numbers, np.int64)[places]

    def repeated(self) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the transactions whose identity came before in this file.

        Those that say the same as the first of them, and those that say something else.
        """
        pairs = np.array(self._identities, np.int64).reshape(-1, 2)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        identities, numbers = pairs[order, 0], pairs[order, 1]
        contents = np.array(self._contents, np.int64)[order]
        begins = np.append(True, identities[1:] != identities[:-1]) if len(order) else np.zeros(0, bool)
        first = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0)) if len(order) else order
        same = contents == contents[first]
        return np.sort(numbers[~begins & same]), np.sort(numbers[~begins & ~same])


class PoslogSpool(Spool):
    """The receipts of one POSLog file; what it counts is receipts, not rows."""

    in_receipts = True

    def __init__(self, find_place: FindPlace) -> None:
        super().__init__()
        self._kept_file = self._file()
        self._table = PoslogTable(find_place, self._kept_file)
        self.refusals: PoslogRefusals = PoslogRefusals(self._table, self._file())
        self.unchanged = 0
        self._dropped = np.zeros(0, np.int64)

    @property
    def skipped(self) -> int:
        """How many transactions were no receipts."""
        return self._table.skipped

    def _source(self, path: Path, own: FindOwn) -> Any:
        return self._table.opened(path, self.refusals, own)

    def read(self, path: Path, *, own: FindOwn, report: Report) -> None:
        """Read and check the whole file; raises `UnreadableFile`."""
        super().read(path, own=own, report=report)
        self.rows_read = self._table.receipts
        same, other = self._table.repeated()
        self.unchanged = len(same)
        self._dropped = np.union1d(same, other)
        if len(other):
            self._refuse_others(path, set(other.tolist()))

    def _refuse_others(self, path: Path, numbers: set[int]) -> None:
        with PoslogReader(path) as reader:
            for number, (line, element) in enumerate(reader.transactions()):
                if number in numbers:
                    self.refusals.add_transaction(line, identity_cells(element), TAKEN)

    def _without_spoilt(self, rows: Any) -> Any:
        kept = super()._without_spoilt(rows)
        if len(self._dropped) and kept.num_rows:
            numbers = self._table.numbers_of(kept.column("row_number").to_numpy())
            kept = kept.filter(pa.array(~np.isin(numbers, self._dropped)))
        return kept

    def alone(self) -> Iterator[Kept]:
        """Yield the receipts that go alone, in the order in which they were closed."""
        kept = np.array(self._table.kept, np.int64).reshape(-1, 3)
        kept = kept[~np.isin(kept[:, 0], self._dropped)]
        for offset in kept[np.lexsort((kept[:, 0], kept[:, 1])), 2].tolist():
            self._kept_file.seek(offset)
            line, content = json.loads(self._kept_file.readline())
            content["tenders"] = [tuple(tender) for tender in content["tenders"]]
            found = Told(**content)
            yield Kept(line, found.head["store_code"] or "", found.head["till_code"] or "", posted(found))

    def alone_count(self) -> int:
        """Return how many receipts go alone."""
        return len(self._table.kept) // 3 - int(np.isin(self._table.kept[::3], self._dropped).sum())


def _impossible(found: Told) -> str | None:
    """Return why a receipt cannot be stored although each of its lines could."""
    numbers = [int(line["line_number"] or 0) for line in found.lines]
    if len(set(numbers)) < len(numbers):
        return REPEATED
    amounts = [
        abs(int(line[name] or 0)) for line in found.lines for name in ("total_amount", "discount_amount")
    ]
    gross = [
        abs(int(line["unit_price"] or 0)) * int(Decimal(line["quantity"] or 0) + 1) for line in found.lines
    ]
    paid = [abs(amount) for _, amount in found.tenders]
    whole = sum(amounts) + sum(gross) + sum(paid) + abs(found.payable_amount or 0) + abs(found.points_amount)
    return TOO_LARGE if whole > LARGEST else None


def _identity(found: Told) -> Cells:
    return {name: found.head[name] for name in IDENTITY}


def _with_a_line(found: Told) -> Told:
    """Return a void with a line of nothing, so that its head is checked like all others."""
    if found.lines:
        return found
    line: Cells = dict.fromkeys(_LINE)
    return replace(
        found,
        lines=[
            line | {"line_number": "1", "sku": "-", "quantity": "1", "unit_price": "0", "total_amount": "0"}
        ],
    )


def _rows(receipts: list[Told]) -> pa.RecordBatch:
    """Return receipts as rows of a receipts file, with their sums and tenders beside them."""
    counts = [len(one.lines) for one in receipts]
    of_line = pa.array(np.repeat(np.arange(len(receipts)), counts), pa.int32())
    lines = [line for one in receipts for line in one.lines]
    columns: list[pa.Array] = []
    for name in COLUMNS.all:
        if not receipts or name in receipts[0].head:
            column = pa.array([one.head.get(name) for one in receipts], pa.string()).dictionary_encode()
            columns.append(column.take(of_line))
        else:
            columns.append(pa.array([line.get(name) for line in lines], pa.string()).dictionary_encode())
    totals = pa.array([totals_text(one) for one in receipts], pa.string())
    return pa.RecordBatch.from_arrays([*columns, totals.take(of_line)], names=[*COLUMNS.all, "totals"])


def totals_text(found: Told) -> str:
    """Return what a receipts file has no columns for, in one form: rounding, what was paid, and with what."""
    tenders = [[kind, amount] for kind, amount in found.tenders]
    return json.dumps([found.rounding_amount, found.payable_amount, tenders])


def posted(found: Told) -> PostedReceipt:
    """Return a transaction as a till would have posted it."""
    head = found.head
    day, original = head["business_date"] or "", None
    if head["original_business_date"]:
        original = Original(
            store_code=head["original_store_code"] or "",
            till_code=head["original_till_code"] or "",
            business_date=date.fromisoformat(head["original_business_date"]),
            receipt_number=head["original_receipt_number"] or "",
        )
    lines = tuple(_posted_line(cells) for cells in found.lines)
    return PostedReceipt(
        type=head["type"] or "",
        business_date=date.fromisoformat(day),
        receipt_number=head["receipt_number"] or "",
        closed_at=datetime.fromisoformat(head["closed_at"] or "").astimezone(UTC),
        currency=head["currency"] or "",
        mode=found.mode,
        operator_code=head["operator_code"],
        card_number=head["card_number"],
        lines=lines,
        tenders=tuple(Tender(kind, amount) for kind, amount in found.tenders),
        totals=Totals()
        if head["type"] == VOID
        else Totals(
            payable_amount=found.payable_amount,
            discount_amount=sum(line.discount_amount for line in lines),
            points_amount=found.points_amount,
            rounding_amount=found.rounding_amount,
        ),
        original=original,
    )


def _posted_line(cells: Cells) -> PostedLine:
    tax_rate, original = cells["tax_rate"], cells["original_line_number"]
    return PostedLine(
        line_number=int(cells["line_number"] or 0),
        quantity=Decimal(cells["quantity"] or 0),
        unit_price=int(cells["unit_price"] or 0),
        total_amount=int(cells["total_amount"] or 0),
        tax_rate=None if tax_rate is None else Decimal(tax_rate),
        gtin=cells["gtin"],
        sku=cells["sku"],
        name=cells["name"],
        unit=cells["unit"],
        discount_amount=int(cells["discount_amount"] or 0),
        original_line_number=None if original is None else int(original),
        reason=cells["return_reason"],
    )

"""
A receipts file on its way in: read and checked once, kept on disk, handed on receipt by receipt.

Nothing may be written before the whole file has been read: a row further down can belong to a
receipt further up, and spoil it. Memory is bounded by the size of a chunk, the rows of returns and voids, and eight bytes a receipt.
"""

import tempfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

from core.ahead import ahead
from core.progress import Report
from core.tabular import RefusedRow, RefusedRows, Table
from sales.receipt_rows import COLUMNS, SCHEMA, SEPARATOR, CheckedRows, FindOwn, check_rows

CHUNK_ROWS = 200_000
"""Lines that are taken at a time, and committed together; receipts stay whole."""
BUCKET_ROWS = 500_000

SPOILT = "another row of this receipt is refused"
MIXED = "the rows of this receipt differ in type, moment, card, operator, currency or original"


class Refusals:
    """Which rows of a file are refused and why; a reason is kept once."""

    def __init__(self) -> None:
        self._rows = array("q")
        self._reasons = array("l")
        self._known: dict[str, int] = {}
        self.unreadable = 0
        """Rows that have not the right cells at all; the file hands them on by itself."""

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, rows: Iterable[int], reason: str) -> None:
        """Refuse `rows` for `reason`."""
        number = self._known.setdefault(reason, len(self._known))
        for row in rows:
            self._rows.append(row)
            self._reasons.append(number)

    def write(self, path: Path, sink: RefusedRows) -> None:
        """Read the file again and hand its refused rows to `sink` as they stood, in their order."""
        if not len(self) and not self.unreadable:
            return
        words = list(self._known)
        rows, reasons = np.array(self._rows, np.int64), np.array(self._reasons, np.int64)
        order = np.argsort(rows, kind="stable")
        rows, reasons = rows[order], reasons[order]
        with Table(path, COLUMNS) as table:
            for batch in table.batches():
                for unreadable in batch.refused:
                    sink.add(unreadable)
                first, last = np.searchsorted(rows, [batch.first_row, batch.first_row + batch.rows.num_rows])
                cells = batch.rows.take(pa.array(rows[first:last] - batch.first_row)).to_pylist()
                for row, reason in zip(cells, reasons[first:last], strict=True):
                    sink.add(RefusedRow(row, words[reason]))


class Spool(AbstractContextManager["Spool"]):
    """The good rows of one receipts file: sales in chunks of whole receipts, returns and voids apart."""

    in_receipts = False
    """Whether what is counted is receipts, not rows."""

    def __init__(self) -> None:
        self.rows_read = 0
        self.sale_rows = 0
        self.other_rows = 0
        self.refusals = Refusals()
        self.names: list[str] = []
        self.unchanged = 0
        """What the file itself repeats."""
        self._open = ExitStack()
        self._sales = self._file()
        self._others = self._file()
        self._spoilt = array("q")
        self._seen = array("q")
        self._seen_others = array("q")

    def __exit__(self, *_: object) -> None:
        """Delete what was kept on disk."""
        self._open.close()

    def _file(self) -> IO[bytes]:
        return self._open.enter_context(tempfile.TemporaryFile(prefix="regulars-import-"))

    def read(self, path: Path, *, own: FindOwn, report: Report) -> None:
        """Read and check the whole file; raises `UnreadableFile` or `WrongColumns`."""
        with (
            self._source(path, own) as table,
            pa.ipc.new_stream(self._sales, SCHEMA) as sales,
            pa.ipc.new_stream(self._others, SCHEMA) as others,
        ):
            self.names = table.names
            last: str | None = None
            for batch in ahead(table.batches()):
                self.rows_read += batch.rows.num_rows + len(batch.refused)
                self.refusals.unreadable += len(batch.refused)
                checked = check_rows(batch.rows, first_row=batch.first_row, own=own)
                self._keep_bad(checked)
                is_sale = pc.starts_with(checked.good.column("head"), f"sale{SEPARATOR}")
                sold = checked.good.filter(is_sale)
                other = checked.good.filter(pc.invert(is_sale))
                last = _see(self._seen, sold, last)
                _see(self._seen_others, other, None)
                sales.write_batch(sold)
                others.write_batch(other)
                self.sale_rows += sold.num_rows
                self.other_rows += other.num_rows
                report(table.percent(), 100)
            report(100, 100)
        self._open_receipts = _repeated(self._seen)
        self._mixed_receipts = np.intersect1d(_values(self._seen), _values(self._seen_others))
        self._spoilt_receipts = np.unique(_values(self._spoilt))

    def _source(self, path: Path, own: FindOwn) -> Any:  # noqa: ARG002 - who reads something else may need it
        return Table(path, COLUMNS)

    def _keep_bad(self, checked: CheckedRows) -> None:
        for row, reason, identity in checked.bad:
            self.refusals.add([row], reason)
            self._spoilt.append(hash(identity))

    def sales(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of sales in chunks of whole receipts, in the file's order where it has one."""
        buckets = [self._file() for _ in range(self._bucket_count())]
        with ExitStack() as writing:
            writers = [writing.enter_context(pa.ipc.new_stream(file, SCHEMA)) for file in buckets]
            yield from self._whole(self._in_order(writers))
        for file in buckets:
            file.seek(0)
            rows = pa.ipc.open_stream(file).read_all()
            yield from self._whole(_single(rows.sort_by([("identity", "ascending")])))

    def others(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of returns and voids, all at once: they are few, and each must see those before it."""
        self._others.seek(0)
        rows = self._without_spoilt(pa.ipc.open_stream(self._others).read_all())
        yield from _single(rows.sort_by([("identity", "ascending")]))

    def _bucket_count(self) -> int:
        return 0 if not len(self._open_receipts) else 1 + self.sale_rows // BUCKET_ROWS

    def _in_order(self, writers: list[pa.ipc.RecordBatchStreamWriter]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of receipts that lie in one piece; the rows of others go to the buckets."""
        self._sales.seek(0)
        for batch in pa.ipc.open_stream(self._sales):
            rows = self._without_spoilt(batch)
            if writers and rows.num_rows:
                hashes = _hashes(rows)
                scattered = np.isin(hashes, self._open_receipts)
                for number, writer in enumerate(writers):
                    chosen = scattered & (hashes % len(writers) == number)
                    writer.write_batch(rows.filter(pa.array(chosen)))
                rows = rows.filter(pa.array(~scattered))
            if rows.num_rows:
                yield rows

    def _without_spoilt(self, rows: pa.RecordBatch | pa.Table) -> pa.RecordBatch | pa.Table:
        """Return `rows` without those of receipts that cannot be taken, which are refused."""
        for receipts, reason in ((self._spoilt_receipts, SPOILT), (self._mixed_receipts, MIXED)):
            if len(receipts) and rows.num_rows:
                spoilt = np.isin(_hashes(rows), receipts)
                self.refusals.add(rows.column("row_number").to_numpy()[spoilt].tolist(), reason)
                rows = rows.filter(pa.array(~spoilt))
        return rows

    def _whole(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the same rows in chunks that end where a receipt does."""
        held: list[pa.RecordBatch] = []
        count = 0
        for batch in batches:
            held.append(batch)
            count += batch.num_rows
            if count < CHUNK_ROWS:
                continue
            rows = _combined(held)
            starts = run_starts(rows.column("identity"))
            # At most a chunk is handed on, at least one receipt is; the last receipt may go on in the next batch.
            while len(starts) > 1 and rows.num_rows >= CHUNK_ROWS:
                cut = int(starts[max(1, int(np.searchsorted(starts, CHUNK_ROWS, side="right")) - 1)])
                yield rows.slice(0, cut)
                rows = rows.slice(cut)
                starts = starts[starts >= cut] - cut
            held, count = [rows], rows.num_rows
        if count:
            yield _combined(held)


def run_starts(identities: pa.Array) -> np.ndarray:
    """Return where in `identities` a receipt begins."""
    if not len(identities):
        return np.zeros(0, np.int64)
    changes = pc.not_equal(identities.slice(1), identities.slice(0, len(identities) - 1))
    return np.concatenate(([0], np.flatnonzero(changes.to_numpy(zero_copy_only=False)) + 1))


def _see(seen: "array[int]", rows: pa.RecordBatch, last: str | None) -> str | None:
    """Remember in `seen` the receipts that begin in `rows`; returns the identity of the last row."""
    identities = rows.column("identity")
    begun = identities.take(pa.array(run_starts(identities))).to_pylist()
    for identity in begun[1:] if begun and begun[0] == last else begun:
        seen.append(hash(identity))
    return begun[-1] if begun else last


def _hashes(rows: pa.RecordBatch | pa.Table) -> np.ndarray:
    """Return a hash of each row's identity, made once a run."""
    column = rows.column("identity")
    identities = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    starts = run_starts(identities)
    hashes = np.array([hash(text) for text in identities.take(pa.array(starts)).to_pylist()], np.int64)
    return np.repeat(hashes, np.diff(starts, append=len(identities)))


def _values(values: "array[int]") -> np.ndarray:
    return np.array(values, np.int64)


def _repeated(values: "array[int]") -> np.ndarray:
    distinct, counts = np.unique(_values(values), return_counts=True)
    return distinct[counts > 1]


def _combined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _single(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """Yield a table as one batch, if there is anything in it."""
    if table.num_rows:
        yield from table.combine_chunks().to_batches()

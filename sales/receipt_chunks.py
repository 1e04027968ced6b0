"""Whole receipts of a file as arrays: what their lines add up to, what is wrong, what each means. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.coded import Coded, coded_texts
from sales.receipt_rows import HEAD, IDENTITY, LINE, SEPARATOR
from sales.receipt_spool import MIXED, run_starts
from sales.receipts import Flag

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FORMAT = b"regulars receipts import 1\n"
"""Begins what is hashed, so that no till's fingerprint is ever the same by accident of form."""
SAFE = 2**62
"""Sums and products below this fit in 64 bits; anything larger is counted in Python's own numbers."""
LARGEST = 2**63 - 1
"""What a sum of amounts may come to where it is stored."""
TOO_LARGE = "the amounts of this receipt come to more than can be stored"
REPEATED = "two rows of this receipt have one line number"

Texts = list[str | None]


@dataclass(frozen=True)
class Chunk:
    """
    Some receipts, their lines one after another in the order of line numbers.

    Arrays "of receipts" have one element a receipt, arrays "of lines" one a line.
    """

    rows: pa.RecordBatch
    starts: np.ndarray
    """Where each receipt begins."""

    @classmethod
    def of(cls, rows: pa.RecordBatch) -> "Chunk":
        """Return the receipts whose rows lie together in `rows`."""
        starts = run_starts(rows.column("identity"))
        receipt = np.repeat(np.arange(len(starts)), np.diff(starts, append=rows.num_rows))
        line = rows.column("line_number").to_numpy()
        if not (np.diff(line) > 0)[np.diff(receipt) == 0].all():
            rows = rows.take(pa.array(np.lexsort((line, receipt))))
        return cls(rows, starts)

    @classmethod
    def prepared(cls, rows: pa.RecordBatch) -> "Chunk":
        """Return the same, with what takes long worked out already."""
        chunk = cls.of(rows)
        _ = chunk.fingerprints, chunk.coded, chunk.days, chunk.microseconds
        return chunk

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def counts(self) -> np.ndarray:
        """How many lines each receipt has."""
        return np.diff(self.starts, append=self.rows.num_rows)

    @cached_property
    def receipt_of_line(self) -> np.ndarray:
        """Of lines: the receipt's index."""
        return np.repeat(np.arange(len(self)), self.counts)

    def only(self, kept: np.ndarray) -> "Chunk":
        """Return the receipts that `kept`, booleans of receipts, is true for."""
        return self if kept.all() else Chunk.of(self.rows.filter(pa.array(np.repeat(kept, self.counts))))

    def part(self, first: int, following: int) -> "Chunk":
        """Return the receipts from index `first` up to `following`."""
        bounds = np.append(self.starts, self.rows.num_rows)
        start, end = int(bounds[first]), int(bounds[min(following, len(self))])
        return Chunk.of(self.rows.slice(start, end - start))

    def by_time(self) -> "Chunk":
        """Return the same receipts in the order in which they were closed."""
        order = np.lexsort((self.receipt_of_line, np.repeat(self.microseconds, self.counts)))
        return Chunk.of(self.rows.take(pa.array(order)))

    def rows_of(self, chosen: np.ndarray) -> list[int]:
        """Return the row numbers in the file of the receipts that `chosen` is true for."""
        numbers: list[int] = (
            self.rows.column("row_number").to_numpy()[np.repeat(chosen, self.counts)].tolist()
        )
        return numbers

    def amounts(self, name: str) -> np.ndarray:
        """Of lines: one of the amounts, in numbers that sums and products of them do not overflow."""
        column: np.ndarray = self.rows.column(name).to_numpy()
        largest = int(np.abs(column).max(initial=0))
        longest = int(self.counts.max(initial=0))
        return column if max(longest, 2**31) * largest < SAFE else column.astype(object)

    @cached_property
    def thousandths(self) -> np.ndarray:
        """Of lines: the quantity times a thousand."""
        # Below 10**12, so the lower half of the decimal's 128 bits is all of it.
        column = self.rows.column("quantity")
        halves: np.ndarray = np.frombuffer(column.buffers()[1], np.int64)
        return halves[2 * column.offset : 2 * (column.offset + len(column)) : 2]

    @cached_property
    def gross(self) -> np.ndarray:
        """Of lines: quantity times unit price, halves rounded away from zero."""
        price, quantity = self.amounts("unit_price"), self.thousandths
        if int(np.abs(price).max(initial=0)) * int(quantity.max(initial=0)) >= SAFE:
            price, quantity = price.astype(object), quantity.astype(object)
        rounded = (np.abs(price) * quantity + 500) // 1000
        signed: np.ndarray = np.where(price < 0, -rounded, rounded)
        return signed

    def sum_by_receipt(self, amounts: np.ndarray) -> np.ndarray:
        """Of receipts: what `amounts`, of lines, add up to."""
        if int(self.counts.max(initial=0)) * int(np.abs(amounts).max(initial=0)) >= SAFE:
            amounts = amounts.astype(object)
        return np.add.reduceat(amounts, self.starts) if len(self) else amounts

    def wrong_lines(self) -> Iterator[tuple[int, Flag]]:
        """Yield, with the receipt's index, what does not add up in a line."""
        said, expected = self.amounts("total_amount"), self.gross - self.amounts("discount_amount")
        numbers = self.rows.column("line_number").to_numpy()
        for index in np.flatnonzero(said != expected):
            words = f"the line says {said[index]}, its quantity, price and discount make {expected[index]}"
            yield int(self.receipt_of_line[index]), Flag("totals_mismatch", words, int(numbers[index]))

    def problems(self) -> dict[int, str]:
        """Return what makes a receipt, by its index, impossible to take."""
        line, receipt = self.rows.column("line_number").to_numpy(), self.receipt_of_line
        same = receipt[1:] == receipt[:-1]
        twice = receipt[1:][same & (line[1:] == line[:-1])]
        head = self.rows.column("head")
        mixed = receipt[1:][same & pc.not_equal(head.slice(1), head.slice(0, len(head) - 1)).to_numpy(False)]
        return {
            **dict.fromkeys(self._too_large(), TOO_LARGE),
            **dict.fromkeys(twice.tolist(), REPEATED),
            **dict.fromkeys(mixed.tolist(), MIXED),
        }

    def _too_large(self) -> list[int]:
        sums = (self.gross, self.amounts("discount_amount"), self.amounts("total_amount"))
        beyond = [np.flatnonzero(np.abs(self.sum_by_receipt(amounts)) > LARGEST) for amounts in sums]
        return [int(index) for indexes in beyond for index in indexes]

    @property
    def identities(self) -> list[str]:
        """Of receipts: store, till, date and number as one text."""
        texts: list[str] = self.rows.column("identity").take(pa.array(self.starts)).to_pylist()
        return texts

    @cached_property
    def coded(self) -> Mapping[str, Coded[str]]:
        """Of receipts: the columns of `IDENTITY` and `HEAD`; `closed_at` in microseconds since 1970."""
        return {name: coded_texts(cells) for name, cells in self.cells.items()}

    @cached_property
    def cells(self) -> Mapping[str, pa.Array]:
        """Of receipts: the same as arrow's texts, empty where nothing is said."""
        return self._split("identity", "/", IDENTITY) | self._split("head", SEPARATOR, HEAD)

    def _split(self, name: str, separator: str, parts: tuple[str, ...]) -> dict[str, pa.Array]:
        texts = self.rows.column(name).take(pa.array(self.starts))
        cells = pc.split_pattern(texts, separator).flatten()
        return {
            part: cells.take(pa.array(np.arange(at, len(cells), len(parts)))) for at, part in enumerate(parts)
        }

    @cached_property
    def identity(self) -> Mapping[str, Texts]:
        """Of receipts: the columns of `IDENTITY`, as text."""
        return {name: self.coded[name].values() for name in IDENTITY}

    @cached_property
    def head(self) -> Mapping[str, Texts]:
        """Of receipts: the columns of `HEAD`, as text; `closed_at` in microseconds since 1970."""
        return {name: self.coded[name].values() for name in HEAD}

    @cached_property
    def days(self) -> Coded[date]:
        """Of receipts: the business date."""
        return self.coded["business_date"].of_each(date.fromisoformat)

    @cached_property
    def business_dates(self) -> list[date]:
        """Of receipts: the same, one by one."""
        return [day for day in self.days.values() if day]

    @cached_property
    def microseconds(self) -> np.ndarray:
        """Of receipts: when it was closed, in microseconds since 1970."""
        moments: np.ndarray = self.cells["closed_at"].cast(pa.int64()).to_numpy()
        return moments

    @cached_property
    def totals(self) -> list[str | None]:
        """Of receipts: rounding, payable amount and tenders as JSON; None where the file says nothing of them."""
        texts: list[str | None] = self.rows.column("totals").take(pa.array(self.starts)).to_pylist()
        return texts

    @cached_property
    def says_totals(self) -> bool:
        """Whether the file says of any receipt what it comes to, besides its lines."""
        return bool(self.rows.column("totals").null_count < self.rows.num_rows)

    @cached_property
    def fingerprints(self) -> list[bytes]:
        """Of receipts: the SHA-256 of what the file says of each, whatever the order of its rows."""
        starts = pa.array(self.starts)
        heads, names = self.rows.column("head").take(starts), self.rows.column("identity").take(starts)
        if self.says_totals:
            totals = self.rows.column("totals").take(starts)
            heads = pc.coalesce(pc.binary_join_element_wise(heads, totals, "\n"), heads)
        # What begins a receipt stands before its first line, so that all of it lies in one piece.
        beginnings = pc.binary_join_element_wise(FORMAT.decode(), names, "\n", heads, "\n", "")
        first = np.zeros(self.rows.num_rows, bool)
        first[self.starts] = True
        receipt = pa.array(self.receipt_of_line, mask=~first)
        cells = [_text(self.rows.column(name)) for name in LINE]
        lines = pc.binary_join_element_wise(*cells, SEPARATOR, null_handling="replace", null_replacement="")
        whole = pc.binary_join_element_wise(
            beginnings.take(receipt), lines, SEPARATOR, null_handling="replace", null_replacement=""
        )
        content = memoryview(whole.buffers()[2] or b"")
        ends = np.frombuffer(whole.buffers()[1], np.int32)[whole.offset : whole.offset + len(whole) + 1]
        bounds = ends[np.append(self.starts, len(whole))].tolist()
        return [sha256(content[start:end]).digest() for start, end in pairwise(bounds)]


def fingerprint_of(
    receipt: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], *, with_totals: bool = False
) -> bytes:
    """
    Return the fingerprint of a stored receipt, as if it had come by file.

    `receipt` has the columns of its table, with `store_code` and `till_code`;
    `lines` those of theirs, in the order of line numbers. `with_totals` tells whether
    the file says more than its lines do.
    """
    microseconds = (receipt["closed_at"] - EPOCH) // timedelta(microseconds=1)
    head = SEPARATOR.join(_cell({**receipt, "closed_at": microseconds}[name]) for name in HEAD)
    if with_totals:
        tenders = [[tender["type"], tender["amount"]] for tender in receipt["tenders"] or ()]
        head += "\n" + json.dumps([receipt["rounding_amount"], receipt["payable_amount"], tenders])
    name = "/".join(_cell(receipt[column]) for column in IDENTITY)
    content = "".join(SEPARATOR + _cell(line[column]) for line in lines for column in LINE)
    return _digest(name, head, content.encode())


def _digest(identity: str, head: str, lines: bytes) -> bytes:
    return sha256(FORMAT + f"{identity}\n{head}\n".encode() + lines).digest()


def _cell(content: object) -> str:
    return "" if content is None else str(content)


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_string(column.type):
        return column
    # Many lines have the same quantity, price or tax rate.
    numbers = column.dictionary_encode()
    return pc.cast(numbers.dictionary, pa.string()).take(numbers.indices)


def moment_of(microseconds: int) -> datetime:
    """Return the moment (UTC) that many microseconds after 1970 began."""
    return EPOCH + timedelta(microseconds=microseconds)

"""
Files that come in: CSV (also .gz) and parquet, read as text in batches of bounded size.

What a file cannot be read for at all is one named error; a row that cannot be taken is
handed on with its reason and ends in `<file>.refused.csv`, the rest goes in.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from core.closed_quotes import EndMarked, opening_line
from core.errors import Refused
from core.whole_files import replacing

TEXT = pa.dictionary(pa.int32(), pa.string())
"""What cells are read as: much repeats from row to row, and a distinct text is looked at once."""
BLOCK = 4 << 20
"""Bytes of CSV that are read at a time; a row must fit in."""
ROWS = 50_000
"""Rows of parquet that are read at a time."""
HEADER = 1 << 16
DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)

_NUMBER = re.compile(r"[+-]?[\d .,()/-]*\d[\d .,()/-]*")


class UnreadableFile(Refused):
    """The file is not there, or is neither UTF-8 CSV nor parquet."""


def is_file(path: Path) -> bool:
    """Return whether a file is there; under a name that no file can have there is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        # Python before 3.14 asks the system, which has words of its own for a name that is too long.
        return False


class WrongColumns(Refused):
    """The file has columns that nobody knows, lacks one that is needed, or names one twice."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a kind of file must and may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every column there may be, in the documented order: needed ones first."""
        return self.required + self.optional

    def check(self, names: list[str], *, what: str) -> None:
        """Raise `WrongColumns` unless a file called `what` may have exactly the columns `names`."""
        unknown = [name for name in names if name not in self.all]
        missing = [name for name in self.required if name not in names]
        twice = sorted({name for name in names if names.count(name) > 1})
        complaints = (("unknown", unknown), ("missing", missing), ("named twice", twice))
        words = [
            f"{word} column{'s' * (len(found) > 1)} {', '.join(map(repr, found))}"
            for word, found in complaints
            if found
        ]
        if words:
            raise WrongColumns(f"{what}: {'; '.join(words)}")


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row as it stood in the file, and why it was not taken."""

    cells: Mapping[str, str | None]
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file: all of the known columns as `TEXT`, null where a cell is empty or absent."""

    first_row: int
    """How many readable rows of the file came before these."""
    rows: pa.RecordBatch
    refused: tuple[RefusedRow, ...]
    """Rows around these that have another number of cells than the header."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import did, in rows of the file."""

    read: int
    written: int
    unchanged: int
    refused: int
    refused_file: Path | None
    unit: str = "rows"
    """What is counted."""

    def as_json(self) -> dict[str, Any]:
        """Return the summary as the command line prints it."""
        return {
            "read": self.read,
            "written": self.written,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "refused_file": str(self.refused_file) if self.refused_file else None,
        }

    def in_words(self) -> str:
        """Return the summary as one line for a person."""
        line = (
            f"{self.read:,} {self.unit} read: {self.written:,} written, {self.unchanged:,} unchanged, "
            f"{self.refused:,} refused"
        )
        return f"{line} (see {self.refused_file})" if self.refused_file else line


class Table(AbstractContextManager["Table"]):
    """
    An import file at `path`, to be read once from beginning to end.

    Raises `UnreadableFile` or `WrongColumns` when opened, and `UnreadableFile` while
    reading where the rest of the file is not text in UTF-8.
    """

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path = path
        self._columns = columns
        self._file = _opened(path)
        self._is_parquet = self._file.peek(4)[:4] == b"PAR1"
        self._rows_read = 0
        self._pending: list[RefusedRow] = []
        try:
            self.names = self._parquet_names() if self._is_parquet else self._csv_names()
            columns.check(self.names, what=path.name)
        except BaseException:
            self._file.close()
            raise

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def percent(self) -> int:
        """Return how much of the file has been read."""
        if self._is_parquet:
            return 100 * self._rows_read // max(int(self._parquet.metadata.num_rows), 1)
        size = self.path.stat().st_size
        return min(100, 100 * self._file.tell() // max(size, 1))

    def batches(self) -> Iterator[Batch]:
        """Yield the rows of the file in order."""
        for rows in self._parquet_batches() if self._is_parquet else self._csv_batches():
            whole = self._with_absent(rows)
            kept = self._without_nul(whole)
            refused, self._pending = tuple(self._pending), []
            yield Batch(self._rows_read, kept, refused)
            self._rows_read += kept.num_rows
        if self._pending:
            refused, self._pending = tuple(self._pending), []
            nothing = pa.RecordBatch.from_pylist(
                [], pa.schema([(name, pa.string()) for name in self._columns.all])
            )
            yield Batch(self._rows_read, nothing, refused)

    def _with_absent(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        nulls = pa.nulls(rows.num_rows, pa.string()).dictionary_encode()
        present = set(rows.schema.names)
        arrays = [rows.column(name) if name in present else nulls for name in self._columns.all]
        return pa.RecordBatch.from_arrays(arrays, names=list(self._columns.all))

    def _without_nul(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Set rows with a NUL character aside: no database text can hold one."""
        bad = None
        for column in rows.columns:
            found = pc.match_substring(column.dictionary, "\x00")
            if pc.any(found).as_py():
                where = pc.fill_null(found.take(column.indices), False)
                bad = where if bad is None else pc.or_(bad, where)
        if bad is None:
            return rows
        self._pending += [
            RefusedRow(
                {name: cell and cell.replace("\x00", "\\0") for name, cell in row.items()}, "a NUL character"
            )
            for row in rows.filter(bad).to_pylist()
        ]
        return rows.filter(pc.invert(bad))

    # CSV

    def _csv_names(self) -> list[str]:
        try:
            start = self._plain(self._file).read(HEADER)
        except DAMAGED as error:
            raise UnreadableFile(f"{self.path.name} is a damaged .gz file: {error}") from error
        self._file.seek(0)
        if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise UnreadableFile(f"{self.path.name} is UTF-16; save it as UTF-8")
        line = re.split(rb"\r\n|\r|\n", start.removeprefix(b"\xef\xbb\xbf"), maxsplit=1)[0]
        try:
            header = line.decode()
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"{self.path.name} is not UTF-8: see its first line") from error
        if not header:
            raise UnreadableFile(f"{self.path.name} has no header row")
        self._delimiter = ";" if header.count(";") > header.count(",") else ","
        return next(csv.reader([header], delimiter=self._delimiter))

    def _plain(self, file: BufferedReader) -> IO[bytes]:
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        return cast("IO[bytes]", gzip.open(file)) if packed else file

    def _csv_batches(self) -> Iterator[pa.RecordBatch]:
        self._source = EndMarked(self._plain(self._file), delimiter=self._delimiter, width=len(self.names))
        try:
            reader = pyarrow.csv.open_csv(
                self._source,
                read_options=pyarrow.csv.ReadOptions(block_size=BLOCK, column_names=self.names, skip_rows=1),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=self._other_width
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(self.names, TEXT),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
            yield from self._closed(reader)
        except pa.ArrowInvalid as error:
            if str(error).startswith(("Empty CSV file", "Could not skip")):  # a header and nothing below it
                return
            raise UnreadableFile(f"{self.path.name}: {self._explained(error)}") from error
        except DAMAGED as error:
            raise UnreadableFile(f"{self.path.name} is a damaged .gz file: {error}") from error

    def _closed(self, reader: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield what was read; the last of it, which has what an open quotation mark swallowed, only without one."""
        last: pa.RecordBatch | None = None
        for rows in reader:
            if last is not None:
                yield last
            last = rows
        if not self._source.is_ended:
            raise pa.ArrowInvalid("a quotation mark is never closed")
        if last is not None:
            yield last

    def _other_width(self, row: Any) -> str:
        if self._source.ends_with(row.text):
            return "skip"
        cells = next(csv.reader([row.text], delimiter=self._delimiter), [])
        known = dict(zip(self.names, (cell or None for cell in cells), strict=False))
        text = row.text if len(row.text) <= 500 else row.text[:500] + "…"
        reason = f"{row.actual_columns} cells instead of {row.expected_columns}: {text}"
        self._pending.append(RefusedRow(known, reason.replace("\x00", "\\0")))
        return "skip"

    def _explained(self, error: pa.ArrowInvalid) -> str:
        words = str(error)
        if "invalid UTF8" in words:
            return f"not UTF-8 in line {self._first_undecodable()}; save the file as UTF-8"
        line = opening_line(self._anew, delimiter=self._delimiter)
        if line is not None:
            return f"the quotation mark that opens in line {line} is never closed"
        if "straddling" in words:
            return f"a row is longer than {BLOCK >> 20} MiB"
        return words

    def _anew(self) -> IO[bytes]:
        return self._plain(_opened(self.path))

    def _first_undecodable(self) -> int:
        """Return the number of the first line that is not UTF-8."""
        with _opened(self.path) as file, self._plain(file) as lines:
            for number, line in enumerate(lines, 1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    return number
        return 1

    # parquet

    def _parquet_names(self) -> list[str]:
        try:
            self._parquet = pyarrow.parquet.ParquetFile(self._file)
        except pa.ArrowException as error:
            raise UnreadableFile(f"{self.path.name} is a damaged parquet file") from error
        return list(self._parquet.schema_arrow.names)

    def _parquet_batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for rows in self._parquet.iter_batches(batch_size=ROWS):
                columns = [_as_text(rows.column(name), name, self.path.name) for name in rows.schema.names]
                yield pa.RecordBatch.from_arrays(columns, names=rows.schema.names)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFile(f"{self.path.name} is a damaged parquet file") from error


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from error


def _as_text(column: pa.Array, name: str, file: str) -> pa.DictionaryArray:
    """Return a parquet column as the text that a CSV file would have had."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise WrongColumns(f"{file}: column {name!r} holds {kind}, not text or numbers")
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    distinct = encoded.dictionary
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        utc = distinct.cast(pa.timestamp("us", "UTC"), safe=False)
        texts = pc.binary_replace_slice(utc.cast(pa.string()), 10, 11, "T")
    else:
        texts = distinct.cast(pa.string())
    empty = pc.index_in(pa.scalar(""), texts).as_py()
    indices = encoded.indices.cast(pa.int32())
    if empty is not None:
        indices = pc.if_else(pc.equal(indices, empty), pa.scalar(None, pa.int32()), indices)
    return pa.DictionaryArray.from_arrays(indices, texts)


def harmless_cell(text: str) -> str:
    """Return `text` for a CSV cell that no spreadsheet will run as a formula; numbers stay numbers."""
    if text[:1] in {"=", "+", "-", "@", "\t", "\r"} and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


class RefusedRows(AbstractContextManager["RefusedRows"]):
    """
    Writes `<file>.refused.csv`: the refused rows as they stood, with a `reason` column.

    The file appears when the block ends well and anything was refused; one that an
    earlier import of the same file left is then replaced, or removed.
    """

    def __init__(self, path: Path, names: Iterable[str]) -> None:
        self.path = path.with_name(path.name + ".refused.csv")
        self.count = 0
        self._names = list(names)
        self._file: IO[str] | None = None
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        """Begin with nothing refused."""
        return self

    def add(self, row: RefusedRow) -> None:
        """Write one refused row."""
        if self._file is None:
            try:
                half = self._closing.enter_context(replacing(self.path))
                self._file = self._closing.enter_context(half.open("w", encoding="utf-8", newline=""))
            except OSError as error:
                raise UnreadableFile(f"{self.path} cannot be written: {error.strerror}") from error
            self._writer = csv.writer(self._file)
            self._writer.writerow([*self._names, "reason"])
        cells = [harmless_cell(row.cells.get(name) or "") for name in self._names]
        self._writer.writerow([*cells, harmless_cell(row.reason)])
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the file in its place, or leave none."""
        self._closing.__exit__(kind, error, trace)
        if self._file is None and kind is None:
            self.path.unlink(missing_ok=True)

    @property
    def written_to(self) -> Path | None:
        """The file with the refused rows, None while nothing is refused."""
        return self.path if self.count else None

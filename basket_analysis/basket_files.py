"""Baskets out of files: CSV, gzipped CSV or parquet, column by column, as they stand."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from basket_analysis.result_files import replacing
from core.closed_quotes import EndMarked, opening_line
from core.errors import Refused

COLUMNS = ("basket_id", "item", "household_id", "time", "store", "value", "type", "category")
REQUIRED = ("basket_id", "item")
BLOCK_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that a file may have, and those that it must have and that must not be empty."""

    columns: tuple[str, ...]
    required: tuple[str, ...]


BASKETS = Layout(COLUMNS, REQUIRED)

_TEXT = pa.dictionary(pa.int32(), pa.string())


class WrongColumns(Refused):
    """The file lacks a column it must have, or has one that nobody knows."""


class UnreadableFile(Refused):
    """The file is not what its name says, or not UTF-8."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of text: row r holds texts[codes[r]]; -1 is empty. `texts` are in the order of code points."""

    texts: tuple[str, ...]
    codes: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class BasketRows:
    """
    The accepted rows of a baskets file.

    `baskets` numbers each row's basket, in no particular order. Columns that the file does
    not have, or that were not asked for, are absent.
    """

    baskets: NDArray[np.int32]
    basket_count: int
    items: Column
    others: dict[str, Column]
    rows_read: int
    refusals: "Refusals"


@dataclass(slots=True)
class _Reading:
    """What one pass over a file gathers."""

    layout: Layout
    columns: tuple[str, ...]
    wanted: tuple[str, ...]
    chunks: dict[str, list[Any]]
    ragged: list[tuple[int, str, int]] = field(default_factory=list)
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Refusals:
    """The rows of a file that were refused."""

    path: Path
    reading: _Reading
    accepted: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return how many they are."""
        return int(self.reading.rows - self.accepted.sum()) + len(self.reading.ragged)

    def write(self, target: Path) -> None:
        """Write them to `target`, each with its reason; without any there is no such file."""
        if len(self):
            _write_refused(self.path, target, self.reading, self.accepted)
        else:
            target.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class TextRows:
    """The accepted rows of a file, column by column."""

    columns: dict[str, Column]
    rows_read: int
    refusals: "Refusals"


def read_texts(path: Path, layout: Layout) -> TextRows:
    """
    Return all columns of the file at `path`, as they stand.

    Rows with an empty required column, or with too few or too many fields, are refused. Raises WrongColumns and
    UnreadableFile.
    """
    reading = _read(path, layout.columns, layout)
    encoded = {name: _encode(chunks) for name, chunks in reading.chunks.items()}
    accepted = np.ones(reading.rows, np.bool_)
    for name in layout.required:
        accepted &= encoded[name][1] >= 0
    return TextRows(
        columns={name: _column(*column, accepted) for name, column in encoded.items()},
        rows_read=reading.rows + len(reading.ragged),
        refusals=Refusals(path, reading, accepted),
    )


def read_baskets(path: Path, *, wanted: tuple[str, ...] = ()) -> BasketRows:
    """
    Return basket, item and the `wanted` columns of the file at `path`.

    Text stays as it is. Rows without basket or item, or with too few or too many fields, are
    refused. Raises WrongColumns and UnreadableFile.
    """
    reading = _read(path, (*REQUIRED, *wanted), BASKETS)
    names, codes = zip(*(_encode(reading.chunks.pop(name)) for name in REQUIRED), strict=True)
    accepted = (codes[0] >= 0) & (codes[1] >= 0)
    used, baskets = _used(codes[0], len(names[0]), accepted)
    others = {name: _encode(chunks) for name, chunks in reading.chunks.items()}
    return BasketRows(
        baskets=baskets,
        basket_count=len(used),
        items=_column(names[1], codes[1], accepted),
        others={name: _column(*encoded, accepted) for name, encoded in others.items()},
        rows_read=reading.rows + len(reading.ragged),
        refusals=Refusals(path, reading, accepted),
    )


def _encode(chunks: list[Any]) -> tuple[Any, NDArray[np.int32]]:
    """Return the distinct texts of a column, in no order, and each row's code; -1 where it is empty."""
    if not chunks:
        return pa.array([], pa.string()), np.empty(0, np.int32)
    unified = pa.chunked_array(chunks, type=_TEXT).unify_dictionaries()
    chunks.clear()
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in unified.chunks])
    texts = unified.chunk(0).dictionary
    empty = pc.index(texts, "").as_py()
    if empty >= 0:
        codes[codes == empty] = -1
    return texts, codes


def _used(
    codes: NDArray[np.int32], count: int, accepted: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return which of `count` codes accepted rows use, and the accepted rows' codes among those."""
    if not accepted.all():
        codes = codes[accepted]
    held = np.zeros(count, np.bool_)
    held[codes[codes >= 0]] = True
    if held.all():
        return np.arange(count), codes
    place = np.append(np.cumsum(held) - 1, -1).astype(np.int32)  # code -1 stays -1
    return np.flatnonzero(held), place[codes]


def _column(texts: Any, codes: NDArray[np.int32], accepted: NDArray[np.bool_]) -> Column:
    """Return the accepted rows of a column, its values sorted."""
    used, codes = _used(codes, len(texts), accepted)
    texts = texts.take(pa.array(used))
    order = pc.sort_indices(texts).to_numpy()
    place = np.empty(len(order) + 1, np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    place[-1] = -1
    return Column(tuple(texts.take(pa.array(order)).to_pylist()), place[codes])


def _read(path: Path, wanted: tuple[str, ...], layout: Layout) -> _Reading:
    try:
        with path.open("rb") as file:
            if file.read(4) == b"PAR1":
                return _read_parquet(path, wanted, layout)
        return _read_csv(path, wanted, layout)
    except (pa.ArrowInvalid, UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error


def _check_columns(path: Path, columns: list[str], layout: Layout) -> None:
    unknown = [name for name in columns if name not in layout.columns]
    missing = [name for name in layout.required if name not in columns]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    faults = [
        f"{fault} {', '.join(names)}"
        for fault, names in (("unknown:", unknown), ("missing:", missing), ("twice:", twice))
        if names
    ]
    if faults:
        known = ", ".join(layout.columns)
        raise WrongColumns(f"{path} has wrong columns, {'; '.join(faults)} (known are {known})")


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", gzip.open(path, "rb")) if zipped else path.open("rb")


def _header(path: Path, layout: Layout) -> tuple[list[str], str, bool]:
    """Return the column names, the delimiter, and whether anything follows; no names in an empty file."""
    with closing(_open(path)) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        start = text.readline(1 << 16)
        while start and not start.strip("\r\n"):
            start = text.readline(1 << 16)
        follows = bool(text.read(1))
    candidates = [next(csv.reader([start], delimiter=delimiter), []) for delimiter in ",;"]
    known = [sum(name in layout.columns for name in names) for names in candidates]
    best = (
        1 if known[1] > known[0] or (known[1] == known[0] and len(candidates[1]) > len(candidates[0])) else 0
    )
    return candidates[best], ",;"[best], follows


def _read_csv(path: Path, wanted: tuple[str, ...], layout: Layout) -> _Reading:
    names, delimiter, follows = _header(path, layout)
    if names:
        _check_columns(path, names, layout)
    columns: dict[str, list[Any]] = {name: [] for name in wanted if name in names or name in layout.required}
    reading = _Reading(layout, tuple(names), wanted, columns)
    if follows:
        try:
            for batch in _csv_batches(path, delimiter, tuple(reading.chunks), len(names), reading.ragged):
                for name, chunks in reading.chunks.items():
                    chunks.append(batch.column(name))
                reading.rows += batch.num_rows
        except pa.ArrowInvalid as error:
            line = opening_line(lambda: _open(path), delimiter=delimiter)
            if line is None:
                raise
            raise UnreadableFile(
                f"{path} cannot be read: the quotation mark that opens in line {line} is never closed"
            ) from error
    return reading


def _csv_batches(
    path: Path, delimiter: str, columns: tuple[str, ...], width: int, ragged: list[tuple[int, str, int]]
) -> Iterator[Any]:
    def put_aside(row: Any) -> str:
        if not marked.ends_with(row.text):
            ragged.append((row.number, row.text, row.actual_columns))
        return "skip"

    with closing(_open(path)) as raw:
        marked = EndMarked(raw, delimiter=delimiter, width=width)
        yield from pa.csv.open_csv(
            marked,
            read_options=pa.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=put_aside
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, _TEXT),
                include_columns=list(columns),
                strings_can_be_null=False,
            ),
        )
    if not marked.is_ended:
        raise pa.ArrowInvalid("a quotation mark is never closed")


def _read_parquet(path: Path, wanted: tuple[str, ...], layout: Layout) -> _Reading:
    file = pa.parquet.ParquetFile(path)
    names = file.schema_arrow.names
    _check_columns(path, names, layout)
    reading = _Reading(layout, tuple(names), wanted, {name: [] for name in wanted if name in names})
    for batch in file.iter_batches(batch_size=1 << 18, columns=list(reading.chunks)):
        for name, chunks in reading.chunks.items():
            chunks.append(_as_text(path, name, batch.column(batch.schema.get_field_index(name))))
        reading.rows += batch.num_rows
    return reading


def _as_text(path: Path, name: str, values: Any) -> Any:
    """Return a parquet column as text: integers as their digits, moments as RFC 3339, nothing as ""."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_floating(kind) and name != "value":
        # pandas writes a column of integers with gaps as floats; only then are they whole.
        values = pc.cast(values, pa.int64())
    elif pa.types.is_timestamp(kind):
        if kind.tz is not None:
            values = values.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit))
    elif pa.types.is_null(kind) or not any(
        is_fine(kind)
        for is_fine in (
            pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_integer,
            pa.types.is_decimal, pa.types.is_floating, pa.types.is_date,
        )
    ):  # fmt: skip
        if pa.types.is_null(kind):
            return pa.array([""] * len(values)).dictionary_encode()
        raise UnreadableFile(f"{path}: column {name} is {kind}, neither text nor integers")
    return pc.fill_null(values.cast(pa.string()), "").dictionary_encode()


def _write_refused(path: Path, refused: Path, reading: _Reading, accepted: NDArray[np.bool_]) -> None:
    """Read the file once more, whole rows this time, and write those that were not accepted."""
    with (
        replacing(refused) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*reading.columns, "reason"])
        first = 0
        for batch in _whole_rows(path, reading.columns, reading.layout):
            here = np.flatnonzero(~accepted[first : first + batch.num_rows])
            first += batch.num_rows
            for row in batch.take(pa.array(here)).to_pylist():
                empty = " and ".join(name for name in reading.layout.required if not row[name])
                writer.writerow([*(row[name] for name in reading.columns), f"empty {empty}"])
        delimiter = _header(path, reading.layout)[1] if reading.ragged else ","
        width = len(reading.columns)
        for _number, text, fields in sorted(reading.ragged):
            values = _fields(text, delimiter)
            padded = (values + [""] * width)[:width]
            writer.writerow([*padded, f"{fields} fields instead of {width}"])


def _fields(text: str, delimiter: str) -> list[str]:
    """Return the fields of a row; one with a field too long to be taken apart stays whole."""
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return [text]


def _whole_rows(path: Path, columns: tuple[str, ...], layout: Layout) -> Iterator[Any]:
    with path.open("rb") as file:
        parquet = file.read(4) == b"PAR1"
    if not parquet:
        yield from _csv_batches(path, _header(path, layout)[1], columns, len(columns), [])
        return
    for batch in pa.parquet.ParquetFile(path).iter_batches(batch_size=1 << 18):
        arrays = [
            _as_text(path, name, batch.column(number)) for number, name in enumerate(batch.schema.names)
        ]
        yield pa.record_batch(arrays, names=batch.schema.names)

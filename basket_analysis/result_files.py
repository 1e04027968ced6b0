"""Results into files: CSV, gzipped CSV or parquet by the name's ending, whole or not at all."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from core import whole_files
from core.errors import Refused


class Unwritable(Refused):
    """The place for a result cannot be written to."""


class SamePlace(Refused):
    """A result would take the place of what it is made from, or of another result."""


def refused_beside(path: Path) -> Path:
    """Return where the rows go that were refused on the way to `path`."""
    return path.with_name(f"{path.name}.refused.csv")


def keep_apart(sources: Sequence[Path], *results: Path | None, refused: Path | None = None) -> None:
    """
    See that no result takes the place of one of `sources` or of another result; None is a result that is not wanted.

    The rows refused on the way to `refused` are a result as well. Raises SamePlace before anything is read.
    """
    places = [path.resolve() for path in results if path is not None]
    if refused is not None:
        places.append(refused_beside(refused).resolve())
    taken = {source.resolve() for source in sources}
    for place in places:
        if place in taken:
            raise SamePlace(f"{place} is named twice: what is read and every result need files of their own")
        taken.add(place)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path` that takes its place when all went well, and vanishes otherwise."""
    try:
        with whole_files.replacing(path) as temporary:
            yield temporary
    except OSError as error:
        raise Unwritable(f"{path} cannot be written: {error.strerror or error}") from error


def write_rows(path: Path, schema: Any, batches: Iterable[Any]) -> int:
    """
    Write record `batches` of `schema` to `path` and return how many rows that were.

    A name that ends in .parquet gets parquet, one in .gz gzipped CSV, everything else CSV.
    """
    rows = 0
    with replacing(path) as temporary:
        temporary.touch()  # Arrow's own errors name the temporary file and not what is wrong with the place
        with _writer(path, temporary, schema) as write:
            for batch in batches:
                write(batch)
                rows += batch.num_rows
    return rows


@contextmanager
def _writer(path: Path, temporary: Path, schema: Any) -> Iterator[Any]:
    if path.suffix == ".parquet":
        with pa.parquet.ParquetWriter(temporary, schema) as parquet:
            yield parquet.write_batch
        return
    compression = "gzip" if path.suffix == ".gz" else None
    with pa.output_stream(os.fspath(temporary), compression=compression) as stream:
        stream.write((",".join(schema.names) + "\n").encode())
        options = pa.csv.WriteOptions(include_header=False, batch_size=1 << 16, quoting_style="needed")
        with pa.csv.CSVWriter(stream, schema, write_options=options) as text:
            yield text.write_batch

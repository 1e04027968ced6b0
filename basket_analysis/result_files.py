"""Results into files: CSV, gzipped CSV or parquet by the name's ending, whole or not at all."""

import os
from collections.abc import Iterable, Iterator
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


def refused_beside(path: Path) -> Path:
    """Return where the rows go that were refused on the way to `path`."""
    return path.with_name(f"{path.name}.refused.csv")


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
    with replacing(path) as temporary, _writer(path, temporary, schema) as write:
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

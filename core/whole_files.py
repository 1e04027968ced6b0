"""Files that appear under their name when all of them is written, and are not there, or as they were, until then."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

UNFINISHED: Final = ".part"
"""Stands before the ending of what is being written: what a killed process left behind is known by it."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a name beside `path`, of the same ending, whose file takes its place when all went well and vanishes otherwise."""
    half = path.with_name(f"{path.stem}.{uuid4().hex[:12]}{UNFINISHED}{path.suffix}")
    try:
        yield half
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """
    Open a file that takes the place of `path` when all of it is written, for the eyes of this process's user only.

    Where it is `durable`, `path` does not name half a file after a power cut either.
    """
    with replacing(path) as half, os.fdopen(_opened(half), "wb") as file:
        yield file
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _opened(half: Path) -> int:
    return os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def is_unfinished(path: Path) -> bool:
    """Return whether a file is one that is being written, or that a killed process left so."""
    return UNFINISHED in path.suffixes[-2:]

"""CSV in which a quotation mark is never closed: it would swallow every row below it without a word."""

import re
from collections.abc import Callable
from contextlib import closing
from io import RawIOBase
from typing import IO

END = "\N{SUBSTITUTE}"
"""What no cell holds by itself: the mark with which old systems end a text."""


class EndMarked(RawIOBase):
    """
    The bytes of a CSV file, and after them a row of one cell more than `width`.

    A reader that tells of rows of another width tells of that one, unless a quotation mark was left open above it.
    """

    def __init__(self, file: IO[bytes], *, delimiter: str, width: int) -> None:
        self.is_ended = False
        self._file = file
        self._marker = END + delimiter * width
        self._left = f"\n{self._marker}\n".encode()

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, all that are left where it is negative."""
        found = self._file.read(size)
        if len(found) == size or not self._left:
            return found
        room = len(self._left) if size < 0 else size - len(found)
        mark, self._left = self._left[:room], self._left[room:]
        return found + mark

    def ends_with(self, row: str) -> bool:
        """Return whether a row that was put aside is the one after the last; `is_ended` from then on."""
        if row == self._marker:
            self.is_ended = True
            return True
        return False


def opening_line(opened: Callable[[], IO[bytes]], *, delimiter: str) -> int | None:
    """
    Return the number of the line in which a quotation mark is opened and never closed, None where all are closed.

    As Arrow reads CSV: only a cell's first sign opens a quotation, and two marks within it stand for one.
    """
    found: int | None = None
    ends = re.compile(rb"[\r\n%s]" % re.escape(delimiter.encode()))
    with closing(opened()) as file:
        for number, line in enumerate(file, 1):
            if b'"' in line:
                opens = _opens(line, ends, within=found is not None)
                found = number if opens else None if opens is None else found
    return found


def _opens(line: bytes, ends: re.Pattern[bytes], *, within: bool) -> bool | None:
    """
    Return None where a line leaves nothing open, whether it was opened in this line where it does.

    `ends` are the signs after which a cell begins.
    """
    place, anew = 0, False
    while True:
        if within:
            place = line.find(b'"', place)
            if place < 0:
                return anew
            within = line[place + 1 : place + 2] == b'"'
            place += 2 if within else 1
            if within:
                continue
        elif line[place : place + 1] == b'"':
            within, anew = True, True
            place += 1
            continue
        end = ends.search(line, place)
        if end is None:
            return None
        place = end.end()

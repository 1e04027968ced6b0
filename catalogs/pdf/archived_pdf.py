"""Copies from the archive read back: their own PDF, as `catalogs.pdf.composing` writes it, and nothing else."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from catalogs.pdf.composing import PAGES, SHARED_KEY
from catalogs.pdf.objects import ENTRY, HEADER
from core.errors import Conflict

REFERENCE = re.compile(rb"(?<![\d.])(\d+) 0 R")
_START = re.compile(rb"startxref\n(\d+)\n%%EOF\n\Z")
_TABLE = re.compile(
    rb"\d+ 0 obj\n<</Type /XRef/Size (\d+)/W \[1 4 2\].*?" + SHARED_KEY + rb" \[(\d+) (\d+)\].*?>>\nstream\n",
    re.DOTALL,
)
_PAGE = re.compile(
    rb"<</Type /Page/Parent \d+ 0 R/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/Contents (\d+) 0 R.*?/Resources (<<.*>>)>>",
    re.DOTALL,
)
_PACK = re.compile(rb"<</Type /ObjStm/N (\d+)/First (\d+)/")


class NotPrintable(Conflict):
    """A file is not a copy as it was archived, or of an older make that the printer's file cannot be made of."""


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """A page of a copy: its size in points, the number of its content, and its resources with references."""

    width: float
    height: float
    content: int
    resources: bytes


class ArchivedPdf:
    """One copy; raises `NotPrintable` when it is not one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        start = _START.search(data, max(0, len(data) - 64))
        if not data.startswith(HEADER) or start is None:
            raise NotPrintable("the file is not a copy of this house's make")
        self._end = int(start[1])
        table = _TABLE.match(data, self._end)
        if table is None:
            raise NotPrintable("the file is a copy of an older make; make it again to print it")
        self.shared_bytes, self.shared_numbers = int(table[2]), int(table[3])
        """How much of it, and up to which number, is the same in other copies."""
        try:
            entries = zlib.decompressobj().decompress(data[table.end() :])
        except zlib.error as error:
            raise NotPrintable("the file is damaged") from error
        self._entries = list(ENTRY.iter_unpack(entries))

    @property
    def shared(self) -> bytes:
        """Return the bytes that other copies begin with, too."""
        return self._data[: self.shared_bytes]

    def pages(self) -> Iterator[ArchivedPage]:
        """Yield the pages in their order."""
        for kid in REFERENCE.findall(self.body(PAGES)):
            page = _PAGE.fullmatch(self.body(int(kid)))
            if page is None:
                raise NotPrintable("the file holds a page of another make")
            yield ArchivedPage(float(page[1]), float(page[2]), int(page[3]), page[4])

    def body(self, number: int) -> bytes:
        """Return what an object holds."""
        kind, where, place = self._entries[number]
        if kind == 2:
            packed: bytes = self._pack(where)[place]
            return packed
        head = b"%d 0 obj\n" % number
        end = self._ends[where]
        body = self._data[where:end]
        if not (body.startswith(head) and body.endswith(b"\nendobj\n")):
            raise NotPrintable("the file is damaged")
        return body[len(head) : -len(b"\nendobj\n")]

    @cached_property
    def _ends(self) -> dict[int, int]:
        """Return where each object that stands by itself ends: where the next begins."""
        starts = sorted(where for kind, where, _place in self._entries if kind == 1)
        return dict(zip(starts, [*starts[1:], self._end], strict=True))

    def _pack(self, number: int) -> list[bytes]:
        if number not in self._packs:
            head, _, stream = self.body(number).partition(b"\nstream\n")
            found = _PACK.match(head)
            if found is None:
                raise NotPrintable("the file is damaged")
            data = zlib.decompressobj().decompress(stream)
            first = int(found[2])
            starts = [int(word) for word in data[:first].split()[1::2]]
            ends = [*starts[1:], len(data) - first + 1]
            self._packs[number] = [
                data[first + start : first + end - 1] for start, end in zip(starts, ends, strict=True)
            ]
        return self._packs[number]

    @cached_property
    def _packs(self) -> dict[int, list[bytes]]:
        return {}

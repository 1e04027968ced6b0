"""
The printer's file: many copies in one PDF, with bleed and crop marks, made of the archived files themselves.

What the copies have in common stands in it once. It is written as it goes, so that its size is
bounded by the disk only. Colours are RGB (sRGB, as its output intent says): the printer's workflow converts them.
"""

import csv
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from PIL import ImageCms

from catalogs.layouts import BLEED
from catalogs.pdf.archived_pdf import REFERENCE, ArchivedPage, ArchivedPdf, NotPrintable
from catalogs.pdf.drawing import POINTS_PER_MM, glyph_array
from catalogs.pdf.objects import HEADER, Objects
from catalogs.pdf.parts import text_string
from catalogs.pdf.typefaces import load_typeface
from core.progress import Report, silent
from core.whole_files import whole_file

MARGIN = 12.0
"""Millimetres around the trimmed page: bleed, crop marks, and the line that says which copy it is."""
MARK_FROM, MARK_TO = 4.5, 9.5
"""Where crop marks begin and end outside of the trim, beyond the bleed."""
SLUG_FACE = "Figtree_500Medium.ttf"
COPIES_PER_NODE = 100
SETS_KEPT = 64
CATALOG, PAGES, INFO = 1, 2, 3
MANIFEST = ("copy_code", "first_page", "last_page", "pages", "sha256")


@dataclass(frozen=True, slots=True)
class PrintCopy:
    """An archived copy to be printed; `sha256` is what the archive says its file has."""

    copy_code: str
    path: Path
    sha256: bytes


@dataclass(frozen=True, slots=True)
class PrintFile:
    """A finished printer's file, and the table that says which of its pages are whose."""

    path: Path
    manifest: Path
    copies: int
    pages: int
    size: int


def write_print_file(
    path: Path, copies: Iterable[PrintCopy], *, title: str, report: Report = silent, total: int = 0
) -> PrintFile:
    """
    Write `copies` in their order as one PDF at `path`, and their manifest beside it as CSV.

    Each page has its trim and bleed box, crop marks, and outside of the bleed a line with copy code and
    page. Both files appear when they are whole. `report` is called with copies done and `total`.
    Raises `NotPrintable` when a copy's file is not what was archived.
    """
    manifest = path.with_suffix(".csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(manifest) as table, whole_file(path) as file:
        sheet = csv.writer(_Lines(table), lineterminator="\r\n")
        sheet.writerow(MANIFEST)
        volume = _Volume(file, title)
        for copy in copies:
            first = volume.count + 1
            volume.add(copy)
            sheet.writerow((copy.copy_code, first, volume.count, volume.count - first + 1, copy.sha256.hex()))
            report(volume.copies, max(total, volume.copies))
        volume.finish()
    return PrintFile(path, manifest, volume.copies, volume.count, path.stat().st_size)


class _Lines:
    """Lets lines of text be written to a file of bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write a line."""
        return self._file.write(text.encode("utf-8"))


class _Streamed(Objects):
    """Objects that are on disk as soon as they are made; only where each stands is kept."""

    ENTRY = Struct(">BQH")

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(INFO + 1, len(HEADER))
        self._file = file
        self._table = bytearray()
        file.write(HEADER)

    def enter(self, number: int, kind: int, where: int, place: int) -> None:
        """Note where an object stands."""
        size = self.ENTRY.size
        if len(self._table) < (number + 1) * size:
            self._table.extend(bytes((number + 1) * size - len(self._table)))
        self._table[number * size : (number + 1) * size] = self.ENTRY.pack(kind, where, place)

    def flush(self) -> None:
        """Write what was made so far."""
        self._file.write(b"".join(self.chunks))
        self.chunks.clear()

    def finish(self) -> None:
        """Write the table and the end of the file."""
        self.close()
        number, start = self.reserve(), self.offset
        self.enter(number, 1, start, 0)
        self.write(
            number,
            b"<</Type /XRef/Size %d/W [1 8 2]/Root %d 0 R/Info %d 0 R/Length %d>>\nstream\n%b\nendstream"
            % (number + 1, CATALOG, INFO, len(self._table), bytes(self._table)),
        )
        self.flush()
        self._file.write(b"startxref\n%d\n%%%%EOF\n" % start)


class _Volume:
    """The printer's file as it grows."""

    def __init__(self, file: BinaryIO, title: str) -> None:
        self.objects = _Streamed(file)
        self.title = title
        self.copies = 0
        self.count = 0
        self._known: dict[bytes, int] = {}
        self._sets: OrderedDict[bytes, dict[int, int]] = OrderedDict()
        self._frames: dict[tuple[float, float], tuple[int, int]] = {}
        face = load_typeface(SLUG_FACE).part
        self._slug_font = self.objects.part(face)
        for number, body in enumerate(face.numbered(self._slug_font), start=self._slug_font):
            self._known[_digest(body)] = number
        self._nodes: list[tuple[int, int]] = []
        self._node = 0
        self._kids: list[tuple[int, int]] = []

    def add(self, copy: PrintCopy) -> None:
        """Add the pages of a copy."""
        data = copy.path.read_bytes()
        if sha256(data).digest() != copy.sha256:
            raise NotPrintable(f"the file of copy {copy.copy_code} is not the one that was archived")
        pdf = ArchivedPdf(data)
        shared = self._shared(pdf)
        own: dict[int, int] = {}
        if not self._kids:
            self._node = self.objects.reserve()
        node = self.objects.reserve()
        pages = list(pdf.pages())
        numbers = [
            self._page(pdf, page, (shared, own), node, f"{copy.copy_code}   {at}/{len(pages)}")
            for at, page in enumerate(pages, start=1)
        ]
        kids = b" ".join(b"%d 0 R" % number for number in numbers)
        self.objects.pack(
            node, b"<</Type /Pages/Parent %d 0 R/Kids [%b]/Count %d>>" % (self._node, kids, len(numbers))
        )
        self._kids.append((node, len(numbers)))
        self.copies += 1
        self.count += len(numbers)
        if len(self._kids) == COPIES_PER_NODE:
            self._close_node()
        self.objects.flush()

    def finish(self) -> None:
        """Write what ties the copies together."""
        objects = self.objects
        self._close_node()
        _write_node(objects, PAGES, self._nodes, b"")
        profile = objects.reserve()
        icc = _srgb()
        objects.write(profile, b"<</N 3/Length %d>>\nstream\n%b\nendstream" % (len(icc), icc))
        objects.pack(
            CATALOG,
            b"<</Type /Catalog/Pages %d 0 R/OutputIntents [<</Type /OutputIntent/S /GTS_PDFA1"
            b"/OutputConditionIdentifier (sRGB)/Info (sRGB)/DestOutputProfile %d 0 R>>]>>" % (PAGES, profile),
        )
        objects.pack(INFO, b"<</Title %b/Producer (Regulars)/Trapped /False>>" % text_string(self.title))
        objects.finish()

    def _close_node(self) -> None:
        if self._kids:
            _write_node(self.objects, self._node, self._kids, b"/Parent %d 0 R" % PAGES)
            self._nodes.append((self._node, sum(count for _kid, count in self._kids)))
            self._kids.clear()

    def _shared(self, pdf: ArchivedPdf) -> dict[int, int]:
        """Return the numbers that what `pdf` has in common with others has here."""
        key = sha256(pdf.shared).digest()
        if key not in self._sets:
            self._sets[key] = {}
            if len(self._sets) > SETS_KEPT:
                self._sets.popitem(last=False)
        return self._sets[key]

    def _page(
        self,
        pdf: ArchivedPdf,
        page: ArchivedPage,
        numbers: tuple[dict[int, int], dict[int, int]],
        node: int,
        slug: str,
    ) -> int:
        objects = self.objects
        begin, end = self._frame(page.width, page.height)
        line = objects.reserve()
        objects.write(line, _stream(_slug(slug)))
        content = self._copied(pdf, page.content, numbers)
        resources = self._renumbered(pdf, page.resources, numbers)
        resources = resources.replace(b"/Font <<", b"/Font <</FS %d 0 R" % self._slug_font, 1)
        edge, wide, tall = MARGIN * POINTS_PER_MM, page.width, page.height
        bleed = (MARGIN - BLEED) * POINTS_PER_MM
        own = objects.reserve()
        objects.pack(
            own,
            b"<</Type /Page/Parent %d 0 R/MediaBox [0 0 %.3f %.3f]/TrimBox [%.3f %.3f %.3f %.3f]"
            b"/BleedBox [%.3f %.3f %.3f %.3f]/Contents [%d 0 R %d 0 R %d 0 R %d 0 R]/Resources %b>>"
            % (
                *(node, wide + 2 * edge, tall + 2 * edge, edge, edge, edge + wide, edge + tall),
                *(bleed, bleed, wide + 2 * edge - bleed, tall + 2 * edge - bleed),
                *(begin, content, end, line, resources),
            ),
        )
        return own

    def _copied(self, pdf: ArchivedPdf, number: int, numbers: tuple[dict[int, int], dict[int, int]]) -> int:
        """Return the number that an object of a copy has here; what equals one that is here is not written again."""
        known = numbers[number >= pdf.shared_numbers]
        if number not in known:
            head, stream, data = pdf.body(number).partition(b"\nstream\n")
            body = self._renumbered(pdf, head, numbers) + stream + data
            digest = _digest(body)
            if digest not in self._known:
                self.objects.write(own := self.objects.reserve(), body)
                # What only one copy has needs no place in memory: it is neither shared nor drawn elsewhere.
                if number >= pdf.shared_numbers and b"/Subtype" not in head:
                    known[number] = own
                    return own
                self._known[digest] = own
            known[number] = self._known[digest]
        return known[number]

    def _renumbered(
        self, pdf: ArchivedPdf, body: bytes, numbers: tuple[dict[int, int], dict[int, int]]
    ) -> bytes:
        return REFERENCE.sub(lambda found: b"%d 0 R" % self._copied(pdf, int(found[1]), numbers), body)

    def _frame(self, width: float, height: float) -> tuple[int, int]:
        """Return the streams before and after the content of a page: moved within its margin, clipped, marked."""
        size = width, height
        if size not in self._frames:
            begin, end = self.objects.reserve(), self.objects.reserve()
            edge, bleed = MARGIN * POINTS_PER_MM, BLEED * POINTS_PER_MM
            self.objects.write(
                begin,
                _stream(
                    f"q 1 0 0 1 {edge:.3f} {edge:.3f} cm {-bleed:.3f} {-bleed:.3f} "
                    f"{width + 2 * bleed:.3f} {height + 2 * bleed:.3f} re W n q"
                ),
            )
            self.objects.write(end, _stream(f"Q Q {_crop_marks(width, height)}"))
            self._frames[size] = begin, end
        return self._frames[size]


def _digest(body: bytes) -> bytes:
    return sha256(body).digest()[:16]


def _write_node(objects: Objects, number: int, kids: list[tuple[int, int]], more: bytes) -> None:
    """Write a node of the tree of pages, and how many pages are below it."""
    listed = b" ".join(b"%d 0 R" % kid for kid, _count in kids)
    pages = sum(count for _kid, count in kids)
    objects.pack(number, b"<</Type /Pages%b/Kids [%b]/Count %d>>" % (more, listed, pages))


def _stream(operators: str) -> bytes:
    return b"<</Length %d>>\nstream\n%b\nendstream" % (len(operators), operators.encode("ascii"))


def _crop_marks(width: float, height: float) -> str:
    """Return two hairlines at each corner of the trim, which end before the bleed."""
    edge = MARGIN * POINTS_PER_MM
    near, far = MARK_FROM * POINTS_PER_MM, MARK_TO * POINTS_PER_MM
    lines: list[str] = []
    for x, away in ((edge, -1), (edge + width, 1)):
        for y, up in ((edge, -1), (edge + height, 1)):
            lines.append(f"{x + away * near:.3f} {y:.3f} m {x + away * far:.3f} {y:.3f} l")
            lines.append(f"{x:.3f} {y + up * near:.3f} m {x:.3f} {y + up * far:.3f} l")
    return f"0 G 0.25 w {' '.join(lines)} S"


def _slug(text: str) -> str:
    """Return the line below the bleed that says whose page it is."""
    x, y = (MARGIN + 12) * POINTS_PER_MM, 4 * POINTS_PER_MM
    return f"BT 0 g /FS 6 Tf {x:.3f} {y:.3f} Td {glyph_array(load_typeface(SLUG_FACE).glyphs(text))} TJ ET"


@cache
def _srgb() -> bytes:
    """Return the profile of sRGB, without the moment at which it was made."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes((7, 0xE0, 0, 1, 0, 1)) + bytes(6) + profile[36:]

"""Sheets of vouchers for the printer: eight on an A4 page, to be cut apart, each with a code that scans."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Final

import pikepdf
import segno
from pikepdf import Dictionary, Name, Pdf, String

from catalogs.pdf.barcodes import Barcode, card_barcode, in_fours
from catalogs.pdf.drawing import POINTS_PER_MM, QUIET_BARS, fill_colour, glyph_array
from catalogs.pdf.lettering import Box, Paragraph, Run, set_block
from catalogs.pdf.typefaces import load_typeface
from core.i18n import show_date, show_money, translations
from core.money import Money

PAGE: Final = (210.0, 297.0)
MARGIN: Final = 10.0
COLUMNS, ROWS = 2, 4
LEAF: Final = ((PAGE[0] - 2 * MARGIN) / COLUMNS, (PAGE[1] - 2 * MARGIN) / ROWS)
PADDING: Final = 6.0
INK, SOFT, GREEN = "#16201b", "#5b6660", "#0f5a3c"
STRONG, PLAIN = "Figtree_700Bold.ttf", "Figtree_500Medium.ttf"
BARS_TALL: Final = 18.0
QR_SIDE: Final = 34.0
WIDEST_MODULE: Final = 0.4
NARROWEST_MODULE: Final = 0.264
"""Millimetres; what would be finer than that is printed as QR, which any office printer can."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One voucher as it is printed; without a value it opens an offer, which its name says."""

    voucher_code: str
    name: str
    value: Money | None
    minimum: Money | None
    valid_until: date | None
    symbology: str
    stores: str = ""
    """Where it is taken, if not everywhere."""


def voucher_sheets(leaves: Sequence[Leaf], *, language: str) -> bytes:
    """
    Return a PDF with eight vouchers on each page: selectable text, embedded fonts, codes as vectors.

    Pure drawing, a few milliseconds a page, so that no other process is needed.
    """
    pdf = Pdf.new()
    pdf.Root.Lang = String(language)
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    pdf.docinfo[Name.Title] = String(translations(language).gettext("Vouchers"))
    pdf.docinfo[Name.Producer] = String("Regulars")
    faces = (STRONG, PLAIN)
    fonts = Dictionary({f"/T{at}": load_typeface(face).embed(pdf) for at, face in enumerate(faces)})
    names = {face: f"/T{at}" for at, face in enumerate(faces)}
    for first in range(0, len(leaves), COLUMNS * ROWS):
        page = pdf.add_blank_page(page_size=(PAGE[0] * POINTS_PER_MM, PAGE[1] * POINTS_PER_MM))
        page.Resources = Dictionary(Font=fonts)
        drawn = [
            part
            for place, leaf in enumerate(leaves[first : first + COLUMNS * ROWS])
            for part in _leaf(leaf, place, language, names)
        ]
        page.Contents = pdf.make_stream("\n".join(drawn).encode("ascii"))
    buffer = BytesIO()
    pdf.save(
        buffer,
        deterministic_id=True,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        compress_streams=True,
    )
    return buffer.getvalue()


def _leaf(leaf: Leaf, place: int, language: str, fonts: dict[str, str]) -> Iterator[str]:
    width, height = LEAF
    left, top = MARGIN + place % COLUMNS * width, MARGIN + place // COLUMNS * height
    yield _edge(left, top, width, height)
    inner = Box(left + PADDING, top + PADDING, width - 2 * PADDING, height - 2 * PADDING)
    bars = None if leaf.symbology == "qr" else card_barcode(leaf.voucher_code)
    if bars is not None and inner.width / (bars.modules + QUIET_BARS) < NARROWEST_MODULE:
        bars = None
    if bars is None:
        side = Box(inner.x + inner.width - QR_SIDE, inner.y, QR_SIDE, QR_SIDE)
        yield _square(leaf.voucher_code, side)
        spaced = in_fours(leaf.voucher_code)
        words = Box(inner.x, inner.y, inner.width - QR_SIDE - 4, inner.height - 8)
    else:
        yield _bars(bars, Box(inner.x, inner.y + inner.height - BARS_TALL - 5, inner.width, BARS_TALL))
        spaced = bars.spaced
        words = Box(inner.x, inner.y, inner.width, inner.height - BARS_TALL - 7)
    code = Paragraph(PLAIN, (10.0, 8.5, 7.0), INK)
    below = Box(inner.x, inner.y + inner.height - 4.2, inner.width, 4.2)
    runs = set_block([(code, spaced)], below, language=language, align="center", stand="bottom")
    yield _text([*_words(leaf, words, language), *runs], fonts)


def _words(leaf: Leaf, box: Box, language: str) -> list[Run]:
    _ = translations(language).gettext
    said: list[tuple[Paragraph, str]] = [
        (Paragraph(STRONG, (11.0, 9.5, 8.0), GREEN, lines=2, hyphenate=True), leaf.name)
    ]
    if leaf.value is not None:
        said.append(
            (Paragraph(STRONG, (24.0, 20.0, 16.0, 12.0), INK, gap=1.0), show_money(leaf.value, language))
        )
    conditions = []
    if leaf.minimum is not None and leaf.minimum.minor:
        conditions.append(_("for purchases from %(money)s") % {"money": show_money(leaf.minimum, language)})
    if leaf.valid_until is not None:
        conditions.append(_("valid until %(day)s") % {"day": show_date(leaf.valid_until, language)})
    if leaf.stores:
        conditions.append(_("taken in %(stores)s") % {"stores": leaf.stores})
    said += [(Paragraph(PLAIN, (8.5, 7.5, 7.0), SOFT, gap=0.6, lines=2), words) for words in conditions]
    return set_block(said, box, language=language)


def _text(runs: Sequence[Run], fonts: dict[str, str]) -> str:
    shown = " ".join(
        f"{fill_colour(run.colour)} {fonts[run.face]} {run.size:.2f} Tf "
        f"1 0 0 1 {run.x * POINTS_PER_MM:.3f} {(PAGE[1] - run.y) * POINTS_PER_MM:.3f} Tm {glyph_array(load_typeface(run.face).glyphs(run.text))} TJ"
        for run in runs
    )
    return f"q BT {shown} ET Q"


def _edge(left: float, top: float, width: float, height: float) -> str:
    """Return the operators of the dashed edge along which it is cut."""
    return f"q 0.55 G 0.6 w [3 3] 0 d {_rectangle(left, top, width, height)} S Q"


def _rectangle(left: float, top: float, width: float, height: float) -> str:
    return (
        f"{left * POINTS_PER_MM:.3f} {(PAGE[1] - top - height) * POINTS_PER_MM:.3f} "
        f"{width * POINTS_PER_MM:.3f} {height * POINTS_PER_MM:.3f} re"
    )


def _bars(code: Barcode, box: Box) -> str:
    """Return the operators that draw bars in the middle of their box, with their quiet zones."""
    module = min(WIDEST_MODULE, box.width / (code.modules + QUIET_BARS))
    start = box.x + (box.width - module * code.modules) / 2
    drawn = " ".join(
        _rectangle(start + at * module, box.y, width * module, box.height) for at, width in code.bars
    )
    return f"q 0 g {drawn} f Q"


def _square(code: str, box: Box) -> str:
    """Return the operators that draw a QR code, with its quiet zone inside the box."""
    matrix = segno.make(code, error="m", micro=False, boost_error=False).matrix
    module = box.width / (len(matrix) + 8)
    drawn = " ".join(
        _rectangle(box.x + (column + 4) * module, box.y + (row + 4) * module, module, module)
        for row, cells in enumerate(matrix)
        for column, cell in enumerate(cells)
        if cell & 1
    )
    return f"q 0 g {drawn} f Q"

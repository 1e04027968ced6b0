"""Copies put together: drawings laid on pages, words set over them, written as one PDF."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO
from math import cos, radians, sin

import pikepdf
from pikepdf import Dictionary, Name, Pdf, String

from catalogs.barcodes import Barcode
from catalogs.layouts import BARCODE, Fragment, Placement, Sheet, Words
from catalogs.lettering import MM_PER_POINT, Run
from catalogs.pages import Booklet, Price
from catalogs.styles import Letterer, letterer
from catalogs.typefaces import load_typeface
from catalogs.typesetting import Typesetter

POINTS_PER_MM = 1 / MM_PER_POINT
WIDEST_MODULE = 0.5
"""Millimetres: half as large again as a shop's own label, so that paper bends and still scans."""


@dataclass(frozen=True, slots=True)
class Document:
    """A finished PDF."""

    content: bytes
    sha256: bytes
    pages: int


def compose(booklet: Booklet, typesetter: Typesetter) -> Document:
    """
    Return `booklet` as PDF: selectable text, embedded subset fonts, vector drawings and barcodes.

    What equals on two pages is in the file once. The same booklet gives the same bytes, whatever was
    made before it by the same typesetter only if its drawings were prepared together with the same others.
    """
    sheets = typesetter.theme.sheets(booklet)
    typesetter.prepare(sheets)
    paper = _Paper(typesetter, booklet)
    for sheet in sheets:
        paper.add(sheet)
    buffer = BytesIO()
    paper.pdf.save(
        buffer,
        deterministic_id=True,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        compress_streams=True,
    )
    content = buffer.getvalue()
    return Document(content, sha256(content).digest(), len(sheets))


class _Paper:
    """One PDF as it grows."""

    def __init__(self, typesetter: Typesetter, booklet: Booklet) -> None:
        self.typesetter = typesetter
        self.theme = typesetter.theme
        self.letters: Letterer = letterer(self.theme, booklet.colour % self.theme.colours, booklet.language)
        self.pdf = Pdf.new()
        self.height = self.theme.page_size[1]
        self._forms: dict[Fragment, pikepdf.Object] = {}
        self._fonts: dict[str, pikepdf.Object] = {}
        self.pdf.Root.Lang = String(booklet.language)
        self.pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
        self.pdf.docinfo[Name.Title] = String(booklet.title)
        self.pdf.docinfo[Name.Producer] = String("Regulars")

    def add(self, sheet: Sheet) -> None:
        """Add one page."""
        width, height = (side * POINTS_PER_MM for side in self.theme.page_size)
        page = self.pdf.add_blank_page(page_size=(width, height))
        drawn: list[str] = []
        forms: dict[Fragment, str] = {}
        fonts: dict[str, str] = {}
        for thing in sheet:
            if isinstance(thing, Placement):
                name = forms.setdefault(thing.fragment, f"/D{len(forms)}")
                matrix = " ".join(f"{number:.4f}" for number in _matrix(thing, height))
                drawn.append(f"q {matrix} cm {name} Do Q")
            elif thing.style == BARCODE:
                drawn.append(self._bars(thing))
            else:
                drawn.append(self._text(thing, fonts))
        page.Resources = Dictionary(
            XObject={name: self._form(fragment) for fragment, name in forms.items()},
            Font={name: self._font(file) for file, name in fonts.items()},
        )
        page.Contents = self.pdf.make_stream("\n".join(drawn).encode("ascii"))

    def _form(self, fragment: Fragment) -> pikepdf.Object:
        if fragment not in self._forms:
            self._forms[fragment] = self.pdf.copy_foreign(self.typesetter.form(fragment))
        return self._forms[fragment]

    def _font(self, file: str) -> pikepdf.Object:
        if file not in self._fonts:
            self._fonts[file] = self.pdf.copy_foreign(self.typesetter.font(file))
        return self._fonts[file]

    def _text(self, words: Words, fonts: dict[str, str]) -> str:
        """Return the operators that show `words`; a price also says how it is read out."""
        shown = " ".join(
            f"{fill_colour(run.colour)} {fonts.setdefault(run.face, f'/T{len(fonts)}')} {run.size:.2f} Tf "
            f"1 0 0 1 {run.x * POINTS_PER_MM:.3f} {(self.height - run.y) * POINTS_PER_MM:.3f} Tm {glyph_array(run)} TJ"
            for run in self.letters.runs(words)
        )
        text = f"BT {shown} ET"
        if isinstance(words.content, Price):
            spoken = words.content.spoken.encode("utf-16-be").hex()
            text = f"/Span <</ActualText <feff{spoken}>>> BDC {text} EMC"
        return f"q {self._turned(words)}{text} Q"

    def _turned(self, words: Words) -> str:
        """Return the operator that turns what follows about the middle of the box; nothing for upright words."""
        if not words.turn:
            return ""
        across, down = cos(radians(-words.turn)), sin(radians(-words.turn))
        x = (words.x + words.width / 2) * POINTS_PER_MM
        y = (self.height - words.y - words.height / 2) * POINTS_PER_MM
        left, up = x - across * x + down * y, y - down * x - across * y
        return f"{across:.5f} {down:.5f} {-down:.5f} {across:.5f} {left:.3f} {up:.3f} cm "

    def _bars(self, words: Words) -> str:
        """Return the operators that draw a barcode in the middle of its box, with quiet zones of ten modules."""
        code: Barcode = words.content
        module = min(WIDEST_MODULE, words.width / (code.modules + 20))
        start = words.x + (words.width - module * code.modules) / 2
        bottom = (self.height - words.y - words.height) * POINTS_PER_MM
        tall = words.height * POINTS_PER_MM
        bars = " ".join(
            f"{(start + at * module) * POINTS_PER_MM:.3f} {bottom:.3f} {width * module * POINTS_PER_MM:.3f} {tall:.3f} re"
            for at, width in code.bars
        )
        return f"q 0 g {bars} f Q"


def glyph_array(run: Run) -> str:
    """Return the array that shows a run: glyph numbers, with the kerning between them."""
    glyphs = load_typeface(run.face).glyphs(run.text)
    parts: list[str] = []
    pending: list[str] = []
    for number, kern in zip(glyphs.ids, glyphs.kerns, strict=True):
        pending.append(f"{number:04x}")
        if kern:
            parts.append(f"<{''.join(pending)}> {-kern}")
            pending = []
    if pending:
        parts.append(f"<{''.join(pending)}>")
    return f"[{' '.join(parts)}]"


@cache
def fill_colour(colour: str) -> str:
    """Return the operator that fills with a colour such as "#d2412a"."""
    return " ".join(f"{number:.3f}" for number in _channels(colour)) + " rg"


def _channels(colour: str) -> Iterator[float]:
    for start in (1, 3, 5):
        yield int(colour[start : start + 2], 16) / 255


def _matrix(placement: Placement, page_height: float) -> tuple[float, float, float, float, float, float]:
    """Return the matrix that puts a fragment, whose origin is its lower left corner, where it lies."""
    scale, turn = placement.scale, radians(-placement.turn)
    width = placement.fragment.width * POINTS_PER_MM
    height = placement.fragment.height * POINTS_PER_MM
    across, down = scale * cos(turn), scale * sin(turn)
    middle_x = placement.x * POINTS_PER_MM + scale * width / 2
    middle_y = page_height - placement.y * POINTS_PER_MM - scale * height / 2
    return (
        across,
        down,
        -down,
        across,
        middle_x - (across * width - down * height) / 2,
        middle_y - (down * width + across * height) / 2,
    )

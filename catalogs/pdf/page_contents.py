"""One page as PDF: a stream of operators in which every piece is marked for what it is."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalogs.layouts import BARCODE, Fragment, Placement, Sheet, Words
from catalogs.pdf.drawing import POINTS_PER_MM, Pen, barcode, box_matrix, drawing_matrix, readable
from catalogs.pdf.parts import text_string
from catalogs.pdf.tagging import (
    DECORATION,
    PAGINATION,
    Bounds,
    Piece,
    Structure,
    Tag,
    names_of,
    piece_of,
    structure_of,
    tag_of_code,
    tag_of_drawing,
    tag_of_words,
)

LEVEL = 1
"""How hard streams of single copies are packed: harder takes a tenth more time in all and saves a fiftieth."""


@dataclass(frozen=True, slots=True)
class PageContent:
    """A page ready to be laid into files: `drawings` are called /D0, /D1 …, `fonts` are numbers of the pen's faces."""

    stream: bytes
    """Deflated."""
    drawings: tuple[Fragment, ...]
    fonts: tuple[int, ...]
    structure: Structure
    alternatives: Mapping[int, bytes]
    """What is read instead of each figure, by the number of its piece, as a string of PDF."""


def draw_page(
    sheet: Sheet, pen: Pen, *, language: str, height: float, first: bool, level: int = LEVEL
) -> PageContent:
    """Return what lies on `sheet` as operators; `height` is the page's in millimetres, `first` that of the cover."""
    drawing = _Drawing(sheet, pen, language, height, first=first)
    operators = "\n".join(piece for thing in sheet for piece in drawing.thing(thing))
    return PageContent(
        zlib.compress(operators.encode("ascii"), level),
        tuple(drawing.drawings),
        tuple(sorted(drawing.fonts)),
        structure_of(tuple(drawing.pieces)),
        drawing.alternatives,
    )


class _Drawing:
    """A page as it is drawn."""

    def __init__(self, sheet: Sheet, pen: Pen, language: str, height: float, *, first: bool) -> None:
        self.pen = pen
        self.language = language
        self.height = height
        self.first = first
        self.names = names_of(sheet)
        self.drawings: dict[Fragment, str] = {}
        self.fonts: set[int] = set()
        self.pieces: list[Piece] = []
        self.alternatives: dict[int, bytes] = {}

    def thing(self, thing: Placement | Words) -> Iterator[str]:
        """Yield the operators of one thing on the page."""
        if isinstance(thing, Placement):
            name = self.drawings.setdefault(thing.fragment, f"/D{len(self.drawings)}")
            tag = tag_of_drawing(thing, self.names, self.language)
            side = thing.scale
            box = self._box(thing.x, thing.y, thing.fragment.width * side, thing.fragment.height * side)
            begin = self._begin(thing, tag, box)
            yield f"{begin} q {drawing_matrix(thing, self.height)} {name} Do Q EMC"
            return
        yield f"q {box_matrix(thing, self.height)}"
        if thing.style == BARCODE:
            box = self._box(thing.x, thing.y, thing.width, thing.height)
            begin = self._begin(thing, tag_of_code(thing.content, self.language), box)
            yield f"{begin} {barcode(thing.content, thing.width, thing.height)} EMC"
        else:
            for shown in self.pen.words(thing):
                self.fonts.update(shown.fonts)
                tag = tag_of_words(thing, shown.of, first=self.first)
                yield f"{self._begin(thing, tag, said=shown.said)} {shown.operators}EMC"
        yield "Q"

    def _begin(
        self,
        thing: Placement | Words,
        tag: Tag,
        box: Bounds | None = None,
        said: str = "",
    ) -> str:
        if not tag.role:
            return DECORATION if isinstance(thing, Placement) else PAGINATION
        mark = len(self.pieces)
        self.pieces.append(piece_of(thing, tag.role, box))
        if tag.alternative:
            self.alternatives[mark] = text_string(readable(tag.alternative))
        if said:
            # Readers of text look for this in spans only.
            return f"/Span <</MCID {mark}/ActualText {said}>> BDC"
        return f"/{tag.role} <</MCID {mark}>> BDC"

    def _box(self, x: float, y: float, width: float, height: float) -> Bounds:
        left, top = x * POINTS_PER_MM, (self.height - y) * POINTS_PER_MM
        return left, top - height * POINTS_PER_MM, left + width * POINTS_PER_MM, top

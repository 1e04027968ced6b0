"""One page as PDF: a stream of operators in which every piece is marked for what it is."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from catalogs.drawing import POINTS_PER_MM, Pen, barcode, box_matrix, drawing_matrix
from catalogs.layouts import BARCODE, Fragment, Placement, Sheet, Words
from catalogs.tagging import (
    DECORATION,
    PAGINATION,
    Element,
    Outline,
    Tag,
    names_of,
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
    outline: tuple[Element, ...]
    marks: int
    """How many marked pieces there are; the elements of the outline hold each once."""


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
        drawing.outline.elements(),
        drawing.outline.marks,
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
        self.outline = Outline()

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
        box: tuple[float, float, float, float] | None = None,
        said: str = "",
    ) -> str:
        if not tag.role:
            return DECORATION if isinstance(thing, Placement) else PAGINATION
        mark = self.outline.mark()
        self.outline.add(thing, [Element(tag.role, [mark], alternative=tag.alternative, box=box)])
        if said:
            # Readers of text look for this in spans only.
            return f"/Span <</MCID {mark}/ActualText {said}>> BDC"
        return f"/{tag.role} <</MCID {mark}>> BDC"

    def _box(self, x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        left, top = x * POINTS_PER_MM, (self.height - y) * POINTS_PER_MM
        return left, top - height * POINTS_PER_MM, left + width * POINTS_PER_MM, top

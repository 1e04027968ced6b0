"""
The structure of a page for those who do not see it: what is a heading, a list, a figure, and in which order it is read.

PDF/UA asks that everything on a page is either part of that structure or marked as decoration.
"""

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

from catalogs.layouts import Group, Placement, Sheet, Words
from catalogs.motif_words import motif_word
from catalogs.motifs import motifs
from catalogs.pages import Footer, Headline, Picture
from catalogs.pdf.barcodes import Barcode
from catalogs.pdf.drawing import readable
from core.i18n import translations

DECORATION = "/Artifact <</Type /Background>> BDC"
PAGINATION = "/Artifact <</Type /Pagination>> BDC"


Bounds = tuple[float, float, float, float]
"""Of a figure: left, bottom, right, top in points."""


class Piece(NamedTuple):
    """A marked piece of a page: what it is, and what says when it is read."""

    role: str
    rank: int
    group: Group | None
    y: float
    x: float
    box: Bounds | None


@dataclass(slots=True)
class Element:
    """A node of the structure: either made of the piece `mark`, or of other elements, whose numbers are `kids`."""

    role: str
    parent: int
    mark: int | None = None
    box: Bounds | None = None
    kids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The elements of a page by number, and of which each piece is; pages of one shape have the very same."""

    elements: tuple[Element, ...]
    marked: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tag:
    """What a piece of a page is; without a role it is decoration."""

    role: str
    alternative: str = ""


NO_TAG = Tag("")
PARAGRAPH = Tag("P")


def tag_of_words(words: Words, of: str, *, first: bool) -> Tag:
    """Return what the paragraph `of` of `words` is, on the cover when `first`."""
    content = words.content
    if isinstance(content, Headline) and of == "text":
        page = "H1" if first else "H2"
        return Tag(page if words.part == "headline" else "H3")
    if isinstance(content, Footer) and of == "number":
        return NO_TAG
    return PARAGRAPH


def tag_of_code(code: Barcode, language: str) -> Tag:
    """Return what a barcode is, and the number that it says."""
    gettext = translations(language).gettext
    words = gettext("QR code %(code)s") if code.symbology == "QR" else gettext("Barcode %(code)s")
    return Tag("Figure", words % {"code": code.text})


def tag_of_drawing(placement: Placement, names: dict[object, str], language: str) -> Tag:
    """Return what a drawing is: of an article its name, of a kind of things their word, else decoration."""
    picture = placement.fragment.content
    if not isinstance(picture, Picture):
        return NO_TAG
    name = readable(names.get(placement.group, "")).strip()
    if not name and picture.kind == "motif":
        key = _keys().get(picture.path.removesuffix(".svg"))
        name = motif_word(key, language) if key else ""
    return Tag("Figure", name) if name else NO_TAG


def names_of(sheet: Sheet) -> dict[object, str]:
    """Return what stands beside the picture of each item: its name."""
    return {
        thing.group: thing.content.name
        for thing in sheet
        if isinstance(thing, Words) and thing.group is not None and thing.part == "label"
    }


@cache
def _keys() -> dict[str, str]:
    """Return what kind of things each drawing of the house shows."""
    return {motif.picture: key for key, motif in reversed(motifs().items())}


def piece_of(thing: Placement | Words, role: str, box: Bounds | None) -> Piece:
    """Return a piece of `thing`: heads are read first however a page is laid out, feet last; of an item its picture."""
    ranks = _RANKS_OF_PARTS if thing.group is None else _RANKS_IN_ITEMS
    return Piece(role, ranks.get(thing.part, _RANK), thing.group, thing.y, thing.x, box)


_RANK = 2
_RANKS_OF_PARTS = {"headline": 0, "footer": 3}
_RANKS_IN_ITEMS = {"picture": 0, "label": 1}


@lru_cache(maxsize=500)
def structure_of(pieces: tuple[Piece, ...]) -> Structure:
    """Return the section that a page's pieces make, which come as they are drawn: read from top to bottom, items in lists."""
    placed: list[tuple[tuple[float, ...], int | str]] = []
    lists: dict[str, dict[Group, list[int]]] = {}
    for mark, piece in enumerate(pieces):
        if piece.group is None:
            placed.append(((piece.rank, piece.y, piece.x), mark))
            continue
        if piece.group[0] not in lists:
            placed.append(((_RANK, piece.y, piece.x), piece.group[0]))
        lists.setdefault(piece.group[0], {}).setdefault(piece.group, []).append(mark)
    elements = [Element("Sect", 0)]
    marked = [0] * len(pieces)

    def add(role: str, parent: int) -> int:
        elements[parent].kids.append(len(elements))
        elements.append(Element(role, parent))
        return len(elements) - 1

    def put(mark: int, parent: int) -> None:
        number = marked[mark] = add(pieces[mark].role, parent)
        elements[number].mark, elements[number].box = mark, pieces[mark].box

    for _key, read in sorted(placed, key=lambda one: one[0]):
        if isinstance(read, int):
            put(read, 0)
            continue
        whole = add("L", 0)
        for marks in lists[read].values():
            body = add("LBody", add("LI", whole))
            for mark in sorted(marks, key=lambda mark: pieces[mark].rank):
                put(mark, body)
    return Structure(tuple(elements), tuple(marked))

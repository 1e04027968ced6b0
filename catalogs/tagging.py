"""
The structure of a page for those who do not see it: what is a heading, a list, a figure, and in which order it is read.

PDF/UA asks that everything on a page is either part of that structure or marked as decoration.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from catalogs.barcodes import Barcode
from catalogs.drawing import readable
from catalogs.layouts import Placement, Sheet, Words
from catalogs.motif_words import motif_word
from catalogs.motifs import motifs
from catalogs.pages import Footer, Headline, Picture
from core.i18n import translations

DECORATION = "/Artifact <</Type /Background>> BDC"
PAGINATION = "/Artifact <</Type /Pagination>> BDC"


@dataclass(slots=True)
class Element:
    """A node of the structure; `marks` are the numbers of the pieces of the page that it is made of."""

    role: str
    marks: list[int] = field(default_factory=list)
    children: list["Element"] = field(default_factory=list)
    alternative: str = ""
    box: tuple[float, float, float, float] | None = None
    """Of a figure: left, bottom, right, top in points."""


@dataclass(frozen=True, slots=True)
class Tag:
    """What a piece of a page is; without a role it is decoration."""

    role: str
    alternative: str = ""


def tag_of_words(words: Words, of: str, *, first: bool) -> Tag:
    """Return what the paragraph `of` of `words` is, on the cover when `first`."""
    content = words.content
    if isinstance(content, Headline) and of == "text":
        page = "H1" if first else "H2"
        return Tag(page if words.part == "headline" else "H3")
    if isinstance(content, Footer) and of == "number":
        return Tag("")
    return Tag("P")


def tag_of_code(code: Barcode, language: str) -> Tag:
    """Return what a barcode is, and the number that it says."""
    gettext = translations(language).gettext
    words = gettext("QR code %(code)s") if code.symbology == "QR" else gettext("Barcode %(code)s")
    return Tag("Figure", words % {"code": code.text})


def tag_of_drawing(placement: Placement, names: dict[object, str], language: str) -> Tag:
    """Return what a drawing is: of an article its name, of a kind of things their word, else decoration."""
    picture = placement.fragment.content
    if not isinstance(picture, Picture):
        return Tag("")
    name = readable(names.get(placement.group, "")).strip()
    if not name and picture.kind == "motif":
        key = _keys().get(picture.path.removesuffix(".svg"))
        name = motif_word(key, language) if key else ""
    return Tag("Figure", name) if name else Tag("")


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


class Outline:
    """The structure of one page as its pieces come in the order in which they are drawn."""

    def __init__(self) -> None:
        self._placed: list[tuple[tuple[float, ...], Element]] = []
        self._lists: dict[str, Element] = {}
        self._items: dict[tuple[str, int], list[tuple[int, Element]]] = {}
        self.marks = 0

    def add(self, thing: Placement | Words, elements: Iterable[Element]) -> None:
        """Put the elements of one thing where it is read: items in their list, all else from top to bottom."""
        for element in elements:
            if thing.group is not None:
                rank = {"picture": 0, "label": 1}.get(thing.part, 2)
                self._item(thing, thing.group).append((rank, element))
            else:
                # Heads come first however a page is laid out, feet last.
                rank = {"headline": 0, "footer": 2}.get(thing.part, 1)
                self._placed.append(((rank, thing.y, thing.x), element))

    def mark(self) -> int:
        """Return the number of the next piece."""
        self.marks += 1
        return self.marks - 1

    def _item(self, thing: Placement | Words, group: tuple[str, int]) -> list[tuple[int, Element]]:
        name, _number = group
        if name not in self._lists:
            self._lists[name] = Element("L")
            self._placed.append(((1, thing.y, thing.x), self._lists[name]))
        return self._items.setdefault(group, [])

    def elements(self) -> tuple[Element, ...]:
        """Return the elements of the page in reading order."""
        for (name, _number), parts in self._items.items():
            read = [element for _rank, element in sorted(parts, key=lambda part: part[0])]
            self._lists[name].children.append(Element("LI", children=[Element("LBody", children=read)]))
        return tuple(element for _key, element in sorted(self._placed, key=lambda placed: placed[0]))

"""A theme's folder, and which of its fragments lies where on a page."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from catalogs.pages import Booklet, CoverPage, Item, Page, PersonalPage, Picture, ThemedPage
from core.errors import NotFound

THEMES = Path(__file__).resolve().parent / "themes"

PICTURE_SIDE = 100.0
"""Pictures are set once on a square of this many millimetres and scaled where they lie."""


class ThemeNotFound(NotFound):
    """There is no theme of this name."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies under everything on a page: which places are taken."""

    layout: str
    taken: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Fragment:
    """
    A drawing that is made once and may lie on many pages of many copies.

    Two fragments that are equal look the same; everything that shows is in here. Sizes are millimetres.
    """

    template: str
    variant: str
    width: float
    height: float
    colour: int
    content: Ground | Picture | None


@dataclass(frozen=True, slots=True)
class Placement:
    """A fragment on a page: its upper left corner in millimetres, scaled, and turned (degrees) about its middle."""

    fragment: Fragment
    x: float
    y: float
    scale: float = 1.0
    turn: float = 0.0


@dataclass(frozen=True, slots=True)
class Words:
    """Text, a price or a barcode in a box on a page, turned about the middle of the box."""

    content: Any
    style: str
    x: float
    y: float
    width: float
    height: float
    turn: float = 0.0


Sheet = tuple[Placement | Words, ...]
"""What lies on one page, from the ground up."""

BARCODE = "barcode"
"""The style of what is drawn as bars."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A design: a folder of metadata, HTML, CSS and dummy data."""

    name: str
    folder: Path
    data: dict[str, Any]

    @property
    def page_size(self) -> tuple[float, float]:
        """Return width and height of a page in millimetres."""
        width, height = self.data["page"]
        return float(width), float(height)

    @property
    def colours(self) -> int:
        """Return how many colour schemes the theme has."""
        return len(self.data["colours"])

    def room(self, layout: str) -> int:
        """Return how many items `layout` has places for."""
        return len(self.data["layouts"][layout].get("cells", ()))

    def __hash__(self) -> int:
        return hash(self.folder)

    def sheets(self, booklet: Booklet) -> tuple[Sheet, ...]:
        """Return for every page of `booklet` what lies on it."""
        colour = booklet.colour % self.colours
        return tuple(tuple(self._page(page, colour)) for page in booklet.pages)

    def _page(self, page: Page, colour: int) -> Iterator[Placement | Words]:
        layout = self.data["layouts"][page.layout]
        lists = _lists(page)
        width, height = self.page_size
        taken = tuple((name, len(items)) for name, items in lists.items())
        if isinstance(page, PersonalPage):
            taken += (("card", int(page.card is not None)),)
        ground = Ground(page.layout, taken)
        yield Placement(Fragment(layout["ground"], page.layout, width, height, colour, ground), 0, 0)
        pictures: tuple[Picture, ...] = getattr(page, "pictures", ())
        for place in layout.get("pictures", ()):
            if place["of"] < len(pictures):
                yield _picture(pictures[place["of"]], place)
        for box in layout.get("boxes", ()):
            yield from _lay(page, box, variant=page.layout, colour=colour)
        left = {name: list(items) for name, items in lists.items()}
        for cell in layout.get("cells", ()):
            if items := left[cell.get("of", "items")]:
                item = items.pop(0)
                for box in self.data["cells"][cell["cell"]]["boxes"]:
                    yield from _lay(item, box, variant=cell["cell"], colour=colour, x=cell["x"], y=cell["y"])


def _lay(
    whole: Page | Item, box: dict[str, Any], *, variant: str, colour: int, x: float = 0, y: float = 0
) -> Iterator[Placement | Words]:
    """Yield the part of `whole` that `box` is for, if there is one."""
    content: Any = whole
    for name in box["part"].split("."):
        content = getattr(content, name) if content else None
    if not content:
        return
    if isinstance(content, Picture):
        yield _picture(content, box, x, y)
        return
    left, top, width, height = box["x"] + x, box["y"] + y, float(box["w"]), float(box["h"])
    turn = box.get("turn", 0.0)
    if shape := box.get("shape"):
        yield Placement(Fragment(shape, variant, width, height, colour, None), left, top, turn=turn)
    else:
        yield Words(content, BARCODE if box.get("barcode") else box["style"], left, top, width, height, turn)


def _lists(page: Page) -> dict[str, tuple[Item, ...]]:
    match page:
        case CoverPage():
            return {}
        case ThemedPage():
            return {"items": page.items}
        case PersonalPage():
            return {"picks": page.picks, "news": page.news}


def _picture(picture: Picture, box: dict[str, Any], x: float = 0, y: float = 0) -> Placement:
    fragment = Fragment("picture", "", PICTURE_SIDE, PICTURE_SIDE, 0, picture)
    return Placement(fragment, x + box["x"], y + box["y"], box["w"] / PICTURE_SIDE, box.get("turn", 0.0))


@lru_cache(maxsize=8)
def load_theme(name: str) -> Theme:
    """Return the theme called `name`; raises `ThemeNotFound`."""
    folder = THEMES / name
    if not name.isidentifier() or not (folder / "theme.toml").is_file():
        raise ThemeNotFound(f"there is no catalog theme called {name!r}")
    return Theme(name, folder, tomllib.loads((folder / "theme.toml").read_text(encoding="utf-8")))

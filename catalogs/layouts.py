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
    A piece of a page that is set once and may lie on many pages of many copies.

    Two fragments that are equal look the same; everything that shows is in here. Sizes are millimetres.
    """

    template: str
    variant: str
    width: float
    height: float
    language: str
    colour: int
    content: Any


@dataclass(frozen=True, slots=True)
class Placement:
    """A fragment on a page: its upper left corner in millimetres, scaled and turned (degrees) about its middle."""

    fragment: Fragment
    x: float
    y: float
    scale: float = 1.0
    turn: float = 0.0


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

    def places(self, booklet: Booklet) -> tuple[tuple[Placement, ...], ...]:
        """Return for every page of `booklet` what lies on it, from the ground up."""
        colour = booklet.colour % self.colours
        return tuple(tuple(self._page(page, booklet.language, colour)) for page in booklet.pages)

    def _page(self, page: Page, language: str, colour: int) -> Iterator[Placement]:
        layout = self.data["layouts"][page.layout]
        lists = _lists(page)
        width, height = self.page_size
        taken = tuple((name, len(items)) for name, items in lists.items())
        if isinstance(page, PersonalPage):
            taken += (("card", int(page.card is not None)),)
        # Grounds carry no words, so that all languages share one.
        ground = Ground(page.layout, taken)
        yield Placement(Fragment(layout["ground"], page.layout, width, height, "", colour, ground), 0, 0)
        pictures: tuple[Picture, ...] = getattr(page, "pictures", ())
        for place in layout.get("pictures", ()):
            if place["of"] < len(pictures):
                yield _picture(pictures[place["of"]], place)
        hand = _Hand(language, colour)
        for box in layout.get("boxes", ()):
            content = getattr(page, box["part"])
            if content is not None:
                yield hand.lay(content, box, box.get("variant", page.layout))
        left = {name: list(items) for name, items in lists.items()}
        for cell in layout.get("cells", ()):
            items = left[cell.get("of", "items")]
            if items:
                yield from self._cell(items.pop(0), cell, hand)

    def _cell(self, item: Item, cell: dict[str, Any], hand: "_Hand") -> Iterator[Placement]:
        x, y = cell["x"], cell["y"]
        for box in self.data["cells"][cell["cell"]]["boxes"]:
            content = getattr(item, box["part"])
            if box["part"] == "picture":
                yield _picture(content, box, x, y)
            elif content:
                yield hand.lay(content, box, cell["cell"], x, y)


@dataclass(frozen=True, slots=True)
class _Hand:
    """Lays words of one language in one colour."""

    language: str
    colour: int

    def lay(self, content: Any, box: dict[str, Any], variant: str, x: float = 0, y: float = 0) -> Placement:
        template = box.get("template", box["part"])
        fragment = Fragment(
            template, variant, float(box["w"]), float(box["h"]), self.language, self.colour, content
        )
        return Placement(fragment, x + box["x"], y + box["y"])


def _lists(page: Page) -> dict[str, tuple[Item, ...]]:
    match page:
        case CoverPage():
            return {}
        case ThemedPage():
            return {"items": page.items}
        case PersonalPage():
            return {"picks": page.picks, "news": page.news}


def _picture(picture: Picture, box: dict[str, Any], x: float = 0, y: float = 0) -> Placement:
    fragment = Fragment("picture", "", PICTURE_SIDE, PICTURE_SIDE, "", 0, picture)
    return Placement(fragment, x + box["x"], y + box["y"], box["w"] / PICTURE_SIDE, box.get("turn", 0.0))


@lru_cache(maxsize=8)
def load_theme(name: str) -> Theme:
    """Return the theme called `name`; raises `ThemeNotFound`."""
    folder = THEMES / name
    if not name.isidentifier() or not (folder / "theme.toml").is_file():
        raise ThemeNotFound(f"there is no catalog theme called {name!r}")
    return Theme(name, folder, tomllib.loads((folder / "theme.toml").read_text(encoding="utf-8")))

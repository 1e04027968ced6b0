"""A theme's folder, and which of its fragments lies where on a page."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from catalogs.page_sizes import sized
from catalogs.pages import (
    Booklet,
    CoverPage,
    Item,
    Page,
    PersonalPage,
    Picture,
    ThemedPage,
    VoucherItem,
    VouchersPage,
)
from core.errors import NotFound

THEMES = Path(__file__).resolve().parent / "themes"

PICTURE_SIDE = 100.0
"""Pictures are set once on a square of this many millimetres and scaled where they lie."""
BLEED = 3.0
"""Millimetres by which a ground goes beyond the page on each side, to be cut off after printing."""


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


Group = tuple[str, int]
"""A list on a page and the place of an item in it: ("items", 3)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """
    A fragment on a page: its upper left corner in millimetres, scaled, and turned (degrees) about its middle.

    `part` is what it shows of the page or item, `group` the list that the item stands in, and its place there.
    """

    fragment: Fragment
    x: float
    y: float
    scale: float = 1.0
    turn: float = 0.0
    part: str = ""
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """Text, a price or a barcode in a box on a page, turned about the middle of the box; see `Placement`."""

    content: Any
    style: str
    x: float
    y: float
    width: float
    height: float
    turn: float = 0.0
    part: str = ""
    group: Group | None = None


Sheet = tuple[Placement | Words, ...]
"""What lies on one page, from the ground up."""

PLAIN = "-plain"
"""What the name of a cell for items without a reduction ends in, if a theme has one."""
BARCODE = "barcode"
"""The style of what is drawn as bars."""
WHOLE = "whole"
"""The part that is all of an item, for styles that set several of its words below each other."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A design: a folder of metadata, HTML, CSS and dummy data."""

    name: str
    folder: Path
    data: dict[str, Any]
    size: str = "A4"

    @property
    def page_size(self) -> tuple[float, float]:
        """Return width and height of a page in millimetres."""
        width, height = self.data["page"]
        return float(width), float(height)

    def size_of(self, booklet: Booklet) -> tuple[float, float]:  # noqa: ARG002
        """Return width and height in millimetres of the pages of `booklet`."""
        return self.page_size

    @property
    def colours(self) -> int:
        """Return how many colour schemes the theme has."""
        return len(self.data["colours"])

    @property
    def page_layouts(self) -> tuple[str, ...]:
        """Return the layouts that a themed page may have."""
        return tuple(
            name
            for name, layout in self.data["layouts"].items()
            if layout.get("cells") and not any("of" in cell for cell in layout["cells"])
        )

    def room(self, layout: str) -> int:
        """Return how many items `layout` has places for."""
        return len(self.data["layouts"][layout].get("cells", ()))

    def __hash__(self) -> int:
        return hash((self.folder, self.size))

    def sheets(self, booklet: Booklet) -> tuple[Sheet, ...]:
        """Return for every page of `booklet` what lies on it."""
        return tuple(self.sheet(booklet, page) for page in booklet.pages)

    def sheet(self, booklet: Booklet, page: Page) -> Sheet:
        """Return what lies on one page of `booklet`."""
        return tuple(self._page(page, booklet.colour % self.colours))

    def _page(self, page: Page, colour: int) -> Iterator[Placement | Words]:
        layout = self.data["layouts"][page.layout]
        lists = _lists(page)
        width, height = self.page_size
        taken = tuple((name, len(items)) for name, items in lists.items())
        if isinstance(page, PersonalPage):
            taken += (("card", int(page.card is not None)),)
        ground = Ground(page.layout, taken)
        fragment = Fragment(
            layout["ground"], page.layout, width + 2 * BLEED, height + 2 * BLEED, colour, ground
        )
        yield Placement(fragment, -BLEED, -BLEED, part="ground")
        pictures: tuple[Picture, ...] = getattr(page, "pictures", ())
        for place in layout.get("pictures", ()):
            if place["of"] < len(pictures):
                yield _picture(pictures[place["of"]], place, part="decoration")
        for box in layout.get("boxes", ()):
            yield from _lay(page, box, variant=page.layout, colour=colour)
        left = {name: list(items) for name, items in lists.items()}
        for cell in arranged(layout, {name: len(items) for name, items in lists.items()}):
            of = cell.get("of", "items")
            if items := left[of]:
                item, at = items.pop(0), (cell["x"], cell["y"])
                group = (of, len(lists[of]) - len(items) - 1)
                name = self._cell_for(cell["cell"], item)
                for box in self.data["cells"][name]["boxes"]:
                    yield from _lay(item, box, variant=name, colour=colour, at=at, group=group)

    def _cell_for(self, name: str, item: Item | VoucherItem) -> str:
        """Return the cell called `name`, or the one without room for a reduction where there is none to be told."""
        plain = f"{name}{PLAIN}"
        return plain if plain in self.data["cells"] and getattr(item, "reduction", None) is None else name


def arranged(layout: Mapping[str, Any], counts: Mapping[str, int]) -> list[Mapping[str, Any]]:
    """
    Return the cells of `layout` that `counts` items of each list take, in their order.

    A list that a layout has an arrangement of its `fewer` for takes larger places, so that few items fill a page as many do.
    """
    cells: dict[str, list[Mapping[str, Any]]] = {}
    for cell in layout.get("cells", ()):
        cells.setdefault(cell.get("of", "items"), []).append(cell)
    for fewer in layout.get("fewer", ()):
        if counts.get(fewer["of"]) == len(fewer["cells"]):
            cells[fewer["of"]] = [{"of": fewer["of"], **cell} for cell in fewer["cells"]]
    return [cell for of, places in cells.items() for cell in places[: counts.get(of, 0)]]


def _lay(
    whole: Page | Item | VoucherItem,
    box: dict[str, Any],
    *,
    variant: str,
    colour: int,
    at: tuple[float, float] = (0, 0),
    group: Group | None = None,
) -> Iterator[Placement | Words]:
    """Yield the part of `whole` that `box` is for, if there is one."""
    content: Any = whole
    part: str = box["part"]
    for name in part.split(".") if part != WHOLE else ():
        content = getattr(content, name) if content else None
    if not content:
        return
    if isinstance(content, Picture):
        yield _picture(content, box, at, part=part, group=group)
        return
    left, top, width, height = box["x"] + at[0], box["y"] + at[1], float(box["w"]), float(box["h"])
    turn = box.get("turn", 0.0)
    if shape := box.get("shape"):
        fragment = Fragment(shape, variant, width, height, colour, None)
        yield Placement(fragment, left, top, turn=turn, part="shape", group=group)
    else:
        style = BARCODE if box.get("barcode") else box["style"]
        yield Words(content, style, left, top, width, height, turn, part, group)


def _lists(page: Page) -> dict[str, tuple[Item | VoucherItem, ...]]:
    match page:
        case CoverPage():
            return {}
        case ThemedPage():
            return {"items": page.items}
        case PersonalPage():
            return {"picks": page.picks, "news": page.news}
        case VouchersPage():
            return {"vouchers": page.vouchers}


def _picture(
    picture: Picture,
    box: dict[str, Any],
    at: tuple[float, float] = (0, 0),
    *,
    part: str,
    group: Group | None = None,
) -> Placement:
    fragment = Fragment("picture", "", PICTURE_SIDE, PICTURE_SIDE, 0, picture)
    scale = box["w"] / PICTURE_SIDE
    return Placement(fragment, at[0] + box["x"], at[1] + box["y"], scale, box.get("turn", 0.0), part, group)


@lru_cache(maxsize=16)
def load_theme(name: str, size: str = "A4") -> Theme:
    """Return the theme called `name` for pages of `size`; raises `ThemeNotFound`."""
    folder = THEMES / name
    if not name.isidentifier() or not (folder / "theme.toml").is_file():
        raise ThemeNotFound(f"there is no catalog theme called {name!r}")
    written = tomllib.loads((folder / "theme.toml").read_text(encoding="utf-8"))
    if size != "A4" and size not in written["sizes"]:
        raise ThemeNotFound(f"the theme {name!r} has no pages of the size {size!r}")
    return Theme(name, folder, sized(written, size, bleed=BLEED), size)


def theme_names() -> tuple[str, ...]:
    """Return the names of all themes there are."""
    return tuple(sorted(path.parent.name for path in THEMES.glob("*/theme.toml")))

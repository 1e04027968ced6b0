"""Fragments set in type: Jinja makes the HTML, WeasyPrint the PDF, and nothing is fetched from anywhere else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from catalogs import papercut
from catalogs.layouts import Fragment, Placement, Theme
from catalogs.motifs import ILLUSTRATIONS
from core.errors import Refused

FONTS = Path(__file__).resolve().parent / "fonts"
PICTURE_KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
POINTS_PER_MM = 72 / 25.4


class FetchRefused(Refused):
    """A page asked for something that is neither packaged nor a picture of an article."""


@dataclass(frozen=True, slots=True)
class Library:
    """The only places a page may take anything from."""

    theme: Path
    photos: Path | None

    def find(self, url: str) -> Path:
        """Return the file that `url` (font:, motif:, theme: or photo:) stands for; raises `FetchRefused`."""
        kind, _, name = url.partition(":")
        roots = {"font": FONTS, "motif": ILLUSTRATIONS, "theme": self.theme, "photo": self.photos}
        root = roots.get(kind)
        if root is not None:
            path = (root / name.lstrip("/")).resolve()
            if path.is_relative_to(root.resolve()) and path.is_file() and _allowed(kind, path):
                return path
        raise FetchRefused(f"pages may not fetch {url[:80]!r}")


def _allowed(kind: str, path: Path) -> bool:
    return path.suffix == ".ttf" if kind == "font" else path.suffix.lower() in PICTURE_KINDS


class Typesetter:
    """
    Sets fragments of one theme and remembers them; one per process.

    Equal fragments are set once, however many copies they lie in. Every call of `prepare` sets what is
    new in one document, so that its fonts are shared.
    """

    CAPACITY = 4_000
    """How many fragments are remembered before all are forgotten, which bounds the memory."""

    def __init__(self, theme: Theme, photos: Path | None) -> None:
        self.theme = theme
        self.library = Library(theme.folder, photos)
        self._pages = _Pages(theme)
        self._forms: dict[Fragment, pikepdf.Object] = {}
        self._sources: list[pikepdf.Pdf] = []

    def prepare(self, sheets: Iterable[Sequence[Placement]]) -> int:
        """Set every fragment on `sheets` that is not set yet; return how many that were."""
        wanted = {placement.fragment: None for sheet in sheets for placement in sheet}
        if len(self._forms) + len(wanted) > self.CAPACITY:
            self._forms.clear()
            self._sources.clear()
        missing = [fragment for fragment in wanted if fragment not in self._forms]
        if missing:
            source = pikepdf.open(BytesIO(self.write(self._pages.of_fragments(missing))))
            if len(source.pages) != len(missing):
                raise AssertionError(f"{len(missing)} fragments became {len(source.pages)} pages")
            source.remove_unreferenced_resources()
            self._sources.append(source)
            for fragment, page in zip(missing, source.pages, strict=True):
                self._forms[fragment] = source.make_indirect(page.as_form_xobject())
        return len(missing)

    def form(self, fragment: Fragment) -> pikepdf.Object:
        """Return the form XObject of a prepared fragment, owned by the document it was set in."""
        return self._forms[fragment]

    def write(self, html: str) -> bytes:
        """Return `html` as PDF."""
        import weasyprint  # noqa: PLC0415 - heavy, and only child processes need it
        from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

        pdf = weasyprint.HTML(string=html, base_url=None, url_fetcher=_Fetcher(self.library).fetch).write_pdf(
            font_config=FontConfiguration(), presentational_hints=False
        )
        if not isinstance(pdf, bytes):
            raise TypeError("WeasyPrint returned no document")
        return pdf

    def whole_pages(self, sheets: Iterable[Sequence[Placement]]) -> str:
        """Return complete pages as one HTML document, for previews and for comparison."""
        return self._pages.whole(sheets)


@dataclass(slots=True)
class _Fetcher:
    """Serves the library and refuses everything else."""

    library: Library
    served: int = field(default=0)

    def fetch(self, url: str, *_args: Any, **_options: Any) -> Any:
        from weasyprint.urls import URLFetcherResponse  # noqa: PLC0415

        path = self.library.find(url)
        self.served += 1
        kind = PICTURE_KINDS.get(path.suffix.lower(), "font/ttf")
        return URLFetcherResponse(url, body=path.read_bytes(), headers={"Content-Type": kind})


class _Pages:
    """The HTML of one theme."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.jinja = Environment(
            loader=FileSystemLoader(theme.folder),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.jinja.globals["theme"] = theme.data
        for shape in (papercut.cut, papercut.blob, papercut.strip, papercut.scallop):
            self.jinja.globals[shape.__name__] = shape
        self.jinja.filters["size"] = _size
        self.jinja.filters["narrow"] = _narrow

    def of_fragments(self, fragments: Sequence[Fragment]) -> str:
        """Return a document with one page per fragment, of its size."""
        sizes = {(f.width, f.height): f"s{i}" for i, f in enumerate(fragments)}
        rules = "".join(
            f"@page {name}{{size:{width}mm {height}mm;margin:0}}.{name}{{page:{name}}}"
            for (width, height), name in sizes.items()
        )
        body = "".join(self._fragment(f, sizes[f.width, f.height], "") for f in fragments)
        return self._document(rules, body)

    def whole(self, sheets: Iterable[Sequence[Placement]]) -> str:
        """Return a document with the fragments of each sheet where they lie."""
        width, height = self.theme.page_size
        rules = f"@page{{size:{width}mm {height}mm;margin:0}}.sheet{{width:{width}mm;height:{height}mm}}"
        body = "".join(
            '<section class="sheet">' + "".join(self._placed(p) for p in sheet) + "</section>"
            for sheet in sheets
        )
        return self._document(rules, body)

    def _placed(self, placement: Placement) -> str:
        fragment = placement.fragment
        shift = (placement.scale - 1) / 2
        style = (
            f"position:absolute;left:{placement.x + fragment.width * shift:.3f}mm;"
            f"top:{placement.y + fragment.height * shift:.3f}mm;"
            f"transform:rotate({placement.turn}deg) scale({placement.scale:.5f});"
        )
        return self._fragment(fragment, "", style)

    def _fragment(self, fragment: Fragment, page: str, style: str) -> str:
        template = self.jinja.get_template(f"{fragment.template}.html")
        inner = template.render(
            it=fragment.content,
            variant=fragment.variant,
            w=fragment.width,
            h=fragment.height,
            paint=self.theme.data["colours"][fragment.colour],
        )
        language = f' lang="{fragment.language}"' if fragment.language else ""
        return (
            f'<div class="fragment {fragment.template} {fragment.variant} colour-{fragment.colour} {page}"{language}'
            f' style="width:{fragment.width}mm;height:{fragment.height}mm;{style}">'
            # An inline block is never broken across pages, however much is in it.
            f'<div class="inside" style="width:{fragment.width}mm;height:{fragment.height}mm">{inner}</div></div>'
        )

    def _document(self, rules: str, body: str) -> str:
        css = (self.theme.folder / "theme.css").read_text(encoding="utf-8")
        css += "".join(
            f".colour-{number}{{{''.join(f'--{name}:{value};' for name, value in colours.items())}}}"
            for number, colours in enumerate(self.theme.data["colours"])
        )
        return f'<!doctype html><html><head><meta charset="utf-8"><style>{css}{rules}</style></head><body>{body}</body></html>'


def _size(text: str, *steps: int) -> str:
    """Return "size-0" for a text of up to the first number of signs, "size-1" up to the second, and so on."""
    return f"size-{sum(len(text) > step for step in steps)}"


def _narrow(text: str, *steps: int) -> str:
    """Return the same by the longest word of a text, for columns that only just hold a word."""
    return _size(max(text.split(), key=len, default=""), *steps)

"""Drawings of a theme: Jinja makes the HTML, WeasyPrint the PDF, and nothing is fetched from anywhere else."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from catalogs.layouts import Fragment, Placement, Sheet, Theme, arranged
from catalogs.motifs import ILLUSTRATIONS
from catalogs.pages import Picture
from catalogs.pdf import papercut
from catalogs.pdf.drawing_store import DrawingStore
from catalogs.pdf.parts import Part, part_of
from catalogs.pdf.typefaces import FONTS
from core.errors import Refused

PICTURE_KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


class FetchRefused(Refused):
    """A page asked for something that is neither packaged nor a picture of an article."""


class Library:
    """The only places a page may take anything from: faces, drawings, the theme, and photographs of articles."""

    def __init__(self, theme: Path, photos: Path | None) -> None:
        self._roots = {"font": FONTS, "motif": ILLUSTRATIONS, "theme": theme, "photo": photos}

    def find(self, url: str) -> Path:
        """Return the file that `url` (font:, motif:, theme: or photo:) stands for; raises `FetchRefused`."""
        kind, _, name = url.partition(":")
        root = self._roots.get(kind)
        if root is not None:
            path = (root / name.lstrip("/")).resolve()
            suffixes = {".ttf"} if kind == "font" else set(PICTURE_KINDS)
            if path.is_relative_to(root.resolve()) and path.suffix.lower() in suffixes and path.is_file():
                return path
        raise FetchRefused(f"pages may not fetch {url[:80]!r}")


def _fetcher_of(library: Library) -> Any:
    """Return what WeasyPrint fetches through: `library`, and nothing else; a refusal leaves a picture out."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415 - heavy

    class Fetcher(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002
            path = library.find(url)
            kind = PICTURE_KINDS.get(path.suffix.lower(), "font/ttf")
            return URLFetcherResponse(url, body=path.read_bytes(), headers={"Content-Type": kind})

    return Fetcher()


class Typesetter:
    """
    Makes the drawings of one theme and remembers them; one per process.

    Equal drawings are made once, however many copies they lie in; with a folder `kept` not even in each process.
    """

    CAPACITY = 2_000
    """How many drawings are remembered before all are forgotten, which bounds the memory."""

    def __init__(self, theme: Theme, photos: Path | None, *, kept: Path | None = None) -> None:
        self.theme = theme
        self.library = Library(theme.folder, photos)
        self._store = None if kept is None else DrawingStore(kept, theme)
        self.jinja = Environment(
            loader=FileSystemLoader(theme.folder),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.jinja.globals["theme"] = theme.data
        self.jinja.globals["arranged"] = arranged
        for shape in (papercut.cut, papercut.blob, papercut.strip, papercut.scallop):
            self.jinja.globals[shape.__name__] = shape
        self._parts: dict[Fragment, Part] = {}

    def prepare(self, sheets: Iterable[Sheet]) -> int:
        """Make every drawing on `sheets` that is not there yet, in one go; return how many that were."""
        wanted = {thing.fragment: None for sheet in sheets for thing in sheet if isinstance(thing, Placement)}
        if len(self._parts) + len(wanted) > self.CAPACITY:
            self._parts.clear()
        unknown = {fragment: self._picture(fragment) for fragment in wanted if fragment not in self._parts}
        if self._store is not None:
            for fragment, picture in unknown.items():
                if (found := self._store.find(fragment, picture)) is not None:
                    self._parts[fragment] = found
        missing = [fragment for fragment in unknown if fragment not in self._parts]
        if missing:
            with pikepdf.open(BytesIO(self.write(self._one_per_page(missing)))) as source:
                if len(source.pages) != len(missing):
                    raise AssertionError(f"{len(missing)} drawings became {len(source.pages)} pages")
                for fragment, page in zip(missing, source.pages, strict=True):
                    part = part_of(source.make_indirect(page.as_form_xobject()))
                    self._parts[fragment] = part
                    if self._store is not None:
                        self._store.keep(fragment, unknown[fragment], part)
        return len(missing)

    def _picture(self, fragment: Fragment) -> bytes:
        """Return what the file of the picture on a drawing holds, empty where there is none: it tells drawings apart."""
        if self._store is not None and isinstance(fragment.content, Picture):
            with suppress(FetchRefused, OSError):
                return self.library.find(f"{fragment.content.kind}:{fragment.content.path}").read_bytes()
        return b""

    def part(self, fragment: Fragment) -> Part:
        """Return a prepared drawing as objects to be laid into files; the first is its form."""
        return self._parts[fragment]

    def write(self, html: str) -> bytes:
        """Return `html` as PDF."""
        import weasyprint  # noqa: PLC0415 - heavy, and only child processes need it
        from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

        page = weasyprint.HTML(string=html, base_url=None, url_fetcher=_fetcher_of(self.library))
        pdf = page.write_pdf(font_config=FontConfiguration())
        if not isinstance(pdf, bytes):
            raise TypeError("WeasyPrint returned no document")
        return pdf

    def _one_per_page(self, fragments: Sequence[Fragment]) -> str:
        """Return a document with one page per drawing, of its size."""
        names: dict[tuple[float, float], str] = {}
        for fragment in fragments:
            names.setdefault((fragment.width, fragment.height), f"s{len(names)}")
        rules = "".join(
            f"@page {name}{{size:{width}mm {height}mm;margin:0}}.{name}{{page:{name}}}"
            for (width, height), name in names.items()
        )
        return self.document(
            rules,
            "".join(self.drawing(f, names[f.width, f.height], "") for f in fragments),
        )

    def drawing(self, fragment: Fragment, name: str, style: str) -> str:
        """Return the HTML of one drawing."""
        inner = self.jinja.get_template(f"{fragment.template}.html").render(
            it=fragment.content,
            variant=fragment.variant,
            w=fragment.width,
            h=fragment.height,
            paint=self.theme.data["colours"][fragment.colour],
        )
        size = f"width:{fragment.width}mm;height:{fragment.height}mm"
        # An inline block is never broken across pages, however much is in it.
        return (
            f'<div class="fragment {fragment.template} {name}" style="{size};{style}">'
            f'<div class="inside" style="{size}">{inner}</div></div>'
        )

    def document(self, rules: str, body: str) -> str:
        """Return a whole HTML document in the theme's CSS."""
        css = (self.theme.folder / "theme.css").read_text(encoding="utf-8")
        head = f'<meta charset="utf-8"><style>{css}{rules}</style>'
        return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"

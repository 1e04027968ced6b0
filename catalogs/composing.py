"""Copies put together: prepared fragments laid on pages and written as one PDF."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from math import cos, radians, sin

import pikepdf
from pikepdf import Dictionary, Name, Pdf, String

from catalogs.layouts import Fragment, Placement
from catalogs.pages import Booklet, Price, Teaser
from catalogs.typesetting import POINTS_PER_MM, Typesetter


@dataclass(frozen=True, slots=True)
class Document:
    """A finished PDF."""

    content: bytes
    sha256: bytes
    pages: int


def compose(booklet: Booklet, typesetter: Typesetter) -> Document:
    """
    Return `booklet` as PDF: selectable text, embedded subset fonts, vector drawings.

    What equals on two pages is in the file once. The same booklet, set together with the same
    others, gives the same bytes.
    """
    sheets = typesetter.theme.places(booklet)
    typesetter.prepare(sheets)
    pdf = Pdf.new()
    own: dict[Fragment, pikepdf.Object] = {}
    for sheet in sheets:
        _lay(pdf, sheet, typesetter, own)
    pdf.Root.Lang = String(booklet.language)
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    pdf.docinfo[Name.Title] = String(booklet.title)
    pdf.docinfo[Name.Producer] = String("Regulars")
    buffer = BytesIO()
    pdf.save(
        buffer,
        deterministic_id=True,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        compress_streams=True,
    )
    content = buffer.getvalue()
    return Document(content, sha256(content).digest(), len(sheets))


def _lay(
    pdf: Pdf, sheet: Sequence[Placement], typesetter: Typesetter, own: dict[Fragment, pikepdf.Object]
) -> None:
    """Add one page to `pdf` with the fragments of `sheet`; `own` remembers what `pdf` already has."""
    width, height = (side * POINTS_PER_MM for side in typesetter.theme.page_size)
    page = pdf.add_blank_page(page_size=(width, height))
    forms = Dictionary()
    drawn: list[str] = []
    names: dict[Fragment, str] = {}
    for placement in sheet:
        fragment = placement.fragment
        if fragment not in own:
            own[fragment] = pdf.copy_foreign(typesetter.form(fragment))
        if fragment not in names:
            names[fragment] = f"/F{len(names)}"
            forms[names[fragment]] = own[fragment]
        matrix = " ".join(f"{number:.4f}" for number in _matrix(placement, height))
        drawn.append(_spoken(f"q {matrix} cm {names[fragment]} Do Q", fragment))
    page.Resources = Dictionary(XObject=forms)
    page.Contents = pdf.make_stream("\n".join(drawn).encode("ascii"))


def _spoken(drawing: str, fragment: Fragment) -> str:
    """Return `drawing` with the text that stands for it when it is read out, searched or copied."""
    if not isinstance(fragment.content, Price | Teaser):
        return drawing
    text = fragment.content.spoken.encode("utf-16-be").hex()
    return f"/Span <</ActualText <FEFF{text}>>> BDC {drawing} EMC"


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

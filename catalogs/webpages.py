"""Whole pages as HTML: for previews in a browser, and to hold composed copies against."""

from collections.abc import Iterator
from html import escape

from catalogs.layouts import BARCODE, Placement, Sheet, Words
from catalogs.pages import Booklet
from catalogs.pdf.drawing import code_place
from catalogs.pdf.lettering import MM_PER_POINT
from catalogs.pdf.typefaces import load_typeface
from catalogs.pdf.typesetting import Typesetter
from catalogs.styles import Letterer, letterer


def whole_document(booklet: Booklet, typesetter: Typesetter) -> str:
    """Return all pages of `booklet` as one HTML document that WeasyPrint or a browser can show."""
    theme = typesetter.theme
    letters = letterer(theme, booklet.colour % theme.colours, booklet.language)
    width, height = theme.page_size
    faces = "".join(
        f'@font-face{{font-family:"{load_typeface(file).name}";src:url("font:{file}")}}'
        for file in theme.data["fonts"].values()
    )
    rules = (
        f"@page{{size:{width}mm {height}mm;margin:0}}"
        f".page{{position:relative;overflow:hidden;width:{width}mm;height:{height}mm}}"
        ".page>*{position:absolute}.page .run{position:absolute;white-space:pre;line-height:1}"
    )
    body = "".join(_page(sheet, typesetter, letters) for sheet in theme.sheets(booklet))
    return typesetter.document(faces + rules, body).replace("<html>", f'<html lang="{booklet.language}">', 1)


def _page(sheet: Sheet, typesetter: Typesetter, letters: Letterer) -> str:
    things = (
        _drawing(thing, typesetter) if isinstance(thing, Placement) else "".join(_words(thing, letters))
        for thing in sheet
    )
    return f'<section class="page">{"".join(things)}</section>'


def _drawing(placement: Placement, typesetter: Typesetter) -> str:
    fragment = placement.fragment
    shift = (placement.scale - 1) / 2
    return typesetter.drawing(
        fragment,
        "",
        f"position:absolute;left:{placement.x + fragment.width * shift:.3f}mm;"
        f"top:{placement.y + fragment.height * shift:.3f}mm;"
        f"transform:rotate({placement.turn}deg) scale({placement.scale:.5f})",
    )


def _words(words: Words, letters: Letterer) -> Iterator[str]:
    turned = f"transform:rotate({words.turn}deg);" if words.turn else ""
    yield (
        f'<div style="{turned}left:{words.x:.3f}mm;top:{words.y:.3f}mm;'
        f'width:{words.width:.3f}mm;height:{words.height:.3f}mm">'
    )
    if words.style == BARCODE:
        code = words.content
        module, tall, left, edge = code_place(code, words.width, words.height)
        yield (
            f'<svg width="{words.width}mm" height="{words.height}mm" viewBox="0 0 {words.width} {words.height}">'
            f'<path transform="translate({left} {edge}) scale({module} {tall})" d="{code.path}"/></svg>'
        )
    else:
        for run in letters.runs(words):
            face = load_typeface(run.face)
            top = run.y - words.y - face.baseline * run.size * MM_PER_POINT
            yield (
                f'<span class="run" style="left:{run.x - words.x:.3f}mm;top:{top:.3f}mm;color:{run.colour};'
                f"font-family:'{face.name}';font-size:{run.size:.2f}pt\">{escape(run.text)}</span>"
            )
    yield "</div>"

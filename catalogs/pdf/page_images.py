"""Pages of finished PDFs as pictures, so that people see in the browser what lies in the archive."""

from io import BytesIO
from threading import Lock

import pypdfium2

from core.errors import NotFound

WIDEST = 1_600
"""Pixels; enough for a page that fills a screen."""

_ONE_AT_A_TIME = Lock()
"""PDFium is not made for several threads."""


class NoSuchPage(NotFound):
    """The document has no page of this number."""


def page_image(document: bytes, number: int, *, width: int) -> bytes:
    """
    Return page `number` (from 1) of the PDF `document` as PNG, `width` pixels wide (at most `WIDEST`).

    Only what anybody sees who opens the file: nothing in it is run or fetched. Raises `NoSuchPage`.
    """
    with _ONE_AT_A_TIME:
        pdf = pypdfium2.PdfDocument(document)
        try:
            if not 1 <= number <= len(pdf):
                raise NoSuchPage(f"the document has {len(pdf)} pages, there is no page {number}")
            page = pdf[number - 1]
            scale = min(max(width, 1), WIDEST) / page.get_width()
            image = page.render(scale=scale).to_pil()
        finally:
            pdf.close()
    # A palette of 256 colours would band the photographs; PNG's own compression is enough.
    buffer = BytesIO()
    image.save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()


def page_count(document: bytes) -> int:
    """Return how many pages the PDF `document` has."""
    with _ONE_AT_A_TIME:
        pdf = pypdfium2.PdfDocument(document)
        try:
            return len(pdf)
        finally:
            pdf.close()

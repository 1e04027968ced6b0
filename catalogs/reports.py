"""Printed reports: an HTML page of ours set on A4 by WeasyPrint, with packaged faces and nothing fetched."""

from typing import Any

from catalogs.pdf.typefaces import FONTS

FACES = {500: "Figtree_500Medium.ttf", 700: "Figtree_700Bold.ttf"}

_fonts: list[Any] = []
"""WeasyPrint's fonts, read once per process."""


def report_pdf(html: str, *, style: str) -> bytes:
    """
    Return `html` as PDF: A4 by the rules in `style`, fonts embedded, the reader's language as in its `lang`.

    The page may use the face "Report" in the weights 500 and 700; pictures have to stand in it as SVG.
    Whatever else it asks for is left out.
    """
    import weasyprint  # noqa: PLC0415 - heavy, and few requests need it
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

    if not _fonts:
        _fonts.append(FontConfiguration())
        weasyprint.CSS(string=_faces(), font_config=_fonts[0], url_fetcher=_faces_only())
    page = weasyprint.HTML(string=html, base_url=None, url_fetcher=_faces_only())
    sheet = weasyprint.CSS(string=style, font_config=_fonts[0], url_fetcher=_faces_only())
    pdf = page.write_pdf(stylesheets=[sheet], font_config=_fonts[0])
    if not isinstance(pdf, bytes):
        raise TypeError("WeasyPrint returned no document")
    return pdf


def _faces() -> str:
    return "".join(
        f'@font-face{{font-family:"Report";font-weight:{weight};src:url("font:{file}")}}'
        for weight, file in FACES.items()
    )


def _faces_only() -> Any:
    """Return what WeasyPrint may fetch: the packaged faces, and nothing else."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415 - heavy

    class Faces(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002
            name = url.removeprefix("font:")
            if url == name or name not in FACES.values():
                raise ValueError("reports fetch nothing")
            return URLFetcherResponse(
                url, body=(FONTS / name).read_bytes(), headers={"Content-Type": "font/ttf"}
            )

    return Faces()

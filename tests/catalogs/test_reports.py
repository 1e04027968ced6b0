"""Reports on paper: whole documents, in packaged faces, that fetch nothing."""

from io import BytesIO

import pikepdf

from catalogs.reports import report_pdf

STYLE = "@page { size: A4; margin: 20mm } body { font: 500 9pt Report } h1 { font-weight: 700 }"


def page(body):
    return f'<!doctype html><html lang="cs"><head><title>Přehled</title></head><body>{body}</body></html>'


class TestAReport:
    def test_is_a_document_in_its_own_faces_and_language(self):
        made = report_pdf(page("<h1>Žluťoučký kůň</h1><p>zażółć gęślą jaźń, kľúč</p>"), style=STYLE)
        with pikepdf.open(BytesIO(made)) as pdf:
            assert (len(pdf.pages), str(pdf.Root.Lang), str(pdf.docinfo["/Title"])) == (1, "cs", "Přehled")
            faces = {str(font.BaseFont).partition("+")[2] for font in pdf.pages[0].Resources.Font.values()}
        assert faces == {"Report-Bold", "Report-Medium"}

    def test_fetches_nothing(self, tmp_path):
        secret = tmp_path / "secret.svg"
        secret.write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
        )
        made = report_pdf(
            page(f'<img src="{secret.as_uri()}"><img src="http://127.0.0.1:9/x.png"><p>text</p>'),
            style=f'@import url("{secret.as_uri()}"); {STYLE}',
        )
        with pikepdf.open(BytesIO(made)) as pdf:
            assert not list(pdf.pages[0].Resources.XObject.keys())

"""Themes on dummy data, as they come out of a printer: every code must scan, at the coarseness of an office copier."""

import subprocess
from datetime import timedelta

import pytest
import zxingcpp
from PIL import Image

from catalogs.layouts import load_theme
from catalogs.pdf.composing import compose
from catalogs.pdf.typesetting import Typesetter
from catalogs.previews import preview_booklet, preview_parts, preview_vouchers

DPI = 150


@pytest.mark.parametrize("name", ["galerie", "trh"])
@pytest.mark.parametrize("size", ["A4", "A5"])
class TestPreviewBooklet:
    def test_ends_its_vouchers_with_the_catalog(self, name, size):
        theme = load_theme(name, size)
        issue, *_ = preview_parts(theme, "cs")
        assert {voucher.valid_until for voucher in preview_vouchers(theme, "cs")} == {
            issue.valid_to - timedelta(days=1)
        }

    def test_scan_from_every_page_that_has_them(self, tmp_path, name, size):
        theme = load_theme(name, size)
        booklet = preview_booklet(theme, "cs")
        path = tmp_path / "copy.pdf"
        path.write_bytes(compose(booklet, Typesetter(theme, None)).content)
        subprocess.run(["pdftoppm", "-r", str(DPI), "-png", path, tmp_path / "page"], check=True)
        pages = [Image.open(file) for file in sorted(tmp_path.glob("page*.png"))]
        width, height = (round(side / 25.4 * DPI) for side in theme.page_size)
        assert abs(pages[0].width - width) <= 1
        assert abs(pages[0].height - height) <= 1
        found = [
            sorted((code.format.name, code.text) for code in zxingcpp.read_barcodes(page)) for page in pages
        ]
        copy = ("QRCode", booklet.pages[0].copy.code)
        assert found[0] == [copy]
        assert found[1:-2] == [[]] * 5
        assert found[-2] == [("EAN13", "2912345678906")]
        assert found[-1] == sorted(
            [
                ("Code128", "V7K2M9Q4XTRH"),
                ("EAN13", "2712345678902"),
                ("QRCode", "KAVA-9QK4-7MTX"),
                copy,
            ]
        )

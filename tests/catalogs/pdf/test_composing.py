"""Copies as people and machines read them: text, fonts, barcodes, and the same picture as WeasyPrint's own."""

import ctypes
import math
import shutil
import subprocess
import unicodedata
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageFilter
from pypdfium2 import raw

from catalogs.booklets import Reader, make_booklet
from catalogs.layouts import BARCODE, Words, load_theme
from catalogs.pdf.composing import compose, compose_all
from catalogs.pdf.lettering import MM_PER_POINT, SMALLEST
from catalogs.pdf.typefaces import load_typeface
from catalogs.pdf.typesetting import Typesetter
from catalogs.previews import preview_booklet, preview_parts
from catalogs.styles import letterer
from catalogs.webpages import whole_document
from tests.catalogs.accessibility import faults

THEME = load_theme("trh")
HOSTILE = [
    "<script>alert(1)</script>{{7*7}} (\\) \x00\x07 %PDF Tj ET Q 𝕳 اسم " + "w" * 300,
    "x" * 500,
    "\u202eمحمد \u0661\u0662 abc\u200d\u2066",
    "👩‍👩‍👧 🧀",
    "\ud800 half \udfff",
    "\x00",
    ") Tj /F0 9 Tf (",
    "Zał̴̢͑ąc̸̈k " * 20,
]


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


def letter_sizes(page):
    """Yield the sizes in points of all texts on a page, as they are seen."""
    for found in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
        size = ctypes.c_float()
        assert raw.FPDFTextObj_GetFontSize(found, size)
        matrix = found.get_matrix()
        yield size.value * math.hypot(matrix.b, matrix.d)


class TestCompose:
    @pytest.mark.parametrize(
        ("language", "expected"),
        [
            ("cs", ["Kateřina", "Dvořáčková", "Rajčata keříková", "24,90 Kč", "Vybráno pro vás"]),
            ("sk", ["Ľubica", "Hlaváčková", "Máte 1 284 bodov.", "1,00 €", "Často kupujete: čaj"]),
            ("pl", ["Małgorzata", "Źdźbłowska", "Często kupowane razem", "4,20 zł", "Wybrane dla Państwa"]),
            ("en", ["Emily", "Carter", "€1.00", "You have 1,284 points.", "Picked for you"]),
        ],
    )
    def test_gives_back_every_letter_with_its_diacritics(self, typesetter, language, expected):
        booklet = preview_booklet(THEME, language)
        text = " ".join(_text(compose(booklet, typesetter).content).split()).replace("\xa0", " ")
        names = [item.label.name for _page, item in booklet.items()]
        prices = [item.price.spoken for _page, item in booklet.items()]
        wanted = [" ".join(words.replace("\xa0", " ").split()) for words in (*expected, *prices)]
        assert [words for words in wanted if words not in text] == []
        letters = {sign for name in names for sign in name if not sign.isspace()}
        assert letters <= set(text)

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
            assert pdf.check_pdf_syntax() == []
            assert str(pdf.Root.Lang) == "pl"
            assert len(pdf.pages) == document.pages == 8
            assert "JavaScript" not in str(pdf.Root.keys())
        if shutil.which("qpdf"):
            subprocess.run(["qpdf", "--check", path], check=True, capture_output=True)

    def test_gives_the_same_bytes_for_the_same_booklet_whatever_was_made_before(self, typesetter):
        booklet = preview_booklet(THEME, "sk")
        other = Typesetter(THEME, None)
        compose(preview_booklet(THEME, "pl", colour=3), other)
        document = compose(booklet, typesetter)
        assert document == compose(booklet, typesetter) == compose(booklet, other)
        assert sha256(document.content).digest() == document.sha256

    def test_begins_all_copies_of_an_issue_with_the_same_bytes(self, typesetter):
        issue, picks, news = preview_parts(THEME, "cs")
        ours, theirs = compose_all(
            [
                make_booklet(THEME, issue, Reader(name, "cs", 1, None), picks=picks, news=news)
                for name in ("Jana Nováková", "Petr Svoboda")
            ],
            typesetter,
        )
        half = len(ours.content) * 7 // 10
        assert ours.content[:half] == theirs.content[:half]
        assert "Petr" not in _text(ours.content)

    def test_keeps_small(self, typesetter):
        assert len(compose(preview_booklet(THEME, "cs"), typesetter).content) < 150_000

    @pytest.mark.parametrize("design", [("trh", "A5"), ("galerie", "A5")], ids="-".join)
    def test_writes_no_letter_smaller_than_seven_points(self, design):
        theme = load_theme(*design)
        content = compose(preview_booklet(theme, "pl"), Typesetter(theme, None)).content
        sizes = [size for page in pypdfium2.PdfDocument(content) for size in letter_sizes(page)]
        assert len(sizes) > 200
        assert min(sizes) >= SMALLEST - 0.01

    @pytest.mark.parametrize(
        ("number", "kind"),
        [("2912345678906", "EAN13"), ("6001234567890128", "Code128"), ("70990000017", "Code128")],
    )
    def test_prints_a_card_that_scans_from_the_page(self, typesetter, number, kind):
        issue, picks, news = preview_parts(THEME, "cs")
        booklet = make_booklet(THEME, issue, Reader("Jana", "cs", 5, number), picks=picks, news=news)
        pages = pypdfium2.PdfDocument(compose(booklet, typesetter).content)
        page = pages[len(pages) - 1].render(scale=150 / 72).to_pil()
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

    @pytest.mark.parametrize("name", HOSTILE)
    def test_stands_hostile_names(self, typesetter, name):
        issue, picks, news = preview_parts(THEME, "en")
        article = replace(picks[0].offer, name=name)
        booklet = make_booklet(
            THEME,
            replace(issue, shop=name),
            Reader(name, "en", -3, None),
            picks=(replace(picks[0], offer=article),),
            news=news,
        )
        document = compose(booklet, typesetter)
        with pikepdf.open(BytesIO(document.content)) as pdf:
            assert pdf.check_pdf_syntax() == []
            assert faults(pdf) == []
        text = _text(document.content)
        assert "You have" not in text
        assert "This catalog was made for you." in text

    @pytest.mark.parametrize("name", HOSTILE)
    def test_keeps_hostile_names_in_their_boxes(self, name):
        issue, picks, news = preview_parts(THEME, "pl")
        booklet = make_booklet(
            THEME, replace(issue, shop=name), Reader(name, "pl", 7, None), picks=picks, news=news
        )
        letters = letterer(THEME, 0, "pl")
        for sheet in THEME.sheets(booklet):
            for words in sheet:
                if isinstance(words, Words) and words.style != BARCODE:
                    for run in letters.runs(words):
                        width = load_typeface(run.face).width(run.text, run.size) * MM_PER_POINT
                        assert run.x > words.x - 0.1, run
                        assert run.x + width < words.x + words.width + 0.1, run

    def test_writes_names_in_scripts_that_the_theme_lacks(self, typesetter):
        issue, picks, news = preview_parts(THEME, "cs")
        for name in ("Олександра Шевченко", "Nguyễn Thị Hương", "שרה כהן"):
            booklet = make_booklet(THEME, issue, Reader(name, "cs", 1, None), picks=picks, news=news)
            document = compose(booklet, typesetter)
            with pikepdf.open(BytesIO(document.content)) as pdf:
                assert faults(pdf) == []
            assert name.split()[0] in unicodedata.normalize("NFC", _text(document.content))

    def test_shows_joined_letters_and_says_what_they_mean(self, typesetter):
        issue, picks, news = preview_parts(THEME, "cs")
        booklet = make_booklet(THEME, issue, Reader("ليلى حسن", "cs", 1, None), picks=picks, news=news)
        with pikepdf.open(BytesIO(compose(booklet, typesetter).content)) as pdf:
            assert faults(pdf) == []
            said = [
                str(operands[1].ActualText)
                for operands, operator in pikepdf.parse_content_stream(pdf.pages[0])
                if str(operator) == "BDC" and "/ActualText" in operands[1]
            ]
            assert "ليلى حسن" in said

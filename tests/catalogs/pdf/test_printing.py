"""The printer's file: whose pages are where, what is cut off, and that nothing but the archived copies gets in."""

import csv
import subprocess
from hashlib import sha256
from io import BytesIO

import numpy as np
import pikepdf
import pytest
from PIL import Image

from catalogs.booklets import Reader, make_booklet
from catalogs.layouts import load_theme
from catalogs.pdf.archived_pdf import NotPrintable
from catalogs.pdf.composing import compose_all
from catalogs.pdf.printing import MANIFEST, PrintCopy, write_print_file
from catalogs.pdf.typesetting import Typesetter
from catalogs.previews import preview_parts

THEME = load_theme("trh")
COPIES = 12


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    booklets = []
    for number in range(COPIES):
        language = ("cs", "pl")[number % 2]
        issue, picks, news = preview_parts(THEME, language)
        reader = Reader(f"Jana Nováková {number}", language, number, None)
        booklets.append(make_booklet(THEME, issue, reader, picks=picks[: number % 4 + 1], news=news))
    made = []
    for number, document in enumerate(compose_all(booklets, Typesetter(THEME, None))):
        path = folder / f"copy-{number}.pdf"
        path.write_bytes(document.content)
        made.append(PrintCopy(f"2026-W48-g1-trh-{number:06}", path, document.sha256))
    return made


@pytest.fixture(scope="module")
def printed(copies, tmp_path_factory):
    return write_print_file(tmp_path_factory.mktemp("print") / "run.pdf", copies, title="Běh č. 1")


def text_of(path, first, last):
    command = ["pdftotext", "-f", str(first), "-l", str(last), path, "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class TestWritePrintFile:
    def test_holds_all_copies_in_their_order(self, copies, printed):
        with printed.manifest.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert tuple(rows[0]) == MANIFEST
        assert [row["copy_code"] for row in rows] == [copy.copy_code for copy in copies]
        assert [bytes.fromhex(row["sha256"]) for row in rows] == [copy.sha256 for copy in copies]
        assert printed.copies == COPIES
        follows = 1
        for number, row in enumerate(rows):
            assert int(row["first_page"]) == follows
            follows = int(row["last_page"]) + 1
            assert f"Jana Nováková {number}\n" in text_of(printed.path, row["first_page"], row["last_page"])
        with pikepdf.open(printed.path) as pdf:
            assert len(pdf.pages) == printed.pages == follows - 1
            assert len({page.obj.objgen for page in pdf.pages}) == printed.pages

    def test_is_sound(self, printed):
        with pikepdf.open(printed.path) as pdf:
            assert pdf.check_pdf_syntax() == []
            assert str(pdf.docinfo.Title) == "Běh č. 1"
            assert len(pdf.Root.OutputIntents[0].DestOutputProfile.read_bytes()) > 300

    def test_says_what_is_trimmed_and_what_bleeds(self, printed):
        with pikepdf.open(printed.path) as pdf:
            for page in pdf.pages:
                trim, bleed = [[float(side) for side in box] for box in (page.trimbox, page.obj.BleedBox)]
                assert [trim[2] - trim[0], trim[3] - trim[1]] == pytest.approx(
                    [210 * 72 / 25.4, 297 * 72 / 25.4], abs=0.01
                )
                gaps = [trim[0] - bleed[0], trim[1] - bleed[1], bleed[2] - trim[2], bleed[3] - trim[3]]
                assert gaps == pytest.approx([3 * 72 / 25.4] * 4, abs=0.01)

    def test_paints_to_the_edge_of_the_bleed_and_only_marks_beyond(self, printed, tmp_path):
        command = ["pdftoppm", "-r", "72", "-png", "-f", "1", "-l", "3", printed.path, tmp_path / "p"]
        subprocess.run(command, check=True)
        with pikepdf.open(printed.path) as pdf:
            left, low, right, high = (float(side) for side in pdf.pages[0].obj.BleedBox)
        for path in sorted(tmp_path.glob("*.png")):
            page = np.asarray(Image.open(path).convert("L"))
            inside = page[round(low) + 1 : round(high) - 1, round(left) + 1 : round(right) - 1]
            for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
                assert (edge < 255).all()
            outside = page.copy()
            outside[round(low) - 1 : round(high) + 1, round(left) - 1 : round(right) + 1] = 255
            assert 0 < (outside < 200).sum() < 1_500

    def test_keeps_what_copies_share_once(self, copies, printed):
        alone = sum(copy.path.stat().st_size for copy in copies)
        assert printed.size < alone / 3

    def test_gives_the_same_bytes_for_the_same_copies(self, copies, printed, tmp_path):
        again = write_print_file(tmp_path / "again.pdf", iter(copies), title="Běh č. 1")
        assert again.path.read_bytes() == printed.path.read_bytes()

    def test_refuses_a_file_that_is_not_what_was_archived(self, copies, tmp_path):
        changed = tmp_path / "changed.pdf"
        changed.write_bytes(copies[0].path.read_bytes().replace(b"%%EOF", b"%%EOT"))
        bad = PrintCopy("c", changed, copies[0].sha256)
        with pytest.raises(NotPrintable):
            write_print_file(tmp_path / "run.pdf", [copies[1], bad], title="x")
        assert [path.name for path in tmp_path.iterdir()] == ["changed.pdf"]

    def test_refuses_a_file_of_another_make(self, tmp_path):
        buffer = BytesIO()
        with pikepdf.Pdf.new() as pdf:
            pdf.add_blank_page()
            pdf.save(buffer)
        other = tmp_path / "other.pdf"
        other.write_bytes(buffer.getvalue())
        with pytest.raises(NotPrintable):
            write_print_file(
                tmp_path / "run.pdf", [PrintCopy("c", other, sha256(buffer.getvalue()).digest())], title="x"
            )

    def test_makes_an_empty_file_of_no_copies(self, tmp_path):
        assert write_print_file(tmp_path / "run.pdf", [], title="x").pages == 0

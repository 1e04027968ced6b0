import random
import string
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
import segno
import zxingcpp
from PIL import Image

from catalogs.pdf.barcodes import NotEncodable, card_barcode, qr_barcode, voucher_barcode
from catalogs.pdf.drawing import POINTS_PER_MM, barcode


class TestCardBarcode:
    def test_is_ean_13_for_thirteen_digits_that_check(self):
        code = card_barcode("2912345678906")
        assert (code.symbology, code.modules, code.text) == ("EAN-13", 95, "2912345678906")
        assert code.bars[0] == (0, 1)
        assert sum(code.bars[-1]) == 95

    @pytest.mark.parametrize("number", ["2912345678903", "6001234567890128", "99900000017", "CARD-7"])
    def test_is_code_128_for_everything_else(self, number):
        assert card_barcode(number).symbology == "Code 128"

    def test_is_read_as_what_it_says_whatever_it_begins_with(self):
        draw = random.Random(7)
        pairs = [f"{pair:02}" for pair in range(100)]
        tails = ["", "7", "A", "00", "99", "9A9", "99999", "-W48", "GPP9PDDBHH7VEB"]
        numbers = [pair + tail for pair in pairs for tail in tails]
        numbers += [
            "".join(draw.choices(string.digits + "9ABab-", k=draw.randint(2, 16))) for _ in range(600)
        ]
        for number in numbers:
            code = card_barcode(number)
            image = Image.new("L", ((code.modules + 20) * 4, 40), 255)
            for start, width in code.bars:
                image.paste(0, ((start + 10) * 4, 5, (start + width + 10) * 4, 35))
            assert [one.text for one in zxingcpp.read_barcodes(image, try_downscale=False)] == [number]

    def test_refuses_what_no_till_could_read(self):
        with pytest.raises(NotEncodable):
            card_barcode("karta č. 1")

    def test_groups_the_digits_for_people(self):
        assert card_barcode("2912345678906").spaced == "2 912345 678906"


class TestVoucherBarcode:
    @pytest.mark.parametrize(
        ("code", "symbology", "made"),
        [
            ("2912345678906", "ean13", "EAN-13"),
            ("V7K2M9Q4XTRH", "code128", "Code 128"),
            ("KAVA-9QK4-7MTX", "qr", "QR"),
            ("KAVA-9QK4-7MTX-2026-W48", "code128", "QR"),
        ],
    )
    def test_is_what_the_batch_wants(self, code, symbology, made):
        assert voucher_barcode(code, symbology).symbology == made

    def test_refuses_thirteen_digits_that_do_not_check(self):
        with pytest.raises(NotEncodable):
            voucher_barcode("2912345678903", "ean13")


class TestQrBarcode:
    def test_has_the_modules_that_segno_gives_it(self):
        draw = random.Random(11)
        for length in (1, 2, 9, 14, 15, 26, 27, 40):
            text = "".join(draw.choices(string.ascii_letters + string.digits + "-/ ()", k=length))
            made = segno.make(text, error="m", micro=False, boost_error=False, mask=2, mode="byte")
            dark = {
                (row, at) for row, cells in enumerate(made.matrix) for at, cell in enumerate(cells) if cell
            }
            code = qr_barcode(text)
            assert dark == {
                (row, at)
                for row, runs in enumerate(code.rows)
                for start, width in runs
                for at in range(start, start + width)
            }

    @pytest.mark.parametrize("text", ["", "x" * 5_000])
    def test_refuses_what_makes_no_code(self, text):
        with pytest.raises(NotEncodable):
            qr_barcode(text)


class TestDrawn:
    @pytest.mark.parametrize("dots", [150, 300])
    @pytest.mark.parametrize(
        ("code", "width", "height", "kind"),
        [
            (card_barcode("2912345678906"), 60, 15, "EAN13"),
            (card_barcode("2912345678906"), 38, 12, "EAN13"),
            (card_barcode("V7K2M9Q4XTRH"), 60, 15, "Code128"),
            (card_barcode("70990000017"), 60, 15, "Code128"),
            (qr_barcode("KAVA-9QK4-7MTX"), 24, 24, "QRCode"),
            (qr_barcode("KAVA-9QK4-7MTX"), 80, 20, "QRCode"),
            (qr_barcode("žluťoučký kůň " * 4), 30, 30, "QRCode"),
        ],
    )
    def test_scans_from_paper_on_any_ground(self, code, width, height, kind, dots):
        """The quiet zone is inside the box: around it all is black."""
        with pikepdf.Pdf.new() as pdf:
            margin = 10 * POINTS_PER_MM
            wide, tall = width * POINTS_PER_MM, height * POINTS_PER_MM
            page = pdf.add_blank_page(page_size=(wide + 2 * margin, tall + 2 * margin))
            page.Contents = pdf.make_stream(
                f"0 g 0 0 999 999 re f 1 g {margin} {margin} {wide} {tall} re f "
                f"1 0 0 1 {margin} {margin} cm {barcode(code, width, height)}".encode()
            )
            buffer = BytesIO()
            pdf.save(buffer)
        image = pypdfium2.PdfDocument(buffer.getvalue())[0].render(scale=dots / 72).to_pil()
        found = zxingcpp.read_barcodes(image)
        assert [(one.text, one.format.name) for one in found] == [(code.text, kind)]

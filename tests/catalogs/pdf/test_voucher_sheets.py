import subprocess
from datetime import date

import pytest
import zxingcpp
from PIL import Image

from catalogs.pdf.voucher_sheets import Leaf, voucher_sheets
from core.money import Money

# Of codes drawn anew each run a few in ten thousand pictures hold a second, wrong one for the scanner.
CODES = (
    *("XERKRG0W1CE1W5V9", "2VPJ1BF493ZSFQK8", "J7X1YYFJE6BB36SW", "MX4GHD2NA8NZG2HA", "4K8DNBTMYTGFRVGC"),
    *("XTFDCGYDXAS4T8AB", "RT0N7VB76X3SAM0R", "1R9MY6G6CZBMS5GY", "99XERKRG0W1CE1W5", "0000000000000099"),
)
EANS = (
    *("2721084300784", "2769452211768", "2760141343241", "2745777888519"),
    *("2758016636352", "2751205382351", "2766112752470", "2763333418239"),
)


def leaf(code: str, symbology: str = "code128", **parts) -> Leaf:
    given = {
        "name": "Poukázka na příště",
        "value": Money(5000, "CZK"),
        "minimum": Money(30000, "CZK"),
        "valid_until": date(2026, 12, 21),
    }
    return Leaf(code, symbology=symbology, **given | parts)


def printed(leaves: list[Leaf], folder, language: str = "cs") -> tuple[str, list[str]]:
    """Return the words of the sheets, and what a scanner reads off them at 300 dots per inch."""
    file = folder / "sheet.pdf"
    file.write_bytes(voucher_sheets(leaves, language=language))
    text = subprocess.run(["pdftotext", file, "-"], check=True, capture_output=True, text=True).stdout
    subprocess.run(["pdftoppm", "-r", "300", "-gray", "-png", file, folder / "page"], check=True)
    pages = [Image.open(page) for page in sorted(folder.glob("page*.png"))]
    # A third of the dots is fewer than two a bar, and of hundreds of codes one is then read as something else, too.
    scanned = [zxingcpp.read_barcodes(page, try_downscale=False) for page in pages]
    return text, [found.text for page in scanned for found in page]


class TestVoucherSheets:
    @pytest.mark.parametrize("symbology", ["code128", "qr"])
    def test_scan_as_what_they_are(self, tmp_path, symbology):
        _, scanned = printed([leaf(code, symbology) for code in CODES], tmp_path)
        assert sorted(scanned) == sorted(CODES)

    def test_scan_as_ean_13_where_the_code_is_one(self, tmp_path):
        _, scanned = printed([leaf(code, "ean13") for code in EANS], tmp_path)
        assert sorted(scanned) == sorted(EANS)

    def test_scan_even_when_a_code_from_elsewhere_is_long(self, tmp_path):
        code = "ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ"
        assert printed([leaf(code)], tmp_path)[1] == [code]

    def test_say_what_they_are_worth_from_when_until_when_and_where(self, tmp_path):
        text, _ = printed([leaf(CODES[0], stores="Praha 1, Brno")], tmp_path)
        said = text.replace("\N{NO-BREAK SPACE}", " ")
        for words in ("Poukázka na příště", "50,00 Kč", "300,00 Kč", "21. 12. 2026", "Praha 1, Brno"):
            assert words in said

    def test_of_a_key_to_an_offer_name_no_value(self, tmp_path):
        text, scanned = printed(
            [leaf("KEY-1234", value=None, minimum=None, valid_until=None)], tmp_path, "en"
        )
        assert "CZK" not in text
        assert scanned == ["KEY-1234"]

    def test_are_the_same_bytes_for_the_same_vouchers(self):
        leaves = [leaf("ABCD-1234")]
        assert voucher_sheets(leaves, language="pl") == voucher_sheets(leaves, language="pl")

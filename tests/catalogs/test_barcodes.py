import pytest

from catalogs.barcodes import NotEncodable, card_barcode


class TestCardBarcode:
    def test_is_ean_13_for_thirteen_digits_that_check(self):
        code = card_barcode("2912345678906")
        assert (code.symbology, code.modules, code.text) == ("EAN-13", 95, "2912345678906")
        assert code.bars[0] == (0, 1)
        assert sum(code.bars[-1]) == 95

    @pytest.mark.parametrize("number", ["2912345678903", "6001234567890128", "99900000017", "CARD-7"])
    def test_is_code_128_for_everything_else(self, number):
        assert card_barcode(number).symbology == "Code 128"

    def test_refuses_what_no_till_could_read(self):
        with pytest.raises(NotEncodable):
            card_barcode("karta č. 1")

    def test_groups_the_digits_for_people(self):
        assert card_barcode("2912345678906").spaced == "2 912345 678906"

from decimal import Decimal

import pytest
from stdnum import ean

from sales.barcodes import BadPattern, Decoded, Layout, NotInStore, decode, is_in_store, value_check_digit

WEIGHT = Layout("28IIIIIVVVVVC", "weight", 3, "sku")
PRICE = Layout("22IIIIKVVVVVC", "price", 2, "sku_unpadded")
BASE = Layout("29IIIIIVVVVVC", "weight", 3, "gtin")


def coded(digits: str) -> str:
    return digits + ean.calc_check_digit(digits)


class TestDecode:
    def test_reads_a_weight_in_grams(self):
        assert decode(coded("281234500754"), [WEIGHT]) == Decoded("12345", None, "weight", Decimal("0.754"))

    def test_reads_a_price_with_its_check_digit(self):
        code = coded(f"220042{value_check_digit('14685')}14685")
        assert decode(code, [PRICE]) == Decoded("42", None, "price", Decimal("146.85"))

    def test_names_the_article_by_its_code_without_a_value(self):
        found = decode(coded("291234500754"), [BASE])
        assert found == Decoded(None, "0" + coded("291234500000"), "weight", Decimal("0.754"))

    def test_takes_the_layout_of_the_longest_prefix(self):
        narrow = Layout("2812IIIVVVVVC", "quantity", 0, "sku")
        assert decode(coded("281234500003"), [WEIGHT, narrow]).sku == "345"

    def test_reads_fourteen_digits_too(self):
        assert decode("0" + coded("281234500754"), [WEIGHT]).sku == "12345"

    @pytest.mark.parametrize(
        "code",
        [
            coded("281234500754")[:-1] + "0",
            coded("271234500754"),
            coded("220042014685"),
            "8594001021512",
            "28123",
            "२८१२३४५००७५४२",
            "",
        ],
    )
    def test_refuses_what_no_layout_describes(self, code):
        with pytest.raises(NotInStore):
            decode(code, [WEIGHT, PRICE, BASE])


class TestValueCheckDigit:
    """The examples of GS1's General Specifications."""

    def test_agrees_for_four_digits(self):
        assert value_check_digit("2875") == "9"

    def test_agrees_for_five_digits(self):
        assert value_check_digit("14685") == "6"

    @pytest.mark.parametrize("length", [4, 5])
    def test_tells_any_wrong_digit(self, length):
        value = "2" * length
        wrong = [value[:at] + "7" + value[at + 1 :] for at in range(length)]
        assert value_check_digit(value) not in {value_check_digit(one) for one in wrong}


class TestLayout:
    @pytest.mark.parametrize(
        "pattern",
        [
            "",
            "28IIIIIVVVVV",
            "18IIIIIVVVVVC",
            "2IIIIIIVVVVVC",
            "28VVVVVIIIIIC",
            "28IIIIIKVVVCC",
            "28IIIKVVVVVVC",
        ],
    )
    def test_refuses_a_pattern_that_is_none(self, pattern):
        with pytest.raises(BadPattern):
            Layout(pattern, "weight", 3, "sku")


class TestIsInStore:
    def test_is_about_the_prefix_alone(self):
        assert is_in_store("2000000000001")
        assert is_in_store("02000000000001")
        assert not is_in_store("8594001021512")
        assert not is_in_store(None)

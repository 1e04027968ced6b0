import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean, luhn

from customers.cardnumbers import BadCardNumber, is_card_number, normalise_card_number

digits = st.text("0123456789", min_size=7, max_size=18)


class TestNormaliseCardNumber:
    def test_takes_the_contracts_example(self):
        assert normalise_card_number("2990000000019") == "2990000000019"

    def test_leaves_out_spaces_and_hyphens(self):
        assert normalise_card_number(" 2990-0000 00019 ") == "2990000000019"

    @pytest.mark.parametrize(
        "text", ["", "2990000000018", "abc", "29900000000190", "٢٩٩٠٠٠٠٠٠٠٠١٩", "1234567", "1" * 20]
    )
    def test_refuses_what_is_no_card_number(self, text):
        with pytest.raises(BadCardNumber):
            normalise_card_number(text)


class TestIsCardNumber:
    @given(digits)
    def test_takes_every_luhn_number_that_is_no_in_house_one(self, beginning):
        number = beginning + luhn.calc_check_digit(beginning)
        assert is_card_number(number) or (len(number) == 13 and number.startswith("2"))

    @given(st.text("0123456789", min_size=11, max_size=11))
    def test_takes_every_in_house_ean_and_none_with_another_check_digit(self, middle):
        beginning = "2" + middle
        right = ean.calc_check_digit(beginning)
        for digit in "0123456789":
            assert is_card_number(beginning + digit) == (digit == right)

from sys import getrefcount

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from sales.articlecodes import BadGtin, find_gtin, normalise_gtin


def holders(text: str) -> int:
    return getrefcount(text)


class TestNormaliseGtin:
    @pytest.mark.parametrize(
        ("text", "gtin"),
        [
            ("96385074", "00000096385074"),
            ("036000291452", "00036000291452"),
            ("4006381333931", "04006381333931"),
            (" 4006381333931 ", "04006381333931"),
            ("10012345678902", "10012345678902"),
        ],
    )
    def test_returns_fourteen_digits(self, text, gtin):
        assert normalise_gtin(text) == gtin

    @pytest.mark.parametrize(
        "text", ["", "4006381333932", "400638133393", "abcdefgh", "40063813339310", "٩٦٣٨٥٠٧٤"]
    )
    def test_refuses_what_is_no_gtin(self, text):
        with pytest.raises(BadGtin):
            normalise_gtin(text)


class TestFindGtin:
    def test_remembers_nothing_that_has_not_the_form_of_a_code(self):
        text = "".join(["tea"] * 100_000)
        before, found, after = holders(text), find_gtin(text), holders(text)
        assert found is None
        assert after == before

    @given(st.sampled_from((7, 11, 12, 13)), st.data())
    def test_notices_every_wrong_check_digit(self, length, data):
        beginning = data.draw(st.text("0123456789", min_size=length, max_size=length))
        right = ean.calc_check_digit(beginning)
        for digit in "0123456789":
            found = find_gtin(beginning + digit)
            assert found == ((beginning + digit).zfill(14) if digit == right else None)

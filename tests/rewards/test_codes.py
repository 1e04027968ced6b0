import string

from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from rewards.codes import SIGNS, has_its_check, new_code, new_ean, new_pickup_code, typed

CODES = st.builds(new_code)


class TestNewCode:
    @given(CODES)
    def test_is_sixteen_signs_that_nobody_mistakes_with_a_check(self, code):
        assert len(code) == 16
        assert set(code) <= set(SIGNS)
        assert has_its_check(code)

    @given(CODES, st.integers(0, 15), st.sampled_from(string.digits + string.ascii_uppercase))
    def test_with_one_wrong_sign_has_no_check(self, code, place, sign):
        wrong = code[:place] + sign + code[place + 1 :]
        assert has_its_check(wrong) == (wrong == code)

    def test_never_comes_twice(self):
        assert len({new_code() for _ in range(10_000)}) == 10_000


class TestNewEan:
    def test_is_an_in_house_ean_13(self):
        number = new_ean("27")
        assert ean.is_valid(number)
        assert (len(number), number[:2]) == (13, "27")


class TestTyped:
    def test_is_the_code_without_the_spaces_it_is_printed_with(self):
        assert typed(" 0abc defg 1234 xyz9\n") == "0ABCDEFG1234XYZ9"


class TestNewPickupCode:
    def test_can_be_said_at_a_counter(self):
        assert len(new_pickup_code()) == 6

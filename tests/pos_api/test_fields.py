"""Fields take what the contract says to the letter and convert nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from pos_api.fields import (
    LARGEST_AMOUNT,
    Amount,
    Choice,
    Code,
    Currency,
    Day,
    Moment,
    Pattern,
    Quantity,
    TaxRate,
    Text,
    Truth,
    day_of,
    moment_of,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = [
    Amount(),
    Choice("sale", "return"),
    Code(),
    Currency(),
    Day(),
    Moment(),
    Pattern("[0-9]+", "Digits."),
    Quantity(),
    TaxRate(),
    Text(),
    Truth(),
]


def taken(field, value):
    try:
        return field.deserialize(value)
    except ValidationError:
        return "refused"


class TestEveryField:
    @given(value=ANYTHING)
    def test_takes_a_value_or_refuses_it(self, value):
        answers = [taken(field, value) for field in FIELDS]
        assert all(answer == "refused" or answer is not None or value is None for answer in answers)

    @pytest.mark.parametrize("field", FIELDS, ids=lambda field: type(field).__name__)
    def test_says_its_json_schema(self, field):
        assert "type" in field.metadata


class TestAmount:
    @pytest.mark.parametrize("value", [1.0, "1", True, [1], 10**14 + 1, -(10**14) - 1, 10**400])
    def test_is_an_integer_within_bounds_and_nothing_else(self, value):
        assert taken(Amount(), value) == "refused"

    def test_may_have_either_sign(self):
        assert [taken(Amount(), value) for value in (-LARGEST_AMOUNT, 0, LARGEST_AMOUNT)] == [
            -LARGEST_AMOUNT,
            0,
            LARGEST_AMOUNT,
        ]

    def test_fills_no_more_than_64_bits_over_all_lines_of_a_body(self):
        shortest_line = (
            '{"sku":"1","line_number":1,"unit_price":1,"total_amount":1,"tax_rate":"0","quantity":"1"},'
        )
        assert LARGEST_AMOUNT * (1_048_576 // len(shortest_line)) < 2**63


class TestQuantity:
    @pytest.mark.parametrize(
        ("text", "number"), [("2", "2"), ("2.0", "2"), ("0.754", "0.754"), ("007", "7"), ("0.001", "0.001")]
    )
    def test_is_a_decimal_string(self, text, number):
        assert taken(Quantity(), text) == Decimal(number)

    @pytest.mark.parametrize(
        "value",
        [
            1,
            1.5,
            "0",
            "0.000",
            "-1",
            "+1",
            "1.",
            ".5",
            "1.0000",
            "1e3",
            "1,5",
            " 1",
            "1\n",
            "NaN",
            "Infinity",
            "٣",
            "1" * 10,
            "",
        ],
    )
    def test_is_nothing_else(self, value):
        assert taken(Quantity(), value) == "refused"


class TestTaxRate:
    @pytest.mark.parametrize("text", ["0", "21", "5.5", "12.25", "999.99"])
    def test_is_per_cent_with_at_most_two_decimals(self, text):
        assert taken(TaxRate(), text) == Decimal(text)

    @pytest.mark.parametrize("value", [21, "-1", "1.125", "1000", "21%"])
    def test_is_nothing_else(self, value):
        assert taken(TaxRate(), value) == "refused"


class TestDayOf:
    def test_names_a_day_of_this_century(self):
        assert day_of("2028-02-29") == date(2028, 2, 29)
        assert day_of("2000-01-01") == date(2000, 1, 1)
        assert day_of("2099-12-31") == date(2099, 12, 31)

    @pytest.mark.parametrize(
        "text",
        [
            "1999-12-31",
            "2100-01-01",
            "2026-02-29",
            "2026-13-01",
            "20261121",
            "2026-W47-6",
            "2026-11-21T00:00:00Z",
            "2026-11-21 ",
            "٢٠٢٦-11-21",
        ],
    )
    def test_names_no_other(self, text):
        assert day_of(text) is None


class TestMomentOf:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-11-21T10:16:02+01:00",
            "2026-11-21T09:16:02Z",
            "2026-11-21t09:16:02z",
            "2026-11-21T09:16:02.000+00:00",
            "2026-11-21T09:16:02-00:00",
            "2026-11-21T03:46:02.000000000-05:30",
        ],
    )
    def test_is_the_same_instant_in_every_offset(self, text):
        assert moment_of(text) == datetime(2026, 11, 21, 9, 16, 2, tzinfo=UTC)

    def test_is_cut_to_microseconds(self):
        assert moment_of("2026-11-21T09:16:02.1234567Z") == datetime(2026, 11, 21, 9, 16, 2, 123456, UTC)

    def test_may_be_that_of_an_odd_clock(self):
        assert moment_of("1970-01-01T00:00:00Z") == datetime(1970, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text",
        [
            "2026-11-21T10:16:02",
            "2026-11-21T10:16Z",
            "2026-11-21 10:16:02Z",
            "2026-11-21T10:16:02+0100",
            "2026-11-21T10:16:02+01",
            "2026-11-21T10:16:02+24:00",
            "2026-11-21T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2026-02-29T10:16:02Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-23:59",
            "2026-11-21T10:16:02.Z",
            "2026-11-21T10:16:02Z\n",
            "",
        ],
    )
    def test_is_nothing_without_an_offset_or_off_the_calendar(self, text):
        assert moment_of(text) is None


class TestCurrency:
    @pytest.mark.parametrize("code", ["CZK", "EUR", "PLN", "USD", "JPY"])
    def test_is_a_code_of_iso_4217(self, code):
        assert taken(Currency(), code) == code

    @pytest.mark.parametrize("code", ["czk", "CZ", "CZKK", "ZZZ", "Kč", "", 203])
    def test_is_nothing_else(self, code):
        assert taken(Currency(), code) == "refused"

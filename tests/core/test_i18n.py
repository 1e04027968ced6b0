"""How the house writes moments, money and numbers in each of its languages."""

from datetime import UTC, datetime

import pytest
from babel.numbers import format_decimal

from core.i18n import LANGUAGES, show_moment, show_money, show_number
from core.money import Money

MOMENT = datetime(2026, 11, 7, 23, 5, tzinfo=UTC)


class TestShowMoment:
    @pytest.mark.parametrize(
        ("language", "written"),
        [
            ("en", "Nov 8, 2026, 12:05\N{NARROW NO-BREAK SPACE}AM"),
            ("cs", "8. 11. 2026 0:05"),
            ("sk", "8. 11. 2026, 0:05"),
            ("pl", "8 lis 2026, 00:05"),
        ],
    )
    def test_writes_the_year_in_full_on_the_clock_that_was_asked_for(self, language, written):
        assert show_moment(MOMENT, language, "Europe/Prague") == written


class TestShowMoney:
    @pytest.mark.parametrize(
        ("language", "currency", "written"),
        [
            ("cs", "CZK", "1_234,50_Kč"),
            ("pl", "PLN", "1_234,50_zł"),
            ("sk", "EUR", "1_234,50_€"),
            ("en", "CZK", "CZK_1,234.50"),
            ("en", "EUR", "€1,234.50"),
        ],
    )
    def test_keeps_amount_and_currency_apart_but_on_one_line(self, language, currency, written):
        assert show_money(Money(123450, currency), language) == written.replace("_", "\N{NO-BREAK SPACE}")


class TestShowNumber:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_groups_whole_numbers_as_the_language_does(self, language):
        for number in (
            0,
            7,
            999,
            1000,
            9999,
            12_345,
            999_999,
            1_234_567,
            10**12,
            -1,
            -999,
            -1000,
            -1_234_567,
        ):
            assert show_number(number, language) == format_decimal(number, locale=language)
            assert show_number(number, language, digits=0) == format_decimal(
                number, format="#,##0", locale=language
            )

    def test_writes_as_many_decimals_as_are_asked_for(self):
        assert show_number(1234, "cs", digits=2) == "1\N{NO-BREAK SPACE}234,00"

"""How the house writes moments in each of its languages."""

from datetime import UTC, datetime

import pytest

from core.i18n import show_moment, show_money
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

from decimal import Decimal

import pytest

from catalogs.prices import PIECE, Measure, find_measure, set_price
from core.money import Money


class TestFindMeasure:
    @pytest.mark.parametrize(
        ("text", "amount", "unit"),
        [
            ("Máslo 250 g", "0.25", "kg"),
            ("Pivo 0,5 l", "0.5", "l"),
            ("Voda 6 x 1,5 l", "9", "l"),
            ("Víno 75 cl", "0.75", "l"),
            ("Šunka 15 dkg", "0.15", "kg"),
            ("Cream cheese 8 oz", "8", "oz"),
            ("Fluid milk 1 ga", "1", "gal"),
            ("Muffin mix 8 1/2 oz", "8.5", "oz"),
            ("Cheese 1/2 oz", "0.5", "oz"),
            ("Sugar 16 ozs", "16", "oz"),
            ("Vejce M podestýlka 10 ks", "10", PIECE),
            ("Chusteczki 10 x 10 szt.", "100", PIECE),
            ("Toaletní papír třívrstvý 16 rolí", "16", PIECE),
            ("Eggs - large 1 dz", "12", PIECE),
            ("Čaj 20 ks 40 g", "0.04", "kg"),
            ("Sirup 0,125 l", "0.125", "l"),
            ("Pleny 4 9-14 kg 46 ks", "46", PIECE),
        ],
    )
    def test_reads_what_a_package_holds(self, text, amount, unit):
        assert find_measure(text) == Measure(Decimal(amount), unit)

    @pytest.mark.parametrize(
        "text",
        [
            "Bananas 40 lb",
            "Rohlík",
            "Soft drink 12 pk 12 oz",
            "Žárovka 60 W",
            "Model 500glx",
            "Vejce 0 ks",
            "Velikost 4-6 ks",
            "Voda 1 500 ml",
            "Mouka 1.000 g",
            "Mąka 1,000 g",
        ],
    )
    def test_states_nothing_where_nothing_is_known(self, text):
        assert find_measure(text) is None


class TestSetPrice:
    def test_takes_a_price_apart_as_the_language_writes_it(self):
        price = set_price(Money(129990, "CZK"), "cs")
        assert (price.whole, price.separator, price.decimals, price.symbol) == ("1\xa0299", ",", "90", "Kč")
        assert not price.symbol_first

    def test_puts_the_dollar_first_in_english_only(self):
        assert set_price(Money(379, "USD"), "en").spoken == "$3.79"
        assert set_price(Money(379, "PLN"), "pl").spoken == "3,79 zł"

    def test_states_the_price_per_unit_where_the_measure_is_known(self):
        price = set_price(Money(5490, "CZK"), "cs", measure=find_measure("Máslo 250 g"))
        assert price.unit == "1\xa0kg\xa0=\xa0219,60\xa0Kč"
        assert set_price(Money(2490, "CZK"), "cs", measure=find_measure("Mléko 1 l")).unit == "1\xa0l"
        assert set_price(Money(2490, "CZK"), "cs", sold_by="kg").unit == "1\xa0kg"
        assert set_price(Money(2490, "CZK"), "cs").unit == ""

    @pytest.mark.parametrize(
        ("language", "unit"),
        [("en", "1 pc = CZK 6.99"), ("cs", "1 ks = 6,99 Kč"), ("sk", "1 ks = 6,99 CZK"), ("pl", "1 szt. = 6,99 CZK")],
    )  # fmt: skip
    def test_states_the_price_of_one_piece_of_what_is_counted(self, language, unit):
        price = set_price(Money(6990, "CZK"), language, measure=find_measure("Vejce 10 ks"))
        assert price.unit.replace("\xa0", " ").replace("Kč", "CZK") == unit.replace("Kč", "CZK")
        assert set_price(Money(6990, "CZK"), language, measure=find_measure("Meloun 1 ks")).unit == ""

    def test_states_no_price_per_unit_that_rounds_to_nothing(self):
        assert not set_price(Money(990, "CZK"), "cs", measure=find_measure("Sponky 9000 ks")).unit

    def test_has_no_decimals_in_a_currency_without_them(self):
        price = set_price(Money(500, "JPY"), "en")
        assert (price.whole, price.separator, price.decimals) == ("500", "", "")

import pytest

from basket_analysis.groups.naming import choose_names, name_theme, names_of, tidy
from core.i18n import LANGUAGES


class TestNameTheme:
    @pytest.mark.parametrize(
        ("items", "name"),
        [
            (["DELI MEATS", "CHEESES", "ROLLS"], "Deli meats & cheeses"),
            (["VEGETABLES - ALL OTHERS", "VEGETABLES SALAD", "ONIONS"], "Vegetables & vegetables salad"),
            (["VEGETABLES SALAD", "VEGETABLES - ALL OTHERS", "ONIONS"], "Vegetables salad & onions"),
            (["BABY FOODS", "DIAPERS & DISPOSABLES"], "Baby foods, diapers & disposables"),
            (["FRZN MEAT/MEAT DINNERS", "FROZEN PIZZA"], "Frozen meat & frozen pizza"),
            (["TEA"], "Tea"),
            (["Čaje", "Džemy a med"], "Čaje & Džemy a med"),
            ([" / ", "TEA"], "Tea"),
        ],
    )
    def test_says_the_best_tied_items(self, items, name):
        assert name_theme(*choose_names([items])) == name

    def test_is_joined_as_each_language_joins(self):
        assert names_of(["Mléko", "PEČIVO"]) == {
            "en": "Mléko & pečivo",
            "cs": "Mléko & pečivo",
            "sk": "Mléko & pečivo",
            "pl": "Mléko & pečivo",
        }

    def test_begins_with_a_capital_and_goes_on_in_small_ones(self):
        assert name_theme(["FLUID MILK PRODUCTS", "CHEESE"]) == "Fluid milk products & cheese"

    def test_is_nothing_where_no_item_says_anything(self):
        assert names_of([]) == dict.fromkeys(LANGUAGES, "")
        assert choose_names([[], ["/", "-"]]) == [(), ()]


class TestChooseNames:
    def test_names_no_two_themes_alike(self):
        themes = [["MILK/FRESH", "BREAD", "JAM"], ["MILK/LONG LIFE", "BREAD", "HONEY"], ["MILK", "BREAD"]]
        chosen = choose_names(themes)
        assert [name_theme(items) for items in chosen[:2]] == ["Milk & bread", "Milk & honey"]
        assert chosen[2] == ("MILK", "BREAD"), "there is nothing else that it could be called"

    def test_goes_on_with_a_name_while_its_items_stay(self):
        assert choose_names([["TEA", "MILK", "RUSK"]], [("RUSK", "MILK")]) == [("RUSK", "MILK")]

    def test_names_anew_what_lost_an_item_of_its_name(self):
        assert choose_names([["TEA", "MILK"]], [("RUSK", "MILK")]) == [("TEA", "MILK")]

    def test_lets_the_older_name_have_the_first_choice(self):
        assert choose_names([["TEA", "MILK", "JAM"], ["MILK", "TEA", "RUSK"]], [(), ("MILK", "TEA")]) == [
            ("TEA", "JAM"),
            ("MILK", "TEA"),
        ]


class TestTidy:
    @pytest.mark.parametrize(
        ("item", "words"),
        [
            ("DRY NOODLES/PASTA", "dry noodles"),
            ("SEAFOOD - FROZEN", "seafood"),
            ("MISC. DAIRY", "misc. dairy"),
            ("PWDR/CRYSTL DRNK MX", "powder"),
            ("Bio Joghurt", "Bio Joghurt"),
            ("CANDY (CHECKLANE)", "candy"),
            ("SOAPS OF ALL KINDS AND SIZES", "soaps of all kinds"),
            ("CARE OF FACE AND HANDS", "care of face"),
            ("  SOUP  ", "soup"),
        ],
    )
    def test_makes_words_presentable(self, item, words):
        assert tidy(item) == words

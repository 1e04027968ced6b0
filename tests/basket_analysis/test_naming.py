import pytest

from basket_analysis.naming import name_theme, tidy


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
        assert name_theme(items) == name


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
            ("  SOUP  ", "soup"),
        ],
    )
    def test_makes_words_presentable(self, item, words):
        assert tidy(item) == words

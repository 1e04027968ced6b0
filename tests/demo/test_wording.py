import pytest

from demo.wording import article_name


class TestArticleName:
    @pytest.mark.parametrize(
        ("kind", "category", "department", "size", "name"),
        [
            ("POTATO CHIPS", "BAG SNACKS", "GROCERY", "16 OZ", "Potato chips 16 oz"),
            ("BREAD:ITALIAN/FRENCH", "BREAD", "PASTRY", None, "Bread: Italian/French"),
            ("CANDY BARS (SINGLES)(INCLUDING", "CANDY", "DRUG GM", None, "Candy bars (singles)"),
            (
                "SFT DRNK 2 LITER BTL CARB INCL",
                "SOFT DRINKS",
                "GROCERY",
                "2 L",
                "Soft drink 2 liter bottle carbonated including 2 l",
            ),
            (
                "PREMIUM",
                "ICE CREAM/MILK/SHERBTS",
                "GROCERY",
                "56 OZ",
                "Ice cream/milk/sherbts: premium 56 oz",
            ),
            ("BANANAS", "TROPICAL FRUIT", "PRODUCE", "40 LB", "Bananas"),
            (
                "NATURAL CHEESE EXACT WT SLICES",
                "CHEESE",
                "GROCERY",
                "AB    8 OZ",
                "Natural cheese exact weight slices 8 oz",
            ),
            (None, None, "MISCELLANEOUS", None, "Miscellaneous article"),
        ],
    )
    def test_can_be_shown(self, kind, category, department, size, name):
        assert article_name(kind, category, department, size) == name

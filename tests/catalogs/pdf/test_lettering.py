from hypothesis import given
from hypothesis import strategies as st

from catalogs.pdf.lettering import (
    MM_PER_POINT,
    Box,
    Paragraph,
    PriceStyle,
    break_lines,
    set_block,
    set_price_runs,
)
from catalogs.pdf.typefaces import load_typeface
from catalogs.prices import set_price
from core.money import Money

TEXT = "Figtree_500Medium.ttf"
CUT = "Rowdies_700Bold.ttf"
STYLE = PriceStyle(CUT, TEXT, 60, "#000000", "#000000", TEXT, 8)
PARAGRAPH = Paragraph(TEXT, (14.0, 11.0, 9.0), "#000000", lines=2, hyphenate=True)


def _right(run) -> float:
    return run.x + load_typeface(run.face).width(run.text, run.size) * MM_PER_POINT


class TestSetBlock:
    @given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=120))
    def test_never_leaves_its_box_to_the_right_whatever_the_name(self, text):
        for run in set_block([(PARAGRAPH, text)], Box(10, 10, 45, 20), language="cs"):
            assert run.x >= 9.99
            assert _right(run) <= 55.01

    @given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=120))
    def test_never_takes_more_lines_than_allowed(self, text):
        assert len({run.y for run in set_block([(PARAGRAPH, text)], Box(0, 0, 45, 20), language="pl")}) <= 2

    def test_takes_the_largest_size_that_fits(self):
        short = set_block([(PARAGRAPH, "Mléko")], Box(0, 0, 45, 20), language="cs")
        long = set_block(
            [(PARAGRAPH, "Šunka od kosti nejvyšší jakosti krájená")], Box(0, 0, 45, 20), language="cs"
        )
        assert short[0].size == 14
        assert long[0].size < 14

    def test_ends_what_is_too_long_in_three_dots(self):
        runs = set_block([(PARAGRAPH, "slovo " * 60)], Box(0, 0, 45, 20), language="cs")
        assert runs[-1].text.endswith("…")


class TestBreakLines:
    def test_keeps_bound_words_together(self):
        lines = break_lines(PARAGRAPH, "Těstoviny a\xa0sýry", 14, 28, "cs")
        assert lines == ["Těstoviny", "a\xa0sýry"]

    def test_hyphenates_by_the_rules_of_the_language_only_what_is_too_wide(self):
        assert break_lines(PARAGRAPH, "bezsemenné", 14, 18, "cs") == ["bezse-", "menné"]


class TestSetPriceRuns:
    @given(
        st.integers(1, 999_999_99),
        st.sampled_from(["CZK", "EUR", "PLN", "USD"]),
        st.sampled_from(["en", "cs", "sk", "pl"]),
    )
    def test_never_breaks_and_never_leaves_its_box(self, minor, currency, language):
        box = Box(5, 5, 40, 22)
        price = set_price(Money(minor, currency), language, sold_by="kg")
        for run in set_price_runs(price, box, STYLE):
            assert run.x >= 4.99
            assert _right(run) <= 45.01
            assert 5 <= run.y <= 27

    def test_is_as_large_as_the_box_allows(self):
        small = set_price_runs(set_price(Money(199900, "CZK"), "cs"), Box(0, 0, 30, 22), STYLE)
        large = set_price_runs(set_price(Money(990, "CZK"), "cs"), Box(0, 0, 30, 22), STYLE)
        assert max(run.size for run in small) < max(run.size for run in large)

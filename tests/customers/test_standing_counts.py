from hypothesis import given
from hypothesis import strategies as st

from customers.models import PHASES, VALUE_CLASSES
from customers.standing_counts import FEWEST, kept_back

ROWS, COLUMNS = ("a", "b", "c"), ("x", "y", "z")
TABLES = st.dictionaries(
    st.tuples(st.sampled_from(ROWS), st.sampled_from(COLUMNS)), st.integers(min_value=0, max_value=40)
)


class TestKeptBack:
    def test_says_what_nobody_can_be_told_from(self):
        counted = {(row, column): 10 + number for number, row in enumerate(ROWS) for column in COLUMNS}
        assert kept_back(counted, ROWS, COLUMNS) == counted

    def test_says_nothing_of_one_to_nine_but_that_nobody_is_there(self):
        shown = kept_back({("a", "x"): 9, ("a", "y"): 1, ("b", "x"): 3, ("b", "y"): 4}, ROWS, COLUMNS)
        assert shown["a", "x"] is None
        assert shown["c", "z"] == 0

    def test_leaves_no_hidden_count_to_be_computed_from_a_sum(self):
        shown = kept_back({("a", "x"): 3, ("a", "y"): 500, ("a", "z"): 20, ("b", "x"): 70}, ROWS, COLUMNS)
        assert [cell for cell, count in shown.items() if count is None] == [
            ("a", "x"),
            ("a", "z"),
            ("b", "x"),
        ]

    def test_hides_on_until_what_is_hidden_in_a_line_is_of_ten_people(self):
        counted = {
            ("a", "x"): 1,
            ("a", "y"): 2,
            ("a", "z"): 20,
            ("b", "x"): 30,
            ("b", "y"): 40,
            ("b", "z"): 50,
        }
        shown = kept_back(counted, ROWS, COLUMNS)
        assert [shown["a", column] for column in COLUMNS] == [None, None, None]

    @given(TABLES)
    def test_holds_for_every_table(self, counted: dict[tuple[str, str], int]):
        shown = kept_back(counted, ROWS, COLUMNS)
        assert all(count is None or count == 0 or count >= FEWEST for count in shown.values())
        for lines in (
            [[(row, column) for column in COLUMNS] for row in ROWS],
            [[(row, column) for row in ROWS] for column in COLUMNS],
        ):
            for line in lines:
                hidden = [counted[cell] for cell in line if shown[cell] is None]
                told = any(shown[cell] for cell in line)
                assert len(hidden) != 1 or not told
                assert sum(hidden) == 0 or sum(hidden) >= FEWEST or not told

    def test_knows_the_words_of_the_database(self):
        assert len(kept_back({}, PHASES, VALUE_CLASSES)) == 24

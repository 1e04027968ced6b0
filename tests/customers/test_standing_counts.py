from hypothesis import given
from hypothesis import strategies as st

from customers.models import PHASES, VALUE_CLASSES
from customers.standing_counts import ALL, FEWEST, kept_back, said_with_sums

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

    def test_keeps_nothing_back_for_nothing(self):
        counted = {("a",): 3, ("b",): 20, ("c",): 30}
        assert kept_back(counted, "abc", public={("b",)}) == {("a",): None, ("b",): 20, ("c",): None}

    def test_knows_the_words_of_the_database(self):
        assert len(kept_back({}, PHASES, VALUE_CLASSES)) == 24


GROUPED = st.dictionaries(
    st.tuples(st.sampled_from("tuv"), st.sampled_from("abc"), st.sampled_from("xy")),
    st.integers(min_value=0, max_value=40),
)


class TestSaidWithSums:
    def test_leaves_no_group_to_be_computed_from_everybody_less_the_others(self):
        # Eleven and one of a phase and a value: everybody's twelve less the eleven would be the one.
        counted = {("t", "a", "x"): 11, ("u", "a", "x"): 1, ("t", "b", "y"): 90, ("u", "b", "y"): 80}
        shown = said_with_sums(counted, "ab", "xy")
        assert shown["u", "a", "x"] is None
        assert None in {shown["t", "a", "x"], shown[ALL, "a", "x"]}

    @given(GROUPED)
    def test_no_sum_tells_of_fewer_than_ten(self, counted: dict[tuple[str, str, str], int]):
        shown = said_with_sums(counted, "abc", "xy")
        assert all(count is None or count == 0 or count >= FEWEST for count in shown.values())
        groups = sorted({group for group, _phase, _value in counted})
        for phase in (ALL, *"abc"):
            for value in (ALL, *"xy"):
                everybody = shown[ALL, phase, value]
                hidden = [group for group in groups if shown[group, phase, value] is None]
                if everybody is None or (phase, value) == (ALL, ALL):
                    continue
                rest = everybody - sum(shown[group, phase, value] or 0 for group in groups)
                assert rest == 0 or len(hidden) > 1
                assert rest == 0 or rest >= FEWEST

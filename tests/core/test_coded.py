import numpy as np
import pyarrow as pa
import pytest

from core.coded import Coded, coded, coded_texts

FRUIT = coded(["pear", None, "plum", "pear", None])


class TestCoded:
    def test_gives_back_the_values_it_was_made_of(self):
        assert FRUIT.values() == ["pear", None, "plum", "pear", None]
        assert FRUIT.as_arrow().to_pylist() == FRUIT.values()
        assert list(FRUIT.distinct) == ["pear", "plum"]

    @pytest.mark.parametrize("values", [[], [None], [None, None]])
    def test_may_hold_nothing(self, values: list[str | None]):
        column = coded(values)
        assert column.values() == values
        assert column.used() == []
        assert column.as_arrow(pa.string()).to_pylist() == values

    def test_knows_the_values_that_rows_still_have(self):
        assert FRUIT.where(np.array([False, True, True, False, True])).used() == ["plum"]
        assert FRUIT.where(np.array([3, 0])).values() == ["pear", "pear"]
        assert FRUIT.unless(FRUIT.places == 0).values() == [None, None, "plum", None, None]

    def test_looks_at_each_value_once(self):
        seen: list[str] = []

        def look(text: str) -> int:
            seen.append(text)
            return len(text)

        assert FRUIT.of_each(look).values() == [4, None, 4, 4, None]
        assert seen == ["pear", "plum"]

    def test_makes_one_of_values_that_look_alike_and_none_of_nothing(self):
        column = FRUIT.mapped(lambda text: text[0])
        assert (list(column.distinct), column.values()) == (["p"], ["p", None, "p", "p", None])
        assert FRUIT.mapped(lambda text: None if text == "plum" else text).values() == [
            "pear",
            None,
            None,
            "pear",
            None,
        ]

    def test_has_numbers_where_every_row_has_a_value(self):
        assert coded([7, 5, 7]).numbers().tolist() == [7, 5, 7]
        assert Coded([True, False], np.array([1, 0])).numbers(bool).tolist() == [False, True]
        assert coded([]).numbers().tolist() == []

    def test_takes_an_empty_text_of_arrow_for_none(self):
        column = coded_texts(pa.array(["a", "", None, "a"]))
        assert column.values() == ["a", None, None, "a"]
        assert column.used() == ["a"]

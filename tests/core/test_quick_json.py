"""JSON that is written quickly says what `json` says."""

import json
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.quick_json import text_of, written

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Pair(NamedTuple):
    a: int
    b: int


class TestWritten:
    @given(VALUES)
    def test_is_read_as_what_it_was(self, document):
        assert json.loads(written(document)) == document

    def test_keeps_the_order_and_has_no_spaces(self):
        assert written({"b": [1, "ž"], "a": None}) == '{"b":[1,"ž"],"a":null}'.encode()

    def test_leaves_to_json_what_only_that_can_say(self):
        assert json.loads(written({"n": 2**70, "half": "\ud83d"})) == {"n": 2**70, "half": "\ud83d"}
        assert text_of(Pair(1, 2)) == "[1,2]"

    def test_asks_what_becomes_of_the_rest(self):
        assert text_of([Decimal("1.50"), date(2026, 11, 23)], default=str) == '["1.50","2026-11-23"]'
        with pytest.raises(TypeError):
            written(Decimal(1))

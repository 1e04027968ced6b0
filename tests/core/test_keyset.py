"""Lists that are read page by page."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Integer, cast, literal, select, union_all

from core.keyset import Ask, BadCursor, alphabetical, read_page

ROWS = st.lists(st.one_of(st.none(), st.integers(-3, 3)), max_size=25)


def statement(values):
    """A statement whose rows have these values, None among them."""
    rows = union_all(
        *(
            select(literal(key).label("key"), cast(literal(value, Integer), Integer).label("value"))
            for key, value in enumerate(values)
        )
    ).subquery()
    return select(rows.c.key, rows.c.value)


def walk(session, values, *, descending, limit, filled=()):
    """Read forwards to the end, then backwards to the start; return both walks."""
    ask = Ask(sort="value", descending=descending, limit=limit)
    there, pages = [], 0
    while True:
        page = read_page(session, statement(values), ask=ask, sorts=("value",), key="key", filled=filled)
        there.extend((row.key, row.value) for row in page.rows)
        pages += 1
        assert pages <= len(values) + 1
        if page.following is None:
            break
        ask = ask.following(page.following, limit=limit)
    back = list(page.rows)
    while page.previous is not None:
        asked = Ask(sort="value", descending=descending, limit=limit, before=page.previous)
        page = read_page(session, statement(values), ask=asked, sorts=("value",), key="key", filled=filled)
        back[:0] = page.rows
    return there, [(row.key, row.value) for row in back]


ALLOWED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


class TestReadPage:
    @settings(max_examples=60, suppress_health_check=ALLOWED)
    @given(values=ROWS.filter(bool), descending=st.booleans(), limit=st.integers(1, 7))
    def test_meets_every_row_once_forwards_and_backwards(self, sessions, values, descending, limit):
        with sessions.begin() as session:
            there, back = walk(session, values, descending=descending, limit=limit)
        known = sorted(
            ((k, v) for k, v in enumerate(values) if v is not None),
            key=lambda row: (row[1], row[0]),
            reverse=descending,
        )
        unknown = sorted(((k, v) for k, v in enumerate(values) if v is None), reverse=descending)
        assert there == known + unknown
        assert back == there

    @settings(max_examples=30, suppress_health_check=ALLOWED)
    @given(
        values=st.lists(st.integers(-3, 3), min_size=1, max_size=25),
        descending=st.booleans(),
        limit=st.integers(1, 7),
    )
    def test_meets_every_row_once_where_all_have_a_value(self, sessions, values, descending, limit):
        with sessions.begin() as session:
            there, back = walk(session, values, descending=descending, limit=limit, filled=("value",))
        assert there == sorted(enumerate(values), key=lambda row: (row[1], row[0]), reverse=descending)
        assert back == there

    @pytest.mark.parametrize("cursor", ["", "x", "W10", "WzEsMl0", "WyJ4IiwieSJd", "e30", "bnVsbA"])
    def test_refuses_a_cursor_it_did_not_make(self, sessions, cursor):
        with sessions() as session, pytest.raises(BadCursor):
            read_page(
                session, statement([1, 2]), ask=Ask(sort="value", after=cursor), sorts=("value",), key="key"
            )

    def test_refuses_to_sort_by_what_it_was_not_told(self, sessions):
        with sessions() as session, pytest.raises(BadCursor):
            read_page(session, statement([1]), ask=Ask(sort="key"), sorts=("value",), key="key")


class TestAlphabetical:
    def test_puts_letters_with_marks_beside_the_plain_ones(self, sessions):
        names = ["Zeman", "Čapek", "Łukasz", "Adam", "Lis", "Šimek", "Sova", "Čáp"]
        rows = union_all(*(select(literal(name).label("name")) for name in names)).subquery()
        with sessions.begin() as session:
            found = session.scalars(select(rows.c.name).order_by(alphabetical(rows.c.name))).all()
        assert found == ["Adam", "Čáp", "Čapek", "Lis", "Łukasz", "Šimek", "Sova", "Zeman"]

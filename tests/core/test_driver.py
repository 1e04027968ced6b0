"""What was put off is done and checked before anything else counts."""

import pytest

from core.driver import ask, catch_up, driver_of, put_off


class Refused(Exception):  # noqa: N818
    pass


def refuse(_row):
    raise Refused


class TestPutOff:
    def test_travels_with_what_is_asked_next(self, sessions):
        seen = []
        with sessions.begin() as session:
            put_off(session, "select %s::int", (1,), check=seen.append)
            assert ask(session, "select %s::int", (2,)).fetchone() == (2,)
            assert seen == [(1,)]

    def test_is_done_before_anything_else(self, sessions):
        seen = []
        with sessions.begin() as session:
            put_off(session, "select %s::int", (1,), check=seen.append)
            assert driver_of(session).execute("select 2").fetchone() == (2,)
            assert seen == [(1,)]

    def test_is_done_once(self, sessions):
        seen = []
        with sessions.begin() as session:
            put_off(session, "select 1", (), check=seen.append)
            catch_up(session)
            catch_up(session)
            ask(session, "select 2", ())
        assert seen == [(1,)]

    def test_tells_the_check_that_nothing_was_found(self, sessions):
        seen = []
        with sessions.begin() as session:
            put_off(session, "select 1 where false", (), check=seen.append)
            ask(session, "select 2", ())
        assert seen == [None]

    @pytest.mark.parametrize("go_on", [catch_up, driver_of, lambda session: ask(session, "select 1", ())])
    def test_may_refuse_what_comes_after_it(self, sessions, go_on):
        with sessions.begin() as session:
            put_off(session, "select 1", (), check=refuse)
            with pytest.raises(Refused):
                go_on(session)

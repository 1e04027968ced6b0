"""What was put off is done and checked before anything else counts."""

from contextlib import suppress

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import text

from core.driver import ask, catch_up, driver_of, put_off

OPEN_STORE = (
    "insert into store (store_code, name, currency, timezone) values ('S1', 'S1', 'CZK', 'Europe/Prague')"
)
STORES = "select count(*) from store"


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


class TestAsk:
    def test_begins_the_transaction_on_the_way(self, sessions):
        with sessions.begin() as session:
            put_off(session, "select 1", (), check=lambda _row: None)
            ask(session, OPEN_STORE, ())
            assert driver_of(session).info.transaction_status == TransactionStatus.INTRANS
        with sessions.begin() as session:
            assert ask(session, STORES, ()).fetchone() == (1,)

    def test_leaves_nothing_behind_when_what_was_put_off_refuses(self, sessions):
        with suppress(Refused), sessions.begin() as session:
            put_off(session, "select 1", (), check=refuse)
            ask(session, OPEN_STORE, ())
        with sessions.begin() as session:
            assert ask(session, STORES, ()).fetchone() == (0,)

    def test_leaves_a_connection_on_which_the_driver_begins_again(self, sessions):
        with sessions.begin() as session:
            put_off(session, "select 1", (), check=lambda _row: None)
            ask(session, "select 2", ())
        with suppress(Refused), sessions.begin() as session:
            session.execute(text(OPEN_STORE))
            raise Refused
        with sessions.begin() as session:
            assert session.execute(text(STORES)).scalar() == 0

    def test_asks_in_the_transaction_that_there_is(self, sessions):
        with sessions() as session:
            with session.begin():
                first = driver_of(session)
                ask(session, "create temporary table kept on commit drop as select 1 as one", ())
                assert driver_of(session) is first
            with session.begin():
                assert ask(session, "select to_regclass('pg_temp.kept')", ()).fetchone() == (None,)

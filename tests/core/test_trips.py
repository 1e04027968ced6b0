"""Statements that travel together come to what they would one by one, or to nothing."""

# Blocks that must raise hold what leads to it: the transaction is part of what is tried.
# ruff: noqa: PT012

import gc
import os
import socket
import threading
import weakref
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from core.database import make_engine, make_sessions
from core.driver import ask, driver_of, may_end, together
from core.trips import Answer, travel

STORE = "insert into store (store_code, name, currency, timezone) values (%s, %s, 'CZK', 'Europe/Prague')"
STORES = "select count(*) from store"
PREPARED = "select count(*) from pg_prepared_statements where name like 'trip_%%'"


@pytest.fixture
def connection(sessions):
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        yield driver_of(session)


def sent(connection, *statements, **more):
    answers = [Answer(statement, values) for statement, values in statements]
    travel(connection, answers, **more)
    return answers


class TestAStatement:
    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("%s::integer", 7),
            ("%s::bigint", 2**62),
            ("%s::text", "žluťoučký % kůň"),
            ("%s::text", None),
            ("%s::boolean", True),
            ("%s::numeric", Decimal("0.125")),
            ("%s::date", date(2026, 2, 28)),
            ("%s::timestamptz", datetime(2026, 2, 28, 23, 59, 59, 123456, UTC)),
            ("%s::bytea", b"\x00\xff'\\"),
            ("%s::text[]", ["a", None, 'with "quotes", {braces} and \\']),
            ("%s::text[]", ["NULL", "", "a,b", "ž\n"]),
            ("%s::integer[]", []),
            ("%s::text[]", [None]),
            ("%s::text[]", [None, "", '\\"']),
            ("%s::boolean[]", [True, None]),
            ("%s::bigint[]", [-1, None, 2**62]),
            ("%s::date[]", [date(2026, 2, 28), None]),
            ("%s::text[]", [["a", "b"], ["c", None]]),
        ],
    )
    def test_returns_the_values_that_it_was_given(self, connection, place, value):
        (answer,) = sent(connection, (f"select {place}", (value,)))
        assert answer.fetchone() == (value,)

    def test_wants_names_for_all_places_or_for_none(self, connection):
        with pytest.raises(psycopg.ProgrammingError, match="all of its places"):
            sent(connection, ("select %(one)s::integer, %s::integer", {"one": 1}))

    def test_takes_names_and_shares_their_places(self, connection):
        one = uuid4()
        values = {"one": one, "two": Jsonb({"a": [1]})}
        (answer,) = sent(
            connection, ("select %(one)s::uuid, %(two)s::jsonb, %(one)s::uuid as again, '%%s'", values)
        )
        assert answer.fetchone() == (one, {"a": [1]}, one, "%s")

    def test_is_told_row_by_row_or_all_at_once(self, connection):
        (answer,) = sent(connection, ("select n, -n as less from generate_series(1, 3) as n", ()))
        assert answer.named() == {"n": 1, "less": -1}
        assert answer.fetchall() == [(2, -2), (3, -3)]
        assert (answer.fetchone(), answer.rowcount) == (None, 3)

    def test_counts_what_it_changed(self, connection):
        store, changed = sent(connection, (STORE, ("S1", "S1")), ("update store set name = 'x'", ()))
        assert (store.rowcount, changed.rowcount) == (1, 1)

    def test_is_prepared_once_however_often_it_travels_and_whatever_is_rolled_back(self, sessions):
        for _ in range(3):
            with sessions() as session:
                ask(session, "select %s::integer + 1", (1,))
                assert ask(session, PREPARED, ()).fetchone() == (2,)
                session.rollback()

    def test_of_any_size_arrives(self, connection):
        texts = ["x" * 3_000_000 + str(number) for number in range(3)]
        answers = sent(connection, *(("select %s::text", (text,)) for text in texts))
        assert [answer.fetchone()[0] for answer in answers] == texts

    def test_is_told_in_order_however_answers_are_mixed(self, connection):
        one, other = sent(connection, ("select 1, 'a'", ()), ("select 'b', 2 union all select 'c', 3", ()))
        assert [other.fetchone(), one.fetchone(), other.fetchone()] == [("b", 2), (1, "a"), ("c", 3)]


class TestATrip:
    def test_is_all_or_nothing(self, sessions):
        with pytest.raises(errors.UniqueViolation), sessions.begin() as session, together(session):
            ask(session, STORE, ("S1", "one"))
            ask(session, STORE, ("S1", "another"))
            ask(session, "select 1 / 0", ())
        with sessions.begin() as session:
            assert ask(session, STORES, ()).fetchone() == (0,)

    def test_raises_the_first_error_and_the_next_goes_well(self, connection):
        with pytest.raises(errors.DivisionByZero):
            sent(connection, ("select 1", ()), ("select 1 / 0", ()), ("select nothing", ()))
        (answer,) = sent(connection, ("select 2", ()))
        assert answer.fetchone() == (2,)

    def test_prepares_again_what_was_never_reached(self, connection):
        for _ in range(2):
            with pytest.raises(errors.DivisionByZero):
                sent(connection, ("select 1 / 0", ()), ("select 40 + %s::integer", (2,)))
        (answer,) = sent(connection, ("select 40 + %s::integer", (2,)))
        assert answer.fetchone() == (42,)

    def test_leaves_the_connection_to_the_driver(self, sessions):
        with sessions.begin() as session:
            ask(session, STORE, ("S1", "S1"))
            assert driver_of(session).execute(STORES).fetchone() == (1,)
            assert driver_of(session).info.transaction_status == TransactionStatus.INTRANS
            with session.begin_nested() as inner:
                ask(session, STORE, ("S2", "S2"))
                inner.rollback()
        with sessions.begin() as session:
            assert ask(session, STORES, ()).fetchone() == (1,)

    def test_does_nothing_when_its_block_raises(self, sessions):
        with sessions.begin() as session:
            with pytest.raises(LookupError), together(session):
                ask(session, STORE, ("S1", "S1"))
                raise LookupError
            assert ask(session, STORES, ()).fetchone() == (0,)

    def test_lets_nothing_overtake_it(self, sessions):
        with sessions.begin() as session, pytest.raises(psycopg.ProgrammingError), together(session):
            ask(session, STORE, ("S1", "S1"))
            driver_of(session)

    def test_has_no_answer_before_its_end(self, sessions):
        with sessions.begin() as session, together(session):
            answer = ask(session, STORES, ())
            with pytest.raises(psycopg.ProgrammingError):
                answer.fetchone()

    def test_tells_that_the_server_has_gone(self, sessions, owner_engine):
        with (
            pytest.raises((psycopg.OperationalError, sqlalchemy.exc.OperationalError)),
            sessions.begin() as session,
        ):
            (pid,) = ask(session, "select pg_backend_pid()", ()).fetchone()
            with owner_engine.begin() as owner:
                owner.exec_driver_sql(f"select pg_terminate_backend({pid}, 5000)")
            ask(session, STORES, ())
        with sessions.begin() as session:
            assert ask(session, STORES, ()).fetchone() == (0,)

    def test_ends_when_somebody_hangs_up(self, sessions):
        with (
            pytest.raises((psycopg.OperationalError, sqlalchemy.exc.OperationalError)),
            sessions.begin() as session,
        ):
            connection = driver_of(session)
            threading.Timer(0.3, _hang_up, (connection,)).start()
            ask(session, "select pg_sleep(30)", ())
        assert connection.closed


def _hang_up(connection):

    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


class TestAConnection:
    def test_is_let_go_with_all_that_is_known_about_it(self, database_url):
        def once():
            engine = make_engine(database_url)
            with make_sessions(engine).begin() as session:
                ask(session, "select repeat('x', 100000)", ()).fetchone()
                connection = weakref.ref(driver_of(session))
            engine.dispose()
            return connection

        seen = [once() for _ in range(3)]
        gc.collect()
        assert [connection() for connection in seen] == [None, None, None]

    def test_prepares_anew_what_a_change_of_the_schema_left_behind(self, sessions, owner_engine):
        with owner_engine.begin() as owner:
            owner.exec_driver_sql("create table shape as select 1 as one")
            owner.exec_driver_sql("grant select on shape to regulars_app")
        question = "select * from shape"
        with sessions.begin() as session:
            assert ask(session, question, ()).named() == {"one": 1}
        with owner_engine.begin() as owner:
            owner.exec_driver_sql("alter table shape add column two integer default 2")
        with pytest.raises(errors.SerializationFailure), sessions.begin() as session:
            ask(session, question, ())
        with sessions.begin() as session:
            assert ask(session, question, ()).named() == {"one": 1, "two": 2}

    def test_begins_as_it_was_told_to(self, sessions):
        with sessions() as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            assert ask(session, "show transaction_isolation", ()).fetchone() == ("repeatable read",)


class TestTheEnd:
    def test_is_committed_on_the_way_where_that_is_allowed(self, sessions, connection):
        with sessions.begin() as session:
            may_end(session)
            with together(session, end=True):
                ask(session, STORE, ("S1", "S1"))
            assert driver_of(session).info.transaction_status == TransactionStatus.IDLE
            assert connection.execute(STORES).fetchone() == (1,)

    def test_waits_for_the_session_where_it_is_not(self, sessions, connection):
        with sessions.begin() as session:
            with together(session, end=True):
                ask(session, STORE, ("S1", "S1"))
            assert connection.execute(STORES).fetchone() == (0,)
        assert connection.execute(STORES).fetchone() == (1,)

    def test_is_no_end_when_a_statement_fails(self, sessions, connection):
        with pytest.raises(errors.DivisionByZero), sessions.begin() as session:
            may_end(session)
            with together(session, end=True):
                ask(session, STORE, ("S1", "S1"))
                ask(session, "select 1 / 0", ())
        assert connection.execute(STORES).fetchone() == (0,)

    def test_never_ends_more_than_a_savepoint_asks_for(self, sessions, connection):
        with sessions.begin() as session:
            with session.begin_nested():
                may_end(session)
                with together(session, end=True):
                    ask(session, STORE, ("S1", "S1"))
            assert connection.execute(STORES).fetchone() == (0,)

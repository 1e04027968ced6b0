"""A session that waits for the next look holds nothing of the last one, and nothing that has ended."""

from contextlib import suppress

import pytest
from psycopg import errors
from psycopg.pq import TransactionStatus
from sqlalchemy import text

from core.database import make_engine
from core.driver import ask, bring_along, driver_of
from core.kept_sessions import MOST_IDLE, looking, writing
from sales.models import Store

PID = "select pg_backend_pid()"


def pid_of(session):
    return ask(session, PID, ()).fetchone()[0]


class TestLooking:
    def test_uses_the_connection_of_the_last_look_again(self, sessions):
        with looking(sessions) as session:
            first = pid_of(session)
        with looking(sessions) as session:
            assert pid_of(session) == first

    def test_commits_every_statement_by_itself(self, sessions):
        with looking(sessions) as session:
            ask(
                session,
                "insert into store (store_code, name, currency, timezone) values ('K', 'K', 'CZK', 'UTC')",
                (),
            )
            assert driver_of(session).info.transaction_status == TransactionStatus.IDLE
        with sessions.begin() as session:
            assert session.scalar(text("select count(*) from store where store_code = 'K'")) == 1

    def test_sees_what_has_changed_since_the_last(self, sessions):
        with sessions.begin() as session:
            session.add(Store(store_code="K", name="old", currency="CZK", timezone="UTC"))
        with looking(sessions) as session:
            assert session.query(Store).filter_by(store_code="K").one().name == "old"
        with sessions.begin() as session:
            session.execute(text("update store set name = 'new'"))
        with looking(sessions) as session:
            assert session.query(Store).filter_by(store_code="K").one().name == "new"

    def test_forgets_what_nobody_asked_for_any_more(self, sessions):
        with looking(sessions) as session:
            pid_of(session)
            left_over = bring_along(session, "select 1", ())
        with looking(sessions) as session:
            pid_of(session)
        assert left_over.answer is None

    def test_meets_a_database_that_ended_the_connection_without_an_error(self, sessions):
        with looking(sessions) as session:
            gone = pid_of(session)
        owner = make_engine(sessions.kw["bind"].url.render_as_string(hide_password=False), role=None)
        with owner.connect() as connection:
            connection.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": gone})
        owner.dispose()
        with looking(sessions) as session:
            assert pid_of(session) != gone

    def test_throws_a_session_away_after_an_error(self, sessions):
        seen = []

        def fail():
            with looking(sessions) as session:
                seen.append(session)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        with looking(sessions) as session:
            assert session is not seen[0]

    def test_keeps_what_comes_after_somebody_rolled_back(self, sessions):
        with looking(sessions) as session:
            pid_of(session)
            session.rollback()
        with looking(sessions) as session:
            ask(
                session,
                "insert into store (store_code, name, currency, timezone) values ('K', 'K', 'CZK', 'UTC')",
                (),
            )
        with sessions.begin() as session:
            assert session.scalar(text("select count(*) from store where store_code = 'K'")) == 1

    def test_keeps_no_more_than_a_few(self, sessions):
        def nested(depth):
            if depth:
                with looking(sessions) as session:
                    pid_of(session)
                    nested(depth - 1)

        nested(2 * MOST_IDLE)
        size = sessions.kw["bind"].pool.size()
        assert sessions.kw["bind"].pool.checkedout() <= min(MOST_IDLE, size - 1)

    def test_closes_them_with_the_engine(self, sessions):
        with looking(sessions) as session:
            connection = driver_of(session)
        sessions.kw["bind"].dispose()
        assert connection.closed


STORE = "insert into store (store_code, name, currency, timezone) values ('K', 'K', 'CZK', 'UTC')"
COUNT = text("select count(*) from store where store_code = 'K'")


class TestWriting:
    def test_is_one_transaction_with_a_connection_that_was_kept(self, sessions):
        with looking(sessions) as session:
            first = pid_of(session)
        with writing(sessions) as session:
            assert pid_of(session) == first
            ask(session, STORE, ())
            with sessions.begin() as other:
                assert other.scalar(COUNT) == 0
        with sessions.begin() as session:
            assert session.scalar(COUNT) == 1
        with looking(sessions) as session:
            assert pid_of(session) == first
            assert driver_of(session).autocommit

    def test_keeps_what_the_session_itself_was_given(self, sessions):
        with writing(sessions) as session:
            session.add(Store(store_code="K", name="K", currency="CZK", timezone="UTC"))
        with sessions.begin() as session:
            assert session.scalar(COUNT) == 1

    def test_undoes_everything_after_an_error(self, sessions):
        def fail():
            with writing(sessions) as session:
                session.add(Store(store_code="L", name="L", currency="CZK", timezone="UTC"))
                session.flush()
                ask(session, STORE, ())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        with sessions.begin() as session:
            assert session.scalar(text("select count(*) from store")) == 0

    def test_tells_of_an_error_of_the_database_that_was_passed_over(self, sessions):
        def pass_over():
            with writing(sessions) as session:
                ask(session, STORE, ())
                with suppress(errors.UniqueViolation):
                    ask(session, STORE, ())

        with pytest.raises(errors.InFailedSqlTransaction):
            pass_over()
        with sessions.begin() as session:
            assert session.scalar(COUNT) == 0

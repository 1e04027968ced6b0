"""A session that waits for the next look holds nothing of the last one, and nothing that has ended."""

from contextlib import suppress

import pytest
from psycopg import errors
from psycopg.pq import TransactionStatus
from sqlalchemy import event, text

from core.database import make_engine
from core.driver import ask, bring_along, driver_of, may_end, together
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


NEW_STORE = "insert into store (store_code, name, currency, timezone) values ('K', 'K', 'CZK', 'UTC')"


def stores_called_k(sessions):
    with sessions.begin() as session:
        return session.scalar(text("select count(*) from store where store_code = 'K'"))


class TestWriting:
    def test_uses_the_connection_of_the_last_again_whether_it_looked_or_wrote(self, sessions):
        with looking(sessions) as session:
            first = pid_of(session)
        for _ in range(2):
            with writing(sessions) as session:
                assert pid_of(session) == first
        with looking(sessions) as session:
            assert pid_of(session) == first
            assert driver_of(session).autocommit

    def test_commits_at_the_end_and_not_before(self, sessions):
        with writing(sessions) as session:
            ask(session, NEW_STORE, ())
            assert driver_of(session).info.transaction_status == TransactionStatus.INTRANS
            assert not stores_called_k(sessions)
        assert stores_called_k(sessions) == 1

    def test_keeps_what_was_committed_with_the_last_statement(self, sessions):
        with writing(sessions) as session:
            may_end(session)
            with together(session, end=True):
                ask(session, NEW_STORE, ())
            assert driver_of(session).info.transaction_status == TransactionStatus.IDLE
        assert stores_called_k(sessions) == 1

    def test_undoes_everything_by_an_error_and_does_not_keep_the_session(self, sessions):
        seen = []

        def fail():
            with writing(sessions) as session:
                seen.extend((session, pid_of(session)))
                ask(session, NEW_STORE, ())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert not stores_called_k(sessions)
        with writing(sessions) as other:
            assert other is not seen[0]
            # Given back to the pool, its connection is an ordinary one.
            assert pid_of(other) == seen[1]
            ask(other, NEW_STORE, ())
        assert stores_called_k(sessions) == 1

    def test_undoes_what_the_database_refused(self, sessions):
        def repeat():
            with writing(sessions) as session:
                ask(session, NEW_STORE, ())
                ask(session, NEW_STORE, ())

        with pytest.raises(errors.UniqueViolation):
            repeat()
        assert not stores_called_k(sessions)

    def test_commits_what_sqlalchemy_keeps_and_tells_who_waits_for_it(self, sessions):
        told = []
        with writing(sessions) as session:
            session.add(Store(store_code="K", name="K", currency="CZK", timezone="UTC"))
            event.listen(session, "after_commit", lambda _: told.append(stores_called_k(sessions)), once=True)
        assert told == [1]
        with writing(sessions) as session:
            event.listen(session, "after_commit", lambda _: told.append("again"), once=True)
            pid_of(session)
        assert told == [1, "again"]

    def test_undoes_a_savepoint_alone(self, sessions):
        with writing(sessions) as session:
            ask(session, NEW_STORE, ())
            tried = session.begin_nested()
            ask(session, "update store set name = 'tried'", ())
            tried.rollback()
        with sessions.begin() as session:
            assert session.scalar(text("select name from store where store_code = 'K'")) == "K"

    @pytest.mark.parametrize("end", ["commit", "rollback"])
    def test_leaves_ordinary_connections_to_others_though_the_transaction_ended_inside(self, sessions, end):
        with writing(sessions) as session:
            pid_of(session)
            getattr(session, end)()
            ask(session, NEW_STORE, ())
        assert stores_called_k(sessions) == 1
        with suppress(ZeroDivisionError), looking(sessions) as session:
            # Whatever was kept is given back.
            raise ZeroDivisionError
        with sessions.begin() as session:
            assert not driver_of(session).autocommit

    def test_says_that_nothing_is_committed_where_an_error_was_swallowed(self, sessions):
        def swallow():
            with writing(sessions) as session:
                ask(session, NEW_STORE, ())
                with suppress(errors.UniqueViolation):
                    ask(session, NEW_STORE, ())

        with pytest.raises(errors.InFailedSqlTransaction):
            swallow()
        assert not stores_called_k(sessions)
        with writing(sessions) as session:
            ask(session, NEW_STORE, ())
        assert stores_called_k(sessions) == 1

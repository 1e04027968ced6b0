"""What tills ask is asked before they come, and nothing of it stays."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from campaigns import books, scenes
from campaigns.decisions import may_ask
from campaigns.till_offers import TillOffers
from core.database import make_engine, make_sessions
from pos_api import warming
from pos_api.warming import TIMES, warm_up
from tests.campaigns.conftest import chain, client, served, tills

__all__ = ["chain", "client", "served", "tills"]

NOW = datetime.now(UTC)
KEPT = ("quote", "decision", "receipt", "audit_event")


@pytest.fixture
def fresh(chain):
    """Sessions of an engine that no process has used yet."""
    url = chain.sessions.kw["bind"].url.render_as_string(hide_password=False)
    engine = make_engine(url, pool_size=4, by_index=True)
    yield make_sessions(engine)
    engine.dispose()


def prepared(sessions) -> list[int]:
    """How many plans each of the four idle connections keeps for what is asked."""
    opened = [sessions() for _ in range(4)]
    try:
        for session in opened:
            session.connection()
        return [
            session.connection()
            .exec_driver_sql(
                "select count(*) from pg_prepared_statements where statement like '%%decision_scene%%'"
            )
            .scalar()
            for session in opened
        ]
    finally:
        for session in opened:
            session.close()


def test_every_connection_has_its_plans_and_the_process_its_book(served, fresh):
    served.ranked("honey", "lemon")
    assert warm_up(fresh, connections=4, now=NOW) == 4
    assert prepared(fresh) == [1, 1, 1, 1]
    with fresh() as session:
        book = books.kept_book(session)
        assert book is not None
        assert book.run_id == served.run_id


def test_nothing_of_it_is_kept(served, fresh):
    served.ranked("honey", "lemon")
    before = [served.rows(f"select count(*) from {table}")[0][0] for table in KEPT]
    warm_up(fresh, connections=2, now=NOW)
    assert [served.rows(f"select count(*) from {table}")[0][0] for table in KEPT] == before


def test_slowness_in_advance_silences_nobody(served, fresh, monkeypatch):
    served.ranked("honey")
    monkeypatch.setattr(scenes, "PATIENCE", scenes.PATIENCE * 0)
    asked: list[bool] = []

    def spied(session, **about):
        adviser = TillOffers.for_quote(session, **about)
        asked.append(adviser.question is not None)
        return adviser

    monkeypatch.setattr(warming, "TillOffers", SimpleNamespace(for_quote=spied))
    warm_up(fresh, connections=2, now=NOW)
    assert asked == [True] * 2 * TIMES
    with fresh() as session:
        assert may_ask(session)


def test_before_the_first_night_all_is_asked_but_the_rules(chain, fresh):
    assert warm_up(fresh, connections=4, now=NOW) == 4
    assert prepared(fresh) == [1, 1, 1, 1]
    with fresh() as session:
        assert books.kept_book(session) is None


def test_without_a_till_there_is_nothing_to_ask(chain, fresh, owner_engine):
    with owner_engine.begin() as owner:
        owner.exec_driver_sql("alter table till rename to gone")
        owner.exec_driver_sql("create table till (like gone)")
        owner.exec_driver_sql("grant select on till to regulars_app")
    try:
        assert warm_up(fresh, connections=4, now=NOW) == 0
    finally:
        with owner_engine.begin() as owner:
            owner.exec_driver_sql("drop table till")
            owner.exec_driver_sql("alter table gone rename to till")


def test_a_database_that_is_away_hinders_nobody(served, fresh, owner_engine, caplog):
    with owner_engine.begin() as owner:
        owner.exec_driver_sql("alter table served_run rename to gone")
    try:
        assert warm_up(fresh, connections=4, now=NOW) == 0
        assert "served all the same" in caplog.text
    finally:
        with owner_engine.begin() as owner:
            owner.exec_driver_sql("alter table gone rename to served_run")

"""When the database is away tills hear so at once, and when it returns they go on."""

import os
import signal
import time

import pytest
from flask import Flask
from sqlalchemy import text

from core import processes
from core.database import make_engine, make_sessions, upgrade
from core.postgres import Cluster
from pos_api import examples
from pos_api.app import register
from tests.pos_api.conftest import code_of, open_chain

RECOVERY = 10
"""Seconds within which work must go on: a deadline for progress, not a speed."""


@pytest.fixture
def cluster(open_folder):
    cluster = Cluster(open_folder / "data")
    cluster.start()
    yield cluster
    cluster.remove()


@pytest.fixture
def chain(cluster):
    upgrade(cluster.url)
    engine = make_engine(cluster.url, pool_size=2, lock_timeout=5)
    app = Flask("tills")
    sessions = make_sessions(engine)
    register(app, sessions)
    yield open_chain(app, sessions)
    engine.dispose()


def is_told_to_come_back(answer) -> None:
    assert (answer.status_code, code_of(answer)) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def goes_on(till, body) -> None:
    deadline = time.monotonic() + RECOVERY
    while (answer := till.post("/receipts", body)).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert answer.status_code == 201


class TestOutage:
    def test_of_the_database_is_told_and_over_when_it_returns(self, chain, cluster):
        till = chain.till
        before, during = till.sale(), till.sale()
        told = till.post("/receipts", before).get_json()
        cluster.stop()
        for answer in (
            till.post("/receipts", during),
            till.get(f"/cards/{examples.CARD_NUMBER}"),
            till.get("/receipts/S1/T1/2026-11-21/000001"),
            till.get("/readyz"),
        ):
            is_told_to_come_back(answer)
        assert till.get("/healthz").status_code == 200
        cluster.start()
        goes_on(till, during)
        assert till.post("/receipts", before).get_json() == {**told, "replayed": True}

    def test_by_a_kill_loses_no_receipt_that_was_answered(self, chain, cluster):
        till = chain.till
        bodies = [till.sale() for _ in range(6)]
        for body in bodies:
            assert till.post("/receipts", body).status_code == 201
            pid = cluster.pid
            os.kill(pid, signal.SIGKILL)
            assert processes.gone(pid, patience=10)
            cluster.start()
            goes_on(till, till.sale())
        assert [till.post("/receipts", body).status_code for body in bodies] == [200] * 6

    def test_of_all_connections_is_told_within_the_patience_of_the_pool(self, chain):
        sessions = [chain.sessions() for _ in range(4)]
        for session in sessions:
            session.execute(text("select 1"))
        is_told_to_come_back(chain.till.post("/receipts", chain.till.sale()))
        for session in sessions:
            session.close()
        again = chain.till.sale()
        goes_on(chain.till, again)
        assert chain.till.post("/receipts", again).get_json()["replayed"]

    def test_of_a_connection_in_the_pool_is_not_noticed(self, chain):
        goes_on(chain.till, chain.till.sale())
        with chain.sessions.begin() as session:
            ended = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename = current_user"
            session.execute(text("reset role"))
            session.execute(text(ended))
        assert chain.till.post("/receipts", chain.till.sale()).status_code == 201

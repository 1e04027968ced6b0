"""Whoever waits too long for the database is let go; whoever is done in time is left alone."""

import time

import pytest
from sqlalchemy import text

from core.driver import driver_of
from pos_api.patience import Watch
from pos_api.problems import UNREACHABLE


class TestWatch:
    def test_ends_what_takes_too_long(self, sessions):
        def wait() -> None:
            with Watch(longest=0.2).attempt() as watched, sessions.begin() as session:
                watched(driver_of(session))
                driver_of(session).execute("select pg_sleep(30)")

        with pytest.raises(UNREACHABLE):
            wait()
        with sessions.begin() as session:
            assert session.execute(text("select 1")).scalar_one() == 1

    def test_leaves_alone_what_is_done_in_time(self, sessions):
        watch = Watch(longest=1.0)
        with sessions.begin() as session:
            driver_of(session)
            with watch.attempt() as watched:
                watched(driver_of(session))
            time.sleep(2.5)
            assert session.execute(text("select 1")).scalar_one() == 1

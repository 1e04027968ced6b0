"""
R11 and R12: nights that are killed at random points, and many schedulers at once.

Throughout, what was served before stays served as a whole, and what a night leaves behind does not
depend on how often it was interrupted.
"""

import random
import re
import threading
import time
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core.job_runs import find_run, request_run
from core.jobs import Shift
from core.progress import silent
from core.verification import verify
from night import CHECKS, NIGHT, run_night
from tests.reliability.conftest import until
from tests.reliability.nights import (
    FIRST_NIGHT,
    NOW,
    SECOND_NIGHT,
    at,
    build_town,
    left_behind,
    start_night,
    start_scheduler,
    warm_up,
)
from tests.reliability.rotation import TIMES, seed_of_run


@contextmanager
def copy_of(url: str, name: object):
    """Yield the URL of a copy of a database, which is dropped afterwards."""
    source = make_url(url)
    copy = sql.Identifier(f"{source.database}_{name}")
    plain = source.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as owner:
        owner.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                copy, sql.Identifier(source.database)
            )
        )
        try:
            yield source.set(database=f"{source.database}_{name}").render_as_string(hide_password=False)
        finally:
            owner.execute(sql.SQL("drop database {} with (force)").format(copy))


@pytest.fixture(scope="module")
def town(make_database, tmp_path_factory):
    """The URL of a town's database after its first night; to be copied, not to be changed."""
    url = make_database()
    with at(url) as sessions:
        build_town(sessions)
        run = run_night(sessions, data=tmp_path_factory.mktemp("town"), business_day=FIRST_NIGHT, now=NOW)
    assert run.state == "completed", run
    return url


def broken(sessions) -> list[str]:
    return [f"{verdict.code}: {verdict.examples}" for verdict in verify(sessions, CHECKS) if not verdict.ok]


class Reader(threading.Thread):
    """Reads the served groups again and again, as screens do, and notes what it should never see."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.looks = 0
        self.faults: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        with at(self.url) as sessions:
            while not self.over.is_set():
                self.faults += broken_groups(sessions)
                self.looks += 1
                time.sleep(0.02)


def broken_groups(sessions) -> list[str]:
    groups = [check for check in CHECKS if check.code in {"I9", "I12"}]
    with sessions() as session:
        served = session.scalar(
            text("select count(*) from served_run join shopper_group using (run_id) where members > 0")
        )
    faults = [str(verdict.examples) for verdict in verify(sessions, groups) if not verdict.ok]
    return faults if served else [*faults, "no groups are served"]


@pytest.fixture
def storm(tmp_path, publish):
    """Kill nights of a town at random points, finish them, and compare with a night that nobody disturbed."""

    def storm(town: str, *, rounds: int) -> tuple[int, int]:
        """Return how many nights were killed, and how often the groups that were served meanwhile were looked at."""
        seed = seed_of_run()
        publish(f"R11: seed {seed}")
        chance = random.Random(seed)
        warm_up()
        with copy_of(town, "whole") as url:
            started = time.monotonic()
            night = start_night(url, tmp_path / "whole", SECOND_NIGHT)
            night.join()
            timed = whole = time.monotonic() - started
            assert night.exitcode == 0
            with at(url) as sessions:
                expected = left_behind(sessions)
        kills = looks = 0
        for number in range(rounds):
            with copy_of(town, number) as url:
                killed, seen, took = interrupted_night(url, tmp_path / str(number), chance, whole, expected)
            kills += killed
            looks += seen
            # It was over before its end was due: the machine has less other work than when a night was timed.
            whole = min(whole, took)
        publish(
            f"R11: {kills} kills in {rounds} nights of {timed:.1f} s, {looks} looks at the served groups meanwhile, "
            "no fault; each night left the same behind as an undisturbed one"
        )
        return kills, looks

    return storm


def interrupted_night(url, data, chance, whole, expected) -> tuple[int, int, float]:
    """
    Kill a night up to three times, let it end, and look at all of it.

    Returns how many kills and looks there were, and the seconds of the night, `whole` where it was killed at once.
    """
    reader = Reader(url)
    reader.start()
    kills, took = 0, whole
    for attempt in range(3):
        started = time.monotonic()
        night = start_night(url, data, SECOND_NIGHT)
        night.join(chance.uniform(0, whole))
        if night.is_alive():
            kills += 1
        elif attempt == 0:
            took = time.monotonic() - started
        night.kill()
        night.join()
    night = start_night(url, data, SECOND_NIGHT)
    night.join()
    reader.over.set()
    reader.join()
    assert night.exitcode == 0
    assert reader.faults == []
    with at(url) as sessions:
        assert left_behind(sessions) == expected
        assert broken(sessions) == []
    return kills, reader.looks, took


class TestKilledNight:
    def test_serves_the_old_groups_throughout_and_leaves_the_same_behind(self, storm, town):
        kills, looks = storm(town, rounds=9)
        assert (kills > 0, looks > 0) == (True, True)

    @pytest.mark.soak
    def test_does_so_at_full_size_too(self, storm, town):
        kills, looks = storm(town, rounds=max(1, round(10 * TIMES)))
        assert (kills > 0, looks > 0) == (True, True)

    def test_may_have_died_between_a_steps_last_commit_and_the_note_of_it(self, town, tmp_path):
        """Every step is done twice, which is what the next process does when the note is missing."""
        with copy_of(town, "once") as url, at(url) as sessions:
            for step in NIGHT.steps:
                step.work(Shift(sessions, tmp_path / "once", SECOND_NIGHT, NOW, silent))
            expected = left_behind(sessions)
        with copy_of(town, "twice") as url, at(url) as sessions:
            for step in NIGHT.steps:
                for _ in range(2):
                    step.work(Shift(sessions, tmp_path / "twice", SECOND_NIGHT, NOW, silent))
            assert left_behind(sessions) == expected


class Schedulers:
    """Several schedulers on one database, which write one log."""

    def __init__(self, number: int, url: str, data: Path) -> None:
        self.url, self.data, self.log = url, data, data / "log"
        self.log.touch()
        self.running = [self._another() for _ in range(number)]

    def _another(self):
        return start_scheduler(self.url, self.data, self.log)

    def kill(self, pid: int) -> None:
        """Kill one of them and start another in its place."""
        place = next(place for place, scheduler in enumerate(self.running) if scheduler.pid == pid)
        self.running[place].kill()
        self.running[place].join()
        self.running[place] = self._another()

    def leader(self, day: date) -> int | None:
        """Return the process that works on the night of `day`, None before one does."""
        beginnings = re.findall(rf"scheduler\[(\d+)\]: the night of {day} begins", self.log.read_text())
        return int(beginnings[-1]) if beginnings else None

    def end(self) -> None:
        for scheduler in self.running:
            scheduler.kill()
            scheduler.join()


class TestManySchedulers:
    @pytest.mark.parametrize("number", [2, 5])
    def test_run_one_night_a_day_whoever_of_them_is_killed(self, number, town, tmp_path, publish):
        with copy_of(town, "schedulers") as url:
            self.days(Schedulers(number, url, tmp_path), 8, publish)

    @pytest.mark.soak
    def test_do_so_over_a_hundred_days(self, town, tmp_path, publish):
        with copy_of(town, "schedulers") as url:
            self.days(Schedulers(5, url, tmp_path), 100, publish)

    def days(self, schedulers, days, publish):
        seed = seed_of_run()
        publish(f"R12: seed {seed}")
        chance = random.Random(seed)
        try:
            with at(schedulers.url) as sessions:
                attempts = sum(
                    self.day(
                        SECOND_NIGHT + timedelta(days=number - 200),
                        sessions,
                        schedulers,
                        chance,
                        leads=number % 2 == 0,
                    )
                    for number in range(days)
                )
        finally:
            schedulers.end()
        publish(
            f"R12: {len(schedulers.running)} schedulers, one killed each of {days} nights, {attempts} attempts, "
            "one completed run each"
        )
        said = schedulers.log.read_text()
        assert "Traceback" not in said, said[-3000:]

    def day(self, day: date, sessions, schedulers, chance, *, leads: bool) -> int:
        """Ask for a night, kill its leader or anybody meanwhile, and see that the night happens once."""
        with sessions.begin() as session:
            request_run(session, job=NIGHT.name, business_day=day)
        until(lambda: not leads or schedulers.leader(day), f"a leader for {day}")
        time.sleep(chance.uniform(0, 0.3))
        schedulers.kill(schedulers.leader(day) if leads else chance.choice(schedulers.running).pid)

        def completed() -> bool:
            with sessions() as session:
                run = find_run(session, job=NIGHT.name, business_day=day)
            assert run.state in {"waiting", "running", "completed"}, run
            return run.state == "completed"

        until(completed, f"the night of {day}", patience=120)
        with sessions() as session:
            run = find_run(session, job=NIGHT.name, business_day=day)
            analyses = session.scalar(
                text("select count(*) from analysis_run where business_day = :day and state = 'completed'"),
                {"day": day},
            )
        assert analyses == 1
        assert broken(sessions) == []
        return run.attempts

"""Jobs run once per business day, go on after being killed, and stop when asked."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from core.database import Sessions
from core.job_runs import find_run, request_stop
from core.jobs import AlreadyRunning, Job, LockLost, Shift, Step, run_once

DAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


class Diary:
    """Steps that write down when they ran."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    def step(self, name: str, work: Callable[[Shift], object] = lambda _: None) -> Step:
        def note(shift: Shift) -> dict[str, object]:
            self.entries.append(name)
            return {"saw": work(shift)}

        return Step(name, note)


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def run(sessions: Sessions, tmp_path: Path):
    def run(*steps: Step, wait: bool = True, day: date = DAY):
        return run_once(Job("night", steps), sessions=sessions, data=tmp_path, business_day=day, wait=wait)

    return run


class TestRunOnce:
    def test_runs_the_steps_in_order_and_keeps_what_they_returned(self, run, diary):
        done = run(diary.step("expire", lambda _: 7), diary.step("mine"))
        assert diary.entries == ["expire", "mine"]
        assert done.state == "completed"
        assert [(step.name, step.state) for step in done.steps] == [
            ("expire", "completed"),
            ("mine", "completed"),
        ]
        assert done.steps[0].result == {"saw": 7}
        assert all(step.duration is not None for step in done.steps)

    def test_does_nothing_the_second_time(self, run, diary):
        first = run(diary.step("expire"))
        assert run(diary.step("expire")) == first
        assert diary.entries == ["expire"]

    def test_runs_again_for_another_day(self, run, diary):
        run(diary.step("expire"))
        run(diary.step("expire"), day=date(2026, 11, 22))
        assert diary.entries == ["expire", "expire"]

    def test_gives_a_step_its_day_and_its_moment(self, run, diary):
        seen = run(diary.step("expire", lambda shift: [shift.business_day, shift.now.utcoffset()]))
        assert seen.steps[0].result == {"saw": ["2026-11-21", "0:00:00"]}

    def test_stops_at_a_failing_step_and_keeps_its_error(self, run, diary):
        failed = run(diary.step("expire"), diary.step("mine", lambda _: int("one")), diary.step("catalogs"))
        assert failed.state == "failed"
        assert [step.state for step in failed.steps] == ["completed", "failed", "waiting"]
        assert failed.steps[1].error == "ValueError: invalid literal for int() with base 10: 'one'"

    def test_goes_on_at_the_step_that_failed(self, run, diary):
        run(diary.step("expire"), diary.step("mine", lambda _: 1 // 0), diary.step("catalogs"))
        mended = run(diary.step("expire"), diary.step("mine"), diary.step("catalogs"))
        assert mended.state == "completed"
        assert mended.attempts == 2
        assert mended.steps[1].error is None
        assert diary.entries == ["expire", "mine", "mine", "catalogs"]

    def test_takes_up_steps_that_a_newer_version_added(self, run, diary):
        run(diary.step("expire"), diary.step("catalogs", lambda _: 1 // 0))
        mended = run(diary.step("expire"), diary.step("mine"), diary.step("catalogs"))
        assert diary.entries == ["expire", "catalogs", "mine", "catalogs"]
        assert [step.name for step in mended.steps] == ["expire", "mine", "catalogs"]

    def test_keeps_what_a_step_leaves_to_the_next_until_the_run_ends(self, run, diary):
        def leave(shift: Shift) -> object:
            return shift.kept.setdefault("read", len(shift.kept))

        def look(shift: Shift) -> object:
            return sorted(shift.kept)

        failed = run(
            diary.step("mine", leave), diary.step("groups", look), diary.step("catalogs", lambda _: 1 // 0)
        )
        assert failed.steps[1].result == {"saw": ["read"]}
        taken_up = run(diary.step("mine", leave), diary.step("groups", look), diary.step("catalogs", look))
        assert taken_up.steps[2].result == {"saw": []}

    def test_shows_progress_to_others_while_a_step_runs(self, run, diary, sessions):
        def work(shift: Shift) -> object:
            shift.report(3, 3)
            with sessions() as other:
                found = find_run(other, job="night", business_day=DAY)
            return [found.state, found.alive, found.steps[0].state, found.steps[0].done, found.steps[0].total]

        seen = run(diary.step("mine", work))
        assert seen.steps[0].result == {"saw": ["running", True, "running", 3, 3]}
        assert not seen.alive

    def test_keeps_the_last_report_of_a_step(self, run, diary):
        def work(shift: Shift) -> None:
            for number in range(1000):
                shift.report(number, None)

        assert run(diary.step("mine", work)).steps[0].done == 999

    def test_stops_at_the_next_report_when_asked(self, run, diary, sessions):
        def work(shift: Shift) -> None:
            with sessions.begin() as other:
                found = find_run(other, job="night", business_day=DAY)
                request_stop(other, run_id=found.run_id, now=NOW)
            shift.report(5, 5)
            raise AssertionError("the report must not return")

        stopped = run(diary.step("expire"), diary.step("mine", work), diary.step("catalogs"))
        assert stopped.state == "stopped"
        assert [step.state for step in stopped.steps] == ["completed", "stopped", "waiting"]

    def test_stops_before_the_next_step_when_a_step_never_reports(self, run, diary, sessions):
        def work(_shift: Shift) -> None:
            with sessions.begin() as other:
                found = find_run(other, job="night", business_day=DAY)
                request_stop(other, run_id=found.run_id, now=NOW)

        stopped = run(diary.step("mine", work), diary.step("catalogs"))
        assert [step.state for step in stopped.steps] == ["completed", "stopped"]
        assert diary.entries == ["mine"]
        assert run(diary.step("mine"), diary.step("catalogs")).state == "completed"
        assert diary.entries == ["mine", "catalogs"]

    def test_is_not_left_running_by_an_interrupt_from_the_keyboard(self, run, diary, sessions):
        def work(_shift: Shift) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(diary.step("mine", work))
        with sessions() as session:
            assert find_run(session, job="night", business_day=DAY).state == "stopped"

    def test_ends_when_the_lock_and_its_connection_are_lost(self, run, diary, sessions, owner_engine):
        def work(shift: Shift) -> None:
            with owner_engine.begin() as owner:
                owner.execute(
                    text("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
                )
            shift.report(1, 1)
            raise AssertionError("the report must not return")

        with pytest.raises(LockLost):
            run(diary.step("mine", work))
        with sessions() as session:
            interrupted = find_run(session, job="night", business_day=DAY)
        assert (interrupted.state, interrupted.alive) == ("running", False)
        assert run(diary.step("mine")).state == "completed"

    def test_ends_when_another_process_has_taken_the_run_over(self, run, diary, sessions):
        def work(shift: Shift) -> None:
            with sessions.begin() as other:
                other.execute(text("update job_run set attempts = attempts + 1"))
            shift.report(1, 1)
            raise AssertionError("the report must not return")

        with pytest.raises(LockLost):
            run(diary.step("mine", work))
        with sessions() as session:
            assert find_run(session, job="night", business_day=DAY).steps[0].done == 0


class TestRunOnceBesideOthers:
    def test_refuses_at_once_when_not_to_wait(self, run, diary):
        def work(_shift: Shift) -> object:
            with pytest.raises(AlreadyRunning):
                run(diary.step("mine"), wait=False)

        run(diary.step("mine", work))
        assert diary.entries == ["mine"]

    def test_waits_and_returns_the_other_ones_run(self, run, diary):
        started = threading.Event()
        returned = []

        def work(_shift: Shift) -> None:
            started.set()
            time.sleep(0.5)

        steps = [diary.step("mine", work)]
        first = threading.Thread(target=lambda: returned.append(run(*steps)))
        first.start()
        started.wait(10)
        returned.append(run(*steps))
        first.join()
        assert diary.entries == ["mine"]
        assert returned[0] == returned[1]
        assert returned[0].state == "completed"


SLOW_NIGHT = """
import sys, time
from datetime import date
from pathlib import Path
from core.database import make_engine, make_sessions
from core.jobs import Job, Step, run_once

url, folder = sys.argv[1], Path(sys.argv[2])

def step(name):
    def work(shift):
        with (folder / "diary").open("a") as diary:
            diary.write(name + "\\n")
        while name == "mine" and (folder / "stand").exists():
            time.sleep(0.01)
        for number in range(20):
            time.sleep(0.01)
            shift.report(number, 20)
        return {"name": name}
    return Step(name, work)

job = Job("night", tuple(step(name) for name in ("expire", "mine", "catalogs")))
done = run_once(job, sessions=make_sessions(make_engine(url)), data=folder, business_day=date(2026, 11, 21), wait=True)
print(done.run_id, done.state, done.attempts)
"""


def start(url: str, folder: Path) -> subprocess.Popen[str]:
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-c", SLOW_NIGHT, url, str(folder)]
    return subprocess.Popen(
        command, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, stdout=subprocess.PIPE, text=True
    )


class TestKilledProcess:
    def test_leaves_a_run_that_the_next_one_finishes(self, database_url, sessions, tmp_path):
        stand = tmp_path / "stand"
        stand.touch()
        process = start(database_url, tmp_path)
        while not (tmp_path / "diary").exists() or "mine" not in (tmp_path / "diary").read_text():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        stand.unlink()
        with sessions() as session:
            left = find_run(session, job="night", business_day=DAY)
        assert left.state == "running"
        assert left.steps[0].state == "completed"

        said, _ = start(database_url, tmp_path).communicate()
        assert said.split()[1:] == ["completed", "2"]
        assert (tmp_path / "diary").read_text().split() == ["expire", "mine", "mine", "catalogs"]

    def test_is_relieved_by_one_of_those_that_wait(self, database_url, tmp_path):
        processes = [start(database_url, tmp_path) for _ in range(3)]
        deadline = time.monotonic() + 120
        while not (tmp_path / "diary").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        # Whoever has the lock is not known here; the one killed may have been waiting, which must not matter.
        processes[0].send_signal(signal.SIGKILL)
        answers = [process.communicate()[0].split() for process in processes][1:]
        assert {answer[1] for answer in answers} == {"completed"}
        assert len({answer[0] for answer in answers}) == 1
        entries = (tmp_path / "diary").read_text().split()
        assert sorted(set(entries)) == ["catalogs", "expire", "mine"]
        assert len(entries) in {3, 4}

"""Hand-overs whose process is killed half-way: gone on with by the scheduler's next look, or by a person."""

import csv
import os
import signal
import subprocess
import sys
import time
import zipfile
from hashlib import sha256
from io import StringIO
from pathlib import Path
from uuid import UUID

import pikepdf
import pytest
from sqlalchemy import func, select, update

from catalogs.runs.handovers import NotPrepared, ask_for_handover
from catalogs.runs.jobs import run_job, waiting_jobs
from catalogs.runs.lists import job_of_handover
from catalogs.runs.operations import HANDOVER_JOB, cancel_run
from contacts.models import OutgoingMail
from core.job_runs import request_stop
from core.whole_files import is_unfinished
from customers.models import Member
from tests.catalogs.chain import NOW, Chain
from tests.catalogs.run import Run

_WORKER = """
import sys
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from catalogs.runs import handover_preparing
from catalogs.runs.jobs import run_job
from core.database import make_engine, make_sessions
import time_machine
from tests.catalogs.chain import NOW

@contextmanager
def show(_title):
    def report(done, total):
        # Half-way it waits for its end, having written what it had done so far.
        if done >= 2:
            print("half-way", flush=True)
            sys.stdin.read()
    yield report

if __name__ == "__main__":
    time_machine.travel(NOW, tick=True).start()
    handover_preparing.MAILS_AT_ONCE = 2
    sessions = make_sessions(make_engine(sys.argv[1], role=None))
    run_job(sessions, data=Path(sys.argv[2]), job=sys.argv[3], business_day=date.fromisoformat(sys.argv[4]),
            show=show, workers=1)
"""


def begin(run: Run) -> subprocess.Popen[str]:
    """Let a process of its own prepare what waits, until it is half-way and waits there."""
    script = run.data / "worker.py"
    script.write_text(_WORKER)
    ((job, day),) = waiting_jobs(run.chain.sessions)
    url = run.chain.sessions.kw["bind"].url.render_as_string(hide_password=False)
    child = subprocess.Popen(
        [sys.executable, script, url, run.data, job, day.isoformat()],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "half-way\n", "the worker ended by itself"
    return child


def kill(run: Run, child: subprocess.Popen[str]) -> None:
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    deadline = time.monotonic() + 30
    while not waiting_jobs(run.chain.sessions):
        assert time.monotonic() < deadline, "the killed process' lock is still held"
        time.sleep(0.02)


def ask(run: Run, kind: str) -> UUID:
    return run.do(ask_for_handover, kind=kind, job=HANDOVER_JOB, actor="mara")


def _halves(run: Run) -> list[Path]:
    return [path for path in (run.data / "catalogs").rglob("*") if is_unfinished(path)]


@pytest.mark.usefixtures("at_home", "in_november")
class TestKilledHandovers:
    @pytest.mark.parametrize("kind", ["print", "zip"])
    def test_are_written_whole_at_the_schedulers_next_look_and_leave_no_half_file(self, run: Run, kind: str):
        run.make()
        handover_id = ask(run, kind)
        kill(run, begin(run))
        assert _halves(run)
        assert run.handover(handover_id).state == "waiting"
        assert run.work() == ["completed"]
        assert not _halves(run)
        path = run.take(handover_id)
        copies = run.chain.copies().values()
        assert {copy.state for copy in copies} == {"sent"}
        assert sha256(path.read_bytes()).digest() == run.handover(handover_id).sha256
        if kind == "print":
            with pikepdf.open(path) as pdf:
                assert len(pdf.pages) == sum(copy.pages for copy in copies)
            text = path.with_suffix(".csv").read_text()
        else:
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
                text = archive.read("manifest.csv").decode("utf-8-sig")
        assert [row["copy_code"] for row in csv.DictReader(StringIO(text))] == sorted(
            copy.copy_code for copy in copies
        )

    def test_queue_each_mail_once_by_which_a_copy_goes(self, chain: Chain, tmp_path: Path):
        for number in range(5):
            chain.join(f"m-{number}", "t1", consent=("offers", "email"), email=f"m{number}@example.com")
        run = Run(chain, tmp_path)
        run.make()
        handover_id = ask(run, "email")
        kill(run, begin(run))
        mails = select(func.count()).select_from(OutgoingMail)
        with chain.sessions() as session:
            assert session.scalar(mails) == 2
        assert run.work() == ["completed"]
        found = run.handover(handover_id)
        assert (found.state, found.copies) == ("handed", 5)
        with chain.sessions() as session:
            assert session.scalar(mails) == 5
            assert session.scalar(select(func.count(OutgoingMail.recipient.distinct()))) == 5

    def test_are_ended_though_the_last_mail_was_queued(self, chain: Chain, tmp_path: Path):
        for number in range(2):
            chain.join(f"m-{number}", "t1", consent=("offers", "email"), email=f"m{number}@example.com")
        run = Run(chain, tmp_path)
        run.make()
        handover_id = ask(run, "email")
        kill(run, begin(run))
        assert ask(run, "email") == handover_id
        assert run.work() == ["completed"]
        found = run.handover(handover_id)
        assert (found.state, found.copies) == ("handed", 2)

    def test_still_tell_what_was_made_again_and_dropped_before(self, run: Run):
        run.make()
        run.chain.answer("t1-1", "never", run.chain.articles[0])
        with run.chain.sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_code == "t1-0").values(profiling_objected_at=NOW)
            )
        handover_id = ask(run, "print")
        kill(run, begin(run))
        assert run.work() == ["completed"]
        found = run.handover(handover_id)
        assert (found.copies, found.remade, found.dropped) == (3, 1, 1)

    def test_leave_no_copy_that_was_being_made_again(self, run: Run):
        run.make()
        ask(run, "print")
        # As a process leaves it that was killed while it wrote.
        first = run.data / min(copy.path for copy in run.chain.copies().values())
        half = first.with_name(f"{first.stem}.4711.part.pdf")
        half.write_bytes(b"Jana")
        assert run.work() == ["completed"]
        assert not half.exists()

    def test_are_prepared_by_nobody_once_the_run_is_cancelled(self, run: Run):
        run.make()
        handover_id = ask(run, "zip")
        kill(run, begin(run))
        run.do(cancel_run, reason="wrong prices", actor="mara")
        assert run.work() == ["completed"]
        assert run.handover(handover_id).state == "stale"
        assert not list((run.data / "catalogs" / "handovers").iterdir())


@pytest.mark.usefixtures("at_home", "in_november")
class TestPersons:
    def test_ask_for_nothing_new_where_one_is_under_way_and_go_on_where_it_was_killed(self, run: Run):
        run.make()
        handover_id = ask(run, "print")
        child = begin(run)
        with pytest.raises(NotPrepared):
            ask(run, "print")
        kill(run, child)
        assert ask(run, "print") == handover_id
        assert run.work() == ["completed"]
        assert run.handover(handover_id).state == "prepared"

    def test_go_on_with_what_was_stopped_under_the_day_it_was_asked_for(self, run: Run):
        run.make()
        handover_id = ask(run, "print")
        ((job, day),) = waiting_jobs(run.chain.sessions)
        with run.chain.sessions.begin() as session:
            found = job_of_handover(session, handover_id=handover_id)
            assert found is not None
            request_stop(session, run_id=found.run_id, now=NOW)
        assert waiting_jobs(run.chain.sessions) == []
        assert ask(run, "print") == handover_id
        assert waiting_jobs(run.chain.sessions) == [(job, day)]
        view = run_job(run.chain.sessions, data=run.data, job=job, business_day=day, workers=1, wait=False)
        assert view.state == "completed"
        assert run.handover(handover_id).state == "prepared"

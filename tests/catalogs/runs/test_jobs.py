"""Runs whose processes are killed."""

import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from catalogs.models import CatalogCopy, CatalogVoucher
from catalogs.runs.jobs import waiting_jobs
from catalogs.runs.operations import (
    start_run,
)
from rewards.models import Voucher
from rewards.vouchers.batches import Batch, put_batch
from tests.catalogs.chain import NOW, Chain
from tests.catalogs.run import Run


@pytest.mark.usefixtures("in_november")
class TestKilledRuns:
    COPIES = 300
    """So many that most are still to be made when the second process is killed, however late that is noticed."""

    def test_go_on_without_a_copy_lost_or_made_twice(self, chain: Chain, tmp_path: Path, server_url: str):
        with chain.sessions.begin() as session:
            put_batch(session, Batch("C3", value_amount=300, currency="CZK"), actor="m", now=NOW)
            _multiply(session, self.COPIES)
        run = Run(chain, tmp_path, voucher_batches=("C3",))
        run.approve()
        run.do(start_run, actor="mara")
        url = chain.sessions.kw["bind"].url.render_as_string(hide_password=False)
        seen: dict[str, bytes] = {}
        for least in (1, self.COPIES // 6):
            _kill_when(run, url, least)
            found = {copy.copy_code: copy.sha256 for copy in _copies(chain)}
            assert least <= len(found) < self.COPIES + 4
            assert seen.items() <= found.items()
            seen = found
        assert run.work() == ["completed"]
        copies = _copies(chain)
        assert run.view.state == "finished"
        assert len(copies) == len({copy.member_id for copy in copies}) == self.COPIES + 4
        assert seen.items() <= {copy.copy_code: copy.sha256 for copy in copies}.items()
        for copy in copies:
            assert sha256((tmp_path / copy.path).read_bytes()).digest() == copy.sha256
        with chain.sessions() as session:
            assert session.scalar(select(func.count()).select_from(Voucher)) == self.COPIES + 4
            assert session.scalar(select(func.count()).select_from(CatalogVoucher)) == self.COPIES + 4


def _copies(chain: Chain) -> list[CatalogCopy]:
    with chain.sessions() as session:
        return list(session.scalars(select(CatalogCopy)))


def _multiply(session, count: int) -> None:
    """Enrol `count` more members of the first group, who bought nothing yet."""
    session.execute(
        text(
            "with made as (insert into account (account_id, opened_at) select gen_random_uuid(), now()"
            " from generate_series(1, :count) returning account_id),"
            " joined as (insert into member (member_id, member_code, account_id, given_name, family_name, language,"
            " home_store_code, joined_on) select gen_random_uuid(), 'x' || row_number() over (), account_id, 'Eva',"
            " 'Malá', 'cs', 'S1', now() from made returning member_id),"
            " agreed as (insert into consent (member_id, purpose, channel, granted, text_version, source, recorded_at)"
            " select member_id, 'catalog', 'print', true, '1', 'desk', timestamptz '2026-11-01' from joined)"
            " insert into group_membership (run_id, member_id, group_id, strength, baskets)"
            " select run_id, member_id, 't1', 3, 12 from joined, served_run"
        ),
        {"count": count},
    )


_WORKER = """
import sys
from datetime import date
from pathlib import Path
from catalogs.runs.jobs import run_job
from core.database import make_engine, make_sessions
import time_machine
from tests.catalogs.chain import NOW
if __name__ == "__main__":
    time_machine.travel(NOW, tick=True).start()
    sessions = make_sessions(make_engine(sys.argv[1], role=None))
    run_job(sessions, data=Path(sys.argv[2]), job=sys.argv[3], business_day=date.fromisoformat(sys.argv[4]), workers=1)
"""


def _kill_when(run: Run, url: str, least: int) -> None:
    """Let a process of its own work on the run, and kill it when so many copies are archived."""
    script = run.data / "worker.py"
    script.write_text(_WORKER)
    ((job, day),) = waiting_jobs(run.chain.sessions)
    child = subprocess.Popen(
        [sys.executable, script, url, run.data, job, day.isoformat()],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(_copies(run.chain)) < least:
        assert child.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    deadline = time.monotonic() + 30
    while not waiting_jobs(run.chain.sessions):
        assert run.view.state != "finished", "all copies were made before the process was killed"
        assert time.monotonic() < deadline, "the killed process' lock is still held"
        time.sleep(0.02)

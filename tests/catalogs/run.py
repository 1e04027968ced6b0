"""A catalog run of the chain's groups in a data folder, worked on as the scheduler does."""

import shutil
import subprocess
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from catalogs.runs.drafting import draft_run
from catalogs.runs.handovers import (
    ask_for_handover,
    take_handover,
)
from catalogs.runs.jobs import run_job, waiting_jobs
from catalogs.runs.lists import handovers_of, read_run, run_audience
from catalogs.runs.operations import HANDOVER_JOB, approve_run, ask_for_proof, start_run
from catalogs.runs.run import Recipe
from tests.catalogs.chain import DAY, NOW, Chain


class Run:
    """A run of the chain's groups in a data folder."""

    def __init__(self, chain: Chain, data: Path, **parts) -> None:
        self.chain, self.data = chain, data
        recipe = {
            "name": "Advent",
            "theme": "trh",
            "size": "A4",
            "channels": ("print", "email"),
            "valid_from": date(2026, 11, 23),
            "valid_to": date(2026, 12, 7),
            "group_ids": ("t1",),
            "hold_out": Decimal(0),
        } | parts
        with chain.sessions.begin() as session:
            self.id = draft_run(session, Recipe(**recipe), day=DAY, actor="mara", now=NOW)

    def do(self, operation, **values):
        with self.chain.sessions.begin() as session:
            return operation(session, run_id=self.id, now=NOW, **values)

    def work(self) -> list[str]:
        """Do what waits, as the scheduler does; returns how each job ended."""
        return [
            run_job(
                self.chain.sessions, data=self.data, job=job, business_day=day, workers=1, wait=False
            ).state
            for job, day in waiting_jobs(self.chain.sessions)
        ]

    def prove(self) -> None:
        self.do(ask_for_proof, actor="mara")
        assert self.work() == ["completed"]

    def approve(self) -> None:
        self.prove()
        self.do(approve_run, actor="adam")

    def make(self) -> None:
        self.approve()
        self.do(start_run, actor="mara")
        assert self.work() == ["completed"]

    @property
    def view(self):
        with self.chain.sessions() as session:
            return read_run(session, run_id=self.id)

    @property
    def audience(self):
        with self.chain.sessions() as session:
            return run_audience(session, run_id=self.id)

    def ask(self, kind: str) -> UUID:
        handover_id = self.do(ask_for_handover, kind=kind, job=HANDOVER_JOB, actor="mara")
        assert self.work() == ["completed"]
        return handover_id

    def take(self, handover_id: UUID) -> Path:
        with self.chain.sessions.begin() as session:
            taken = take_handover(session, handover_id=handover_id, actor="mara", now=NOW)
            return self.data / taken.path

    def handover(self, handover_id: UUID):
        with self.chain.sessions() as session:
            found = handovers_of(session, run_id=self.id)
        return next(one for one in found if one.handover_id == handover_id)


def words_of(path: Path) -> str:
    return subprocess.run(
        [shutil.which("pdftotext") or "pdftotext", "-layout", path, "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

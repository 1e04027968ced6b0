"""
Jobs that happen once for a business day, however many processes want to run them.

The row in `job_run` is unique on (job, business day), and whoever works on a job holds an
advisory lock on a connection of its own, through which progress is written too: losing the
connection loses the lock, and the next report ends the work. A killed process leaves a run that
the next one takes up again: completed steps stay done, the one that was running runs again. So a
step must be safe to repeat, and commits for itself.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, CursorResult, Engine, Executable, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from core import clock
from core.collisions import again_when_collided
from core.database import Sessions
from core.errors import Conflict
from core.ids import uuid7
from core.job_runs import LOCKS, JobRunView, read_run
from core.models import JobRun, JobStep
from core.processes import give_back_memory
from core.progress import Report, silent

SECONDS_BETWEEN_WRITES = 0.5
SECONDS_BETWEEN_TRIES = 0.3

log = logging.getLogger(__name__)

T = TypeVar("T")


class AlreadyRunning(Conflict):
    """Another process is working on the job."""


class Stopped(Conflict):
    """Somebody asked for the run to be stopped."""


class LockLost(Conflict):
    """The connection with the lock was lost; another process may have taken the run over."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What a step works with: the database, the data folder, the day it is for, and when it began."""

    sessions: Sessions
    data: Path
    business_day: date
    now: datetime
    report: Report
    """Call it often with (done, total): it shows progress, and raises when the step is to stop."""
    kept: dict[str, Any] = field(default_factory=dict)
    """
    What steps of the run leave to those after them in this process. It may only spare work: a run that is taken
    up again begins with nothing kept.
    """

    def transact(self, work: Callable[[Session], T]) -> T:
        """
        Return what `work` makes of a session, committed; done again from the start where it collided.

        Tills work through the night: a step that met one of them must not end the run. `work` must have no effect
        outside the session.
        """

        def once() -> T:
            with self.sessions.begin() as session:
                return work(session)

        return again_when_collided(once)


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a job; what `work` returns is kept with the run and must be JSON."""

    name: str
    work: Callable[[Shift], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Job:
    """Steps that run in order, once for a business day."""

    name: str
    steps: tuple[Step, ...]


Show = Callable[[str], AbstractContextManager[Report]]


@contextmanager
def show_nothing(_title: str) -> Iterator[Report]:
    """Show a step's progress to nobody at this terminal; the jobs page sees it all the same."""
    yield silent


def run_once(
    job: Job, *, sessions: Sessions, data: Path, business_day: date, show: Show = show_nothing, wait: bool
) -> JobRunView:
    """
    Run `job` for `business_day` unless that is done, and return the run as it then is.

    A run that was killed, stopped or failed goes on where it was. While another process
    works on the job this one waits, or raises AlreadyRunning if it is not to `wait`. A
    step that raises ends the run as "failed", with the error in the step.
    """
    with _lock(_engine(sessions), job.name, wait=wait) as own:
        run_id, done = _claim(own, job, business_day)
        if not done:
            register = _Register(own, run_id)
            _work(register, job, sessions=sessions, data=data, business_day=business_day, show=show)
        return read_run(own, run_id=run_id)


def _engine(sessions: Sessions) -> Engine:
    engine = sessions.kw["bind"]
    assert isinstance(engine, Engine)
    return engine


@contextmanager
def _lock(engine: Engine, job: str, *, wait: bool) -> Iterator[Connection]:
    """Hold the job's lock on a connection that belongs to nobody else and commits each statement."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as own:
        # Closed, not given back to the pool: the lock must end with the connection.
        own.detach()
        claim = select(func.pg_try_advisory_lock(LOCKS, func.hashtext(job)))
        waited = False
        while not own.scalar(claim):
            if not wait:
                raise AlreadyRunning(f"another process is running {job}")
            if not waited:
                log.info("another process is running %s; waiting for it", job)
                waited = True
            time.sleep(SECONDS_BETWEEN_TRIES)
        try:
            yield own
        finally:
            # It ends with the connection, but a busy server takes a moment to see that one is gone.
            with suppress(SQLAlchemyError):
                own.execute(select(func.pg_advisory_unlock(LOCKS, func.hashtext(job))))


def _claim(own: Connection, job: Job, business_day: date) -> tuple[UUID, bool]:
    """Return the run and whether it is completed already; otherwise it is ours and its open steps wait."""
    own.execute(
        insert(JobRun)
        .values(run_id=uuid7(), job=job.name, business_day=business_day, state="waiting")
        .on_conflict_do_nothing()
    )
    run = own.execute(
        select(JobRun.run_id, JobRun.state).where(JobRun.job == job.name, JobRun.business_day == business_day)
    ).one()
    if run.state == "completed":
        return run.run_id, True
    own.execute(
        update(JobRun)
        .where(JobRun.run_id == run.run_id)
        .values(
            state="running",
            attempts=JobRun.attempts + 1,
            started_at=func.coalesce(JobRun.started_at, clock.now()),
            finished_at=None,
            stop_requested_at=None,
        )
    )
    own.execute(delete(JobStep).where(JobStep.run_id == run.run_id, JobStep.state != "completed"))
    last = own.scalar(select(func.max(JobStep.position)).where(JobStep.run_id == run.run_id)) or 0
    waiting = [
        {"run_id": run.run_id, "position": last + number, "name": step.name, "state": "waiting"}
        for number, step in enumerate(job.steps, 1)
    ]
    # A completed step keeps its row: its name is taken.
    own.execute(insert(JobStep).on_conflict_do_nothing(), waiting)
    return run.run_id, False


def _work(
    register: "_Register", job: Job, *, sessions: Sessions, data: Path, business_day: date, show: Show
) -> None:
    completed = register.completed()
    kept: dict[str, Any] = {}
    for step in job.steps:
        if step.name in completed:
            continue
        began = clock.now()
        try:
            register.begin(step.name, began)
            with show(step.name.replace("_", " ")) as shown:
                shift = Shift(sessions, data, business_day, began, register.reporter(shown), kept)
                result = step.work(shift)
        except (Stopped, KeyboardInterrupt) as stop:
            register.finish(step.name, "stopped")
            register.close("stopped")
            if isinstance(stop, KeyboardInterrupt):
                raise
            return
        except LockLost:
            raise
        except Exception as error:
            log.exception("%s of %s failed at %s", job.name, business_day, step.name)
            register.finish(step.name, "failed", error=f"{type(error).__name__}: {error}")
            register.close("failed")
            return
        register.finish(step.name, "completed", result=result)
        # What a step freed lies in small pieces that the next one hardly fills: both would add up.
        give_back_memory()
    register.close("completed")


class _Register:
    """Writes what happens to a run, through the connection that holds the lock."""

    def __init__(self, own: Connection, run_id: UUID) -> None:
        self._own = own
        self._run_id = run_id
        self._attempt = own.scalar(select(JobRun.attempts).where(JobRun.run_id == run_id))
        self._ours = (
            select(JobRun.run_id).where(JobRun.run_id == run_id, JobRun.attempts == self._attempt).exists()
        )
        self._step = ""
        self._reported: tuple[int, int | None] = (0, None)
        self._busy = threading.Lock()

    def completed(self) -> set[str]:
        """Return the names of the steps that are done."""
        return set(
            self._execute(
                select(JobStep.name).where(JobStep.run_id == self._run_id, JobStep.state == "completed")
            ).scalars()
        )

    def begin(self, step: str, began: datetime) -> None:
        self._step = step
        self._reported = (0, None)
        self._write(step, state="running", started_at=began)
        self._heed_stop()

    def finish(
        self, step: str, state: str, *, error: str | None = None, result: Mapping[str, Any] | None = None
    ) -> None:
        kept = None if result is None else json.loads(json.dumps(result, default=str))
        done, total = self._reported
        self._write(
            step, state=state, finished_at=clock.now(), error=error, result=kept, done=done, total=total
        )

    def close(self, state: str) -> None:
        self._execute(
            update(JobRun)
            .where(JobRun.run_id == self._run_id, JobRun.attempts == self._attempt)
            .values(state=state, finished_at=clock.now())
        )

    def reporter(self, shown: Report) -> Report:
        """Return what the running step reports with; it may be called from any of its threads."""
        written_at = time.monotonic()
        step = self._step

        def report(done: int, total: int | None) -> None:
            nonlocal written_at
            shown(done, total)
            with self._busy:
                self._reported = (done, total)
                if time.monotonic() - written_at < SECONDS_BETWEEN_WRITES and done != total:
                    return
                self._write(step, done=done, total=total)
                self._heed_stop()
                written_at = time.monotonic()

        return report

    def _heed_stop(self) -> None:
        asked = self._execute(select(JobRun.stop_requested_at).where(JobRun.run_id == self._run_id))
        if asked.scalar() is not None:
            raise Stopped("somebody asked for a stop")

    def _write(self, step: str, **values: Any) -> None:
        written = self._execute(
            update(JobStep)
            .where(JobStep.run_id == self._run_id, JobStep.name == step, self._ours)
            .values(**values)
        )
        if written.rowcount == 0:
            raise LockLost("another process has taken this run over")

    def _execute(self, statement: Executable) -> CursorResult[Any]:
        if self._own.invalidated:
            raise LockLost("the connection that holds the lock was lost")
        try:
            return self._own.execute(statement)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise LockLost("the connection that holds the lock was lost") from error
            raise

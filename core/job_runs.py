"""The runs of jobs as people see them: what happened, how far it got, and what may be asked of them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    and_,
    case,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.models import JobRun, JobStep

LOCKS = 7_260_413
"""Class of the advisory locks under which jobs run; the number only has to be ours."""

HELD: ColumnElement[bool] = literal_column(
    "exists (select from pg_locks join pg_database on pg_database.oid = pg_locks.database"
    " where datname = current_database() and locktype = 'advisory' and granted"
    f" and classid = {LOCKS} and objid::bigint = hashtext(job_run.job)::bigint & 4294967295)",
    type_=Boolean(),
)
"""Whether some process holds the lock of the row's job; the server shows the key's halves unsigned."""


TRIES = 3
"""After so many failures in a row a run waits for a person."""
PAUSE = timedelta(minutes=10)
"""How long after a failure it is tried again."""


class RunNotFound(NotFound):
    """There is no run with this id."""


class NotRunning(Conflict):
    """The run has ended, so it cannot be stopped."""


class AlreadyCompleted(Conflict):
    """The job is done for that day."""


@dataclass(frozen=True, slots=True)
class JobStepView:
    """One step: how far it got (`total` is None while nobody knows it), and what it returned or why it failed."""

    name: str
    state: str
    done: int
    total: int | None
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    result: dict[str, Any] | None

    @property
    def duration(self) -> timedelta | None:
        """How long it took, None before it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


@dataclass(frozen=True, slots=True)
class JobRunView:
    """
    One run of a job with its steps in order.

    `state` is waiting, running, completed, failed or stopped; a run in state running that
    is not `alive` was interrupted, and the next attempt goes on with it.
    """

    run_id: UUID
    job: str
    business_day: date
    state: str
    alive: bool
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    stop_requested_at: datetime | None
    steps: tuple[JobStepView, ...]


def read_run(session: Session | Connection, *, run_id: UUID) -> JobRunView:
    """Return one run; raises RunNotFound."""
    found = _views(session, JobRun.run_id == run_id, limit=1)
    if not found:
        raise RunNotFound(f"there is no run {run_id}")
    return found[0]


def find_run(session: Session | Connection, *, job: str, business_day: date) -> JobRunView | None:
    """Return the run of `job` for `business_day`, None if there is none yet."""
    found = _views(session, (JobRun.job == job) & (JobRun.business_day == business_day), limit=1)
    return found[0] if found else None


def latest_runs(
    session: Session | Connection, *, job: str | None = None, limit: int = 50
) -> list[JobRunView]:
    """Return the newest runs first, of all jobs or of one."""
    return _views(session, JobRun.job == job if job else true(), limit=limit)


def _views(session: Session | Connection, condition: ColumnElement[bool], *, limit: int) -> list[JobRunView]:
    runs = session.execute(
        select(
            JobRun.run_id,
            JobRun.job,
            JobRun.business_day,
            JobRun.state,
            and_(JobRun.state == "running", HELD).label("alive"),
            JobRun.attempts,
            JobRun.started_at,
            JobRun.finished_at,
            JobRun.stop_requested_at,
        )
        .where(condition)
        .order_by(JobRun.business_day.desc(), JobRun.job)
        .limit(limit)
    ).all()
    steps: dict[UUID, list[JobStepView]] = {run.run_id: [] for run in runs}
    for row in session.execute(
        select(JobStep.__table__).where(JobStep.run_id.in_(steps)).order_by(JobStep.run_id, JobStep.position)
    ):
        steps[row.run_id].append(
            JobStepView(
                row.name,
                row.state,
                row.done,
                row.total,
                row.started_at,
                row.finished_at,
                row.error,
                row.result,
            )
        )
    return [JobRunView(*run, steps=tuple(steps[run.run_id])) for run in runs]


def request_stop(session: Session, *, run_id: UUID, now: datetime) -> None:
    """
    Ask the run to stop: it does at its next report, keeping the steps that are done.

    A run that nobody works on, waiting or interrupted, is stopped at once. Raises NotRunning, RunNotFound.
    """
    asked = session.scalar(
        update(JobRun)
        .where(JobRun.run_id == run_id, JobRun.state.in_(("waiting", "running")))
        .values(
            stop_requested_at=now,
            state=case((and_(JobRun.state == "running", HELD), "running"), else_="stopped"),
        )
        .returning(JobRun.state)
    )
    if asked is None:
        raise NotRunning(f"the run is {read_run(session, run_id=run_id).state} already")


def request_run(session: Session, *, job: str, business_day: date) -> UUID:
    """
    Ask for a run, or for one that failed or was stopped to go on; the scheduler's next tick takes it up.

    Returns its id; raises AlreadyCompleted.
    """
    run_id: UUID | None = session.scalar(
        insert(JobRun)
        .values(run_id=uuid7(), job=job, business_day=business_day, state="waiting")
        .on_conflict_do_update(
            index_elements=[JobRun.job, JobRun.business_day],
            set_={
                "state": case((JobRun.state == "running", "running"), else_="waiting"),
                "stop_requested_at": None,
            },
            where=JobRun.state != "completed",
        )
        .returning(JobRun.run_id)
    )
    if run_id is None:
        raise AlreadyCompleted(f"{job} is completed for {business_day}")
    return run_id


def due_days(
    session: Session, *, job: str, day: date, closed: datetime, since: datetime, now: datetime
) -> list[date]:
    """
    Return the days whose run is to be begun or gone on with now, in order.

    Those are the days that people asked for, those of interrupted runs, and `day`, which closed at `closed`:
    unless its run is completed or stopped, has failed too often, or failed just now. Where it has no run
    yet, it is due when it closed after `since`, the start of the asking process, or when an earlier run
    shows that the job was in use by then: a missed one is caught up, and a new database owes nothing for
    the days before it.
    """
    open_days = session.scalars(
        select(JobRun.business_day).where(
            JobRun.job == job, or_(JobRun.state == "waiting", and_(JobRun.state == "running", ~HELD))
        )
    ).all()
    known = find_run(session, job=job, business_day=day)
    if known is None:
        used = select(JobRun.run_id).where(
            JobRun.job == job, JobRun.business_day < day, JobRun.finished_at < closed
        )
        due = closed >= since or session.scalar(used.limit(1)) is not None
    else:
        due = (
            known.state == "failed"
            and known.attempts < TRIES
            and known.finished_at is not None
            and known.finished_at + PAUSE <= now
        )
    return sorted({*open_days, *([day] if due else [])})

"""
Runs of catalogs in the background: what people asked for, done by whoever looks first, one at a time.

Each is a job of its own: its progress is seen, it can be stopped, and when its process is killed the
next look goes on with it.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from basket_analysis.groups.lists import served_run
from catalogs.making import Making, RunEnded, alone, make_run_copies
from catalogs.models import CatalogRun
from catalogs.opening import PERIOD, editions_of_run, next_monday
from catalogs.orders import OrderDesk
from catalogs.runs.drafting import DRAFT_JOB, plan_draft
from catalogs.runs.handover_preparing import prepare_handover
from catalogs.runs.leftovers import remove_strays
from catalogs.runs.operations import HANDOVER_JOB, PROOF_JOB, RUN_JOB, NotNow, move
from catalogs.runs.proofs import make_proof
from catalogs.runs.recipients import audience_of, count_audience
from catalogs.runs.standing_orders import run_of_order
from core.database import Sessions
from core.job_runs import HELD, JobRunView
from core.jobs import Job, Shift, Show, Step, Stopped, run_once, show_nothing
from core.models import JobRun
from core.progress import Report, silent
from sales.business_days import chain_timezone, last_closed_day

log = logging.getLogger(__name__)

PREFIXES: Final = (PROOF_JOB, RUN_JOB, HANDOVER_JOB)
DRAFTS: Final = (DRAFT_JOB,)
"""Drafts make no copies, and wait for nobody who does."""
CLOSING_HOUR: Final = 3
"""From then on the day before counts as known, as for the night."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What came of working on a run: copies by group, how many wait still, and its state afterwards."""

    by_group: Mapping[str, int]
    waiting: int
    state: str


def due_runs(sessions: Sessions, *, day: date, now: datetime) -> list[UUID]:
    """
    Return the approved runs that nobody has begun, and begin them; standing orders get their period's run first.

    Those that an interrupted night had begun are among them; whoever calls is `alone`.

    An order's run is for the period of two weeks that begins on the next Monday. While one holds, there is no other.
    """
    with sessions.begin() as session:
        if served_run(session) is None:
            return []
        first = next_monday(day)
        for order in session.scalars(
            select(CatalogRun).where(CatalogRun.standing, CatalogRun.state == "approved")
        ).all():
            known = session.scalar(
                select(CatalogRun.catalog_run_id).where(
                    CatalogRun.order_id == order.catalog_run_id,
                    CatalogRun.valid_from <= first,
                    CatalogRun.valid_to > first,
                )
            )
            if known is None:
                run_of_order(
                    session, order=order, valid_from=first, valid_to=first + PERIOD, day=day, now=now
                )
        session.execute(
            update(CatalogRun)
            .where(~CatalogRun.standing, CatalogRun.state == "approved")
            .values(state="running", started_at=now, requested_on=now.date())
            .execution_options(synchronize_session=False)
        )
        # Nobody else is at work: what runs and waits for no scheduler was begun by a night that was interrupted.
        asked = (
            select(JobRun.run_id)
            .where(
                JobRun.job == func.concat(RUN_JOB, CatalogRun.catalog_run_id),
                JobRun.state.in_(("waiting", "running")),
            )
            .exists()
        )
        return list(
            session.scalars(
                select(CatalogRun.catalog_run_id)
                .where(CatalogRun.state == "running", ~asked)
                .order_by(CatalogRun.catalog_run_id)
            )
        )


def work_on_run(
    sessions: Sessions,
    *,
    run_id: UUID,
    data: Path,
    day: date,
    now: datetime,
    report: Report = silent,
    workers: int | None = None,
    tried_again: bool = False,
) -> Worked:
    """
    Make the copies of a running run, up to its first part; whoever calls is `alone`.

    Afterwards it is finished, or stopped where there is more to do, or cancelled as somebody wished meanwhile. What is raised on the way stops it,
    with everything archived by then; where it is `tried_again` by the caller, errors leave it running.
    """
    try:
        with sessions.begin() as session:
            run = _running(session, run_id)
            if run.counted_at is None:
                count_audience(
                    session,
                    catalog_run_id=run_id,
                    channels=run.channels,
                    countries=run.countries,
                    share=run.hold_out,
                    mixed=run.first_part is not None,
                    day=day,
                )
                run.counted_at = now
            editions = editions_of_run(session, run_id)
            before = audience_of(session, catalog_run_id=run_id)
            first_part = run.first_part
        most = None if first_part is None else max(0, first_part - before.made)
        total = before.wanted if most is None else min(before.wanted, before.made + most)
        report(before.made, total)
        desk = OrderDesk(editions, data=data, day=day, now=now)
        making = Making(sessions, desk, workers, report, total, before=before.made)
        try:
            done = _made(making, run_id, most)
        finally:
            with sessions() as session:
                remove_strays(session, data=data, editions=list(desk.editions))
    except BaseException as error:
        if not tried_again or isinstance(error, Stopped | KeyboardInterrupt):
            _close(sessions, run_id, "stopped")
        raise
    if done is None:
        return Worked(dict(making.made or Counter()), 0, "cancelled")
    _close(sessions, run_id, "finished" if done else "stopped", now=now)
    with sessions() as session:
        after = audience_of(session, catalog_run_id=run_id)
    report(after.made, after.made)
    return Worked(dict(making.made or Counter()), after.waiting, "finished" if done else "stopped")


def _made(making: Making, run_id: UUID, most: int | None) -> bool | None:
    """Make copies, and return whether none waits any more; None where somebody cancelled the run meanwhile."""
    try:
        return make_run_copies(making, catalog_run_id=run_id, most=most)
    except RunEnded as ended:
        log.info("%s", ended)
        return None


def _running(session: Session, run_id: UUID) -> CatalogRun:
    run = session.get_one(CatalogRun, run_id)
    if run.state != "running":
        raise NotNow(f"the run is {run.state}")
    return run


def _close(sessions: Sessions, run_id: UUID, way: str, *, now: datetime | None = None) -> None:
    """Say how the work on a run ended, unless somebody cancelled it meanwhile."""
    try:
        with sessions.begin() as session:
            move(session, run_id, way, state=way, **({"finished_at": now} if way == "finished" else {}))
    except NotNow as gone:
        log.info("%s", gone)


def waiting_jobs(sessions: Sessions, prefixes: Sequence[str] = PREFIXES) -> list[tuple[str, date]]:
    """Return the jobs of runs that somebody asked for, or that were interrupted, with their day."""
    with sessions() as session:
        rows = session.execute(
            select(JobRun.job, JobRun.business_day)
            .where(
                or_(*(JobRun.job.startswith(prefix, autoescape=True) for prefix in prefixes)),
                or_(JobRun.state == "waiting", and_(JobRun.state == "running", ~HELD)),
            )
            .order_by(JobRun.run_id)
        )
        return [(row.job, row.business_day) for row in rows]


def run_job(
    sessions: Sessions,
    *,
    data: Path,
    job: str,
    business_day: date,
    show: Show = show_nothing,
    wait: bool = True,
    workers: int | None = None,
) -> JobRunView:
    """
    Do the job called `job`, as `core.jobs.run_once` promises.

    While another process makes copies it waits, and can be stopped while it does.
    """
    prefix, _colon, name = job.partition(":")
    known = {
        DRAFT_JOB: ("plan_pages", _plan),
        RUN_JOB: ("make_copies", _make),
        PROOF_JOB: ("make_proof", _prove),
        HANDOVER_JOB: ("hand_over", _hand),
    }
    step, work = known[f"{prefix}:"]

    def do(shift: Shift) -> Mapping[str, Any]:
        if job.startswith(DRAFTS):
            return work(shift, name, workers)
        with alone(sessions, wait=lambda: shift.report(0, None)):
            return work(shift, name, workers)

    return run_once(
        Job(job, (Step(step, do),)),
        sessions=sessions,
        data=data,
        business_day=business_day,
        show=show,
        wait=wait,
    )


def known_day(sessions: Sessions, now: datetime) -> date:
    """Return the last business day that is wholly known."""
    with sessions() as session:
        return last_closed_day(now, hour=CLOSING_HOUR, timezone=chain_timezone(session))


def _make(shift: Shift, name: str, workers: int | None) -> Mapping[str, Any]:
    run_id = UUID(name)
    with shift.sessions.begin() as session:
        # Asked for again after a stop that nobody saw: the job's row says that it is to run.
        session.execute(
            update(CatalogRun)
            .where(CatalogRun.catalog_run_id == run_id, CatalogRun.state == "stopped")
            .values(state="running")
        )
    worked = work_on_run(
        shift.sessions,
        run_id=run_id,
        data=shift.data,
        day=known_day(shift.sessions, shift.now),
        now=shift.now,
        report=shift.report,
        workers=workers,
    )
    if worked.state == "stopped":
        raise Stopped("the first part is made; somebody looks at it, then it goes on")
    return {"copies": sum(worked.by_group.values()), "waiting": worked.waiting}


def _plan(shift: Shift, name: str, workers: int | None) -> Mapping[str, Any]:  # noqa: ARG001 - as all jobs are called
    with shift.sessions.begin() as session:
        return plan_draft(
            session,
            run_id=UUID(name),
            day=known_day(shift.sessions, shift.now),
            now=shift.now,
            report=shift.report,
        )


def _prove(shift: Shift, name: str, workers: int | None) -> Mapping[str, Any]:
    run_id, _dot, number = name.partition(".")
    return make_proof(
        shift.sessions,
        run_id=UUID(run_id),
        number=int(number),
        data=shift.data,
        day=known_day(shift.sessions, shift.now),
        now=shift.now,
        report=shift.report,
        workers=workers,
    )


def _hand(shift: Shift, name: str, workers: int | None) -> Mapping[str, Any]:
    return prepare_handover(
        shift.sessions,
        handover_id=UUID(name),
        data=shift.data,
        day=known_day(shift.sessions, shift.now),
        now=shift.now,
        report=shift.report,
        workers=workers,
    )

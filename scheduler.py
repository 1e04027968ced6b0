"""
The night's clock: a process that ticks, and runs the night when it is due, and rehearsals and catalogs when people
asked for them.

As many of them as you like may tick; one works. The night of a day is due from `REGULARS_NIGHT_HOUR`
(3) of the following day on the clock of `REGULARS_NIGHT_TIMEZONE` (the zone that most stores are in). A
night that was missed is caught up, the newest one only: it covers what the older ones would have done.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import FrameType

import click
from apscheduler.schedulers.blocking import BlockingScheduler
from sqlalchemy.exc import SQLAlchemyError

from catalogs.runs.jobs import DRAFTS, PREFIXES, run_job, waiting_jobs
from core import clock
from core.commandline import Workplace
from core.database import Sessions
from core.errors import RegularsError
from core.job_runs import due_days
from core.jobs import AlreadyRunning
from core.settings import Settings
from loyalty.rehearsals.rehearsing import run_rehearsal
from night import NIGHT, run_night
from rewards.rehearsals.queries import waiting_rehearsals
from sales.business_days import chain_timezone, closing_moment, last_closed_day

log = logging.getLogger("scheduler")

REHEARSALS_EVERY = 3.0
"""Seconds between looks for rehearsals and for catalogs: somebody sits before the screen."""


@dataclass(frozen=True, slots=True)
class NightClock:
    """When nights are due, judged from `started`, the moment the process began to tick."""

    sessions: Sessions
    data: Path
    hour: int
    timezone: str | None
    started: datetime

    def due(self, now: datetime) -> list[date]:
        """Return the days whose night is to be run now: those people asked for, and the last closed one."""
        with self.sessions() as session:
            timezone = self.timezone or chain_timezone(session)
            day = last_closed_day(now, hour=self.hour, timezone=timezone)
            closed = closing_moment(day, hour=self.hour, timezone=timezone)
            return due_days(session, job=NIGHT.name, day=day, closed=closed, since=self.started, now=now)

    def tick(self) -> None:
        """Run what is due, unless another process does; what goes wrong is logged, and the next tick tries again."""
        try:
            for day in self.due(clock.now()):
                log.info("the night of %s begins", day)
                run = run_night(self.sessions, data=self.data, business_day=day, now=clock.now(), wait=False)
                log.info("the night of %s is %s", day, run.state)
        except AlreadyRunning as other:
            log.debug("%s", other)
        except (RegularsError, SQLAlchemyError) as error:
            log.warning("the tick failed: %s", str(error).splitlines()[0])


@dataclass(frozen=True, slots=True)
class Rehearsals:
    """The rehearsals of offers that people asked for, or that were interrupted; one is run after the other."""

    sessions: Sessions
    data: Path

    def tick(self) -> None:
        """Run those that wait, unless other processes do; what goes wrong is logged, and the next tick tries again."""
        try:
            with self.sessions() as session:
                waiting = waiting_rehearsals(session)
        except SQLAlchemyError as error:
            log.warning("the tick failed: %s", str(error).splitlines()[0])
            return
        for rehearsal_id, day in waiting:
            try:
                run = run_rehearsal(
                    self.sessions, data=self.data, rehearsal_id=rehearsal_id, business_day=day, wait=False
                )
                log.info("rehearsal %s is %s", rehearsal_id, run.state)
            except AlreadyRunning as other:
                log.debug("%s", other)
            except (RegularsError, SQLAlchemyError) as error:
                log.warning("rehearsal %s: %s", rehearsal_id, str(error).splitlines()[0])


@dataclass(frozen=True, slots=True)
class CatalogRuns:
    """Proofs, runs and hand-overs of catalogs, or drafts, that people asked for or that were interrupted, one after the other."""

    sessions: Sessions
    data: Path
    prefixes: tuple[str, ...] = PREFIXES

    def tick(self) -> None:
        """Do those that wait, unless other processes do; what goes wrong is logged, and the next tick tries again."""
        try:
            waiting = waiting_jobs(self.sessions, self.prefixes)
        except SQLAlchemyError as error:
            log.warning("the tick failed: %s", str(error).splitlines()[0])
            return
        for job, day in waiting:
            try:
                run = run_job(self.sessions, data=self.data, job=job, business_day=day, wait=False)
                log.info("%s is %s", job, run.state)
            except AlreadyRunning as other:
                log.debug("%s", other)
            except (RegularsError, SQLAlchemyError) as error:
                log.warning("%s: %s", job, str(error).splitlines()[0])


def serve(clock_work: NightClock, leave: Callable[[], None], *, every: float) -> None:
    """Tick `every` so many seconds until SIGTERM or SIGINT, then `leave`; what is under way is left to be gone on with."""
    ticking = BlockingScheduler(timezone="UTC")
    # In threads of their own: who waits for a rehearsal does not wait for the night, nor a draft for a run's copies.
    for tick, seconds in (
        (clock_work.tick, every),
        (Rehearsals(clock_work.sessions, clock_work.data).tick, min(every, REHEARSALS_EVERY)),
        (CatalogRuns(clock_work.sessions, clock_work.data).tick, min(every, REHEARSALS_EVERY)),
        (CatalogRuns(clock_work.sessions, clock_work.data, DRAFTS).tick, min(every, REHEARSALS_EVERY)),
    ):
        ticking.add_job(
            tick,
            "interval",
            seconds=seconds,
            next_run_time=clock.now(),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    def end(_number: int, _frame: FrameType | None) -> None:
        if not ticking.running:
            raise SystemExit(0)
        ticking.shutdown(wait=False)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    ticking.start()
    leave()
    # A step may be deep in a computation; runs are made to be left at any point.
    sys.stderr.flush()
    os._exit(0)


def log_to_stderr() -> None:
    """Log what happens to stderr, without the chatter of libraries."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s scheduler[%(process)d]: %(message)s", stream=sys.stderr
    )
    # It warns of every tick that finds the last one still at work, which is no news here.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It lists all glyphs of each typeface that goes into a PDF.
    logging.getLogger("fontTools").setLevel(logging.WARNING)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="The data folder (REGULARS_DATA, or ./data).")
@click.option(
    "--every", type=click.FloatRange(0.1, 3600), default=20, show_default=True, help="Seconds between looks."
)
def main(data: Path | None, every: float) -> None:
    """Run the night when it is due, for ever."""
    settings = Settings.load()
    log_to_stderr()
    workplace = Workplace(data or settings.data, settings.database_url)
    clock_work = NightClock(
        workplace.sessions, workplace.data, settings.night_hour, settings.night_timezone, clock.now()
    )
    serve(clock_work, workplace.close, every=every)


if __name__ == "__main__":
    main()

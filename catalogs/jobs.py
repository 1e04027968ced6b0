"""What the night does with catalogs: it opens the runs of standing orders, and makes the copies of approved runs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from basket_analysis.groups.lists import served_run
from catalogs.making import ROUND, Making, alone
from catalogs.opening import NothingServed, open_editions
from catalogs.orders import OrderDesk
from catalogs.render import kept_hands
from catalogs.runs.jobs import due_runs, work_on_run
from catalogs.runs.leftovers import remove_leftovers
from catalogs.runs.recipients import waiting_for_trial
from core.database import Sessions
from core.jobs import Shift
from core.progress import Report, silent

COPIES_PER_NIGHT: Final = 100
"""So many copies `regulars catalogs make` makes unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of making copies to be tried."""

    editions: int
    made: int
    by_group: Mapping[str, int]
    waiting: int
    """How many more members were not looked at yet."""


def due_catalogs(shift: Shift) -> Mapping[str, Any]:
    """
    Open what standing orders ask for, and make the copies of runs that two people approved and nobody has begun.

    Nothing is made that was not approved. A run with a first part stops after it, to be looked at. What is left over
    of interrupted, stale and held back work is removed before.
    """
    with alone(shift.sessions, wait=lambda: shift.report(0, None)):
        with shift.sessions.begin() as session:
            remove_leftovers(session, data=shift.data, now=shift.now)
        runs = due_runs(shift.sessions, day=shift.business_day, now=shift.now)
        made: Counter[str] = Counter()
        waiting = 0
        for run_id in runs:
            done = work_on_run(
                shift.sessions,
                run_id=run_id,
                data=shift.data,
                day=shift.business_day,
                now=shift.now,
                report=shift.report,
                tried_again=True,
            )
            made.update(done.by_group)
            waiting += done.waiting
    return {
        "runs": len(runs),
        "copies": made.total(),
        "by_group": dict(sorted(made.items())),
        "waiting": waiting,
    }


def make_copies(
    sessions: Sessions,
    *,
    data: Path,
    day: date,
    now: datetime,
    limit: int | None = None,
    member_code: str | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> Made:
    """
    Make up to `limit` copies (all that wait when None) of editions of no run, spread over all groups.

    They lie in the archive to be looked at and are never handed over: for that a run is approved by two people.
    Only members who agreed to a catalog get one, each once per edition; those whose shop has nothing to
    show get none. `report` is called after every chunk; what it raises ends the work, and everything
    archived by then stays. Raises `AlreadyMaking` while another process is at it, and `NothingServed`.
    """
    with alone(sessions):
        with sessions.begin() as session:
            editions = open_editions(session, day=day, now=now)
            run = served_run(session)
            if run is None:
                raise NothingServed("there are no shopper groups any more")
            waiting = waiting_for_trial(
                session,
                run_id=run.run_id,
                editions=[edition.edition_id for edition in editions],
                day=day,
                member_code=member_code,
            )
        left = len(waiting) if limit is None else min(limit, len(waiting))
        desk = OrderDesk(editions, data=data, day=day, now=now)
        making = Making(sessions, desk, workers, report, left)
        report(0, left)
        with kept_hands():
            while left and waiting:
                part, waiting = waiting[: min(left, ROUND)], waiting[min(left, ROUND) :]
                left -= len(making.round(part).made)
        made = making.made or Counter()
        report(made.total(), made.total())
        return Made(len(editions), made.total(), dict(sorted(made.items())), len(waiting))

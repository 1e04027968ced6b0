"""
The night: what is done for every business day once it is closed, in order; and what must always hold.

A composition of all rooms, for the composition roots only. The night of day D works with receipts whose
business date is D or earlier. Every step may run again.
"""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import basket_analysis.verification
import pos_api.jobs
import sales.jobs
import web.jobs
from core.database import Sessions
from core.errors import Conflict, Refused
from core.job_runs import JobRunView
from core.jobs import Job, Shift, Show, Step, run_once, show_nothing
from core.verification import Check, verify
from sales.business_days import begun_somewhere

CHECKS: tuple[Check, ...] = (*basket_analysis.verification.checks,)
"""Every room's invariants; those that no row of the database can show are held by tests."""


class PromiseBroken(Conflict):
    """Something that must always hold does not."""


class DayNotBegun(Refused):
    """The night was asked for a day that lies in the future."""


def verify_house(shift: Shift) -> Mapping[str, Any]:
    """Check every invariant; raises PromiseBroken, which ends the night as failed for people to see."""
    verdicts = verify(shift.sessions, CHECKS)
    broken = [verdict for verdict in verdicts if not verdict.ok]
    if broken:
        raise PromiseBroken(
            "; ".join(
                f"{verdict.code} {verdict.promise}: {verdict.violations} violations" for verdict in broken
            )
        )
    return {"checks": [verdict.code for verdict in verdicts], "violations": 0}


NIGHT = Job(
    "night",
    (
        Step("prepare_months", sales.jobs.prepare_months),
        Step("clear_sessions", web.jobs.clear_sessions),
        Step("clear_answers", pos_api.jobs.clear_answers),
        Step("verify", verify_house),
    ),
)


def run_night(
    sessions: Sessions,
    *,
    data: Path,
    business_day: date,
    now: datetime,
    show: Show = show_nothing,
    wait: bool = True,
) -> JobRunView:
    """
    Run the night of `business_day` unless it is done, as `core.jobs.run_once` promises.

    Raises DayNotBegun: a future day's run would count as done when that day comes.
    """
    if not begun_somewhere(business_day, now):
        raise DayNotBegun(f"{business_day} has not begun anywhere yet")
    return run_once(NIGHT, sessions=sessions, data=data, business_day=business_day, show=show, wait=wait)

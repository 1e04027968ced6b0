"""Quality of runs as people look at it: over time, and what was not let through."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from basket_analysis.models import AnalysisRun, RunQuality, ServedRun


@dataclass(frozen=True, slots=True)
class RunQualityView:
    """
    What was measured of one run; `state` is completed (it was served) or refused.

    `verdict` is good, drifting or refused; `reasons` are {"code", "value", "limit"} of what spoke against it.
    `figures` are those of `quality.Figures`, with sizes, smallest, refitted, edited, fitted_on and
    days_since_served beside them.
    """

    run_id: UUID
    business_day: date
    state: str
    verdict: str
    reasons: tuple[dict[str, Any], ...]
    figures: dict[str, Any]
    measured_at: datetime
    refitted: bool


def quality_of_runs(session: Session, *, limit: int = 60) -> list[RunQualityView]:
    """Return the quality of the last runs, newest first; runs from before it was measured are not there."""
    return [_view(*row) for row in session.execute(_finished().limit(limit))]


def refused_since_served(session: Session) -> RunQualityView | None:
    """Return the newest run, if it was refused: then people still look at the groups of a night before."""
    # Ids of runs rise with the moments at which they began.
    served = select(ServedRun.run_id).scalar_subquery()
    row = session.execute(
        _finished().where(AnalysisRun.state == "refused", AnalysisRun.run_id > served).limit(1)
    ).one_or_none()
    return _view(*row) if row else None


def _finished() -> Select[RunQuality, date, str]:
    return (
        select(RunQuality, AnalysisRun.business_day, AnalysisRun.state)
        .join(AnalysisRun, AnalysisRun.run_id == RunQuality.run_id)
        .where(AnalysisRun.state.in_(("completed", "refused")))
        .order_by(AnalysisRun.business_day.desc(), AnalysisRun.started_at.desc())
    )


def _view(quality: RunQuality, business_day: date, state: str) -> RunQualityView:
    return RunQualityView(
        run_id=quality.run_id,
        business_day=business_day,
        state=state,
        verdict=quality.verdict,
        reasons=tuple(quality.reasons),
        figures=quality.figures,
        measured_at=quality.measured_at,
        refitted=bool(quality.figures.get("refitted")),
    )

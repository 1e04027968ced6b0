"""Quality of runs as people look at it: over time, and what was not let through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from math import ceil, floor
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from basket_analysis.mining.rule_lists import FEWEST_SHOWN
from basket_analysis.models import AnalysisRun, RunQuality, ServedRun

_STEPS: Final = 1000
"""Shares are told to a tenth of a per cent: with more digits those of two nights would tell who moved one by one."""


@dataclass(frozen=True, slots=True)
class RunQualityView:
    """
    What was measured of one run; `state` is completed (it was served) or refused.

    `verdict` is good, drifting or refused; `reasons` are {"code", "value", "limit"} of what spoke against it, with
    "bound" where the value is only a bound.
    `figures` are those of `quality.Figures` as people may read them (see `told`), with smallest, refitted, edited,
    fitted_on and days_since_served beside them. `bounds` names the shares that are only known to be below ("<")
    or above (">") what is told, because fewer than ten people stand behind them.
    """

    run_id: UUID
    business_day: date
    state: str
    verdict: str
    reasons: tuple[dict[str, Any], ...]
    figures: dict[str, Any]
    measured_at: datetime
    refitted: bool
    bounds: Mapping[str, str] = field(default_factory=dict)


def told(figures: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """
    Return a run's figures so that nobody can work out fewer than ten people from them, and which shares are bounds.

    The sizes of groups are left out, and the smallest is told in whole tens: from those of two nights it could be told
    how few came or left. Of fewer than ten people no share is told.
    """
    found = {key: _rounded(value) for key, value in figures.items() if key != "sizes"}
    eligible, compared = figures.get("eligible") or 0, figures.get("compared") or 0
    if 0 < eligible - compared < FEWEST_SHOWN:
        found["compared"] = None
    if smallest := figures.get("smallest"):
        found["smallest"] = smallest // FEWEST_SHOWN * FEWEST_SHOWN or None
    bounds: dict[str, str] = {}
    for key, people in (("churn", compared), ("coverage", eligible)):
        share = figures.get(key)
        if share is None or not people:
            continue
        if people < FEWEST_SHOWN:
            found[key] = None
            continue
        counted = round(share * people)
        if 0 < counted < FEWEST_SHOWN:
            found[key], bounds[key] = ceil(_STEPS * FEWEST_SHOWN / people) / _STEPS, "<"
        elif 0 < people - counted < FEWEST_SHOWN:
            found[key] = floor(_STEPS * (people - FEWEST_SHOWN) / people) / _STEPS
            bounds[key] = ">"
    return found, bounds


def reason_told(
    reason: Mapping[str, Any], figures: Mapping[str, Any], bounds: Mapping[str, str]
) -> dict[str, Any]:
    """Return a reason that tells no more than `told` tells of the figure that it is about; its value may be None as well."""
    key = reason["code"].removeprefix("drift_")
    found = {
        **reason,
        "value": figures.get(key, _rounded(reason["value"])),
        # That of a drift is a part of the figure of an earlier run.
        "limit": _rounded(reason["limit"]),
    }
    return {**found, "bound": bounds[key]} if key in bounds else found


def _rounded(value: Any) -> Any:
    return round(value * _STEPS) / _STEPS if isinstance(value, float) else value


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
    figures, bounds = told(quality.figures)
    return RunQualityView(
        run_id=quality.run_id,
        business_day=business_day,
        state=state,
        verdict=quality.verdict,
        reasons=tuple(reason_told(reason, figures, bounds) for reason in quality.reasons),
        figures=figures,
        measured_at=quality.measured_at,
        refitted=bool(quality.figures.get("refitted")),
        bounds=bounds,
    )

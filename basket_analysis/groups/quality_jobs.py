"""The night's judgement of its own groups: measured on weeks that labels did not see, kept, and heeded before serving."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from basket_analysis.analysis_runs import (
    RunUnderWay,
    Served,
    add_timing,
    is_completed,
    read_served,
    run_under_way,
)
from basket_analysis.groups.edit_lists import FEWEST_SHOWN
from basket_analysis.groups.quality import (
    Circumstances,
    Figures,
    Labels,
    Window,
    figures_document,
    figures_of,
    judge,
    measure,
)
from basket_analysis.groups.theme_files import read_document
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE
from basket_analysis.mining.night_rules import MAX_BASKET
from basket_analysis.models import AnalysisRun, RunQuality
from basket_analysis.reading import SoldLines
from basket_analysis.year_sold import year_sold
from core.jobs import Shift
from customers.memberships import group_of_members

HELD_OUT_WEEKS = 8
"""The last weeks only measure; the labels that they measure come from the weeks before them."""


def measure_quality(shift: Shift) -> Mapping[str, Any]:
    """Measure the groups of the night's run, and say whether it may be served; `serve_run` heeds that."""
    began = time.monotonic()
    following = shift.business_day + timedelta(days=1)
    with shift.sessions.begin() as session:
        if is_completed(session, business_day=shift.business_day):
            return {"served_before": True}
        run = run_under_way(session, business_day=shift.business_day)
        served = read_served(session)
        groups = group_of_members(session, run_id=run.run_id)
        sold = year_sold(shift, session, last=True)
    shift.report(1, 3)
    themes = read_document(run.parameters["themes"])
    labels = _labels(sold, groups)
    before = _labels(sold, served.groups) if served else None
    figures = measure(themes, _window(sold, following), labels, before)
    shift.report(2, 3)
    with shift.sessions.begin() as session:
        document = _judge_run(session, run, served, shift, figures=figures, sizes=Counter(groups.values()))
        add_timing(session, run_id=run.run_id, step="measure_quality", seconds=time.monotonic() - began)
    shift.report(3, 3)
    return document


def _labels(sold: SoldLines, groups: Mapping[UUID, str]) -> Labels:
    return np.array([groups.get(member, "") for member in sold.members] or [""])[: len(sold.members)]


def _window(sold: SoldLines, following: date) -> Window:
    cut = (following - timedelta(weeks=HELD_OUT_WEEKS) - date(2000, 1, 1)).days
    earlier = (sold.day < cut)[sold.basket]
    parts = [
        replace(sold, basket=sold.basket[lines], article=sold.article[lines], value=sold.value[lines])
        for lines in (earlier, ~earlier)
    ]
    whole, first, last = (
        one.basket_table("category", max_basket=MAX_BASKET) for one in (sold, parts[0], parts[1])
    )
    return Window(whole, first, last)


def _judge_run(
    session: Session,
    run: RunUnderWay,
    served: Served | None,
    shift: Shift,
    *,
    figures: Figures,
    sizes: Mapping[str, int],
) -> dict[str, Any]:
    fitted_on = run.parameters["fitted_on"]
    circumstances = Circumstances(
        days_since_served=(shift.business_day - served.business_day).days if served else None,
        refitted=fitted_on == shift.business_day.isoformat(),
        edited=served is not None and _wishes(run.parameters) != _wishes(served.parameters),
        same_version=served is not None
        and (run.version, _settings(run.parameters)) == (served.version, _settings(served.parameters)),
        served_coverage=_coverage(served.groups.values()) if served else None,
        served_themes=len(served.parameters["themes"]["themes"]) if served else 0,
        at_fit=_figures_at_fit(session, fitted_on),
    )
    verdict, reasons = judge(figures, circumstances)
    real = [members for group, members in sizes.items() if group not in {NO_THEME, TOO_LITTLE}]
    document = {
        **figures_document(figures),
        "sizes": dict(sizes),
        "smallest": min(real, default=None),
        "refitted": circumstances.refitted,
        "edited": circumstances.edited,
        "fitted_on": fitted_on,
        "days_since_served": circumstances.days_since_served,
    }
    told = [
        {"code": reason.code, "value": round(reason.value, 4), "limit": round(reason.limit, 4)}
        for reason in reasons
    ]
    row = {"verdict": verdict, "reasons": told, "figures": document, "measured_at": shift.now}
    session.execute(
        upsert(RunQuality)
        .values(run_id=run.run_id, **row)
        .on_conflict_do_update(index_elements=["run_id"], set_=row)
    )
    later = served.business_day if served and served.business_day > shift.business_day else None
    return _told(figures, verdict, told, later)


def _wishes(parameters: Mapping[str, Any]) -> tuple[list[int], int]:
    """Return what people wanted of a run's groups that moves members: the edits that it followed, and the fewest members."""
    return parameters.get("edits", []), parameters.get("minimum_size", FEWEST_SHOWN)


def _settings(parameters: Mapping[str, Any]) -> Any:
    """Return by what a run's themes were found and followed."""
    return parameters["themes"]["settings"]


def _told(
    figures: Figures, verdict: str, reasons: list[dict[str, Any]], later: date | None
) -> dict[str, Any]:
    """Return what the night says of the judgement, with a notice where people should look; a `later` day is served."""
    said: dict[str, Any] = {"verdict": verdict, "reasons": reasons, **asdict(figures)}
    why = "; ".join(f"{one['code']} {one['value']:.3f}, limit {one['limit']:.3f}" for one in reasons)
    if verdict == "refused":
        said["notice"] = f"tonight's groups are not served, those of the night before stay ({why})"
    elif later:
        said["notice"] = f"these groups are kept but not served: those of {later}, a later day, stay"
    elif verdict == "drifting":
        said["notice"] = f"the themes no longer fit well and are found anew next night ({why})"
    return said


def _coverage(groups: Any) -> float | None:
    sizes = Counter(groups)
    eligible = sizes.total() - sizes[TOO_LITTLE]
    return (eligible - sizes[NO_THEME]) / eligible if eligible else None


def _figures_at_fit(session: Session, fitted_on: str) -> Figures | None:
    """Return what was measured in the night that found the themes in use."""
    document = session.scalar(
        select(RunQuality.figures)
        .join(AnalysisRun, AnalysisRun.run_id == RunQuality.run_id)
        .where(AnalysisRun.business_day == date.fromisoformat(fitted_on), AnalysisRun.state == "completed")
        .order_by(AnalysisRun.started_at.desc())
        .limit(1)
    )
    return None if document is None else figures_of(document)

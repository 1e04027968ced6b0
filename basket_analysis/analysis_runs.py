"""Writes of an analysis: a run is begun, filled step by step, and served in one statement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, cast, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from basket_analysis.models import (
    AnalysisRun,
    GroupProfile,
    MinedRule,
    RunQuality,
    ServedRun,
    ShopperGroup,
    Suggestion,
)
from contacts.moves import record_moves
from core.audit import record_event
from core.errors import Conflict
from core.ids import uuid7
from customers.memberships import forget_groups, forget_standings, group_of_members, remember_groups

KEPT_RUNS = 14
"""So many runs keep their rules, members and suggestions; older ones keep their groups' sizes only."""

KEPT_WEEKS = 26
"""So far back the last run of each week keeps who was in which group, so that people can see who moved."""

GIVEN_UP = "left unfinished when a later day was analysed"

KEPT_REFUSED = 3
"""So many refused runs keep all that they found, for people to look at."""


class NoRunUnderWay(Conflict):
    """The day's rules have not been mined yet, so there is nothing to go on with."""


class NothingRefused(Conflict):
    """No run of the day was refused, or a later one is served already."""


@dataclass(frozen=True, slots=True)
class RunUnderWay:
    """The run of a day that is being filled."""

    run_id: UUID
    parameters: dict[str, Any]
    inputs: dict[str, Any]
    version: str


@dataclass(frozen=True, slots=True)
class Served:
    """The run that is served: its parameters, the group of each member, and each group's colour."""

    business_day: date
    version: str
    parameters: dict[str, Any]
    groups: Mapping[UUID, str]
    colours: Mapping[str, int]


def begin_run(
    session: Session,
    *,
    business_day: date,
    now: datetime,
    version: str,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> UUID:
    """Begin the run of a day and return its id; what an earlier, unfinished one of the day left is removed."""
    unfinished = select(AnalysisRun.run_id).where(
        AnalysisRun.business_day == business_day, AnalysisRun.state != "completed"
    )
    forget_groups(session, runs=unfinished)
    forget_standings(session, runs=unfinished)
    session.execute(
        delete(AnalysisRun).where(AnalysisRun.business_day == business_day, AnalysisRun.state != "completed")
    )
    run_id = uuid7()
    session.execute(
        insert(AnalysisRun).values(
            run_id=run_id,
            business_day=business_day,
            state="running",
            started_at=now,
            version=version,
            parameters=dict(parameters),
            inputs=dict(inputs),
            timings={},
        )
    )
    return run_id


def run_under_way(session: Session, *, business_day: date) -> RunUnderWay:
    """Return the run of a day that is being filled; raises `NoRunUnderWay`."""
    row = session.execute(
        select(AnalysisRun.run_id, AnalysisRun.parameters, AnalysisRun.inputs, AnalysisRun.version).where(
            AnalysisRun.business_day == business_day, AnalysisRun.state == "running"
        )
    ).one_or_none()
    if row is None:
        raise NoRunUnderWay(f"no analysis of {business_day} is under way")
    return RunUnderWay(*row)


def is_completed(session: Session, *, business_day: date) -> bool:
    """Return whether the analysis of a day is over: completed, refused or given up, and no other one is being filled."""
    states = set(session.scalars(select(AnalysisRun.state).where(AnalysisRun.business_day == business_day)))
    return not states.isdisjoint({"completed", "refused", "failed"}) and "running" not in states


def read_served(session: Session) -> Served | None:
    """Return what is served; None before the first run is completed."""
    run = session.execute(
        select(
            AnalysisRun.run_id, AnalysisRun.business_day, AnalysisRun.version, AnalysisRun.parameters
        ).join(ServedRun, ServedRun.run_id == AnalysisRun.run_id)
    ).one_or_none()
    if run is None:
        return None
    colours = session.execute(
        select(ShopperGroup.group_id, ShopperGroup.colour).where(ShopperGroup.run_id == run.run_id)
    )
    return Served(
        run.business_day,
        run.version,
        run.parameters,
        group_of_members(session, run_id=run.run_id),
        {row.group_id: row.colour for row in colours},
    )


def store_rules(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rules of a run."""
    if rows:
        session.execute(insert(MinedRule), list(rows))


def read_pairs(session: Session, *, run_id: UUID, level: str) -> list[tuple[str, str]]:
    """Return the pairs that the rules of a run tie at `level`, the surest first."""
    rows = session.execute(
        select(MinedRule.antecedent, MinedRule.consequent)
        .where(
            MinedRule.run_id == run_id,
            MinedRule.level == level,
            func.cardinality(MinedRule.antecedent) == 1,
            MinedRule.adjusted_lift >= 1,
        )
        .order_by(MinedRule.z.desc(), MinedRule.rule_number)
    )
    return [(row.antecedent[0], row.consequent[0]) for row in rows]


def store_groups(
    session: Session,
    *,
    run_id: UUID,
    groups: Sequence[Mapping[str, Any]],
    members: Iterable[Mapping[str, Any]],
) -> None:
    """Write the groups of a run and who is in them, in place of what was there of them."""
    session.execute(delete(ShopperGroup).where(ShopperGroup.run_id == run_id))
    if groups:
        session.execute(insert(ShopperGroup), [{"run_id": run_id, **group} for group in groups])
    remember_groups(session, run_id=run_id, members=members)


def store_suggestions(session: Session, *, run_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the suggestions of a run, in place of what was there of them."""
    session.execute(delete(Suggestion).where(Suggestion.run_id == run_id))
    if rows:
        session.execute(insert(Suggestion), [{"run_id": run_id, **row} for row in rows])


def serve_run(session: Session, *, run_id: UUID, now: datetime) -> bool:
    """
    Complete a run and let everybody read it from the commit on; what is too old is thinned out.

    Members whom it sees elsewhere than the run served so far have moved: that becomes part of their histories.

    A run whose quality was judged too bad ends as refused instead, and what is served stays: then False. A run of an
    earlier day than the one served is completed without being served, and nobody moves by it: False as well.
    Runs of earlier days that were left unfinished are given up.
    """
    _give_up_earlier(session, run_id=run_id, now=now)
    verdict = session.scalar(select(RunQuality.verdict).where(RunQuality.run_id == run_id))
    if verdict == "refused":
        _refuse_run(session, run_id=run_id, now=now)
        return False
    return _complete(session, run_id=run_id, now=now)


def serve_refused_run(
    session: Session, *, business_day: date, reason: str, actor: str, now: datetime
) -> UUID:
    """
    Serve the run of a day that was refused, because a person looked at it and takes it as it is; return its id.

    Its verdict stays as it was judged; who let it through, and why, is audited. Raises `NothingRefused`.
    """
    run_id = session.scalar(
        select(AnalysisRun.run_id)
        .where(AnalysisRun.business_day == business_day, AnalysisRun.state == "refused")
        .order_by(AnalysisRun.started_at.desc())
        .limit(1)
        .with_for_update()
    )
    if run_id is None:
        raise NothingRefused(f"no run of {business_day} was refused")
    if not _complete(session, run_id=run_id, now=now):
        raise NothingRefused(f"a run of a later day than {business_day} is served")
    record_event(
        session,
        now=now,
        actor=actor,
        action="analysis.let_through",
        subject_kind="analysis_run",
        subject_id=str(run_id),
        detail={"business_day": business_day.isoformat(), "reason": reason},
    )
    return run_id


def _complete(session: Session, *, run_id: UUID, now: datetime) -> bool:
    """Complete a run, and serve it unless a later day is served; return whether it is."""
    session.execute(
        update(AnalysisRun).where(AnalysisRun.run_id == run_id).values(state="completed", finished_at=now)
    )
    before = session.scalar(select(ServedRun.run_id))
    newest = before is None or _day_of(session, before) <= _day_of(session, run_id)
    if newest:
        if before is not None and before != run_id:
            record_moves(session, before=before, run=run_id, now=now)
        session.execute(
            upsert(ServedRun)
            .values(served=True, run_id=run_id, served_at=now)
            .on_conflict_do_update(index_elements=["served"], set_={"run_id": run_id, "served_at": now})
        )
    old = (
        select(AnalysisRun.run_id)
        .where(AnalysisRun.state == "completed", AnalysisRun.run_id.not_in(select(ServedRun.run_id)))
        .order_by(AnalysisRun.business_day.desc(), AnalysisRun.started_at.desc())
        .offset(KEPT_RUNS - 1)
    )
    _thin_out(session, old, keep=_last_of_weeks())
    return newest


def _day_of(session: Session, run_id: UUID) -> date:
    return session.scalars(select(AnalysisRun.business_day).where(AnalysisRun.run_id == run_id)).one()


def _give_up_earlier(session: Session, *, run_id: UUID, now: datetime) -> None:
    """Let the unfinished runs of days before that of `run_id` fail, and drop what they found so far."""
    earlier = AnalysisRun.business_day < _day_of(session, run_id)
    session.execute(
        update(AnalysisRun)
        .where(AnalysisRun.state == "running", earlier)
        .values(state="failed", finished_at=now, error=GIVEN_UP)
    )
    _thin_out(session, select(AnalysisRun.run_id).where(AnalysisRun.state == "failed", earlier))


def _refuse_run(session: Session, *, run_id: UUID, now: datetime) -> None:
    """End a run that is not served; of those refused, the newest few keep what they found."""
    session.execute(
        update(AnalysisRun).where(AnalysisRun.run_id == run_id).values(state="refused", finished_at=now)
    )
    old = (
        select(AnalysisRun.run_id)
        .where(AnalysisRun.state == "refused", AnalysisRun.run_id != run_id)
        .order_by(AnalysisRun.business_day.desc(), AnalysisRun.started_at.desc())
        .offset(KEPT_REFUSED - 1)
    )
    _thin_out(session, old)


def _last_of_weeks() -> Select[UUID]:
    """Return the last completed run of each week, as far back as who was in which group is kept."""
    week = func.date_trunc("week", AnalysisRun.business_day)
    newest = (
        select(func.max(AnalysisRun.business_day)).where(AnalysisRun.state == "completed").scalar_subquery()
    )
    ranked = (
        select(
            AnalysisRun.run_id,
            AnalysisRun.business_day,
            func.row_number()
            .over(
                partition_by=week, order_by=(AnalysisRun.business_day.desc(), AnalysisRun.started_at.desc())
            )
            .label("place"),
        )
        .where(AnalysisRun.state == "completed")
        .subquery()
    )
    return select(ranked.c.run_id).where(ranked.c.place == 1, ranked.c.business_day > newest - 7 * KEPT_WEEKS)


def _thin_out(session: Session, runs: Select[UUID], *, keep: Select[UUID] | None = None) -> None:
    """Drop what the `runs` found member by member and rule by rule; those to `keep` keep their members' groups."""
    found = runs.subquery()
    forgotten = select(found.c.run_id)
    if keep is not None:
        forgotten = forgotten.where(found.c.run_id.not_in(keep))
    forget_groups(session, runs=forgotten)
    forget_standings(session, runs=runs)
    for table in (MinedRule, Suggestion, GroupProfile):
        session.execute(delete(table).where(table.run_id.in_(runs)))


def add_parameters(session: Session, *, run_id: UUID, parameters: Mapping[str, Any]) -> None:
    """Keep more of what a run went by, as JSON."""
    session.execute(
        update(AnalysisRun)
        .where(AnalysisRun.run_id == run_id)
        .values(parameters=AnalysisRun.parameters.op("||")(cast(dict(parameters), JSONB)))
    )


def served_parameters(session: Session) -> dict[str, Any] | None:
    """Return the parameters of the served run; None before the first run is completed."""
    return session.scalar(
        select(AnalysisRun.parameters).join(ServedRun, ServedRun.run_id == AnalysisRun.run_id)
    )


def add_timing(session: Session, *, run_id: UUID, step: str, seconds: float) -> None:
    """Keep how long a step of a run took."""
    session.execute(
        update(AnalysisRun)
        .where(AnalysisRun.run_id == run_id)
        .values(timings=AnalysisRun.timings.op("||")(func.jsonb_build_object(step, round(seconds, 3))))
    )

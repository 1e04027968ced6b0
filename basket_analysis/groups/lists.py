"""Shopper groups as people look at them: the served run, its groups, one group with its rules and its history."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, case, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from basket_analysis.mining.rule_lists import FEWEST_SHOWN, enough_people
from basket_analysis.models import AnalysisRun, GroupEdit, MinedRule, ServedRun, ShopperGroup
from core.errors import NotFound
from customers.models import GroupMembership


class NoSuchGroup(NotFound):
    """The served run has no such group."""


@dataclass(frozen=True, slots=True)
class RunView:
    """The run that everybody reads now, and when it began to be served."""

    run_id: UUID
    business_day: date
    served_at: datetime
    parameters: dict[str, Any]
    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class GroupView:
    """
    One group of a run.

    `kind` is theme, none (no distinct theme) or new (too little data yet); `kept` is the share of its members that
    were in it in the run before, None in the first run and where it would tell of one to nine people; where so
    few were not, `kept_at_least` says what it is at least. `name` is the English name; `names` has it by language,
    with what people renamed it to.
    """

    group_id: str
    kind: str
    name: str
    items: tuple[str, ...]
    members: int
    baskets: int
    kept: float | None
    colour: int
    detail: dict[str, Any]
    names: Mapping[str, str] = field(default_factory=dict)
    kept_at_least: float | None = None

    @property
    def told_members(self) -> int | None:
        """How many members it has; None where they are too few to be told."""
        return self.members if self.members >= FEWEST_SHOWN else None

    def name_in(self, language: str) -> str:
        """Return the name in `language`."""
        return self.names.get(language) or self.name


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule with its evidence."""

    rule_number: int
    level: str
    antecedent: tuple[str, ...]
    consequent: tuple[str, ...]
    count: int
    households: int
    confidence: float
    lift: float
    adjusted_lift: float
    z: float


@dataclass(frozen=True, slots=True)
class GroupDay:
    """How large a group was in the run of a day."""

    business_day: date
    members: int


def served_run(session: Session) -> RunView | None:
    """Return the run that is served; None before the first one is completed."""
    row = session.execute(
        select(
            AnalysisRun.run_id,
            AnalysisRun.business_day,
            ServedRun.served_at,
            # The learnt themes are most of a megabyte, which no reader of lists looks into.
            AnalysisRun.parameters.op("-", return_type=JSONB)(cast("themes", Text)),
            AnalysisRun.inputs,
        ).join(ServedRun, ServedRun.run_id == AnalysisRun.run_id)
    ).one_or_none()
    return RunView(*row) if row else None


def groups_of_run(session: Session, *, run_id: UUID) -> list[GroupView]:
    """Return the groups of a run: themes by size, then those without a theme."""
    rows = session.execute(
        select(ShopperGroup)
        .where(ShopperGroup.run_id == run_id)
        .order_by(
            case({"theme": 0, "none": 1}, value=ShopperGroup.kind, else_=2),
            ShopperGroup.members.desc(),
            ShopperGroup.group_id,
        )
    )
    given = names_given(session)
    return [_group(row, given) for row in rows.scalars()]


def names_given(session: Session) -> dict[str, dict[str, str]]:
    """Return the names that people gave to groups, by group and language; the newest one of each holds."""
    rows = session.execute(
        select(GroupEdit.group_id, GroupEdit.detail)
        .where(GroupEdit.kind == "rename", GroupEdit.undone_at.is_(None))
        .order_by(GroupEdit.edit_id)
    )
    given: dict[str, dict[str, str]] = {}
    for group_id, detail in rows:
        given.setdefault(group_id or "", {}).update(detail["names"])
    return given


def group_of_run(session: Session, *, run_id: UUID, group_id: str) -> GroupView:
    """Return one group of a run; raises `NoSuchGroup`."""
    found = session.get(ShopperGroup, (run_id, group_id))
    if found is None:
        raise NoSuchGroup(f"There is no group {group_id}")
    return _group(found, names_given(session))


def rules_of_group(session: Session, *, run_id: UUID, group_id: str, limit: int = 200) -> list[RuleView]:
    """Return the rules that define a group, the surest first; none that fewer than ten people stand behind."""
    rows = session.execute(
        select(
            MinedRule.rule_number,
            MinedRule.level,
            MinedRule.antecedent,
            MinedRule.consequent,
            MinedRule.count,
            MinedRule.households,
            MinedRule.confidence,
            MinedRule.lift,
            MinedRule.adjusted_lift,
            MinedRule.z,
        )
        .where(MinedRule.run_id == run_id, MinedRule.group_id == group_id, enough_people())
        .order_by(MinedRule.z.desc(), MinedRule.rule_number)
        .limit(limit)
    )
    return [
        RuleView(row[0], row[1], tuple(row[2]), tuple(row[3]), row[4], row[5], row[6], row[7], row[8], row[9])
        for row in rows
    ]


def rules_in_all(session: Session, *, run_id: UUID) -> int:
    """Return how many rules of a run are shown."""
    return session.scalar(select(func.count()).where(MinedRule.run_id == run_id, enough_people())) or 0


def rules_in_group(session: Session, *, run_id: UUID, group_id: str) -> int:
    """Return how many rules of a run that are shown define a group."""
    counted = select(func.count()).where(
        MinedRule.run_id == run_id, MinedRule.group_id == group_id, enough_people()
    )
    return session.scalar(counted) or 0


def history_of_group(session: Session, *, group_id: str, runs: int = 60) -> list[GroupDay]:
    """Return how large a group was in the last runs, oldest first."""
    rows = session.execute(
        select(AnalysisRun.business_day, ShopperGroup.members)
        .join(AnalysisRun, AnalysisRun.run_id == ShopperGroup.run_id)
        .where(ShopperGroup.group_id == group_id, AnalysisRun.state == "completed")
        .order_by(AnalysisRun.business_day.desc())
        .limit(runs)
    )
    return [GroupDay(*row) for row in reversed(rows.all())]


def strengths_of_group(session: Session, *, run_id: UUID, group_id: str) -> list[tuple[int, int]]:
    """Return how many members belong to a group how strongly: the whole number below their z, and how many."""
    step = func.floor(GroupMembership.strength).label("step")
    rows = session.execute(
        select(step, func.count())
        .where(
            GroupMembership.run_id == run_id,
            GroupMembership.group_id == group_id,
            GroupMembership.strength.is_not(None),
        )
        .group_by(step)
        .order_by(step)
    )
    return [(int(start), count) for start, count in rows]


def _share_kept(group: ShopperGroup) -> tuple[float | None, float | None]:
    """Return which share of a group's members was in it before, where that may be told; else which share at least."""
    kept = group.kept_members
    if kept is None or kept < FEWEST_SHOWN:
        return None, None
    if 0 < group.members - kept < FEWEST_SHOWN:
        return None, (group.members - FEWEST_SHOWN + 1) / group.members
    return kept / group.members, None


def _group(group: ShopperGroup, given: Mapping[str, Mapping[str, str]]) -> GroupView:
    kept, at_least = _share_kept(group)
    names = {**group.detail.get("names", {}), **given.get(group.group_id, {})}
    return GroupView(
        group_id=group.group_id,
        kind=group.kind,
        name=names.get("en") or group.name,
        items=tuple(group.items),
        members=group.members,
        baskets=group.baskets,
        kept=kept,
        colour=group.colour,
        detail=group.detail,
        names=names,
        kept_at_least=at_least,
    )

"""
How many members there are of each phase and value class, so that nobody can be told from the counts.

No count of one to nine is given. What a line keeps back could be computed together from a sum that is known
otherwise, so the smallest other counts of the line are kept back too, until at least two are, of ten people or more.
A group's counts, another's and everybody's are lines as well, and so are their sums: all are judged as one table.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from customers.models import PHASES, VALUE_CLASSES, GroupMembership, MemberStanding

FEWEST = 10

ALL = ""
"""Stands for the sum over an axis."""
NOWHERE = "-"
"""Stands for members that are in no group of the run; they are counted among all."""

Cell = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StandingCount:
    """How many members are of a phase and a value class; None where it is not said."""

    phase: str
    value_class: str
    members: int | None


def standing_counts(session: Session, *, run_id: UUID, group_id: str | None = None) -> list[StandingCount]:
    """Return the members of a run, or of one of its groups, by phase and value class, all 24 in their order."""
    shown = _said_of_run(session, run_id)
    return [
        StandingCount(phase, value, shown.get((group_id or ALL, phase, value), 0))
        for phase, value in product(PHASES, VALUE_CLASSES)
    ]


def standings_by_group(session: Session, *, run_id: UUID) -> dict[str, dict[str, int | None]]:
    """Return the members of each group of a run by phase."""
    shown = _said_of_run(session, run_id)
    groups = sorted({group for group, _phase, _value in shown} - {ALL, NOWHERE})
    return {group: {phase: shown[group, phase, ALL] for phase in PHASES} for group in groups}


def _said_of_run(session: Session, run_id: UUID) -> dict[Cell, int | None]:
    """Return what may be said of a run by group, phase and value class, each of them also summed up."""
    rows = session.execute(
        select(
            func.coalesce(GroupMembership.group_id, NOWHERE),
            MemberStanding.phase,
            MemberStanding.value_class,
            func.count(),
        )
        .select_from(MemberStanding)
        .outerjoin(
            GroupMembership,
            (GroupMembership.run_id == MemberStanding.run_id)
            & (GroupMembership.member_id == MemberStanding.member_id),
        )
        .where(MemberStanding.run_id == run_id)
        .group_by(GroupMembership.group_id, MemberStanding.phase, MemberStanding.value_class)
    )
    return said_with_sums({(row[0], row[1], row[2]): row[3] for row in rows}, PHASES, VALUE_CLASSES)


def said_with_sums(
    counted: Mapping[Cell, int], phases: Sequence[str], values: Sequence[str]
) -> dict[Cell, int | None]:
    """
    Return what may be said of counts by group, phase and value class, and of their sums, which stand under `ALL`.

    How many are in a group is said elsewhere, and stays so: no other count can be found from it.
    """
    sums: Counter[Cell] = Counter()
    for (group, phase, value), members in counted.items():
        for cell in product((group, ALL), (phase, ALL), (value, ALL)):
            sums[cell] += members
    groups = (ALL, *sorted({group for group, _phase, _value in counted}))
    public = {(group, ALL, ALL) for group in groups}
    return kept_back(sums, groups, (ALL, *phases), (ALL, *values), public=public)


def said_of_one_line(counted: Mapping[str, int], names: Sequence[str]) -> dict[str, int | None]:
    """Return what may be said of counts that stand in one line, such as the members of each phase."""
    shown = kept_back({("", name): counted.get(name, 0) for name in names}, ("",), names)
    return {name: shown["", name] for name in names}


def kept_back(
    counted: Mapping[Cell, int], *axes: Sequence[str], public: Collection[Cell] = ()
) -> dict[Cell, int | None]:
    """
    Return the whole table of `counted`, with None for what is not said; a cell that nobody is in is 0.

    What is `public` is known otherwise: keeping it back would hide nothing.
    """
    shown: dict[Cell, int | None] = {
        cell: None if 0 < counted.get(cell, 0) < FEWEST else counted.get(cell, 0) for cell in product(*axes)
    }
    lines = [
        [(*cell[:place], name, *cell[place:]) for name in axes[place]]
        for place in range(len(axes))
        for cell in product(*axes[:place], *axes[place + 1 :])
    ]
    changed = True
    while changed:
        changed = False
        for line in lines:
            hidden = [counted[cell] for cell in line if shown[cell] is None]
            if len(hidden) == 1 or 0 < sum(hidden) < FEWEST:
                others = [(counted[cell], cell) for cell in line if shown[cell] and cell not in public]
                if others:
                    shown[min(others)[1]] = None
                    changed = True
    return shown

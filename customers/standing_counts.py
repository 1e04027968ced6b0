"""
How many members there are of each phase and value class, so that nobody can be told from the counts.

No count of one to nine is given. What a line keeps back could be computed together from a sum that is known
otherwise, so the smallest other counts of the line are kept back too, until at least two are, of ten people or more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from customers.models import PHASES, VALUE_CLASSES, GroupMembership, MemberStanding

FEWEST = 10

Cells = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class StandingCount:
    """How many members are of a phase and a value class; None where it is not said."""

    phase: str
    value_class: str
    members: int | None


def standing_counts(session: Session, *, run_id: UUID, group_id: str | None = None) -> list[StandingCount]:
    """Return the members of a run, or of one of its groups, by phase and value class, all 24 in their order."""
    statement = (
        select(MemberStanding.phase, MemberStanding.value_class, func.count())
        .where(MemberStanding.run_id == run_id)
        .group_by(MemberStanding.phase, MemberStanding.value_class)
    )
    if group_id is not None:
        statement = statement.join(
            GroupMembership,
            (GroupMembership.run_id == MemberStanding.run_id)
            & (GroupMembership.member_id == MemberStanding.member_id),
        ).where(GroupMembership.group_id == group_id)
    counted: Cells = {(row[0], row[1]): row[2] for row in session.execute(statement)}
    shown = kept_back(counted, PHASES, VALUE_CLASSES)
    return [
        StandingCount(phase, value, shown[phase, value]) for phase, value in product(PHASES, VALUE_CLASSES)
    ]


def standings_by_group(session: Session, *, run_id: UUID) -> dict[str, dict[str, int | None]]:
    """Return the members of each group of a run by phase."""
    rows = session.execute(
        select(GroupMembership.group_id, MemberStanding.phase, func.count())
        .join(
            MemberStanding,
            (GroupMembership.run_id == MemberStanding.run_id)
            & (GroupMembership.member_id == MemberStanding.member_id),
        )
        .where(GroupMembership.run_id == run_id)
        .group_by(GroupMembership.group_id, MemberStanding.phase)
    )
    counted: Cells = {(row[0], row[1]): row[2] for row in rows}
    groups = sorted({group for group, _ in counted})
    shown = kept_back(counted, groups, PHASES)
    return {group: {phase: shown[group, phase] for phase in PHASES} for group in groups}


def said_of_one_line(counted: Mapping[str, int], names: Sequence[str]) -> dict[str, int | None]:
    """Return what may be said of counts that stand in one line, such as the members of each phase."""
    shown = kept_back({("", name): counted.get(name, 0) for name in names}, ("",), names)
    return {name: shown["", name] for name in names}


def kept_back(
    counted: Cells, rows: Sequence[str], columns: Sequence[str]
) -> dict[tuple[str, str], int | None]:
    """Return the whole table of `counted`, with None for what is not said; a cell that nobody is in is 0."""
    cells = list(product(rows, columns))
    shown: dict[tuple[str, str], int | None] = {
        cell: None if 0 < counted.get(cell, 0) < FEWEST else counted.get(cell, 0) for cell in cells
    }
    lines = [[(row, column) for column in columns] for row in rows]
    lines += [[(row, column) for row in rows] for column in columns]
    changed = True
    while changed:
        changed = False
        for line in lines:
            hidden = [counted[cell] for cell in line if shown[cell] is None]
            if len(hidden) == 1 or 0 < sum(hidden) < FEWEST:
                others = [(counted[cell], cell) for cell in line if shown[cell]]
                if others:
                    shown[min(others)[1]] = None
                    changed = True
    return shown

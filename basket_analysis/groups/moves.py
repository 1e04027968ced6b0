"""Who moved between groups from one run to another, told so that nobody can be made out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from basket_analysis.models import AnalysisRun
from customers.models import GroupMembership, Member
from customers.standings import may_be_profiled

FEWEST_SHOWN: Final = 10

OTHERS: Final = "others"
"""Where streams of fewer than ten end."""

OUTSIDE: Final = "outside"
"""Who the other run does not know: not enrolled then, or no longer to be counted."""


@dataclass(frozen=True, slots=True)
class RunDay:
    """A run that still knows who was in which group."""

    run_id: UUID
    business_day: date


@dataclass(frozen=True, slots=True)
class Stream:
    """
    How many members went from one group to another, or stayed.

    `rounded` says that a few who went elsewhere are counted among those who stayed, so as not to show them;
    in a stream to `others` a few may be counted that stayed.
    """

    source: str
    target: str
    members: int
    rounded: bool = False


@dataclass(frozen=True, slots=True)
class Moves:
    """The streams between two runs, the largest first, and how many of the members known to both stayed."""

    streams: tuple[Stream, ...]
    stayed: int
    known: int

    @property
    def share_stayed(self) -> float | None:
        """Share of the members known to both runs that stayed in their group, as the streams tell it."""
        return self.stayed / self.known if self.known else None


def runs_with_members(session: Session, *, limit: int = 60) -> list[RunDay]:
    """Return the completed runs that still know their members, the newest first; of one day the last."""
    known = exists(select(1).where(GroupMembership.run_id == AnalysisRun.run_id))
    rows = session.execute(
        select(AnalysisRun.run_id, AnalysisRun.business_day)
        .where(AnalysisRun.state == "completed", known)
        .order_by(AnalysisRun.business_day.desc(), AnalysisRun.started_at.desc())
        .limit(limit)
    )
    days: dict[date, RunDay] = {}
    for row in rows:
        days.setdefault(row.business_day, RunDay(*row))
    return list(days.values())


def moves_between(session: Session, *, before: UUID, after: UUID) -> Moves:
    """Return who went where between the runs `before` and `after`, with streams of fewer than ten folded together."""
    return fold_moves(count_moves(session, before=before, after=after))


def count_moves(session: Session, *, before: UUID, after: UUID) -> dict[tuple[str, str], int]:
    """
    Return how many members went from one group to another; whom a run does not know is `outside` there.

    Who may not be profiled any more is left out on both sides.
    """
    counted = select(GroupMembership).join(Member).where(may_be_profiled())
    old = counted.where(GroupMembership.run_id == before).subquery()
    new = counted.where(GroupMembership.run_id == after).subquery()
    first, then = aliased(GroupMembership, old), aliased(GroupMembership, new)
    source = func.coalesce(first.group_id, OUTSIDE).label("source")
    target = func.coalesce(then.group_id, OUTSIDE).label("target")
    rows = session.execute(
        select(source, target, func.count())
        .select_from(first)
        .join(then, then.member_id == first.member_id, full=True)
        .group_by(source, target)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def fold_moves(counts: Mapping[tuple[str, str], int]) -> Moves:
    """
    Return the streams of `counts` without any of fewer than ten members.

    What is too small goes to `others`, together with the next larger stream of its source if it is still
    too small, so that it cannot be found by subtraction; where nobody else left, it counts as having stayed.
    So do those who stayed where they are too few. Nor can a few who came be found by subtraction from the size of
    the group that they came to.
    """
    by_source: dict[str, dict[str, int]] = {}
    for (source, target), members in counts.items():
        by_source.setdefault(source, {})[target] = members
    streams: list[Stream] = []
    left = 0
    for source in sorted(by_source):
        kept, rest = _fold(source, by_source[source])
        streams += kept
        left += rest
    streams = _cover_targets(counts, streams)
    if left >= FEWEST_SHOWN:
        streams.append(Stream(OTHERS, OTHERS, left))
    between = {pair: members for pair, members in counts.items() if OUTSIDE not in pair}
    known = sum(between.values())
    told = sum(
        one.members for one in streams if one.source == one.target and one.source not in {OTHERS, OUTSIDE}
    )
    return Moves(
        streams=tuple(sorted(streams, key=lambda one: (-one.members, one.source, one.target))),
        # A few who left are counted among them, as in the streams: from the true share they could be counted.
        stayed=min(known, told),
        known=known,
    )


def _fold(source: str, targets: Mapping[str, int]) -> tuple[list[Stream], int]:
    """Return the streams out of one group, and how many could not be shown with it at all."""
    leaving = sorted(
        ((members, target) for target, members in targets.items() if target != source), key=lambda one: one
    )
    rest = 0
    while leaving and (leaving[0][0] < FEWEST_SHOWN or 0 < rest < FEWEST_SHOWN):
        rest += leaving.pop(0)[0]
    stayed = targets.get(source, 0)
    if 0 < stayed < FEWEST_SHOWN and (leaving or rest >= FEWEST_SHOWN):
        rest, stayed = rest + stayed, 0
        while rest < FEWEST_SHOWN:
            rest += leaving.pop(0)[0]
    streams = [Stream(source, target, members) for members, target in leaving]
    if rest >= FEWEST_SHOWN:
        streams.append(Stream(source, OTHERS, rest))
        rest = 0
    if stayed + rest >= FEWEST_SHOWN:
        streams.append(Stream(source, source, stayed + rest, rounded=rest > 0))
        return streams, 0
    return streams, stayed + rest


def _cover_targets(counts: Mapping[tuple[str, str], int], streams: Sequence[Stream]) -> list[Stream]:
    """
    Return `streams` so that no group's size less those shown to have come or stayed leaves one to nine.

    The smallest stream that leads there goes to `others` too; where none does, who stayed is said to be rounded.
    """
    kept = {(one.source, one.target): one for one in streams}
    sizes: dict[str, int] = {}
    for (_source, target), members in counts.items():
        sizes[target] = sizes.get(target, 0) + members
    for target in sorted(sizes):
        stayed = kept.get((target, target))
        if stayed is not None and stayed.rounded:
            continue
        came = sorted(
            (one for one in kept.values() if one.target == target != one.source),
            key=lambda one: (one.members, one.source),
        )
        missing = sizes[target] - (stayed.members if stayed else 0) - sum(one.members for one in came)
        if not 0 < missing < FEWEST_SHOWN:
            continue
        if came:
            least = kept.pop((came[0].source, target))
            others = kept.get((least.source, OTHERS))
            kept[least.source, OTHERS] = Stream(
                least.source, OTHERS, least.members + (others.members if others else 0)
            )
        elif stayed is not None:
            kept[target, target] = Stream(target, target, stayed.members, rounded=True)
    return list(kept.values())

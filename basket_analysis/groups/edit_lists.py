"""Edits of groups as people look at them, and as the night plays them again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from basket_analysis.groups.edits import Edits, Merge, Pin, Split, ThemeEdit, Tie, cut_share, weak_link
from basket_analysis.groups.lists import NoSuchGroup, group_of_run, served_run
from basket_analysis.groups.portraits import told_second_themes
from basket_analysis.groups.theme_files import read_document
from basket_analysis.models import AnalysisRun, GroupEdit, MinedRule, ServedRun

FEWEST_SHOWN = 10
"""No group of fewer members is ever shown."""


@dataclass(frozen=True, slots=True)
class EditView:
    """
    One edit: what (rename, pin, split, merge or minimum_size), of which group, by whom, and whether it was taken back.

    `detail` is {"names"} of a rename, {"items"} of a pin, {"items", "rest", "new_id"} of a split, {"other_id",
    "items", "other_items"} of a merge, {"members"} of a minimum size. `waiting` says that the next night acts on it.
    """

    edit_id: int
    kind: str
    group_id: str | None
    detail: dict[str, Any]
    made_by: str
    made_at: datetime
    undone_by: str | None
    undone_at: datetime | None
    waiting: bool


@dataclass(frozen=True, slots=True)
class SplitPreview:
    """What would leave a theme and what would stay; `weak_link` is the share of the ties' weight that is cut."""

    suggested: tuple[str, ...]
    rest: tuple[str, ...]
    weak_link: float


@dataclass(frozen=True, slots=True)
class MergePreview:
    """
    What two themes would be together: items, members of both, and how many have the other as their second theme.

    None stands for a number from which one to nine people could be computed: a sum gives away as much as its parts.
    """

    items: tuple[str, ...]
    members: int | None
    second: int | None


def theme_edits(session: Session, *, followed: Sequence[int] = ()) -> Edits:
    """Return the pins, splits and merges that hold, and those of `followed` that were taken back since."""
    rows = session.scalars(
        select(GroupEdit)
        .where(
            GroupEdit.kind.in_(("pin", "split", "merge")),
            or_(GroupEdit.undone_at.is_(None), GroupEdit.edit_id.in_(list(followed))),
        )
        .order_by(GroupEdit.edit_id)
    ).all()
    return Edits(
        tuple(_theme_edit(row) for row in rows if row.undone_at is None),
        tuple(_theme_edit(row) for row in rows if row.undone_at is not None),
        tuple(followed),
    )


def _theme_edit(row: GroupEdit) -> ThemeEdit:
    detail, group_id = row.detail, row.group_id or ""
    if row.kind == "merge":
        return Merge(row.edit_id, group_id, detail["other_id"])
    items = frozenset(detail["items"])
    if row.kind == "pin":
        return Pin(row.edit_id, group_id, items)
    return Split(row.edit_id, group_id, new_id(row.edit_id), items, frozenset(detail["rest"]))


def new_id(edit_id: int) -> str:
    """Return the id of the theme that a split makes; no fit ever gives out such a one."""
    return f"s{edit_id}"


def minimum_size(session: Session) -> int:
    """Return how many members a group needs to be formed."""
    wish = session.scalar(
        select(GroupEdit.detail)
        .where(GroupEdit.kind == "minimum_size", GroupEdit.undone_at.is_(None))
        .order_by(GroupEdit.edit_id.desc())
        .limit(1)
    )
    return max(FEWEST_SHOWN, wish["members"] if wish else 0)


def pinned_groups(session: Session) -> set[str]:
    """Return the ids of the themes that are pinned."""
    rows = session.scalars(
        select(GroupEdit.group_id).where(GroupEdit.kind == "pin", GroupEdit.undone_at.is_(None))
    )
    return {group_id for group_id in rows if group_id}


def served_parts(session: Session, *, group_id: str) -> dict[str, tuple[str, ...]]:
    """Return the items of each theme that a group of the served run is; several where it was merged."""
    parameters = session.scalar(
        select(AnalysisRun.parameters).join(ServedRun, ServedRun.run_id == AnalysisRun.run_id)
    )
    if parameters is None:
        return {}
    themes = read_document(parameters["themes"])
    return {theme.id: theme.items for theme in themes.themes if themes.group_of(theme.id) == group_id}


def edits_of_groups(session: Session, *, group_id: str | None = None, limit: int = 200) -> list[EditView]:
    """Return the edits of one group, of each theme that was merged into it too, or of all, newest first."""
    run = served_run(session)
    chosen = select(GroupEdit).order_by(GroupEdit.edit_id.desc()).limit(limit)
    if group_id is not None:
        parts = theme_edits(session).parts_of(group_id)
        chosen = chosen.where(
            or_(
                GroupEdit.group_id.in_(parts),
                GroupEdit.detail["other_id"].as_string().in_(parts),
                and_(GroupEdit.kind == "split", func.concat("s", GroupEdit.edit_id).in_(parts)),
            )
        )
    followed = set(run.parameters.get("edits", [])) if run else set()
    return [
        EditView(
            edit_id=row.edit_id,
            kind=row.kind,
            group_id=row.group_id,
            detail={**row.detail, "new_id": new_id(row.edit_id)} if row.kind == "split" else row.detail,
            made_by=row.made_by,
            made_at=row.made_at,
            undone_by=row.undone_by,
            undone_at=row.undone_at,
            waiting=_waiting(row, followed, run.served_at if run else None),
        )
        for row in session.scalars(chosen)
    ]


def _waiting(edit: GroupEdit, followed: set[int], served_at: datetime | None) -> bool:
    if edit.kind in {"split", "merge"}:
        return (edit.undone_at is None) != (edit.edit_id in followed)
    changed_at = edit.undone_at or edit.made_at
    return edit.kind == "minimum_size" and (served_at is None or changed_at > served_at)


def preview_split(session: Session, *, group_id: str) -> SplitPreview:
    """Return where a theme comes apart most easily; raises NoSuchGroup."""
    items = _items(session, group_id)
    if len(items) < 2:
        return SplitPreview((), items, 0.0)
    leaving, share = weak_link(items, _ties(session, items))
    return SplitPreview(
        tuple(item for item in items if item in leaving),
        tuple(item for item in items if item not in leaving),
        share,
    )


def preview_edit_of_split(session: Session, *, group_id: str, items: Sequence[str]) -> SplitPreview:
    """Return what remains when `items` leave a theme; raises NoSuchGroup."""
    known = _items(session, group_id)
    leaving = frozenset(items) & frozenset(known)
    share = cut_share(known, leaving, _ties(session, known))
    return SplitPreview(
        tuple(item for item in known if item in leaving),
        tuple(item for item in known if item not in leaving),
        share,
    )


def preview_merge(session: Session, *, group_id: str, other_id: str) -> MergePreview:
    """Return what two themes would be together; raises NoSuchGroup."""
    run = served_run(session)
    if run is None:
        raise NoSuchGroup("there are no groups before the first night")
    one, other = (group_of_run(session, run_id=run.run_id, group_id=each) for each in (group_id, other_id))
    few = any(0 < each.members < FEWEST_SHOWN for each in (one, other))
    second = [
        told_second_themes(session, run_id=run.run_id, group_id=here).get(there, 0)
        for here, there in ((group_id, other_id), (other_id, group_id))
    ]
    return MergePreview(
        (*one.items, *other.items),
        None if few else one.members + other.members,
        None if few or None in second else sum(filter(None, second)),
    )


def _items(session: Session, group_id: str) -> tuple[str, ...]:
    run = served_run(session)
    if run is None:
        raise NoSuchGroup("there are no groups before the first night")
    return group_of_run(session, run_id=run.run_id, group_id=group_id).items


def _ties(session: Session, items: Sequence[str]) -> Tie:
    """Return the ties between `items` by the rules of the served run."""
    run = served_run(session)
    rows = session.execute(
        select(MinedRule.antecedent, MinedRule.consequent, MinedRule.z).where(
            MinedRule.run_id == (run.run_id if run else None),
            MinedRule.level == "category",
            func.cardinality(MinedRule.antecedent) == 1,
            MinedRule.antecedent.contained_by(list(items)),
            MinedRule.consequent.contained_by(list(items)),
        )
    )
    weights: dict[str, dict[str, float]] = {}
    for antecedent, consequent, weight in rows:
        weights.setdefault(antecedent[0], {})[consequent[0]] = weight
        weights.setdefault(consequent[0], {})[antecedent[0]] = weight
    return _lookup(weights)


def _lookup(weights: Mapping[str, Mapping[str, float]]) -> Tie:
    def tie(item: str, others: frozenset[str]) -> float:
        return sum(weight for other, weight in weights.get(item, {}).items() if other in others)

    return tie

"""
What people make of the groups: named, pinned, split, merged, held to a size; each edit is audited and may be undone.

A name holds at once. The rest is acted on by the next night: splits, merges and their undoing find the themes anew.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from basket_analysis.groups.edit_lists import (
    FEWEST_SHOWN,
    edits_of_groups,
    new_id,
    pinned_groups,
    served_parts,
    theme_edits,
)
from basket_analysis.groups.lists import GroupView, NoSuchGroup, group_of_run, groups_of_run, served_run
from basket_analysis.models import GroupEdit
from core.audit import record_event
from core.errors import Conflict, NotFound, Refused
from core.i18n import LANGUAGES
from core.payment_cards import payment_card_numbers

LONGEST_NAME = 60
MOST_MEMBERS = 1_000_000


class BadEdit(Refused):
    """The groups cannot be edited so."""


class NoSuchEdit(NotFound):
    """There is no edit of this number."""


class NothingToUndo(Conflict):
    """The edit was taken back before, or others rest on it."""


def rename_group(
    session: Session, *, group_id: str, names: Mapping[str, str], actor: str, now: datetime
) -> int:
    """
    Name a theme in some languages, from now on and through all nights to come; return the edit's id.

    Languages that `names` lacks keep the name they have. Raises NoSuchGroup and BadEdit.
    """
    _theme(session, group_id)
    chosen = {language: " ".join(name.split()) for language, name in names.items()}
    chosen = {language: name for language, name in chosen.items() if name}
    if not chosen:
        raise BadEdit("a name is wanted in at least one language")
    for language, name in chosen.items():
        _check_name(session, group_id, language, name)
    return _keep(session, "rename", group_id, {"names": chosen}, actor=actor, now=now)


def pin_theme(session: Session, *, group_id: str, actor: str, now: datetime) -> int:
    """
    Keep a theme, or all that were merged into it, and their items whatever later fits find; return the last edit's id.

    Raises NoSuchGroup, and BadEdit where it is pinned, or a merge or split of it still waits.
    """
    _theme(session, group_id)
    _lock(session)
    _check_settled(session, group_id)
    pinned = pinned_groups(session)
    parts = {
        part: items for part, items in served_parts(session, group_id=group_id).items() if part not in pinned
    }
    if not parts:
        raise BadEdit(f"{group_id} is pinned already")
    made = [
        _keep(session, "pin", part, {"items": list(items)}, actor=actor, now=now)
        for part, items in parts.items()
    ]
    return made[-1]


def unpin_theme(session: Session, *, group_id: str, actor: str, now: datetime) -> int:
    """Let later fits shape a theme, and all merged into it, again; return the last pin taken back. Raises NothingToUndo."""
    pins = session.scalars(
        select(GroupEdit.edit_id).where(
            GroupEdit.kind == "pin",
            GroupEdit.group_id.in_(theme_edits(session).parts_of(group_id)),
            GroupEdit.undone_at.is_(None),
        )
    ).all()
    if not pins:
        raise NothingToUndo(f"{group_id} is not pinned")
    return [undo_edit(session, edit_id=pin, actor=actor, now=now) for pin in pins][-1]


def split_theme(session: Session, *, group_id: str, items: Sequence[str], actor: str, now: datetime) -> int:
    """
    Let `items` leave a theme for one of their own, "s" and the edit's id; return that id.

    Of a merged group each theme is split by itself, and what leaves is merged again. Raises NoSuchGroup, and BadEdit where
    something is not of the theme, nothing remains of it, or it is pinned.
    """
    theme = _theme(session, group_id)
    _lock(session)
    _check_settled(session, group_id)
    wanted = set(items)
    strangers = sorted(wanted - set(theme.items))
    if strangers:
        raise BadEdit(f"{', '.join(strangers[:3])}: not in {group_id}")
    parts = {
        part: known
        for part, known in served_parts(session, group_id=group_id).items()
        if wanted.intersection(known)
    }
    if not parts or len(wanted) == len(theme.items):
        raise BadEdit("some items must leave, and some must stay")
    if pinned := sorted(pinned_groups(session).intersection(parts)):
        raise BadEdit(f"{pinned[0]} is pinned; unpin it first")
    if whole := sorted(part for part, known in parts.items() if wanted.issuperset(known)):
        raise BadEdit(
            f"all of {whole[0]} would leave, which was merged into {group_id}; take that merge back"
        )
    made = [_split(session, part, known, wanted, actor=actor, now=now) for part, known in parts.items()]
    for other in made[1:]:
        detail = {"other_id": new_id(other), "items": [], "other_items": []}
        _keep(session, "merge", new_id(made[0]), detail, actor=actor, now=now)
    return made[0]


def _split(
    session: Session, part: str, known: Sequence[str], wanted: set[str], *, actor: str, now: datetime
) -> int:
    detail = {
        "items": [item for item in known if item in wanted],
        "rest": [item for item in known if item not in wanted],
    }
    return _keep(session, "split", part, detail, actor=actor, now=now)


def merge_themes(session: Session, *, group_id: str, other_id: str, actor: str, now: datetime) -> int:
    """
    Let the items of `other_id` join `group_id`, whose identity and name live on; return the edit's id.

    Raises NoSuchGroup, and BadEdit where both are one, or a merge or split of them still waits.
    """
    theme, other = _theme(session, group_id), _theme(session, other_id)
    _lock(session)
    if group_id == other_id:
        raise BadEdit("a theme cannot be merged with itself")
    for each in (group_id, other_id):
        _check_settled(session, each)
    detail = {"other_id": other_id, "items": list(theme.items), "other_items": list(other.items)}
    return _keep(session, "merge", group_id, detail, actor=actor, now=now)


def set_minimum_size(session: Session, *, members: int, actor: str, now: datetime) -> int:
    """Form no group of fewer members from the next night on; return the edit's id. Raises BadEdit below ten."""
    if not FEWEST_SHOWN <= members <= MOST_MEMBERS:
        raise BadEdit(f"a group has at least {FEWEST_SHOWN} members, so that nobody is recognised")
    return _keep(session, "minimum_size", None, {"members": members}, actor=actor, now=now)


def undo_edit(session: Session, *, edit_id: int, actor: str, now: datetime) -> int:
    """
    Take an edit back; return its id. Raises NoSuchEdit, and NothingToUndo where later edits rest on it.

    A later split, pin or merge of a theme that a split left or made must be taken back first.
    """
    _lock(session)
    edit = session.get(GroupEdit, edit_id)
    if edit is None:
        raise NoSuchEdit(f"there is no edit {edit_id}")
    if edit.undone_at is not None:
        raise NothingToUndo(f"edit {edit_id} was taken back by {edit.undone_by}")
    if edit.kind == "split" and (later := _resting_on(session, edit)):
        raise NothingToUndo(f"edit {later} rests on it; take that back first")
    session.execute(
        update(GroupEdit).where(GroupEdit.edit_id == edit_id).values(undone_by=actor, undone_at=now)
    )
    session.expire(edit)
    record_event(
        session,
        now=now,
        actor=actor,
        action="group.undo",
        subject_kind="group",
        subject_id=edit.group_id or "all",
        detail={"edit_id": edit_id, "kind": edit.kind},
    )
    return edit_id


def _theme(session: Session, group_id: str) -> GroupView:
    run = served_run(session)
    if run is None:
        raise NoSuchGroup("there are no groups before the first night")
    group = group_of_run(session, run_id=run.run_id, group_id=group_id)
    if group.kind != "theme":
        raise BadEdit(f"{group_id} is no theme: it is who no theme fits")
    return group


def _check_name(session: Session, group_id: str, language: str, name: str) -> None:
    if language not in LANGUAGES:
        raise BadEdit(f"{language}: the languages are {', '.join(LANGUAGES)}")
    if len(name) > LONGEST_NAME:
        raise BadEdit(f"a name has at most {LONGEST_NAME} characters")
    if payment_card_numbers(name):
        raise BadEdit("a name must not hold the number of a payment card")
    run = served_run(session)
    others = groups_of_run(session, run_id=run.run_id) if run else []
    for other in others:
        if other.group_id != group_id and other.name_in(language).casefold() == name.casefold():
            raise BadEdit(f"{other.group_id} has this name already")


def _check_settled(session: Session, group_id: str) -> None:
    """Raise BadEdit for a theme that an edit will change the next night."""
    waiting = next(
        (
            edit
            for edit in edits_of_groups(session, group_id=group_id)
            if edit.waiting and edit.kind != "minimum_size"
        ),
        None,
    )
    if waiting:
        raise BadEdit(
            f"edit {waiting.edit_id} of {group_id} waits for the next night; then this one can follow"
        )


def _resting_on(session: Session, split: GroupEdit) -> int | None:
    """Return the newest edit that speaks of a theme as `split` left it."""
    parts = [split.group_id, new_id(split.edit_id)]
    return session.scalar(
        select(GroupEdit.edit_id)
        .where(
            GroupEdit.edit_id > split.edit_id,
            GroupEdit.undone_at.is_(None),
            GroupEdit.kind.in_(("pin", "split", "merge")),
            or_(GroupEdit.group_id.in_(parts), GroupEdit.detail["other_id"].as_string().in_(parts)),
        )
        .order_by(GroupEdit.edit_id.desc())
        .limit(1)
    )


def _lock(session: Session) -> None:
    """Let one person at a time change how themes are cut."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("group_edit"))))


def _keep(
    session: Session, kind: str, group_id: str | None, detail: dict[str, Any], *, actor: str, now: datetime
) -> int:
    edit_id = session.execute(
        insert(GroupEdit)
        .values(kind=kind, group_id=group_id, detail=detail, made_by=actor, made_at=now)
        .returning(GroupEdit.edit_id)
    ).scalar_one()
    record_event(
        session,
        now=now,
        actor=actor,
        action=f"group.{kind}",
        subject_kind="group",
        subject_id=group_id or "all",
        detail={"edit_id": edit_id, **detail},
    )
    return edit_id

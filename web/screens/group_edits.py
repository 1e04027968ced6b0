"""Groups changed by hand: names, pins, splits and merges, each shown with what it will change, and each undone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from basket_analysis.groups.edit_lists import (
    FEWEST_SHOWN,
    EditView,
    MergePreview,
    SplitPreview,
    edits_of_groups,
    minimum_size,
    pinned_groups,
    preview_edit_of_split,
    preview_merge,
    preview_split,
)
from basket_analysis.groups.edit_operations import (
    BadEdit,
    NothingToUndo,
    merge_themes,
    pin_theme,
    rename_group,
    set_minimum_size,
    split_theme,
    undo_edit,
    unpin_theme,
)
from basket_analysis.groups.lists import GroupView, NoSuchGroup
from core.i18n import LANGUAGES
from web.groups.edit_words import edit_words, items_words, subject_words
from web.groups.findings import people
from web.groups.shown import GroupsShown, colour_of, groups_now, name_of
from web.notices import go
from web.state import now, transaction, viewer
from web.typed import wrong_text
from web.words import gettext as _
from web.words import language_name

blueprint = Blueprint("group_edits", __name__, url_prefix="/groups/edits")
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class EditRow:
    """One edit as the history shows it."""

    edit: EditView
    subject: str
    words: str
    current: bool
    """Whether the group still is, so that its page can be opened."""


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show everything that was changed by hand, and the least size of a group with what another would change."""
    wanted = request.args.get("members", "")
    with transaction() as session:
        groups = groups_now(session)
        rows = _rows(edits_of_groups(session), groups)
        least = minimum_size(session)
    asked = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 7 else None
    folded = _folded(groups, asked) if asked is not None else []
    return render_template(
        "screens/group_edits.html",
        rows=rows,
        least=least,
        asked=asked,
        too_small=asked is not None and asked < FEWEST_SHOWN,
        folded=[(name_of(group), colour_of(group), group.members) for group in folded],
        affected=people(sum(group.members for group in folded)),
        fewest=FEWEST_SHOWN,
        run=groups.run,
    )


@blueprint.get("/<group_id>")
def show(group_id: str) -> ResponseReturnValue:
    """Show the forms that change one group; a split or merge that the address describes is shown beforehand."""
    return _page(group_id)


@blueprint.post("/<group_id>/name")
def rename(group_id: str) -> ResponseReturnValue:
    """Name a group in the languages that are filled in."""
    names = {code: request.form.get(f"name_{code}", "").strip() for code in LANGUAGES}
    wrong = {f"name_{code}": wrong_text(name, longest=_LONGEST_NAME) for code, name in names.items()}
    errors = {key: words for key, words in wrong.items() if words}
    if errors:
        return _page(group_id, errors=errors), 422
    with transaction() as session:
        known = _theme(groups_now(session), group_id)
    changed = {code: name for code, name in names.items() if name and name != known.name_in(code)}
    if not changed:
        return _page(group_id, errors={"name_en": _("Nothing was changed: type another name.")}), 422
    return _do(
        group_id,
        lambda session: rename_group(
            session, group_id=group_id, names=changed, actor=viewer().login, now=now()
        ),
        _("Named. Screens say so from now on, catalogs from the next one on."),
    )


@blueprint.post("/<group_id>/pin")
def pin(group_id: str) -> ResponseReturnValue:
    """Keep a theme as it is."""
    return _do(
        group_id,
        lambda session: pin_theme(session, group_id=group_id, actor=viewer().login, now=now()),
        _("Pinned. No night will change what this theme is made of."),
    )


@blueprint.post("/<group_id>/unpin")
def unpin(group_id: str) -> ResponseReturnValue:
    """Let the nights shape a theme again."""
    return _do(
        group_id,
        lambda session: unpin_theme(session, group_id=group_id, actor=viewer().login, now=now()),
        _("No longer pinned. The next night may change what this theme is made of."),
    )


@blueprint.post("/<group_id>/split")
def split(group_id: str) -> ResponseReturnValue:
    """Let some categories leave for a theme of their own."""
    items = request.form.getlist("item")
    return _do(
        group_id,
        lambda session: split_theme(session, group_id=group_id, items=items, actor=viewer().login, now=now()),
        _("Split. The next night forms the two groups."),
    )


@blueprint.post("/<group_id>/merge")
def merge(group_id: str) -> ResponseReturnValue:
    """Make one theme of two."""
    other = request.form.get("other", "")
    return _do(
        group_id,
        lambda session: merge_themes(
            session, group_id=group_id, other_id=other, actor=viewer().login, now=now()
        ),
        _("Merged. The next night forms the one group."),
    )


@blueprint.post("/minimum")
def minimum() -> ResponseReturnValue:
    """Set how many members a group needs at least."""
    typed = request.form.get("members", "")
    members = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 0
    try:
        with transaction() as session:
            set_minimum_size(session, members=members, actor=viewer().login, now=now())
    except BadEdit as refusal:
        return go(url_for("group_edits.index"), _refused(refusal), "bad")
    return go(url_for("group_edits.index"), _("Kept. The next night forms no smaller group."))


@blueprint.post("/<int:edit_id>/undo")
def undo(edit_id: int) -> ResponseReturnValue:
    """Take an edit back."""
    back = request.form.get("group_id", "")
    address = url_for("group_edits.show", group_id=back) if back else url_for("group_edits.index")
    try:
        with transaction() as session:
            undo_edit(session, edit_id=edit_id, actor=viewer().login, now=now())
    except NothingToUndo as refusal:
        return go(address, _refused(refusal), "bad")
    return go(address, _("Taken back. Names change at once, everything else with the next night."))


def _do(group_id: str, work: Callable[[Session], object], said: str) -> ResponseReturnValue:
    """Change a group and go back to its page, which says what will happen, or why it cannot be."""
    address = url_for("group_edits.show", group_id=group_id)
    try:
        with transaction() as session:
            work(session)
    except (BadEdit, NothingToUndo) as refusal:
        return go(address, _refused(refusal), "bad")
    return go(address, said)


def _refused(refusal: Exception) -> str:
    return _("This cannot be done: %(reason)s.", reason=str(refusal).rstrip("."))


def _page(group_id: str, *, errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        groups = groups_now(session)
        group = _theme(groups, group_id)
        pinned = group_id in pinned_groups(session)
        rows = _rows(edits_of_groups(session, group_id=group_id), groups)
        suggested = preview_split(session, group_id=group_id)
        leaving = _asked_split(session, group)
        joining = _asked_merge(session, groups, group)
    others = [one for one in groups.groups if one.kind == "theme" and one.group_id != group_id]
    return render_template(
        "screens/group_edit.html",
        group=group,
        name=name_of(group),
        colour=colour_of(group),
        pinned=pinned,
        rows=rows,
        errors=errors or {},
        tongues=[(code, language_name(code), _typed(code, group)) for code in LANGUAGES],
        suggested=suggested,
        leaving=leaving,
        joining=joining,
        joining_name=groups.words(request.args.get("other")),
        others=[(one.group_id, name_of(one)) for one in others],
        people=people,
        items_words=items_words,
        waiting=any(row.edit.waiting for row in rows if row.edit.kind in {"split", "merge"}),
    )


def _typed(code: str, group: GroupView) -> str:
    return request.form.get(f"name_{code}", group.name_in(code))


def _theme(groups: GroupsShown, group_id: str) -> GroupView:
    group = groups.find(group_id)
    if group is None or group.kind != "theme":
        raise NoSuchGroup(f"There is no theme {group_id}")
    return group


def _asked_split(session: Session, group: GroupView) -> SplitPreview | None:
    """Return what the split that the address describes would make; None where none, or no real one, is described."""
    items = [item for item in request.args.getlist("item") if item in group.items]
    if not items or len(items) == len(group.items):
        return None
    return preview_edit_of_split(session, group_id=group.group_id, items=items)


def _asked_merge(session: Session, groups: GroupsShown, group: GroupView) -> MergePreview | None:
    other = groups.find(request.args.get("other"))
    if other is None or other.kind != "theme" or other.group_id == group.group_id:
        return None
    return preview_merge(session, group_id=group.group_id, other_id=other.group_id)


def _folded(groups: GroupsShown, least: int) -> list[GroupView]:
    """Return the groups that would be too small."""
    return [group for group in groups.groups if group.kind == "theme" and group.members < least]


def _rows(edits: Sequence[EditView], groups: GroupsShown) -> list[EditRow]:
    return [
        EditRow(
            edit=edit,
            subject=subject_words(edit, groups),
            words=edit_words(edit, groups),
            current=groups.find(edit.group_id) is not None,
        )
        for edit in edits
    ]

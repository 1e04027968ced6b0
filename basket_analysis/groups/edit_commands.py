"""Groups as people want them, on the command line: `groups rename|pin|unpin|split|merge|minimum|edits|undo`."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

import click
from sqlalchemy.orm import Session

from basket_analysis.groups.edit_lists import EditView, edits_of_groups, minimum_size, new_id
from basket_analysis.groups.edit_operations import (
    merge_themes,
    pin_theme,
    rename_group,
    set_minimum_size,
    split_theme,
    undo_edit,
    unpin_theme,
)
from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.i18n import LANGUAGES

ACTOR = "command line"
NEXT_NIGHT = "the next night acts on it"


def _name_options(command: Callable[..., None]) -> Callable[..., None]:
    for language in reversed(LANGUAGES):
        command = click.option(f"--{language}", metavar="NAME", help=f"The name in {language}.")(command)
    return command


@click.command("rename")
@click.argument("group_id")
@_name_options
@json_option
@pass_workplace
@refusals_exit_2
def rename(workplace: Workplace, /, *, group_id: str, as_json: bool, **names: str | None) -> None:
    """Name a group from now on; languages that are not given keep the name made from its rules."""
    given = {language: name for language, name in names.items() if name is not None}
    _do(
        workplace,
        lambda session, now: rename_group(session, group_id=group_id, names=given, actor=ACTOR, now=now),
        f"{group_id} is renamed",
        as_json=as_json,
    )


@click.command("pin")
@click.argument("group_id")
@json_option
@pass_workplace
@refusals_exit_2
def pin(workplace: Workplace, *, group_id: str, as_json: bool) -> None:
    """Keep a theme and its items as they are, whatever later nights find."""
    _do(
        workplace,
        lambda session, now: pin_theme(session, group_id=group_id, actor=ACTOR, now=now),
        f"{group_id} is pinned",
        as_json=as_json,
    )


@click.command("unpin")
@click.argument("group_id")
@json_option
@pass_workplace
@refusals_exit_2
def unpin(workplace: Workplace, *, group_id: str, as_json: bool) -> None:
    """Let later nights shape a theme again."""
    _do(
        workplace,
        lambda session, now: unpin_theme(session, group_id=group_id, actor=ACTOR, now=now),
        f"{group_id} is not pinned any more",
        as_json=as_json,
    )


@click.command("split")
@click.argument("group_id")
@click.argument("items", nargs=-1, required=True)
@json_option
@pass_workplace
@refusals_exit_2
def split(workplace: Workplace, *, group_id: str, items: tuple[str, ...], as_json: bool) -> None:
    """Let ITEMS leave a theme for one of their own."""
    _do(
        workplace,
        lambda session, now: split_theme(session, group_id=group_id, items=items, actor=ACTOR, now=now),
        lambda edit_id: f"{new_id(edit_id)} leaves {group_id}; {NEXT_NIGHT}",
        as_json=as_json,
    )


@click.command("merge")
@click.argument("group_id")
@click.argument("other_id")
@json_option
@pass_workplace
@refusals_exit_2
def merge(workplace: Workplace, *, group_id: str, other_id: str, as_json: bool) -> None:
    """Let the items of OTHER_ID join GROUP_ID, which keeps its name."""
    _do(
        workplace,
        lambda session, now: merge_themes(
            session, group_id=group_id, other_id=other_id, actor=ACTOR, now=now
        ),
        f"{other_id} joins {group_id}; {NEXT_NIGHT}",
        as_json=as_json,
    )


@click.command("minimum")
@click.argument("members", type=click.IntRange(min=1), required=False)
@json_option
@pass_workplace
@refusals_exit_2
def minimum(workplace: Workplace, *, members: int | None, as_json: bool) -> None:
    """Form no group of fewer MEMBERS; without a number, show how many are needed."""
    if members is None:
        with workplace.sessions() as session:
            needed = minimum_size(session)
        if as_json:
            print_json({"minimum_size": needed})
        else:
            click.echo(f"a group has at least {needed} members")
        return
    _do(
        workplace,
        lambda session, now: set_minimum_size(session, members=members, actor=ACTOR, now=now),
        f"groups have at least {members} members; {NEXT_NIGHT}",
        as_json=as_json,
    )


@click.command("undo")
@click.argument("edit_id", type=int)
@json_option
@pass_workplace
@refusals_exit_2
def undo(workplace: Workplace, *, edit_id: int, as_json: bool) -> None:
    """Take an edit back; `groups edits` shows their numbers."""
    _do(
        workplace,
        lambda session, now: undo_edit(session, edit_id=edit_id, actor=ACTOR, now=now),
        f"edit {edit_id} is taken back",
        as_json=as_json,
    )


@click.command("edits")
@click.argument("group_id", required=False)
@json_option
@pass_workplace
@refusals_exit_2
def edits(workplace: Workplace, *, group_id: str | None, as_json: bool) -> None:
    """Show what people made of the groups, or of one, newest first."""
    with workplace.sessions() as session:
        found = edits_of_groups(session, group_id=group_id)
    if as_json:
        print_json({"edits": [asdict(edit) for edit in found]})
        return
    for edit in found:
        click.echo(_edit_words(edit))
    if not found:
        click.echo("nobody has edited groups", err=True)


def _do(
    workplace: Workplace,
    change: Callable[[Session, datetime], int],
    said: str | Callable[[int], str],
    *,
    as_json: bool,
) -> None:
    with workplace.sessions.begin() as session:
        edit_id = change(session, clock.now())
    if as_json:
        print_json({"edit_id": edit_id})
    else:
        click.echo(said if isinstance(said, str) else said(edit_id))


def _edit_words(edit: EditView) -> str:
    what = {
        "rename": lambda detail: ", ".join(
            f"{language}: {name}" for language, name in detail["names"].items()
        ),
        "pin": lambda detail: ", ".join(detail["items"]),
        "split": lambda detail: f"{detail['new_id']}: {', '.join(detail['items'])}",
        "merge": lambda detail: f"with {detail['other_id']}",
        "minimum_size": lambda detail: f"{detail['members']} members",
    }[edit.kind](edit.detail)
    state = f", taken back by {edit.undone_by} {edit.undone_at:%Y-%m-%d}" if edit.undone_at else ""
    waits = f" ({NEXT_NIGHT})" if edit.waiting else ""
    return (
        f"{edit.edit_id:>5}  {edit.made_at:%Y-%m-%d %H:%M}  {edit.made_by}  {edit.kind:12} "
        f"{edit.group_id or '':5} {what}{state}{waits}"
    )


of_groups: tuple[click.Command, ...] = (rename, pin, unpin, split, merge, minimum, undo, edits)

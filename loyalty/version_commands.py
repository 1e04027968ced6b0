"""What the commands of the programme's versions and of the tiers' do alike."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from core.commandline import print_json
from loyalty.programme.codec import BadRules
from loyalty.stored_versions import Reading, RulesVersion
from rewards.document_reading import UNFIT, read_json

ACTOR: Final = "command line"
RulesT = TypeVar("RulesT")


def print_versions(
    versions: Sequence[RulesVersion[RulesT]],
    document: Callable[[RulesVersion[RulesT]], dict[str, Any]],
    *,
    none: str,
    as_json: bool,
) -> None:
    """Print versions, one a line or as one JSON document; `none` says in words that there are none."""
    if as_json:
        print_json({"versions": [document(version) for version in versions]})
        return
    if not versions:
        click.echo(none)
    for version in versions:
        click.echo(f"{version.number:4}  {version.valid_from}  {version.state:10} {version.note}")


def read_version_file(
    file: Path, valid_from: date | None, read: Reading[RulesT], *, group: str
) -> tuple[RulesT, date, str]:
    """Return rules, first day and note in a file as `export` of a command `group` prints it; raises `BadRules`."""
    try:
        document = read_json(file.read_bytes())
        start = valid_from or date.fromisoformat(document["valid_from"])
        _check_texts(document)
        return read(document["rules"], version=0), start, str(document.get("note") or file.name)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadRules({"file": f"{file} is not what `{group} export` prints ({error})"}) from error


def _check_texts(document: Any) -> None:
    """Raise ValueError for a text in a JSON document, or a name, that no database can hold."""
    waiting = [document]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and UNFIT.search(one):
            raise ValueError("a text holds a NUL or half a surrogate pair")
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one


def say_drafted(version: int, start: date, *, as_json: bool) -> None:
    """Print that a draft was written."""
    if as_json:
        print_json({"version": version, "state": "draft", "valid_from": start.isoformat()})
        return
    click.echo(f"Version {version} is drafted to hold from {start}; a second person approves it.")


def say_approved(version: RulesVersion[RulesT]) -> None:
    """Print that a draft was approved."""
    click.echo(f"Version {version.number} holds from {version.valid_from}. Servers follow within a minute.")

"""The command group `regulars programme`."""

import sys
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from loyalty.programme.changes import approve_version, draft_version
from loyalty.programme.codec import read_rules, rules_document
from loyalty.programme.replay import replay
from loyalty.programme.rules import DEFAULT, Programme
from loyalty.programme.versions import all_versions, find_version, read_programmes, version_document
from loyalty.programme.words import sentences
from loyalty.version_commands import ACTOR, print_versions, read_version_file, say_approved, say_drafted
from sales.models import Store


@click.group()
def programme() -> None:
    """The programme's rules: versions with the day from which they hold."""


@programme.command("list")
@json_option
@pass_workplace
@refusals_exit_2
def list_versions(workplace: Workplace, *, as_json: bool) -> None:
    """Print every version, the one of the latest start first."""
    with workplace.sessions() as session:
        versions = all_versions(session)
    none = "No version yet: the till contract's own programme holds."
    print_versions(versions, version_document, none=none, as_json=as_json)


@programme.command("show")
@click.argument("version", type=int, required=False)
@json_option
@pass_workplace
@refusals_exit_2
def show_version(workplace: Workplace, *, version: int | None, as_json: bool) -> None:
    """Print the rules of a version in words; of the one that holds today if none is named, 0 is the contract's own."""
    with workplace.sessions() as session:
        rules = _rules(session, version)
        currencies = session.scalars(select(Store.currency).distinct().order_by(Store.currency)).all()
    if as_json:
        print_json({"version": rules.version, "rules": rules_document(rules)})
        return
    click.echo(f"Version {rules.version}" if rules.version else "The till contract's own programme")
    for said in sentences(rules, currencies, "en"):
        click.echo(f"{said.title:24} {said.words}")


@programme.command("export")
@click.argument("version", type=int, required=False)
@pass_workplace
@refusals_exit_2
def export_version(workplace: Workplace, *, version: int | None) -> None:
    """Print a version as the JSON that `import` reads; the one that holds today if none is named."""
    with workplace.sessions() as session:
        if version:
            print_json(version_document(find_version(session, version=version)))
            return
        rules = _rules(session, version)
    print_json({"valid_from": None, "note": "", "rules": rules_document(rules)})


@programme.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--valid-from", type=click.DateTime(["%Y-%m-%d"]), help="Instead of the day that the file says."
)
@click.option("--by", "actor", default=ACTOR, show_default=True, help="Who drafts it.")
@json_option
@pass_workplace
@refusals_exit_2
def import_version(
    workplace: Workplace, *, file: Path, valid_from: datetime | None, actor: str, as_json: bool
) -> None:
    """Write the rules in a file as a draft, for a second person to approve."""
    first_day = valid_from.date() if valid_from else None
    rules, start, note = read_version_file(file, first_day, read_rules, group="programme")
    with workplace.sessions.begin() as session:
        version = draft_version(
            session, programme=rules, valid_from=start, note=note, actor=actor, now=clock.now()
        )
    say_drafted(version, start, as_json=as_json)


@programme.command("approve")
@click.argument("version", type=int)
@click.option("--by", "actor", required=True, help="Who approves it; not who drafted it.")
@pass_workplace
@refusals_exit_2
def approve(workplace: Workplace, *, version: int, actor: str) -> None:
    """Let a draft hold from its day on."""
    with workplace.sessions.begin() as session:
        draft = find_version(session, version=version)
        done = approve_version(session, version=version, seen=draft.drafted_at, actor=actor, now=clock.now())
    say_approved(done)


@programme.command("replay")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First business date.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Day after the last.")
@json_option
@pass_workplace
@refusals_exit_2
def replay_period(workplace: Workplace, *, since: datetime, until: datetime, as_json: bool) -> None:
    """Work out again what sales should have earned under their versions; exit code 1 where the books differ."""
    with workplace.sessions() as session:
        done = replay(session, since=since.date(), until=until.date())
    if as_json:
        print_json(
            {
                "receipts": done.receipts,
                "points": done.points,
                "versions": {str(version): count for version, count in sorted(done.versions.items())},
                "differing": [str(one) for one in done.differing],
            }
        )
    else:
        click.echo(f"{done.receipts:,} sales, {done.points:,} points")
        for version, count in sorted(done.versions.items()):
            click.echo(f"  version {version}: {count:,} sales")
        for one in done.differing:
            click.echo(f"  {one}")
        click.echo(f"{len(done.differing):,} differences")
    if done.differing:
        sys.exit(1)


def _rules(session: Session, version: int | None) -> Programme:
    if version is None:
        return read_programmes(session).on(clock.now().date())
    return find_version(session, version=version).rules if version else DEFAULT


commands: tuple[click.Command, ...] = (programme,)

"""The command group `regulars offers`: offers as a document, under head office's own version control."""

from pathlib import Path
from typing import Any

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from rewards.codec import OffersRefused
from rewards.document_reading import read_json
from rewards.offer_decisions import NotLive, stop_offer
from rewards.offer_operations import import_document
from rewards.offer_queries import export_document, offer_list

ACTOR = "command line"


@click.group()
def offers() -> None:
    """Offers: what may be given to whom, under which condition."""


@offers.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--live", is_flag=True, help="Make them live at once: for administrators, tests and tools.")
@click.option("--by", "actor", default=ACTOR, show_default=True, help="Who drafts them.")
@json_option
@pass_workplace
@refusals_exit_2
def import_file(workplace: Workplace, *, file: Path, live: bool, actor: str, as_json: bool) -> None:
    """Write the offers in a file as drafts, all or nothing; servers follow with their next basket."""
    document = read_file(file)
    with workplace.sessions.begin() as session:
        done = import_document(session, document=document, actor=actor, now=clock.now(), live=live)
    if as_json:
        print_json(
            {
                "state": "live" if live else "draft",
                "versions": dict(done.versions),
                "imported": len(done.versions),
                "unchanged": list(done.unchanged),
            }
        )
        return
    state = "live" if live else "drafted"
    for code, version in done.versions.items():
        click.echo(f"{code} version {version} is {state}.")
    click.echo(f"{len(done.versions):,} {state}, {len(done.unchanged):,} unchanged")


@offers.command("export")
@click.option("--live", "live_only", is_flag=True, help="No drafts: what can be imported --live elsewhere.")
@click.option("--json", "as_json", is_flag=True, help="Accepted for likeness: a document is always JSON.")
@pass_workplace
@refusals_exit_2
def export(workplace: Workplace, *, live_only: bool, as_json: bool) -> None:  # noqa: ARG001 - there is no other form
    """
    Print offers (live, else their newest draft), rewards and batches as the document that `import` reads.

    Codes of vouchers that anybody may use stand in it: keep it as you keep the vouchers.
    """
    with workplace.sessions() as session:
        document = export_document(session, now=clock.now(), live_only=live_only)
    print_json(document)


@offers.command("list")
@json_option
@pass_workplace
@refusals_exit_2
def list_offers(workplace: Workplace, *, as_json: bool) -> None:
    """Print every version of every offer."""
    with workplace.sessions() as session:
        listed = offer_list(session)
    if as_json:
        print_json({"offers": listed})
        return
    if not listed:
        click.echo("No offer yet.")
    for one in listed:
        name = one["name"].get("en") or next(iter(one["name"].values()), "")
        click.echo(f"{one['offer_code']:32} {one['version']:4}  {one['state']:10} {name}")


@offers.command("stop")
@click.argument("codes", nargs=-1, required=True)
@click.option("--by", "actor", default=ACTOR, show_default=True, help="Who stops them.")
@click.option("--reason", default="stopped from the command line", show_default=True)
@json_option
@pass_workplace
@refusals_exit_2
def stop(workplace: Workplace, *, codes: tuple[str, ...], actor: str, reason: str, as_json: bool) -> None:
    """Stop live offers; quotes already given are honoured for their ten minutes. What is not live is passed over."""
    stopped = 0
    with workplace.sessions.begin() as session:
        for code in dict.fromkeys(codes):
            try:
                stop_offer(session, offer_code=code, actor=actor, now=clock.now(), reason=reason)
            except NotLive as refusal:
                click.echo(str(refusal), err=True)
            else:
                stopped += 1
    if as_json:
        print_json({"stopped": stopped})
        return
    click.echo(f"{stopped:,} stopped")


def read_file(file: Path) -> Any:
    """Return the JSON in a file; raises `OffersRefused` when it is none, or says a key twice."""
    try:
        return read_json(file.read_bytes())
    except ValueError as error:
        raise OffersRefused("", f"{file.name} is not JSON: {error}") from error


commands: tuple[click.Command, ...] = (offers,)

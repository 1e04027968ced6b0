"""What came of runs and of single copies, on the command line: `regulars catalogs results|copy`."""

from typing import Final

import click

from catalogs.copy_files import read_archived
from catalogs.copy_lists import find_copy
from catalogs.runs.lists import find_run
from catalogs.runs.result_lists import bought_from_copy, results_of_run
from catalogs.runs.run import CHANNELS
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2


@click.command()
@click.argument("run_code")
@click.option("--channel", type=click.Choice(CHANNELS), help="Only copies that left by this way.")
@json_option
@pass_workplace
@refusals_exit_2
def results(workplace: Workplace, *, run_code: str, channel: str | None, as_json: bool) -> None:
    """Show who bought what from which page, beside those who got no copy."""
    with workplace.sessions() as session:
        found = find_run(session, run_code=run_code)
        came = results_of_run(session, run_id=found.catalog_run_id, channel=channel)
    if as_json:
        print_json(came.document())
        return
    ways = ", ".join(came.channels) or "nothing"
    click.echo(f"{came.sent} copies sent, {came.held_out} members held out; left by now: {ways}")
    for page in came.pages:
        buyers = "fewer than ten" if page.buyers is None else f"{page.buyers}"
        click.echo(f"page {page.page:3}  {page.copies:7} copies  bought something of it: {buyers}")
    click.echo(came.effect.words())


@click.command("copy")
@click.argument("copy_code")
@json_option
@pass_workplace
@refusals_exit_2
def show_copy(workplace: Workplace, *, copy_code: str, as_json: bool) -> None:
    """Show what the copy of this code showed, and what of it its reader bought; its file is checked by its hash."""
    with workplace.sessions() as session:
        copy = find_copy(session, copy_code=copy_code)
        read_archived(workplace.data, copy.path, copy.sha256)
        shown = bought_from_copy(session, copy_code=copy_code)
    if as_json:
        print_json(
            {
                "copy": copy.copy_code,
                "member": copy.member_code,
                "state": copy.state,
                "version": copy.version,
                "path": str(workplace.data / copy.path),
                "sha256": copy.sha256.hex(),
                "items": [
                    dict(zip(("page", "place", "article_id", "name", "why", "bought"), row, strict=True))
                    for row in shown
                ],
            }
        )
        return
    click.echo(
        f"{copy.copy_code} for {copy.member_code}, {copy.state}, version {copy.version}, hash as archived"
    )
    for page, place, _article_id, name, why, bought in shown:
        click.echo(f"  page {page} place {place or '-'}  {'bought' if bought else '      '}  {why:8} {name}")


RESULT_COMMANDS: Final[tuple[click.Command, ...]] = (results, show_copy)

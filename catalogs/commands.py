"""The command line of catalogs: `regulars catalogs`."""

from datetime import datetime

import click

from catalogs.copy_lists import EDITION_SORTS, list_editions
from catalogs.jobs import COPIES_PER_NIGHT, make_copies
from catalogs.preview_commands import preview
from catalogs.runs.commands import RUN_COMMANDS
from catalogs.runs.handover_commands import HANDOVER_COMMANDS
from catalogs.runs.result_commands import RESULT_COMMANDS
from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.keyset import Ask
from core.progress import progress_bar
from sales.business_days import chain_timezone


@click.group()
def catalogs() -> None:
    """Catalogs: an edition per shopper group, a copy per member."""


@catalogs.command()
@click.option("--all", "everybody", is_flag=True, help="All copies that are not made yet.")
@click.option("--limit", type=click.IntRange(min=0), help="At most so many, spread over all groups.")
@click.option("--member", "member_code", help="Only the copy of the member with this code.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="So many processes; one per processor by default."
)
@click.option(
    "--date",
    "day",
    type=click.DateTime(("%Y-%m-%d",)),
    help="The last business day that is known; today by default.",
)
@json_option
@pass_workplace
@refusals_exit_2
def make(
    workplace: Workplace,
    *,
    everybody: bool,
    limit: int | None,
    member_code: str | None,
    workers: int | None,
    day: datetime | None,
    as_json: bool,
) -> None:
    """
    Make copies of the coming editions to be tried; those that exist are left as they are.

    They belong to no run, so they are never handed over: for that see `new`, `proof`, `approve` and `run`.
    """
    if everybody and limit is not None:
        raise click.UsageError("--all and --limit exclude each other")
    now = clock.now()
    with workplace.sessions() as session:
        known = clock.business_day(now, chain_timezone(session))
    with progress_bar("Making catalog copies") as report:
        run = make_copies(
            workplace.sessions,
            data=workplace.data,
            day=day.date() if day else known,
            now=now,
            limit=None if everybody or member_code else COPIES_PER_NIGHT if limit is None else limit,
            member_code=member_code,
            workers=workers,
            report=report,
        )
    if as_json:
        print_json(
            {"editions": run.editions, "made": run.made, "by_group": run.by_group, "waiting": run.waiting}
        )
    else:
        click.echo(f"{run.made} copies of {run.editions} editions made; {run.waiting} members still wait.")


@catalogs.command("list")
@json_option
@pass_workplace
@refusals_exit_2
def show_list(workplace: Workplace, *, as_json: bool) -> None:
    """List the newest editions and how many copies each has."""
    with workplace.sessions() as session:
        page = list_editions(session, Ask(sort=EDITION_SORTS[0], descending=True))
    if as_json:
        print_json(
            {
                "editions": [
                    {
                        "edition_code": row.edition_code,
                        "group": row.group_name,
                        "theme": row.theme,
                        "valid_from": row.valid_from,
                        "valid_to": row.valid_to,
                        "copies": row.copies,
                    }
                    for row in page.rows
                ]
            }
        )
        return
    for row in page.rows:
        click.echo(
            f"{row.edition_code:28} {row.valid_from} - {row.last_day} {row.copies:6}  {row.group_name}"
        )


for command in (preview, *RUN_COMMANDS, *HANDOVER_COMMANDS, *RESULT_COMMANDS):
    catalogs.add_command(command)

commands: tuple[click.Command, ...] = (catalogs,)

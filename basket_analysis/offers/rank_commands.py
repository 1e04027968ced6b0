"""`regulars offers rank`: who is likeliest to buy what next, as of any day, into files."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from basket_analysis.offers.files import rank_offers_into_files
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("rank")
@click.option("--level", type=click.Choice(["article", "type"]), required=True, help="What is ranked.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="Only business days before it are looked at.",
)
@click.option("--k", "count", type=click.IntRange(min=1), required=True, help="So many items per member.")
@click.option("--out", type=FILE, required=True, help="Where the lists go (CSV, or parquet by its name).")
@click.option("--new-out", type=FILE, help="Where the lists of what each member never bought go.")
@json_option
@pass_workplace
@refusals_exit_2
def rank(workplace: Workplace, /, *, as_of: datetime, as_json: bool, **options: Any) -> None:
    """
    Rank for every member what they are likeliest to buy next, best first.

    Writes household_id (the member's code), item (sku or type), rank and score. Who objects to profiling is left out,
    and so is what fewer than five members ever bought.
    """
    record = rank_offers_into_files(workplace.sessions, as_of=as_of.date(), **options)
    if as_json:
        print_json(record)
        return
    click.echo(f"{record['rows_all']:,} rows for {record['members']:,} members as of {record['as_of']}")


parts: tuple[click.Command, ...] = (rank,)

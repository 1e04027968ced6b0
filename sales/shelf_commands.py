"""The command groups `regulars stock` and `regulars prices`."""

from pathlib import Path

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.progress import progress_bar
from core.tabular import Summary
from sales.shelf_importing import import_prices, import_stock

file_argument = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def stock() -> None:
    """Stock: how much of what lies in which store."""


@stock.command("import")
@file_argument
@json_option
@pass_workplace
@refusals_exit_2
def stock_import(workplace: Workplace, *, file: Path, as_json: bool) -> None:
    """Take the counts of a file; what was sold since a count is taken off where stock is asked for."""
    with workplace.sessions.begin() as session, progress_bar(f"Reading {file.name}, %") as report:
        summary = import_stock(session, file, now=clock.now(), report=report)
    _print(summary, as_json=as_json)


@click.group()
def prices() -> None:
    """Prices: what articles cost in which period, in one store or in all."""


@prices.command("import")
@file_argument
@json_option
@pass_workplace
@refusals_exit_2
def prices_import(workplace: Workplace, *, file: Path, as_json: bool) -> None:
    """
    Take the prices of a file; a price that began on the same day is replaced, all others stay.

    What names no store is in the currency of the chain's first store, and holds in the stores that sell in it.
    """
    with workplace.sessions.begin() as session, progress_bar(f"Reading {file.name}, %") as report:
        summary = import_prices(session, file, report=report)
    _print(summary, as_json=as_json)


def _print(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print_json(summary.as_json())
    else:
        click.echo(summary.in_words())


commands: tuple[click.Command, ...] = (stock, prices)

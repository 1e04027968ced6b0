"""The command group `regulars receipts`."""

from pathlib import Path

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.copying import refresh_statistics
from core.progress import progress_bar
from loyalty.receipt_import import WRITTEN, import_receipts


@click.group()
def receipts() -> None:
    """Receipts: past ones from files; new ones come from tills."""


@receipts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@pass_workplace
@refusals_exit_2
def receipts_import(workplace: Workplace, *, file: Path, as_json: bool) -> None:
    """Store receipts from a file and book their points; what is stored already is left alone."""
    done = import_receipts(workplace.sessions, file, now=clock.now(), show=progress_bar)
    if done.receipts:
        refresh_statistics(workplace.url, WRITTEN)
    if as_json:
        print_json(done.as_json())
        return
    click.echo(done.summary.in_words())
    loading = done.seconds["reading"] + done.seconds["loading"]
    speed = f" ({done.summary.written / loading:,.0f} lines a second)" if done.summary.written else ""
    click.echo(
        f"{done.receipts:,} receipts loaded in {loading:.1f} s{speed}; "
        f"{done.points:,} points booked in {done.seconds['booking']:.1f} s"
    )


commands: tuple[click.Command, ...] = (receipts,)

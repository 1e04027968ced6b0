"""The command group `regulars demo`."""

from functools import partial

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.copying import refresh_statistics
from core.errors import Refused
from core.postgres import Cluster
from core.progress import progress_bar
from core.settings import Settings
from demo.guide import curl_line, guide, read_sample, receipt_body
from demo.loading import Demonstration, clear
from loyalty.receipt_import import WRITTEN

LOADED = (*WRITTEN, "store", "article", "account", "member", "card", "consent")


class ForeignDatabase(Refused):
    """A database of somebody else's server is not ours to delete."""


@click.group()
def demo() -> None:
    """The demonstration: a chain with a year of baskets, to look at and to try things with."""


@demo.command("load")
@click.option(
    "--as-is", is_flag=True, help="Leave all dates as they are (2017) instead of moving them to last week."
)
@click.option("--fresh", is_flag=True, help="Delete the database of the data folder first, for good.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="For what is printed."
)
@json_option
@pass_workplace
@refusals_exit_2
def load(workplace: Workplace, *, as_is: bool, fresh: bool, port: int, as_json: bool) -> None:
    """Load the demonstration, or what is missing of it, and print how to get in."""
    if fresh:
        _start_again(workplace)
    now = clock.now()
    demonstration = Demonstration(
        sessions=workplace.sessions,
        data=workplace.data,
        now=now,
        show=progress_bar,
        refresh_statistics=partial(refresh_statistics, workplace.url, LOADED),
    )
    record = demonstration.load(as_is=as_is)
    with workplace.sessions() as session:
        sample = read_sample(session, record)
    if as_json:
        print_json(
            {
                "files": record.files,
                "imported": record.imported,
                "night": record.night,
                "people": record.passwords,
                "till": record.till,
                "curl": curl_line(record, receipt_body(sample, now=now), port=port),
            }
        )
        return
    for line in guide(record, sample, now=now, port=port):
        click.echo(line)


def _start_again(workplace: Workplace) -> None:
    """Delete the database in the data folder and what the demonstration and its catalogs left beside it."""
    if Settings.load().database_url:
        raise ForeignDatabase(
            "--fresh deletes only a database of the data folder; DATABASE_URL names another one"
        )
    Cluster(workplace.data).remove()
    clear(workplace.data)


commands: tuple[click.Command, ...] = (demo,)

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
from demo.bulk import unindexed
from demo.crowd import FILLED_MOST, make_crowd
from demo.crowd import WRITTEN as WRITTEN_BY_CROWD
from demo.guide import curl_line, guide, read_sample, receipt_body
from demo.loading import Demonstration, clear
from loyalty.imports.receipts import WRITTEN

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


@demo.command("crowd")
@click.option("--members", type=click.IntRange(0, 99_999_999), default=100_000, show_default=True)
@click.option("--receipts", type=click.IntRange(0, 999_999_999), default=1_000_000, show_default=True)
@click.option("--stores", type=click.IntRange(1, 9_999), default=20, show_default=True)
@click.option("--articles", type=click.IntRange(1, 999_999), default=20_000, show_default=True)
@click.option(
    "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Over which receipts lie."
)
@click.option("--seed", type=int, default=1, show_default=True)
@pass_workplace
@refusals_exit_2
def crowd(
    workplace: Workplace, *, members: int, receipts: int, stores: int, articles: int, days: int, seed: int
) -> None:
    """
    Fill an empty database with a made-up chain of any size, points included.

    About 3 GB of disk for each million of receipts, nine lines each on average. Nobody else may use the database
    meanwhile, and one whose load was killed is to be thrown away.
    """
    with unindexed(workplace.url, FILLED_MOST):
        make_crowd(
            workplace.sessions,
            members=members,
            receipts=receipts,
            stores=stores,
            articles=articles,
            days=days,
            seed=seed,
            now=clock.now(),
            show=progress_bar,
        )
    refresh_statistics(workplace.url, WRITTEN_BY_CROWD)


def _start_again(workplace: Workplace) -> None:
    """Delete the database in the data folder and what the demonstration and its catalogs left beside it."""
    if Settings.load().database_url:
        raise ForeignDatabase(
            "--fresh deletes only a database of the data folder; DATABASE_URL names another one"
        )
    Cluster(workplace.data).remove()
    clear(workplace.data)


commands: tuple[click.Command, ...] = (demo,)

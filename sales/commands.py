"""The command groups `regulars stores`, `tills`, `articles` and `barcodes`."""

from pathlib import Path

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.progress import progress_bar
from core.tabular import Summary
from sales.barcode_commands import barcodes
from sales.importing import import_articles, import_stores
from sales.known_articles import resolve_known
from sales.operations import add_store, add_till, revoke_till_keys

ACTOR = "command line"

file_argument = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def stores() -> None:
    """Stores: their currency and time zone decide amounts and business days."""


@stores.command("add")
@click.argument("store_code", metavar="CODE")
@click.option("--name", required=True)
@click.option("--currency", required=True, help="ISO 4217, such as CZK.")
@click.option("--timezone", required=True, help="Of the IANA database, such as Europe/Prague.")
@click.option("--city")
@click.option("--country")
@json_option
@pass_workplace
@refusals_exit_2
def store_add(
    workplace: Workplace,
    *,
    store_code: str,
    name: str,
    currency: str,
    timezone: str,
    city: str | None,
    country: str | None,
    as_json: bool,
) -> None:
    """Open a store."""
    with workplace.sessions.begin() as session:
        add_store(
            session,
            store_code=store_code,
            name=name,
            currency=currency,
            timezone=timezone,
            city=city,
            country=country,
        )
    if as_json:
        print_json({"store_code": store_code, "name": name, "currency": currency, "timezone": timezone})
    else:
        click.echo(f"store {store_code} is open: {name}, {currency}, {timezone}")


@stores.command("import")
@file_argument
@json_option
@pass_workplace
@refusals_exit_2
def stores_import(workplace: Workplace, *, file: Path, as_json: bool) -> None:
    """Add stores from a file and bring known ones up to date."""
    with workplace.sessions.begin() as session, progress_bar(f"Reading {file.name}, %") as report:
        summary = import_stores(session, file, report=report)
    _print(summary, as_json=as_json)


@click.group()
def tills() -> None:
    """Tills and their keys."""


@tills.command("add")
@click.argument("store_code", metavar="STORE")
@click.argument("till_code", metavar="TILL")
@json_option
@pass_workplace
@refusals_exit_2
def till_add(workplace: Workplace, *, store_code: str, till_code: str, as_json: bool) -> None:
    """Give a till a new key, which is printed now and never again."""
    with workplace.sessions.begin() as session:
        key = add_till(session, store_code=store_code, till_code=till_code, now=clock.now(), actor=ACTOR)
    if as_json:
        print_json({"store_code": store_code, "till_code": till_code, "key": key})
    else:
        click.echo(f"Key of till {store_code}/{till_code}, shown only now: {key}")


@tills.command("revoke")
@click.argument("store_code", metavar="STORE")
@click.argument("till_code", metavar="TILL")
@json_option
@pass_workplace
@refusals_exit_2
def till_revoke(workplace: Workplace, *, store_code: str, till_code: str, as_json: bool) -> None:
    """Revoke every key of a till."""
    with workplace.sessions.begin() as session:
        revoked = revoke_till_keys(
            session, store_code=store_code, till_code=till_code, now=clock.now(), actor=ACTOR
        )
    if as_json:
        print_json({"revoked": revoked})
    else:
        click.echo(f"{revoked} keys of till {store_code}/{till_code} revoked")


@click.group()
def articles() -> None:
    """Articles: what can be bought."""


@articles.command("import")
@file_argument
@json_option
@pass_workplace
@refusals_exit_2
def articles_import(workplace: Workplace, *, file: Path, as_json: bool) -> None:
    """Add articles from a file and bring known ones up to date."""
    with workplace.sessions.begin() as session, progress_bar(f"Reading {file.name}, %") as report:
        summary = import_articles(session, file, report=report)
        found = resolve_known(session, actor=ACTOR, now=clock.now())
    if found and not as_json:
        click.echo(f"{found} lines that were sold as unknown found their article", err=True)
    _print(summary, as_json=as_json)


def _print(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print_json(summary.as_json())
    else:
        click.echo(summary.in_words())


commands: tuple[click.Command, ...] = (stores, tills, articles, barcodes)

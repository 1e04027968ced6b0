"""The command group `regulars barcodes`: what the codes of a shop's own scales mean."""

from typing import Any, cast, get_args

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from sales.barcode_layouts import (
    PlacedLayout,
    all_layouts,
    decoded_in_store,
    layouts_of,
    remove_layout,
    set_layout,
)
from sales.barcodes import ArticleBy, Holds, Layout, decode
from sales.queries import store_of_code

ACTOR = "command line"

store_option = click.option("--store", "store_code", help="Only in this store.")
country_option = click.option("--country", help="In the stores of this country, as stores name it.")


@click.group()
def barcodes() -> None:
    """In-store barcodes, such as scales print: which digits are the article, which its weight or price."""


@barcodes.command("set")
@click.argument("pattern")
@click.option("--holds", type=click.Choice(get_args(Holds)), required=True, help="What V is.")
@click.option("--decimals", type=click.IntRange(0, 3), default=3, show_default=True, help="Of the value.")
@click.option(
    "--article-by",
    type=click.Choice([one.replace("_", "-") for one in get_args(ArticleBy)]),
    default="sku",
    show_default=True,
    help="What the item's number leads to: an SKU as printed or without leading zeros, "
    "or the GTIN with a value of zero.",
)
@store_option
@country_option
@pass_workplace
@refusals_exit_2
def barcodes_set(
    workplace: Workplace,
    *,
    pattern: str,
    holds: str,
    decimals: int,
    article_by: str,
    store_code: str | None,
    country: str | None,
) -> None:
    """
    Read codes by PATTERN, thirteen places such as 28IIIIIVVVVVC.

    Digits are the prefix (20 to 29), I the item's number, K a check digit of the value where
    there is one, V the value, C the check digit.
    """
    layout = Layout(pattern, cast("Holds", holds), decimals, cast("ArticleBy", article_by.replace("-", "_")))
    with workplace.sessions.begin() as session:
        set_layout(session, layout, store_code=store_code, country=country, now=clock.now(), actor=ACTOR)
    click.echo(f"codes like {pattern} are read as {holds} in {store_code or country or 'all stores'}")


@barcodes.command("remove")
@click.argument("pattern")
@store_option
@country_option
@pass_workplace
@refusals_exit_2
def barcodes_remove(
    workplace: Workplace, *, pattern: str, store_code: str | None, country: str | None
) -> None:
    """Read codes by PATTERN no longer; receipts keep the article that they were read as."""
    with workplace.sessions.begin() as session:
        remove_layout(session, pattern, store_code=store_code, country=country, now=clock.now(), actor=ACTOR)
    click.echo(f"codes like {pattern} are not read in {store_code or country or 'all stores'} any more")


@barcodes.command("list")
@json_option
@pass_workplace
@refusals_exit_2
def barcodes_list(workplace: Workplace, *, as_json: bool) -> None:
    """Show every layout and where it holds."""
    with workplace.sessions() as session:
        found = all_layouts(session)
    if as_json:
        print_json({"layouts": [_document(one) for one in found]})
        return
    for one in found:
        layout = one.layout
        place = one.store_code or one.country or "all stores"
        click.echo(
            f"{layout.pattern}  {layout.holds} with {layout.decimals} decimals, "
            f"article by {layout.article_by.replace('_', ' ')}, in {place}"
        )


@barcodes.command("decode")
@click.argument("code")
@click.option("--store", "store_code", required=True)
@json_option
@pass_workplace
@refusals_exit_2
def barcodes_decode(workplace: Workplace, *, code: str, store_code: str, as_json: bool) -> None:
    """Show what CODE says in a store."""
    with workplace.sessions() as session:
        store = store_of_code(session, store_code)
        found = decoded_in_store(session, code, store_id=store.store_id)
        found = found or decode(code, layouts_of(session, store.store_id))
    if as_json:
        print_json({"sku": found.sku, "gtin": found.gtin, "holds": found.holds, "value": str(found.value)})
    else:
        article = f"SKU {found.sku}" if found.sku else f"GTIN {found.gtin}"
        click.echo(f"{article}, {found.holds} {found.value}")


def _document(one: PlacedLayout) -> dict[str, Any]:
    layout = one.layout
    return {
        "pattern": layout.pattern,
        "holds": layout.holds,
        "decimals": layout.decimals,
        "article_by": layout.article_by,
        "store_code": one.store_code,
        "country": one.country,
    }

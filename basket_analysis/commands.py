"""The command line of basket analysis: `regulars mine`, `groups` and `assortment`."""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from basket_analysis.itemset_mining import MiningOrder, mine_file
from basket_analysis.mining import MAX_ITEMSETS, MINERS
from core.commandline import json_option, print_json, refusals_exit_2

INPUT = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
OUTPUT = click.Path(dir_okay=False, path_type=Path)


class Share(click.ParamType[Fraction]):
    """A number from 0 to 1, exactly as it is written."""

    name = "share"

    def convert(
        self, value: str | Fraction, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """Return the share; anything else is a usage error."""
        if isinstance(value, Fraction):
            return value
        try:
            share = Decimal(value.strip())
        except InvalidOperation:
            share = Decimal("NaN")
        if not share.is_finite() or not 0 <= share <= 1:
            self.fail(f"{value!r} is not a number from 0 to 1", param, ctx)
        return Fraction(share)


@click.command()
@click.option("--baskets", type=INPUT, required=True, help="CSV or parquet; one row an item of a basket.")
@click.option(
    "--min-support", type=Share(), required=True, help="Share of baskets, taken exactly as written."
)
@click.option("--out", type=OUTPUT, required=True, help="Where the itemsets go (.csv, .csv.gz, .parquet).")
@click.option("--rules", type=OUTPUT, help="Where the rules go.")
@click.option("--min-confidence", type=Share(), help="Needed with --rules.")
@click.option("--backend", type=click.Choice(tuple(MINERS)), default="fast", show_default=True)
@click.option("--max-basket", type=click.IntRange(min=1), help="Keep so many items of a longer basket.")
@click.option("--max-length", type=click.IntRange(min=1), help="Look for no longer sets.")
@click.option("--max-itemsets", type=click.IntRange(min=1), default=MAX_ITEMSETS, show_default=True)
@json_option
@refusals_exit_2
def mine(*, as_json: bool, **options: Any) -> None:
    """
    Find what is often bought together in a file of baskets.

    An itemset is written when at least ceil(SUPPORT x baskets) baskets hold it. Rows without
    basket or item go to OUT.refused.csv.
    """
    if (options["rules"] is None) != (options["min_confidence"] is None):
        raise click.UsageError("--rules and --min-confidence go together")
    summary = mine_file(MiningOrder(**options))
    if as_json:
        print_json(summary)
    else:
        click.echo(
            f"{summary['itemsets']:,} itemsets and {summary['rules']:,} rules of {summary['items']:,} items "
            f"in {summary['baskets']:,} baskets, each in at least {summary['min_count']:,}"
        )


commands: tuple[click.Command, ...] = (mine,)

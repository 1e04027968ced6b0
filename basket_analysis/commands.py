"""The command line of basket analysis: `regulars mine`, `groups`, `assortment` and `evaluate`."""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from basket_analysis.assortment.listing_files import rank_listings
from basket_analysis.evaluation_commands import evaluate
from basket_analysis.groups import answer_commands as group_answer_commands
from basket_analysis.groups import edit_commands as group_edit_commands
from basket_analysis.groups.files import fit_groups, score_groups
from basket_analysis.groups.grouping import MIN_BASKETS
from basket_analysis.mining.database_commands import tell_of_database
from basket_analysis.mining.file_mining import MiningOrder, mine_file
from basket_analysis.mining.itemsets import MAX_ITEMSETS
from basket_analysis.mining.miners import MINERS
from basket_analysis.served_commands import list_groups, show_assortment, show_group
from core.commandline import Workplace, json_option, print_json, refusals_exit_2

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
@click.option(
    "--baskets",
    type=INPUT,
    help="CSV or parquet; one row an item of a basket. Without it: the sales of the database.",
)
@click.option("--min-support", type=Share(), help="Share of baskets, taken exactly as written.")
@click.option("--out", type=OUTPUT, help="Where the itemsets go (.csv, .csv.gz, .parquet).")
@click.option("--rules", type=OUTPUT, help="Where the rules go.")
@click.option("--min-confidence", type=Share(), help="Needed with --rules.")
@click.option("--backend", type=click.Choice(tuple(MINERS)), default="fast", show_default=True)
@click.option("--max-basket", type=click.IntRange(min=1), help="Keep so many items of a longer basket.")
@click.option("--max-length", type=click.IntRange(min=1), help="Look for no longer sets.")
@click.option("--max-itemsets", type=click.IntRange(min=1), default=MAX_ITEMSETS, show_default=True)
@click.option("--full", is_flag=True, help="Of the database: count every day anew, not only what is new.")
@json_option
@click.pass_context
@refusals_exit_2
def mine(context: click.Context, /, *, as_json: bool, full: bool, **options: Any) -> None:
    """
    Find what is often bought together in a file of baskets, or in the sales of the database.

    Of a file an itemset is written when at least ceil(SUPPORT x baskets) baskets hold it. Rows without
    basket or item go to OUT.refused.csv.

    Of the database the pair counts of the last year are brought up to date, which takes the days that are new or
    changed, and the rules that show enough evidence are printed. Nothing that is served changes.
    """
    if options["baskets"] is None:
        _refuse_others(context, {"full", "as_json"})
        workplace = context.find_object(Workplace)
        assert workplace is not None
        tell_of_database(workplace, full=full, as_json=as_json)
        return
    if full:
        raise click.UsageError("--full counts the database anew and does not go with --baskets")
    for name in ("min_support", "out"):
        if options[name] is None:
            raise click.UsageError(f"Missing option '--{name.replace('_', '-')}'.")
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


def _refuse_others(context: click.Context, known: set[str]) -> None:
    """Raise a usage error for options that were given and are not `known`."""
    for name in context.params:
        if name not in known and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --baskets")


@click.group()
def groups() -> None:
    """Shopper groups: found in a file of baskets, or as the last run left them."""


@groups.command()
@click.option("--baskets", type=INPUT, required=True, help="CSV or parquet with household_id.")
@click.option("--themes", type=OUTPUT, required=True, help="Where the themes go (JSON).")
@click.option("--out", type=OUTPUT, required=True, help="Where the households' groups go.")
@click.option("--min-baskets", type=click.IntRange(min=1), default=MIN_BASKETS, show_default=True)
@click.option("--previous", type=INPUT, help="Themes of an earlier fit, whose identities live on.")
@json_option
@refusals_exit_2
def fit(*, as_json: bool, **options: Any) -> None:
    """Find the themes of a file of baskets, and each household's group."""
    _print_record(fit_groups(**options), as_json=as_json)


@groups.command()
@click.option("--baskets", type=INPUT, required=True, help="CSV or parquet with household_id.")
@click.option("--themes", type=INPUT, required=True, help="What `groups fit` wrote.")
@click.option("--out", type=OUTPUT, required=True, help="Where the households' groups go.")
@click.option("--previous", type=INPUT, help="An earlier output; households then move only for a reason.")
@json_option
@refusals_exit_2
def score(*, as_json: bool, **options: Any) -> None:
    """Put the households of a file of baskets into groups that are known."""
    _print_record(score_groups(**options), as_json=as_json)


def _print_record(record: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    for group in record["groups"]:
        click.echo(f"{group['households']:8,}  {group['id']:6}  {group['name'] or ''}")


class ShowsByDefault(click.Group):
    """A group whose first word is either one of its commands or what its command `show` shows."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `show` before the words when none of them is a command."""
        words = [word for word in args if not word.startswith("-")]
        if words and words[0] not in self.commands:
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ShowsByDefault)
def assortment() -> None:
    """
    Assortment suggestions: of a STORE as the last night left them, or from a file of baskets.

    `regulars assortment STORE` is short for `regulars assortment show STORE`.
    """


@assortment.command()
@click.option("--baskets", type=INPUT, required=True, help="CSV or parquet with the column store.")
@click.option("--out", type=OUTPUT, required=True, help="Where the candidates go.")
@click.option("--top", type=click.IntRange(min=1), default=200, show_default=True, help="So many per store.")
@click.option("--min-store-baskets", type=click.IntRange(min=1), default=500, show_default=True)
@click.option("--min-item-baskets", type=click.IntRange(min=1), default=50, show_default=True)
@json_option
@refusals_exit_2
def rank(*, as_json: bool, **options: Any) -> None:
    """
    Rank what each store of a file has never sold and might list, best first.

    A store is ranked for when it has enough baskets; an item is a candidate when enough baskets of the
    chain hold it and none of the store's. Values are per week, in the file's unit.
    """
    record = rank_listings(**options)
    if as_json:
        print_json(record)
        return
    how = (
        "learnt from the file's own past"
        if record["learnt"]
        else "the file's past is too short to learn from"
    )
    click.echo(f"{record['candidates']:,} candidates for {record['ranked_stores']:,} stores; {how}")


assortment.add_command(show_assortment)
for command in (list_groups, show_group, *group_answer_commands.of_groups, *group_edit_commands.of_groups):
    groups.add_command(command)

commands: tuple[click.Command, ...] = (mine, groups, assortment, evaluate)

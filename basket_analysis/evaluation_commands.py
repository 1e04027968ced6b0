"""The command group `regulars evaluate`: how good the analysis is, by its protocols."""

import math
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click

from basket_analysis.assortment.delisting_evaluation import DelistingEvaluation, evaluate_delistings
from basket_analysis.assortment.listing_evaluation import DEPTHS, ListingEvaluation, evaluate_listings
from basket_analysis.assortment.store_baskets import StoreBaskets, store_baskets
from basket_analysis.basket_files import read_baskets
from basket_analysis.dated_baskets import DatedBaskets, dated_baskets, sold_baskets
from basket_analysis.groups.evaluation import SEED, GroupEvaluation, Method, evaluate_groups
from basket_analysis.groups.reference import fit_reference, label_by_rules
from basket_analysis.offers.evaluation_commands import evaluate_offers
from basket_analysis.reading import read_sold_lines, weeks_before
from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2

YEAR = 53


@click.group()
def evaluate() -> None:
    """Measure the analysis on weeks that it has not seen."""


@evaluate.command("assortment")
@click.option(
    "--baskets",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of baskets with store, household_id, time, value, type; the last 53 weeks of the database, if absent.",
)
@click.option("--learn-weeks", type=click.IntRange(min=1), default=40, show_default=True)
@click.option("--min-store-baskets", type=click.IntRange(min=1), default=500, show_default=True)
@click.option("--min-item-baskets", type=click.IntRange(min=1), default=50, show_default=True)
@json_option
@pass_workplace
@refusals_exit_2
def evaluate_assortment(
    workplace: Workplace,
    *,
    baskets: Path | None,
    learn_weeks: int,
    min_store_baskets: int,
    min_item_baskets: int,
    as_json: bool,
) -> None:
    """Print how many listing candidates stores came to sell, and how well what delistings leave is foretold."""
    table = _of_file(baskets) if baskets else _of_database(workplace, clock.now().date())
    found = evaluate_listings(
        table,
        learn_weeks=learn_weeks,
        min_store_baskets=min_store_baskets,
        min_item_baskets=min_item_baskets,
    )
    delistings = evaluate_delistings(table)
    if as_json:
        print_json({**asdict(found), "natural_delistings": asdict(delistings)})
    else:
        _print(found)
        _print_delistings(delistings)


@evaluate.command("groups")
@click.option(
    "--baskets",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of baskets with household_id and time, best of categories; the last 53 weeks of the database, if absent.",
)
@click.option("--learn-weeks", type=click.IntRange(min=4), default=40, show_default=True)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=SEED,
    show_default=True,
    help="Draws the half of the households that is learnt on; the other is measured, then they change places.",
)
@json_option
@pass_workplace
@refusals_exit_2
def measure_groups(
    workplace: Workplace, *, baskets: Path | None, learn_weeks: int, seed: int, as_json: bool
) -> None:
    """Print how far runs, and the halves of a household's baskets, agree, and what later weeks say, beside a reference."""
    dated = _dated(workplace, baskets)
    found = evaluate_groups(dated, learn_weeks=learn_weeks, seed=seed)
    by_rules = Method(fit_reference, label_by_rules)
    reference = evaluate_groups(dated, learn_weeks=learn_weeks, method=by_rules, seed=seed)
    if as_json:
        print_json({**asdict(found), "reference": asdict(reference)})
        return
    click.echo(f"{'':66}{'ours':>8}{'shuffled':>10}{'reference':>11}{'shuffled':>10}")
    for ours, theirs in zip(_group_rows(found), _group_rows(reference), strict=True):
        cells = [*ours[1:], *theirs[1:]]
        click.echo(
            f"{ours[0]:66}"
            + "".join(f"{_figure(cell):>{width}}" for cell, width in zip(cells, (8, 10, 11, 10), strict=True))
        )


def _figure(value: float | None) -> str:
    """Return a figure of the table: nothing where none belongs, a dash where there was nothing to measure."""
    if value is None:
        return ""
    return "-" if math.isnan(value) else format(value, "z.3f")


def _dated(workplace: Workplace, baskets: Path | None) -> DatedBaskets:
    if baskets is not None:
        return dated_baskets(read_baskets(baskets, wanted=("household_id", "time")))
    today = clock.now().date()
    with workplace.sessions() as session:
        return sold_baskets(
            read_sold_lines(session, first_day=weeks_before(today, YEAR), following_day=today)
        )


def _group_rows(found: GroupEvaluation) -> Iterator[tuple[str, float, float | None]]:
    yield f"groups; {found.households:,} eligible households", found.groups, None
    yield f"agreement of two runs a week apart, cold refit, {found.windows} windows", found.cold, None
    yield "agreement of two runs a week apart, frozen themes", found.frozen, None
    yield "share of households that a week moves, with hysteresis", found.moved, None
    yield "share of eligible households in a group", found.coverage, None
    every = found.all_starts
    yield f"over every start, {every.windows} of them: agreement, cold refit", every.cold, None
    yield "over every start: agreement, frozen themes", every.frozen, None
    yield "over every start: share of households that a week moves", every.moved, None
    yield "over every start: share in a group", every.coverage, None
    yield "agreement of even and odd baskets of those placed by both", found.halves, None
    yield "share placed by half of their baskets", found.halves_coverage, None
    yield "held-out lift of a theme's ten surest rules", found.held_out.rule_lift, found.null.rule_lift
    yield "held-out bits per line over everybody's shares", found.held_out.bits, found.null.bits
    yield "share of variance of basket size that groups explain", found.explained_by_size, None


def _of_file(path: Path) -> StoreBaskets:
    return store_baskets(
        read_baskets(path, wanted=("household_id", "time", "store", "value", "type", "category"))
    )


def _of_database(workplace: Workplace, today: date) -> StoreBaskets:
    with workplace.sessions() as session:
        return read_sold_lines(
            session, first_day=weeks_before(today, YEAR), following_day=today
        ).store_baskets()


def _print(found: ListingEvaluation) -> None:
    click.echo(
        f"{found.stores:,} stores, {found.items:,} items; learnt on {found.learn_weeks} weeks, "
        f"measured on the {found.test_weeks} after them; 95 % intervals over stores"
    )
    if not found.rows:
        click.echo(
            "no store with enough baskets has candidates: items with enough baskets that it never sold"
        )
        return
    click.echo("precision@n: the share of the first n articles proposed to a store that it came to sell")
    head = "".join(f"{f'precision@{depth}':>26}" for depth in DEPTHS)
    click.echo(f"{'':34}{head}")
    for row in found.rows:
        cells = "".join(
            f"{mean:>10.3f} ({low:.3f} to {high:.3f})"
            for mean, low, high in zip(row.means, row.low, row.high, strict=True)
        )
        click.echo(f"{row.method:34}{cells}")
    if found.covered is not None:
        click.echo(
            f"80 % intervals of value that held what was taken: {found.covered:.1%} with an item on sale for half of the weeks measured, "
            f"{found.covered_throughout:.1%} with all of them"
        )


def _print_delistings(found: DelistingEvaluation) -> None:
    click.echo()
    if not found.delistings:
        click.echo("no natural delistings: they need households, categories and 21 weeks of sales")
        return
    click.echo(
        f"{found.delistings:,} natural delistings in {found.stores:,} stores, of articles with {found.min_buyers} buyers "
        "or more; each foretold from those of other stores"
    )
    click.echo(
        f"{'':34}{'foretold':>10}{'happened':>10}{'error':>8}{'80 % held':>26}{'habits alone (error)':>24}"
    )
    for row in found.rows:
        held = f"{row.covered:.1%} ({row.covered_low:.1%} to {row.covered_high:.1%})"
        click.echo(
            f"{row.measure:34}{row.predicted:>10.3f}{row.actual:>10.3f}{row.error:>8.3f}{held:>26}"
            f"{f'{row.by_habit:.3f} ({row.error_by_habit:.3f})':>24}"
        )


evaluate.add_command(evaluate_offers)

"""The command `regulars evaluate offers`: personal rankings, rules of baskets and coupons, by their protocols."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from basket_analysis.mining.basket_rule_evaluation import HitRate, evaluate_basket_rules
from basket_analysis.offers.coupon_evaluation import MEASURES as COUPON_MEASURES
from basket_analysis.offers.coupon_evaluation import CouponRow
from basket_analysis.offers.coupon_files import evaluate_coupons, read_question
from basket_analysis.offers.evaluation import MEASURES, SIMPLE, OfferEvaluation
from basket_analysis.offers.evaluation_reading import (
    Split,
    evaluate_level,
    six_weeks_before_the_end,
    split_at,
)
from basket_analysis.offers.relevance_purchases import RankedLevel
from basket_analysis.reading import read_sold_lines, weeks_before
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.errors import Refused

YEAR = 52
LEVELS: tuple[RankedLevel, ...] = ("type", "article")
INPUT = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


class NothingToMeasure(Refused):
    """There are no sales, or not all of the files of coupons."""


@click.command("offers")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Rank by what was before this day and measure by the six weeks from it; six weeks before the end, if absent.",
)
@click.option("--level", type=click.Choice(LEVELS), help="Only this level.")
@click.option("--pairs", type=INPUT, help="Measure coupons too: the files of `regulars offers coupons`.")
@click.option("--coupons", type=INPUT)
@click.option("--redemptions", type=INPUT, help="With those from the day on: they are what is looked for.")
@json_option
@pass_workplace
@refusals_exit_2
def evaluate_offers(
    workplace: Workplace,
    *,
    as_of: datetime | None,
    level: RankedLevel | None,
    pairs: Path | None,
    coupons: Path | None,
    redemptions: Path | None,
    as_json: bool,
) -> None:
    """Print how well personal rankings, rules of baskets and coupon scores foretell, beside simpler ones and a null."""
    files = [path for path in (pairs, coupons, redemptions) if path is not None]
    if files and len(files) < 3:
        raise NothingToMeasure("--pairs, --coupons and --redemptions go together")
    with workplace.sessions.begin() as session:
        day = as_of.date() if as_of else six_weeks_before_the_end(session)
        if day is None:
            raise NothingToMeasure("there are no sales to measure on")
        split = split_at(session, day)
        levels = [evaluate_level(split, one, SIMPLE) for one in LEVELS if level in {None, one}]
        baskets = _of_baskets(session, split, day)
        coupon_rows = _of_coupons(session, day, files)
    if as_json:
        print_json(
            {
                "as_of": day.isoformat(),
                "levels": [asdict(found) for found in levels],
                "baskets": [asdict(row) for row in baskets],
                "coupons": [asdict(row) for row in coupon_rows],
            }
        )
        return
    for found in levels:
        print_offers(found, day)
    _print_table(
        "articles of a basket that were hidden, found among the first ten", ("share of baskets",), baskets
    )
    if files:
        _print_table("coupons, lists of which something was redeemed", COUPON_MEASURES, coupon_rows)


def _of_baskets(session: Session, split: Split, day: date) -> list[HitRate]:
    before = read_sold_lines(session, first_day=weeks_before(day, YEAR), following_day=day, heard_before=day)
    return evaluate_basket_rules(before, split.after)


def _of_coupons(session: Session, day: date, files: Sequence[Path]) -> list[CouponRow]:
    if not files:
        return []
    pairs, coupons, redemptions = files
    return evaluate_coupons(
        read_question(session, as_of=day, pairs=pairs, coupons=coupons, redemptions=redemptions)
    )


def print_offers(found: OfferEvaluation, day: date) -> None:
    """Print the rows of one level: means, and what ours is ahead of each, with 95 % intervals over members."""
    click.echo(
        f"{found.level}: {found.members:,} members, {found.items:,} items, ranked by what was before {day}"
    )
    click.echo(f"{'':40}" + "".join(f"{name:>26}" for name in MEASURES))
    for row in found.rows:
        cells = [
            f"{mean:.4f} ({low:.4f} to {high:.4f})"
            for mean, low, high in zip(row.means, row.low, row.high, strict=False)
        ]
        click.echo(f"{row.method:40}" + "".join(f"{cell:>26}" for cell in (*cells, f"{row.means[-1]:.3f}")))
        if row.behind_low is not None and row.behind_high is not None:
            bounds = zip(row.behind_low, row.behind_high, strict=True)
            ahead = [f"{low:+.4f} to {high:+.4f}" for low, high in bounds]
            click.echo(f"{'    ours is ahead by':40}" + "".join(f"{cell:>26}" for cell in ahead))
    click.echo()


def _print_table(title: str, heads: Sequence[str], rows: Sequence[Any]) -> None:
    if not rows:
        click.echo(f"{title}: nothing to measure")
        return
    click.echo(f"{title:64}" + "".join(f"{head:>32}" for head in heads))
    for row in rows:
        columns = (
            [(row.share, row.low, row.high)]
            if isinstance(row, HitRate)
            else list(zip(row.means, row.low, row.high, strict=True))
        )
        cells = "".join(f"{f'{mean:.4f} ({low:.4f} to {high:.4f})':>32}" for mean, low, high in columns)
        click.echo(f"{row.method:64}{cells}")
    click.echo()

"""`regulars mine` on the sales of the database."""

from typing import Any

import click

from basket_analysis.mining.database import mine_database
from core import clock
from core.commandline import Workplace, print_json
from core.settings import Settings
from sales.business_days import chain_timezone, last_closed_day

SHOWN = 10
"""So many rules of each level are printed; `--json` has them all."""


def tell_of_database(workplace: Workplace, *, full: bool, as_json: bool) -> None:
    """Mine the year up to the last closed day and print what was found."""
    now = clock.now()
    settings = Settings.load()
    with workplace.sessions() as session:
        timezone = settings.night_timezone or chain_timezone(session)
    day = last_closed_day(now, hour=settings.night_hour, timezone=timezone)
    record = mine_database(workplace.sessions, business_day=day, now=now, full=full)
    if as_json:
        print_json(record)
        return
    _tell(record)


def _tell(record: dict[str, Any]) -> None:
    click.echo(
        f"{record['first_day']} to {record['business_day']}: {record['days_counted']:,} days counted, "
        f"{record['days_left']:,} gone, in {record['seconds']['read_and_count']:.1f} s with reading"
    )
    for level, reason in record["recounted"].items():
        click.echo(f"  {level}: counted wholly anew ({reason})")
    for level, found in record["found"].items():
        click.echo(f"{level}: {found:,} rules in {record['baskets'][level]:,} baskets")
        for row in [row for row in record["rules"] if row["level"] == level][:SHOWN]:
            click.echo(
                f"  {' + '.join(row['antecedent'])} -> {' + '.join(row['consequent'])}: "
                f"{row['adjusted_lift']:.1f} times more often than by chance, confidence {row['confidence']:.0%} "
                f"({row['improvement']:+.1%}), {row['count']:,} baskets, {row['households']:,} households"
            )

"""The command group `regulars company-prices`."""

from pathlib import Path

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from loyalty.company.changes import bring_prices, company_of, read_price_list, renew_buyers

ACTOR = "command line"


@click.group("company-prices")
def company_prices() -> None:
    """Own prices of companies, as offers for their buyers."""


@company_prices.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--company", required=True, help="The member code of the company, or of one of its buyers.")
@click.option(
    "--live", is_flag=True, help="At once, without rehearsal and second person; prices gone are ended."
)
@click.option("--by", "actor", default=ACTOR, show_default=True)
@json_option
@pass_workplace
@refusals_exit_2
def import_prices(
    workplace: Workplace, *, file: Path, company: str, live: bool, actor: str, as_json: bool
) -> None:
    """
    Make offers of a company's price list; drafts, which are rehearsed and approved as all are.

    FILE is CSV with the columns sku, category, price (minor units), percent, valid_from, valid_to, of which a
    row fills sku or category, and price or percent.
    """
    with file.open(encoding="utf-8-sig", newline="") as source:
        prices = list(read_price_list(source))
    with workplace.sessions.begin() as session:
        found = company_of(session, company)
        brought = bring_prices(session, company=found, prices=prices, live=live, actor=actor, now=clock.now())
    done, gone = brought.done, list(brought.gone)
    if as_json:
        print_json({"offers": done.versions, "unchanged": list(done.unchanged), "gone": gone, "live": live})
        return
    click.echo(f"{found.name}: {len(done.versions)} offers new or changed, {len(done.unchanged)} unchanged")
    if gone:
        click.echo(f"{'ended' if live else 'live, but not in the list'}: {' '.join(gone)}")


@company_prices.command("renew")
@click.option("--by", "actor", default=ACTOR, show_default=True)
@json_option
@pass_workplace
@refusals_exit_2
def renew(workplace: Workplace, *, actor: str, as_json: bool) -> None:
    """Let own prices hold for those who buy for their company now, as every night does."""
    with workplace.sessions.begin() as session:
        renewed = renew_buyers(session, actor=actor, now=clock.now())
    if as_json:
        print_json(
            {
                "renewed": list(renewed.offers),
                "stopped": list(renewed.stopped),
                "refused": dict(renewed.refused),
            }
        )
        return
    click.echo(f"{len(renewed.offers):,} offers renewed")
    if renewed.stopped:
        click.echo(f"stopped, for no company is left: {' '.join(renewed.stopped)}")
    for name, why in renewed.refused.items():
        click.echo(f"{name} stays as it was: {why}", err=True)


commands: tuple[click.Command, ...] = (company_prices,)

"""The command `regulars offers coupons`: which of the coupons that were sent will be redeemed, and by whom."""

from datetime import datetime
from pathlib import Path

import click

from basket_analysis.offers.coupon_files import score_coupons
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2

INPUT = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.command("coupons")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Only what was before this day is used."
)
@click.option(
    "--pairs", type=INPUT, required=True, help="household_id, campaign_id, coupon_upc: what was sent to whom."
)
@click.option("--coupons", type=INPUT, required=True, help="campaign_id, coupon_upc, sku, starts, ends.")
@click.option(
    "--redemptions", type=INPUT, required=True, help="household_id, campaign_id, coupon_upc, redeemed_on."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where the scores go."
)
@json_option
@pass_workplace
@refusals_exit_2
def coupons(
    workplace: Workplace,
    *,
    as_of: datetime,
    pairs: Path,
    coupons: Path,
    redemptions: Path,
    out: Path,
    as_json: bool,
) -> None:
    """
    Score each coupon that was sent to a household: of its coupons of a campaign the higher is likelier redeemed.

    Learns from the redemptions of earlier campaigns and the sales of the database. Every pair of the file gets a
    row. Redeemed is not caused: what a coupon adds is told by a hold-out only.
    """
    with workplace.sessions() as session:
        record = score_coupons(
            session, as_of=as_of.date(), pairs=pairs, coupons=coupons, redemptions=redemptions, out=out
        )
    if as_json:
        print_json(record)
        return
    how = (
        f"learnt from {record['lists']:,} lists of earlier campaigns"
        if record["learnt"]
        else "too few earlier redemptions to learn from: by habits alone"
    )
    click.echo(f"{record['pairs']:,} pairs of {record['campaigns']:,} campaigns scored; {how}")


parts: tuple[click.Command, ...] = (coupons,)

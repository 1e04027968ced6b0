"""The command group `regulars decisions`."""

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any

import click

from campaigns.decision_lists import decisions_of_member, member_of_code
from campaigns.operations import BadSettings, decision_settings, set_exploration, set_limit
from campaigns.outcomes import BOUGHT_WITHIN, ChannelReport, Share, difference, report
from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2

ACTOR = "command line"


@click.group("decisions")
def decisions() -> None:
    """Next best offers: what was told to whom, what came of it, and how much may be told."""


@decisions.command("report")
@click.option("--days", type=click.IntRange(1, 400), default=28, show_default=True, help="How far back.")
@json_option
@pass_workplace
@refusals_exit_2
def show_report(workplace: Workplace, *, days: int, as_json: bool) -> None:
    """Print what came of decisions by channel, and whether chosen ones are bought more than those of chance."""
    last = clock.now().date() + timedelta(days=1)
    first = last - timedelta(days=days)
    with workplace.sessions() as session:
        found = report(session, first=first, last=last)
    channels = [_channel(list(rows)) for _, rows in groupby(found, key=lambda row: row.channel)]
    if as_json:
        print_json(
            {
                "first": first.isoformat(),
                "last": last.isoformat(),
                "bought_within": BOUGHT_WITHIN,
                "channels": channels,
            }
        )
        return
    click.echo(
        f"decisions since {first}; bought within {BOUGHT_WITHIN} days, as far as the nights have seen it"
    )
    for channel in channels:
        for side in ("chosen", "by_chance"):
            one = channel[side]
            click.echo(
                f"  {channel['channel']:8} {side.replace('_', ' '):10} shown {one['shown']:7,}  accepted {one['accepted']:6,}  "
                f"refused {one['refused']:6,}  bought {one['bought']:6,} {_percent(one['bought_interval'])}"
            )
        gain = channel["difference"]
        if gain is not None:
            click.echo(
                f"  {'':8} chosen are bought more by {gain[0]:+.1%} (from {gain[1]:+.1%} to {gain[2]:+.1%})"
            )


def _channel(rows: list[ChannelReport]) -> dict[str, Any]:
    sides = {row.explored: row for row in rows}
    channel = rows[0].channel
    chosen = sides.get(False) or ChannelReport(
        channel, explored=False, shown=0, accepted=0, refused=0, bought=0
    )
    chance = sides.get(True) or ChannelReport(
        channel, explored=True, shown=0, accepted=0, refused=0, bought=0
    )
    return {
        "channel": channel,
        "chosen": _side(chosen),
        "by_chance": _side(chance),
        "difference": difference(chosen.bought_share, chance.bought_share),
    }


def _side(row: ChannelReport) -> dict[str, object]:
    share: Share = row.bought_share
    return {
        "shown": row.shown,
        "accepted": row.accepted,
        "refused": row.refused,
        "bought": row.bought,
        "bought_share": share.value,
        "bought_interval": share.interval,
    }


def _percent(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"({interval[0]:.1%} to {interval[1]:.1%})"


@decisions.command("show")
@click.argument("member_code")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@json_option
@pass_workplace
@refusals_exit_2
def show(workplace: Workplace, *, member_code: str, limit: int, as_json: bool) -> None:
    """Print what a member was offered, newest first."""
    with workplace.sessions() as session:
        member_id = member_of_code(session, member_code)
        found = decisions_of_member(session, member_id, limit=limit)
    if as_json:
        rows = [
            {
                "decision_id": str(one.decision_id),
                "at": one.at.isoformat(),
                "channel": one.channel,
                "sku": one.sku,
                "offer_code": one.offer_code,
                "score": one.score,
                "propensity": one.propensity,
                "explored": one.explored,
                "reason": one.reason,
                "outcome": one.outcome,
            }
            for one in found
        ]
        print_json({"member_code": member_code, "decisions": rows})
        return
    for one in found:
        chance = "by chance" if one.explored else ""
        click.echo(
            f"{one.at:%Y-%m-%d %H:%M}  {one.channel:8} {one.sku:12} {one.name:30} {one.reason.get('kind', ''):10} "
            f"{one.outcome or '':9} {chance}".rstrip()
        )


@decisions.command("limit")
@click.argument("channel")
@click.argument("per_day", type=int)
@click.argument("per_week", type=int)
@pass_workplace
@refusals_exit_2
def limit(workplace: Workplace, *, channel: str, per_day: int, per_week: int) -> None:
    """Set how many different articles a member may be offered in CHANNEL, on a day and in seven days."""
    with workplace.sessions.begin() as session:
        set_limit(session, channel=channel, per_day=per_day, per_week=per_week, actor=ACTOR, now=clock.now())


@decisions.command("exploration")
@click.argument("share")
@pass_workplace
@refusals_exit_2
def exploration(workplace: Workplace, *, share: str) -> None:
    """Set which SHARE of offers chance chooses, such as 0.05: without any, nothing new is learnt."""
    try:
        wanted = Decimal(share)
    except InvalidOperation as error:
        raise BadSettings(f"{share!r} is no share such as 0.05") from error
    with workplace.sessions.begin() as session:
        set_exploration(session, share=wanted, actor=ACTOR, now=clock.now())


@decisions.command("settings")
@json_option
@pass_workplace
@refusals_exit_2
def show_settings(workplace: Workplace, *, as_json: bool) -> None:
    """Print how much may be told, and how much chance chooses."""
    with workplace.sessions() as session:
        found = decision_settings(session)
    if as_json:
        print_json({"limits": found.document(), "exploration": found.exploration})
        return
    for channel, (per_day, per_week) in found.document().items():
        click.echo(f"{channel:8} {per_day:4} a day {per_week:5} in seven days")
    click.echo(f"by chance: {found.exploration:.1%}")


commands: tuple[click.Command, ...] = (decisions,)

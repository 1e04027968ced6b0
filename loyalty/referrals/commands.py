"""The command group `regulars referrals`."""

from dataclasses import asdict, replace
from typing import Any

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.keyset import Ask
from loyalty.referrals.operations import STATES, Rules, referral_code_of, referral_rules, set_referral_rules
from loyalty.referrals.queries import list_referrals, referrals_by_state
from loyalty.tiers.queries import account_of_member

MOST_LISTED = 1_000


@click.group()
def referrals() -> None:
    """Referrals: members bring members, and both are rewarded."""


@referrals.command("rules")
@click.option("--referrer-points", type=int, help="For who brings somebody.")
@click.option("--referred-points", type=int, help="For who is brought.")
@click.option("--minimum-points", type=int, help="What the first purchase must earn.")
@click.option("--most-per-year", type=int, help="Referrals that a member is rewarded for in a year.")
@click.option("--within-days", type=int, help="How long after joining that purchase may be.")
@click.option("--by", "actor", default="command line", show_default=True)
@json_option
@pass_workplace
@refusals_exit_2
def rules(workplace: Workplace, /, *, actor: str, as_json: bool, **changes: int | None) -> None:
    """Print the rules, after changing those that are named; the first change begins with the usual ones."""
    wanted: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    with workplace.sessions.begin() as session:
        held = referral_rules(session)
        if wanted:
            held = replace(held or Rules(), **wanted)
            set_referral_rules(session, rules=held, actor=actor, now=clock.now())
    if as_json:
        print_json({"rules": held and asdict(held)})
    elif held is None:
        click.echo("There is no referral yet: name a rule to begin it.")
    else:
        for name, value in asdict(held).items():
            click.echo(f"{name.replace('_', ' '):18} {value}")


@referrals.command("code")
@click.argument("member")
@json_option
@pass_workplace
@refusals_exit_2
def code(workplace: Workplace, *, member: str, as_json: bool) -> None:
    """Print the code by which a member brings others."""
    with workplace.sessions.begin() as session:
        member_id, _ = account_of_member(session, member_code=member)
        made = referral_code_of(session, member_id=member_id, now=clock.now())
    if as_json:
        print_json({"member_code": member, "referral_code": made})
    else:
        click.echo(made)


@referrals.command("list")
@click.option("--state", type=click.Choice(STATES))
@json_option
@pass_workplace
@refusals_exit_2
def list_all(workplace: Workplace, *, state: str | None, as_json: bool) -> None:
    """Print the newest thousand referrals, and how many there are of each state."""
    ask = Ask("made_at", descending=True, limit=MOST_LISTED, filters={"state": state} if state else {})
    with workplace.sessions() as session:
        rows, counts = list_referrals(session, ask).rows, referrals_by_state(session)
    if as_json:
        print_json({"counts": counts, "referrals": [_document(asdict(row)) for row in rows]})
        return
    for row in rows:
        click.echo(
            f"{row.made_at:%Y-%m-%d}  {row.referrer_code} brought {row.referred_code}: {row.state}", nl=False
        )
        click.echo(f" ({row.reason})" if row.reason else "")
    click.echo(", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none yet")


def _document(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | None) else str(value) for name, value in row.items()}


commands: tuple[click.Command, ...] = (referrals,)

"""The command group `regulars sandbox`."""

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.database import drop_sandbox, make_engine, make_sessions, open_sandbox
from pos_api.sandbox import CARDS, VOUCHER, VOUCHER_WORTH, give_key


@click.group()
def sandbox() -> None:
    """The sandbox: a database beside the house's, where tills can be tried and nothing counts."""


@sandbox.command("key")
@click.option("--store", "store_code", default="S1", show_default=True, metavar="CODE")
@click.option("--till", "till_code", default="T1", show_default=True, metavar="CODE")
@click.option("--currency", default="CZK", show_default=True, help="Of a store that is opened now.")
@click.option("--timezone", default="Europe/Prague", show_default=True, help="Of a store that is opened now.")
@json_option
@pass_workplace
@refusals_exit_2
def sandbox_key(
    workplace: Workplace, *, store_code: str, till_code: str, currency: str, timezone: str, as_json: bool
) -> None:
    """Give a till a key of the sandbox, and say which cards to try it with."""
    engine = make_engine(open_sandbox(workplace.url), pool_size=1)
    with make_sessions(engine).begin() as session:
        key = give_key(
            session,
            store_code=store_code,
            till_code=till_code,
            currency=currency,
            timezone=timezone,
            now=clock.now(),
        )
    engine.dispose()
    if as_json:
        cards = [{"card_number": card.card_number, "what": card.what} for card in CARDS]
        print_json(
            {"store_code": store_code, "till_code": till_code, "key": key, "cards": cards, "voucher": VOUCHER}
        )
        return
    click.echo(f"Sandbox key of till {store_code}/{till_code}, shown only now: {key}")
    for card in CARDS:
        click.echo(f"  {card.card_number}  {card.what}")
    click.echo(f"  {VOUCHER:13}  a voucher worth {VOUCHER_WORTH} minor units, for whoever shows it")


@sandbox.command("empty")
@click.confirmation_option(prompt="Every key, card and receipt of the sandbox will be gone. Go on?")
@pass_workplace
@refusals_exit_2
def sandbox_empty(workplace: Workplace) -> None:
    """Throw the sandbox away; the next key brings a new one."""
    if drop_sandbox(workplace.url):
        click.echo("the sandbox is gone")
    else:
        click.echo("there was no sandbox")


commands: tuple[click.Command, ...] = (sandbox,)

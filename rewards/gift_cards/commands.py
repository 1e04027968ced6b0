"""The command group `regulars gift-cards`."""

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from rewards.gift_cards.operations import (
    GiftCardView,
    Teller,
    block_gift_card,
    gift_card,
    issue_gift_card,
    load,
)

ACTOR = "command line"


@click.group("gift-cards")
def gift_cards() -> None:
    """Gift cards: stored money apart from points."""


@gift_cards.command("issue")
@click.argument("amount", type=int)
@click.argument("currency")
@json_option
@pass_workplace
@refusals_exit_2
def issue(workplace: Workplace, *, amount: int, currency: str, as_json: bool) -> None:
    """Issue a card with AMOUNT minor units of CURRENCY paid in."""
    with workplace.sessions.begin() as session:
        card = issue_gift_card(
            session, amount=amount, currency=currency.upper(), teller=Teller(clock.now(), ACTOR)
        )
    _tell(card, as_json=as_json)


@gift_cards.command("load")
@click.argument("number")
@click.argument("amount", type=int)
@json_option
@pass_workplace
@refusals_exit_2
def pay_in(workplace: Workplace, *, number: str, amount: int, as_json: bool) -> None:
    """Book that AMOUNT minor units were paid in for a card."""
    with workplace.sessions.begin() as session:
        card = load(session, number=number, amount=amount, teller=Teller(clock.now(), ACTOR))
    _tell(card, as_json=as_json)


@gift_cards.command("show")
@click.argument("number")
@json_option
@pass_workplace
@refusals_exit_2
def show(workplace: Workplace, *, number: str, as_json: bool) -> None:
    """Show what a card holds."""
    with workplace.sessions() as session:
        card = gift_card(session, number)
    _tell(card, as_json=as_json)


@gift_cards.command("block")
@click.argument("number")
@click.option("--reason", required=True)
@json_option
@pass_workplace
@refusals_exit_2
def block(workplace: Workplace, *, number: str, reason: str, as_json: bool) -> None:
    """Block a lost card; what is on it stays."""
    with workplace.sessions.begin() as session:
        card = block_gift_card(session, number=number, reason=reason, actor=ACTOR, now=clock.now())
    _tell(card, as_json=as_json)


def _tell(card: GiftCardView, *, as_json: bool) -> None:
    if as_json:
        print_json(card.document())
    else:
        click.echo(f"{card.gift_card_number}  {card.balance} {card.currency}  {card.state}")


commands: tuple[click.Command, ...] = (gift_cards,)

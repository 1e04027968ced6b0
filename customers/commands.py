"""The command groups `regulars members` and `cards`."""

from pathlib import Path

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.progress import progress_bar
from core.tabular import Summary
from customers.card_import import import_cards
from customers.importing import import_members
from customers.operations import issue_cards

ACTOR = "command line"

file_argument = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def members() -> None:
    """Members: people and companies enrolled in the programme."""


@members.command("import")
@file_argument
@json_option
@pass_workplace
@refusals_exit_2
def members_import(workplace: Workplace, *, file: Path, as_json: bool) -> None:
    """Add members with their cards from a file and bring known ones up to date."""
    now = clock.now()
    with workplace.sessions.begin() as session, progress_bar(f"Reading {file.name}, %") as report:
        summary = import_members(session, file, now=now, actor=ACTOR, report=report)
    _print(summary, as_json=as_json)


@click.group()
def cards() -> None:
    """Cards: numbers that a till can scan."""


@cards.command("issue")
@click.argument("card_numbers", metavar="CARD…", nargs=-1, required=True)
@click.option("--member", "member_code", help="Hand them to the member with this code.")
@json_option
@pass_workplace
@refusals_exit_2
def cards_issue(
    workplace: Workplace, *, card_numbers: tuple[str, ...], member_code: str | None, as_json: bool
) -> None:
    """Hand out cards: each opens an account of its own, or joins that of the member."""
    with workplace.sessions.begin() as session:
        issued = issue_cards(
            session, card_numbers=card_numbers, member_code=member_code, now=clock.now(), actor=ACTOR
        )
    if as_json:
        print_json({"cards": [{"card_number": card.card_number, "state": card.state} for card in issued]})
        return
    for card in issued:
        click.echo(f"{card.card_number} {card.state}")


@cards.command("import")
@file_argument
@json_option
@pass_workplace
@refusals_exit_2
def cards_import(workplace: Workplace, *, file: Path, as_json: bool) -> None:
    """Add cards from a file and bring the states of known ones up to date."""
    now = clock.now()
    with workplace.sessions.begin() as session, progress_bar(f"Reading {file.name}, %") as report:
        summary = import_cards(session, file, now=now, actor=ACTOR, report=report)
    _print(summary, as_json=as_json)


def _print(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print_json(summary.as_json())
    else:
        click.echo(summary.in_words())


commands: tuple[click.Command, ...] = (members, cards)

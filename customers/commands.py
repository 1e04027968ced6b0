"""The command groups `regulars members` and `cards`."""

from pathlib import Path

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.progress import progress_bar
from core.tabular import Summary
from customers.card_changes import block_card, expire_card
from customers.card_import import import_cards
from customers.card_stock import stock_cards
from customers.contact_details import consents_of, email_address, phone_number
from customers.enrolment import NewMember, enrol_member
from customers.importing import import_members
from customers.models import LANGUAGES
from customers.objections import object_to_profiling, withdraw_objection

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


@members.command("object")
@click.argument("member_code", metavar="MEMBER")
@click.option("--withdraw", is_flag=True, help="Take the objection back.")
@pass_workplace
@refusals_exit_2
def members_object(workplace: Workplace, *, member_code: str, withdraw: bool) -> None:
    """Note that a MEMBER does not want to be profiled: no group, phase or value of theirs is shown from now on."""
    work = withdraw_objection if withdraw else object_to_profiling
    with workplace.sessions.begin() as session:
        work(session, member_code=member_code, now=clock.now(), actor=ACTOR)
    click.echo(f"{member_code} {'may be profiled again' if withdraw else 'is not profiled any more'}")


@click.group()
def cards() -> None:
    """Cards: numbers that a till can scan."""


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


@cards.command("stock")
@click.argument("first")
@click.argument("last")
@json_option
@pass_workplace
@refusals_exit_2
def cards_stock(workplace: Workplace, *, first: str, last: str, as_json: bool) -> None:
    """Put the cards from FIRST to LAST into stock, each with its own check digit; known ones stay as they are."""
    with workplace.sessions.begin() as session:
        stocked = stock_cards(session, first=first, last=last, now=clock.now(), actor=ACTOR)
    if as_json:
        print_json({"added": stocked.added, "known": stocked.known})
    else:
        click.echo(f"{stocked.added:,} cards put into stock, {stocked.known:,} numbers known already")


@cards.command("activate")
@click.argument("card_number", metavar="CARD")
@click.option("--given-name", required=True)
@click.option("--family-name", required=True)
@click.option("--email", "email_text", help="E-mail or phone is needed.")
@click.option("--phone", "phone_text", help="With country code, or as the language's country writes it.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option("--store", "store_code", default="", help="The member's home store.")
@json_option
@pass_workplace
@refusals_exit_2
def cards_activate(
    workplace: Workplace,
    *,
    card_number: str,
    email_text: str | None,
    phone_text: str | None,
    language: str,
    given_name: str,
    family_name: str,
    store_code: str,
    as_json: bool,
) -> None:
    """Enrol a member as the holder of a card; what it has earned is theirs."""
    email, phone = email_address(email_text), phone_number(phone_text, language)
    if email is None and phone is None:
        raise click.UsageError("an e-mail address or a phone number is needed")
    person = NewMember(given_name, family_name, language, email, phone, consents_of(None))
    now = clock.now()
    with workplace.sessions.begin() as session:
        member_code = enrol_member(
            session,
            card_number=card_number,
            person=person,
            store_code=store_code or None,
            today=now.date(),
            now=now,
            actor=ACTOR,
        )
    if as_json:
        print_json({"member_code": member_code})
    else:
        click.echo(member_code)


@cards.command("block")
@click.argument("card_number", metavar="CARD")
@click.option("--reason", required=True)
@pass_workplace
@refusals_exit_2
def cards_block(workplace: Workplace, *, card_number: str, reason: str) -> None:
    """Block a card from now on; receipts closed before still earn."""
    with workplace.sessions.begin() as session:
        block_card(session, card_number=card_number, reason=reason, now=clock.now(), actor=ACTOR)


@cards.command("expire")
@click.argument("card_number", metavar="CARD")
@click.option("--reason", required=True)
@pass_workplace
@refusals_exit_2
def cards_expire(workplace: Workplace, *, card_number: str, reason: str) -> None:
    """Put a card out of use for good."""
    with workplace.sessions.begin() as session:
        expire_card(session, card_number=card_number, reason=reason, now=clock.now(), actor=ACTOR)


def _print(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print_json(summary.as_json())
    else:
        click.echo(summary.in_words())

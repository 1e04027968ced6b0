"""The command `regulars offers explain`: why each live offer gives something for a basket, or does not."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.errors import Refused
from loyalty.quotes.explanations import Explained, explain_basket, explain_receipt
from loyalty.rehearsals.commands import commands as rehearsals
from pos_api.bodies import parse
from pos_api.problems import Problem
from pos_api.quote_schemas import QUOTE
from rewards.offer_commands import offers
from sales.models import Till
from sales.queries import store_of_code
from sales.receipts import TillIdentity


class NotOneSubject(Refused):
    """Either a receipt or a basket is explained."""


class BadBasket(Refused):
    """The file is not what `POST /quotes` takes."""


class NoReceiptName(Refused):
    """A receipt is named STORE/TILL/DATE/NUMBER."""


@offers.command("explain")
@click.option("--receipt", metavar="STORE/TILL/DATE/NUMBER", help="A receipt that is stored.")
@click.option(
    "--basket",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with the body of POST /pos/v1/quotes.",
)
@click.option("--store", "store_code", help="The store of the basket.")
@click.option("--language", type=click.Choice(["en", "cs", "sk", "pl"]), default="en", show_default=True)
@json_option
@pass_workplace
@refusals_exit_2
def explain(
    workplace: Workplace,
    *,
    receipt: str | None,
    basket: Path | None,
    store_code: str | None,
    language: str,
    as_json: bool,
) -> None:
    """Print for each live offer what it gives, or why it gives nothing; nothing is written."""
    if receipt is not None and basket is not None:
        raise NotOneSubject("give either --receipt, or --basket with --store")
    # Never committed: looking leaves no trace.
    with workplace.sessions() as session:
        explained: Sequence[Explained]
        used: Sequence[dict[str, Any]] = ()
        if receipt is not None:
            explained, used = _of_receipt(session, receipt, language)
        elif basket is not None and store_code is not None:
            explained = _of_basket(session, basket, store_code, language)
        else:
            raise NotOneSubject("give either --receipt, or --basket with --store")
    if as_json:
        print_json({"offers": [one.document() for one in explained], "used": used})
        return
    for one in explained:
        click.echo(f"{one.offer_code} version {one.offer_version}: {_words(one)}")
    for use in used:
        click.echo(
            f"used: {use['offer_code']} version {use['offer_version']}, {use['uses']} times, {use['amount']}"
        )


def _of_receipt(
    session: Session, name: str, language: str
) -> tuple[Sequence[Explained], Sequence[dict[str, Any]]]:
    parts = name.split("/")
    try:
        store_code, till_code, day, number = parts
        business_date = date.fromisoformat(day)
    except ValueError as error:
        raise NoReceiptName(
            "name a receipt STORE/TILL/DATE/NUMBER, such as S1/T1/2026-11-21/000123"
        ) from error
    return explain_receipt(
        session,
        store_code=store_code,
        till_code=till_code,
        business_date=business_date,
        receipt_number=number,
        now=clock.now(),
        language=language,
    )


def _of_basket(session: Session, file: Path, store_code: str, language: str) -> Sequence[Explained]:
    now = clock.now()
    try:
        basket = QUOTE.read(parse(file.read_bytes()))
    except Problem as problem:
        places = "; ".join(f"{place}: {detail}" for place, detail in problem.errors)
        raise BadBasket(f"{file.name}: {places or problem.detail}") from problem
    return explain_basket(
        session,
        lines=basket.lines,
        card_number=basket.card_number,
        voucher_codes=basket.voucher_codes,
        till=_till(session, store_code),
        at=basket.at or now,
        now=now,
        language=language,
    )


def _till(session: Session, store_code: str) -> TillIdentity:
    """Return a till of the store, whichever: offers do not ask which."""
    store = store_of_code(session, store_code)
    till = session.execute(
        select(Till.till_id, Till.till_code).where(Till.store_id == store.store_id).limit(1)
    ).one_or_none()
    till_id, till_code = till or (0, "")
    return TillIdentity(till_id, store.store_id, store_code, till_code, store.currency, store.timezone)


def _words(one: Explained) -> str:
    if not one.applied:
        return f"{one.why} (missing: {one.missing})" if one.missing else one.why or ""
    parts = [f"{one.times} times"]
    if one.amount:
        parts.append(f"{one.amount} off")
    if one.points:
        parts.append(f"{one.points} points")
    return ", ".join(parts)


commands: tuple[click.Command, ...] = rehearsals

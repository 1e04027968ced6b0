"""The command group `regulars company-prices`."""

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.errors import Refused
from customers.models import Member
from loyalty.company_prices import BadPrice, OwnPrice, company_code, offers_of
from rewards.offer_decisions import stop_offer
from rewards.offer_operations import import_document
from rewards.offer_queries import live_offers
from sales.business_days import chain_timezone

ACTOR = "command line"
COLUMNS = ("sku", "category", "price", "percent", "valid_from", "valid_to")


class NoCompany(Refused):
    """The member is no company."""


class BadPriceList(Refused):
    """The file is no price list; the words name the row."""


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
    prices = list(_rows(file))
    now = clock.now()
    with workplace.sessions.begin() as session:
        key, name, buyers = _company(session, company)
        document = offers_of(key, buyers, prices, name=name, timezone=chain_timezone(session))
        done = import_document(session, document=document, actor=actor, now=now, live=live)
        listed = {offer["code"] for offer in document["offers"]}
        prefix = company_code(key)
        gone = [
            offer.code
            for offer in live_offers(session)
            if offer.code.startswith(prefix) and offer.code not in listed
        ]
        if live:
            for code in gone:
                stop_offer(
                    session, offer_code=code, actor=actor, now=now, reason="not in the price list any more"
                )
    if as_json:
        print_json({"offers": done.versions, "unchanged": list(done.unchanged), "gone": gone, "live": live})
        return
    click.echo(f"{name}: {len(done.versions)} offers new or changed, {len(done.unchanged)} unchanged")
    if gone:
        click.echo(f"{'ended' if live else 'live, but not in the list'}: {' '.join(gone)}")


def _company(session: Session, member_code: str) -> tuple[str, str, list[str]]:
    """Return the key, the name and all buyers of the company that a member buys for."""
    found = session.execute(
        select(Member.account_id, Member.company_name, Member.company_id, Member.vat_id).where(
            Member.member_code == member_code,
            or_(Member.company_name.is_not(None), Member.company_id.is_not(None), Member.vat_id.is_not(None)),
        )
    ).one_or_none()
    if found is None:
        raise NoCompany(f"{member_code} is no member who buys for a company")
    buyers = session.scalars(
        select(Member.member_code).where(Member.account_id == found.account_id).order_by(Member.member_code)
    ).all()
    key = found.company_id or found.vat_id or found.company_name
    return key, found.company_name or key, list(buyers)


def _rows(file: Path) -> Iterator[OwnPrice]:
    with file.open(encoding="utf-8-sig", newline="") as source:
        rows = csv.DictReader(source)
        unknown = set(rows.fieldnames or ()) - set(COLUMNS)
        if unknown or not rows.fieldnames:
            raise BadPriceList(f"unknown columns: {', '.join(sorted(unknown)) or 'there is no header'}")
        for number, row in enumerate(rows, 2):
            cells = {name: (row.get(name) or "").strip() or None for name in COLUMNS}
            try:
                yield OwnPrice(
                    sku=cells["sku"],
                    category=cells["category"],
                    price=None if cells["price"] is None else int(cells["price"]),
                    percent=None if cells["percent"] is None else Decimal(cells["percent"]),
                    valid_from=_day(cells["valid_from"]),
                    valid_to=_day(cells["valid_to"]),
                )
            except (BadPrice, ValueError, InvalidOperation) as error:
                raise BadPriceList(f"row {number}: {error}") from error


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


commands: tuple[click.Command, ...] = (company_prices,)

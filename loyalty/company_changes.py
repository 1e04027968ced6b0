"""Own prices of companies as they are changed: a price list brought in, and offers renewed for who buys for a company now."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.errors import Refused
from core.jobs import Shift
from customers.models import Member
from loyalty.company_prices import PREFIX, BadPrice, OwnPrice, company_code, offers_of
from rewards.codec import offer_document
from rewards.offer_decisions import stop_offer
from rewards.offer_operations import Imported, import_document
from rewards.offer_queries import live_offers
from rewards.offers import Offer
from sales.business_days import chain_timezone

COLUMNS: Final = ("sku", "category", "price", "percent", "valid_from", "valid_to")
ACTOR: Final = "own prices"
_COMPANY = or_(Member.company_name.is_not(None), Member.company_id.is_not(None), Member.vat_id.is_not(None))


class NoCompany(Refused):
    """The member is no company."""


class BadPriceList(Refused):
    """The file is no price list; the words name the row."""


@dataclass(frozen=True, slots=True)
class Company:
    """Somebody who buys for more than themselves: the key of its own prices, its name, and all its buyers' codes."""

    key: str
    name: str
    account_id: UUID
    buyers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompanyPrices:
    """A company with its own prices that are live."""

    company: Company
    offers: tuple[Offer, ...]

    @property
    def outdated(self) -> tuple[Offer, ...]:
        """The offers that name other buyers than the company has now."""
        return tuple(one for one in self.offers if one.audience.member_codes != self.company.buyers)


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of a price list; `gone` are codes of live offers that it does not have any more."""

    done: Imported
    gone: tuple[str, ...]


def company_of(session: Session, member_code: str) -> Company:
    """Return the company that a member buys for; raises `NoCompany`."""
    for company in _companies(session, Member.member_code == member_code):
        return company
    raise NoCompany(f"{member_code} is no member who buys for a company")


def companies_with_prices(session: Session) -> list[CompanyPrices]:
    """Return the companies of which own prices are live, by name."""
    by_company: dict[str, list[Offer]] = {}
    for offer in live_offers(session):
        if offer.code.startswith(PREFIX):
            by_company.setdefault(offer.code.rpartition("-")[0] + "-", []).append(offer)
    if not by_company:
        return []
    found: dict[str, CompanyPrices] = {}
    for company in _companies(session):
        offers = by_company.get(company_code(company.key))
        if offers and company.key not in found:
            found[company.key] = CompanyPrices(company, tuple(offers))
    return sorted(found.values(), key=lambda one: (one.company.name.casefold(), one.company.key))


def bring_prices(
    session: Session,
    *,
    company: Company,
    prices: Iterable[OwnPrice],
    live: bool,
    actor: str,
    now: datetime,
) -> Brought:
    """Make offers of a price list, drafts or live at once; then what it does not have any more is stopped."""
    document = offers_of(
        company.key, company.buyers, prices, name=company.name, timezone=chain_timezone(session)
    )
    done = import_document(session, document=document, actor=actor, now=now, live=live)
    listed = {offer["code"] for offer in document["offers"]}
    prefix = company_code(company.key)
    gone = tuple(
        offer.code
        for offer in live_offers(session)
        if offer.code.startswith(prefix) and offer.code not in listed
    )
    for code in gone if live else ():
        stop_offer(session, offer_code=code, actor=actor, now=now, reason="not in the price list any more")
    return Brought(done, gone)


def renew_buyers(session: Session, *, actor: str, now: datetime) -> tuple[str, ...]:
    """
    Let own prices hold for those who buy for their company now; returns the codes of the offers renewed.

    Prices stay what two people approved, or an administrator brought in; only who may have them follows the
    company, so that the new versions are live at once.
    """
    outdated = [
        offer_document(replace(offer, audience=replace(offer.audience, member_codes=one.company.buyers)))
        for one in companies_with_prices(session)
        for offer in one.outdated
    ]
    if not outdated:
        return ()
    document: Mapping[str, Any] = {"format": 1, "offers": outdated}
    done = import_document(session, document=document, actor=actor, now=now, live=True)
    return tuple(done.versions)


def renew_company_prices(shift: Shift) -> dict[str, Any]:
    """Do as `renew_buyers` does, at night; returns how many offers."""
    renewed = shift.transact(lambda session: renew_buyers(session, actor=ACTOR, now=shift.now))
    return {"offers": len(renewed)}


def read_price_list(lines: Iterable[str]) -> Iterator[OwnPrice]:
    """Yield the rows of a price list as CSV; raises `BadPriceList` with the row that is wrong."""
    rows = csv.DictReader(lines)
    unknown = set(rows.fieldnames or ()) - set(COLUMNS)
    if unknown or not rows.fieldnames:
        raise BadPriceList(f"unknown columns: {', '.join(sorted(map(str, unknown))) or 'there is no header'}")
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


def _companies(session: Session, *conditions: Any) -> Iterator[Company]:
    rows: Sequence[Any] = session.execute(
        select(Member.account_id, Member.company_name, Member.company_id, Member.vat_id)
        .where(_COMPANY, *conditions)
        .order_by(Member.account_id, Member.joined_on, Member.member_code)
    ).all()
    accounts = {row.account_id for row in rows}
    buyers: dict[UUID, list[str]] = {}
    for account_id, member_code in session.execute(
        select(Member.account_id, Member.member_code)
        .where(Member.account_id.in_(accounts))
        .order_by(Member.member_code)
    ):
        buyers.setdefault(account_id, []).append(member_code)
    for row in rows:
        key = row.company_id or row.vat_id or row.company_name
        yield Company(key, row.company_name or key, row.account_id, tuple(sorted(buyers[row.account_id])))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)

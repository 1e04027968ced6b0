"""Own prices of companies as they are changed: a price list brought in, and offers renewed for who buys for a company now."""

import csv
import re
from collections import Counter, defaultdict
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
from loyalty.company.prices import PREFIX, BadPrice, OwnPrice, company_code, offers_of
from rewards.codec import OffersRefused, offer_document
from rewards.offer_decisions import hold_book, stop_offer
from rewards.offer_operations import Imported, import_document
from rewards.offer_queries import live_offers
from rewards.offers import Offer
from sales.business_days import chain_timezone

COLUMNS: Final = ("sku", "category", "price", "percent", "valid_from", "valid_to")
ACTOR: Final = "own prices"
MADE: Final = re.compile(rf"{PREFIX}[0-9A-F]{{10}}-[0-9A-F]{{12}}\Z")
"""What a price list's offer is called: not every code of somebody else that begins so."""
_COMPANY = or_(Member.company_name.is_not(None), Member.company_id.is_not(None), Member.vat_id.is_not(None))


class NoCompany(Refused):
    """The member is no company."""


class BadPriceList(Refused):
    """The file is no price list; the words name the row."""


@dataclass(frozen=True, slots=True)
class Company:
    """
    Somebody who buys for more than themselves: the key of its own prices, its name, and all its buyers' codes.

    `members` are the codes of those who are the company, its branches; `codes` are what codes of its offers begin
    with: that of its key, and those of what else identifies it and nobody else, for a key may have changed.
    """

    key: str
    name: str
    members: tuple[str, ...]
    buyers: tuple[str, ...]
    codes: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class Renewed:
    """
    What came of renewing own prices, as codes of offers.

    `stopped` are those of which no company is left; `refused` says by company why its prices stay as they were.
    """

    offers: tuple[str, ...]
    stopped: tuple[str, ...]
    refused: Mapping[str, str]


def company_of(session: Session, member_code: str) -> Company:
    """Return the company that a member is, with the buyers of all its branches; raises `NoCompany`."""
    for company in _companies(session):
        if member_code in company.members:
            return company
    raise NoCompany(f"{member_code} is no member who buys for a company")


def companies_with_prices(session: Session) -> list[CompanyPrices]:
    """Return the companies of which own prices are live, by name."""
    by_code = _own_prices(session)
    if not by_code:
        return []
    found = [
        CompanyPrices(company, offers)
        for company in _companies(session)
        if (offers := tuple(offer for code in company.codes for offer in by_code.get(code, ())))
    ]
    return sorted(found, key=lambda one: (one.company.name.casefold(), one.company.key))


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
    gone = tuple(
        offer.code
        for offer in live_offers(session)
        if offer.code.startswith(company.codes) and offer.code not in listed
    )
    for code in gone if live else ():
        stop_offer(session, offer_code=code, actor=actor, now=now, reason="not in the price list any more")
    return Brought(done, gone)


def renew_buyers(session: Session, *, actor: str, now: datetime) -> Renewed:
    """
    Let own prices hold for those who buy for their company now, and stop those of which no company is left.

    Prices stay what two people approved, or an administrator brought in; only who may have them follows the
    company, so that the new versions are live at once. A company whose offers are refused (a fixed price, since
    there are stores of another currency) does not keep the others' from being renewed.
    """
    hold_book(session)  # what is renewed or stopped here, nobody decides about meanwhile
    renewed: list[str] = []
    refused: dict[str, str] = {}
    companies = companies_with_prices(session)
    for one in companies:
        buyers = one.company.buyers
        outdated = [
            offer_document(replace(offer, audience=replace(offer.audience, member_codes=buyers)))
            for offer in one.outdated
        ]
        if not outdated:
            continue
        document: Mapping[str, Any] = {"format": 1, "offers": outdated}
        try:
            with session.begin_nested():
                done = import_document(session, document=document, actor=actor, now=now, live=True)
            renewed += done.versions
        except OffersRefused as refusal:
            refused[one.company.name] = str(refusal)
    stopped = _stop_orphans(session, companies, actor=actor, now=now)
    return Renewed(tuple(renewed), stopped, refused)


def renew_company_prices(shift: Shift) -> dict[str, Any]:
    """Do as `renew_buyers` does, at night; returns how many offers, and what was stopped and refused."""
    renewed = shift.transact(lambda session: renew_buyers(session, actor=ACTOR, now=shift.now))
    return {"offers": len(renewed.offers), "stopped": list(renewed.stopped), "refused": dict(renewed.refused)}


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


def _own_prices(session: Session) -> dict[str, list[Offer]]:
    """Return the own prices that are live, by what their codes begin with."""
    found: dict[str, list[Offer]] = {}
    for offer in live_offers(session):
        if offer.code.startswith(PREFIX):
            found.setdefault(offer.code.rpartition("-")[0] + "-", []).append(offer)
    return found


def _stop_orphans(
    session: Session, companies: Iterable[CompanyPrices], *, actor: str, now: datetime
) -> tuple[str, ...]:
    """Stop the own prices that are none of these companies'; what somebody else named alike stays."""
    owned = {offer.code for one in companies for offer in one.offers}
    orphans = tuple(
        offer.code
        for offers in _own_prices(session).values()
        for offer in offers
        if offer.code not in owned and MADE.match(offer.code)
    )
    for code in orphans:
        stop_offer(
            session,
            offer_code=code,
            actor=actor,
            now=now,
            reason="no company is left that has this own price",
        )
    return orphans


def _companies(session: Session) -> list[Company]:
    """Return all companies in the order in which they joined; whoever has the same key is a branch of one."""
    rows: Sequence[Any] = session.execute(
        select(Member.account_id, Member.member_code, Member.company_name, Member.company_id, Member.vat_id)
        .where(_COMPANY)
        .order_by(Member.joined_on, Member.member_code)
    ).all()
    branches: dict[str, list[Any]] = {}
    for row, key in zip(rows, _keys(rows), strict=True):
        branches.setdefault(key, []).append(row)
    names = {
        key: {name for row in found for name in (row.company_id, row.vat_id, row.company_name) if name}
        - {key}
        for key, found in branches.items()
    }
    claims = Counter(name for found in names.values() for name in found) + Counter(iter(names))
    buyers = _buyers(session, {row.account_id for row in rows})
    return [
        Company(
            key,
            next((row.company_name for row in found if row.company_name), key),
            tuple(row.member_code for row in found),
            tuple(sorted({code for row in found for code in buyers[row.account_id]})),
            (company_code(key), *(company_code(name) for name in sorted(names[key]) if claims[name] == 1)),
        )
        for key, found in branches.items()
    ]


def _keys(rows: Sequence[Any]) -> Iterator[str]:
    """Yield the key of each: its company ID, which one of its VAT ID may lend it, else the VAT ID, else its name."""
    registered: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.vat_id and row.company_id:
            registered[row.vat_id].add(row.company_id)
    for row in rows:
        lent = registered[row.vat_id] if row.vat_id else set()
        yield row.company_id or (min(lent) if len(lent) == 1 else row.vat_id) or row.company_name


def _buyers(session: Session, accounts: set[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    for account_id, member_code in session.execute(
        select(Member.account_id, Member.member_code).where(Member.account_id.in_(accounts))
    ):
        found.setdefault(account_id, []).append(member_code)
    return found


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)

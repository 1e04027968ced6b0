"""Everything that is kept about a customer, as one document that they may take away."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from basket_analysis.offers.lists import MemberOffers, offers_of_members
from campaigns.decision_lists import decisions_of_member
from catalogs.copy_lists import copies_of_member
from contacts.case_lists import cases_of_member
from contacts.confirmations import questions_of_member
from contacts.mail_lists import mails_of_member
from contacts.queries import contacts_of_member
from contacts.reaction_lists import answers_of_member
from core.clock import business_day
from core.keyset import Ask, Page
from customers.member_lists import read_member
from customers.models import Consent
from customers.standings import standing_of
from loyalty.statements import list_statement
from loyalty.tiers.queries import tier_story
from rewards.vouchers.held import vouchers_of_account
from sales.models import Article
from sales.receipt_lists import list_receipts, read_lines
from web.groups.shown import GroupsShown, groups_now, why_of
from web.state import Customer

FORMAT = 1
_PAGE = 500
_ALL = 1_000_000
R = TypeVar("R")


def everything_about(session: Session, person: Customer, *, now: datetime) -> dict[str, Any]:
    """Return all that is kept about a customer; of others in the household only what they may do."""
    member = read_member(session, member_id=person.member_id)
    today = business_day(now, person.timezone)
    tier = tier_story(session, account_id=person.account_id, today=today)
    copies = copies_of_member(session, member_id=person.member_id, limit=_ALL)
    return {
        "format": FORMAT,
        "made_at": now,
        "member": {
            **{
                key: getattr(member.row, key) for key in ("member_code", "given_name", "family_name", "email")
            },
            **{
                key: getattr(member.row, key) for key in ("phone", "language", "home_store_code", "joined_on")
            },
            "role": member.row.role,
            "birth_date": member.birth_date,
            "company_name": member.company_name,
            "company_id": member.company_id,
            "vat_id": member.vat_id,
            "profiling_objected_at": member.profiling_objected_at,
        },
        "household": [{"name": other.name, "role": other.role} for other in member.household],
        "cards": [asdict(card) for card in member.cards],
        "consents": list(_consents(session, person)),
        "consents_asked_by_mail": [
            asdict(question) for question in questions_of_member(session, member_id=person.member_id, now=now)
        ],
        "tier": asdict(tier.state) if tier else None,
        "receipts": list(_receipts(session, person)),
        "points": [_entry(line) for line in _all(lambda ask: _statement(session, person, ask), "booked_at")],
        "vouchers": [
            asdict(voucher)
            for voucher in vouchers_of_account(session, account_id=person.account_id, today=today)
        ],
        "catalogs": [
            {"copy_code": copy.copy_code, "made_at": copy.made_at, "sha256": copy.sha256.hex()}
            for copy in copies
        ],
        **_concluded(session, person, groups_now(session)),
        "answers": [asdict(answer) for answer in answers_of_member(session, person.member_id, now)],
        "cases": [asdict(case) for case in cases_of_member(session, person.member_id)],
        "contacts": [
            asdict(contact) for contact in contacts_of_member(session, member_id=person.member_id, limit=_ALL)
        ],
        "mails": list(_mails(session, person)),
    }


def _concluded(session: Session, person: Customer, groups: GroupsShown) -> dict[str, Any]:
    """Return what was concluded from purchases: group, phase, value, what is ranked for offers, what was offered."""
    run_id = groups.run_id
    group_id = read_member(session, member_id=person.member_id, run_id=run_id).row.group_id
    standing = standing_of(session, member_id=person.member_id, run_id=run_id) if run_id else None
    ranked = offers_of_members(session, [person.member_id]).get(person.member_id, MemberOffers())
    names = _articles(session, {offer.article_id for offer in (*ranked.all, *ranked.new)})
    told = decisions_of_member(session, person.member_id, limit=_ALL)
    return {
        "group": {"name": groups.words(group_id), "why": why_of(session, person.member_id)},
        "phase_and_value": asdict(standing) if standing else None,
        "ranked": {
            kind: [
                {**names[offer.article_id], "score": offer.score, "reason": asdict(offer.reason)}
                for offer in offers
                if offer.article_id in names
            ]
            for kind, offers in (("all", ranked.all), ("new", ranked.new))
        },
        "offered": [{name: getattr(decision, name) for name in _OFFERED} for decision in told],
    }


_OFFERED = ("at", "channel", "sku", "name", "category", "offer_code", "score", "propensity", "explored",
            "reason", "outcome", "outcome_at")  # fmt: skip


def _articles(session: Session, article_ids: set[int]) -> dict[int, dict[str, str]]:
    rows = session.execute(
        select(Article.article_id, Article.sku, Article.name).where(Article.article_id.in_(article_ids))
    )
    return {article_id: {"sku": sku, "name": name} for article_id, sku, name in rows}


def _mails(session: Session, person: Customer) -> Iterator[dict[str, Any]]:
    """Yield every mail; what a secret one says is nowhere, and of its files the names."""
    kept = (
        "kind",
        "purpose",
        "state",
        "subject",
        "recipient",
        "language",
        "queued_at",
        "finished_at",
        "text",
    )
    for mail in mails_of_member(session, person.member_id):
        yield {
            **{name: getattr(mail, name) for name in kept},
            "files": [attachment["name"] for attachment in mail.attachments],
        }


def _consents(session: Session, person: Customer) -> Iterator[dict[str, Any]]:
    """Yield every decision, not the standing ones only."""
    kept = ("purpose", "channel", "granted", "text_version", "source", "recorded_at")
    rows = session.execute(
        select(*(getattr(Consent, name) for name in kept))
        .where(Consent.member_id == person.member_id)
        .order_by(Consent.recorded_at, Consent.consent_id)
    )
    for row in rows:
        yield dict(zip(kept, row, strict=True))


def _receipts(session: Session, person: Customer) -> Iterator[dict[str, Any]]:
    def fetch(ask: Ask) -> Page[Any]:
        return list_receipts(session, ask, account_id=person.account_id, member_id=person.member_id)

    rows = list(_all(fetch, "business_date"))
    for first in range(0, len(rows), _PAGE):
        part = rows[first : first + _PAGE]
        lines = read_lines(session, {(row.business_date, row.receipt_id) for row in part})
        for row in part:
            kept = ("business_date", "store_name", "receipt_number", "type", "closed_at", "card_number")
            yield {
                **{name: getattr(row, name) for name in (*kept, "currency", "payable_amount")},
                "lines": [asdict(line) for line in lines.get(row.receipt_id, ())],
            }


def _statement(session: Session, person: Customer, ask: Ask) -> Page[Any]:
    return list_statement(session, ask, account_id=person.account_id)


def _entry(line: Any) -> dict[str, Any]:
    kept = ("booked_at", "business_date", "reason", "points", "reserved", "balance")
    number = line.receipt.receipt_number if line.receipt else None
    return {**{name: getattr(line, name) for name in kept}, "receipt_number": number}


def _all(fetch: Callable[[Ask], Page[R]], sort: str) -> Iterator[R]:
    """Yield all rows of a list, page by page."""
    ask = Ask(sort=sort, limit=_PAGE)
    while True:
        page = fetch(ask)
        yield from page.rows
        if page.following is None:
            return
        ask = ask.following(page.following, limit=_PAGE)

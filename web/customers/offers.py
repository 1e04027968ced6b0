"""What a customer is offered next on their own page, and what they just answered."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy.orm import Session

from campaigns.decisions import NextOffer, next_offers
from contacts.reaction_lists import AnswerView, answers_of_member
from core.clock import business_day
from sales.shelf import price_on
from web.state import customer, now
from web.words import language

CHANNEL: Final = "account"
SHOWN = 4
LONGEST_NUMBER: Final = 19
"""Digits of the largest number of an answer."""


def offers_now(session: Session) -> list[NextOffer] | None:
    """Return what is offered now, the best first; it is written down as shown. None while nobody can say."""
    person = customer()
    return next_offers(
        session,
        member_id=person.member_id,
        account_id=person.account_id,
        store_id=person.store_id,
        channel=CHANNEL,
        language=language(),
        now=now(),
        count=SHOWN,
    )


def prices_now(session: Session, offers: Iterable[NextOffer] | None) -> dict[int, int]:
    """Return what the price list of the customer's store says today, by article; without a store or a list nothing."""
    person, articles = customer(), [offer.article_id for offer in offers or ()]
    if person.store_id is None or not articles:
        return {}
    today = business_day(now(), person.timezone)
    listed = price_on(session, store_ids=[person.store_id], day=today, article_ids=articles)
    return {article_id: price.minor for (_store, article_id), price in listed.items()}


def answered_now(session: Session, reaction_id: str) -> AnswerView | None:
    """Return the customer's answer of that number, so that it can be taken back right where it was given."""
    if not reaction_id.isascii() or not reaction_id.isdigit() or len(reaction_id) > LONGEST_NUMBER:
        return None
    answers = answers_of_member(session, customer().member_id, now())
    return next((answer for answer in answers if answer.reaction_id == int(reaction_id)), None)


def refuses_everything(session: Session) -> AnswerView | None:
    """Return the answer by which the customer wants no offers at all, if one stands."""
    answers = answers_of_member(session, customer().member_id, now())
    return next((answer for answer in answers if answer.standing and answer.scope == "all"), None)

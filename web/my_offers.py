"""What a customer is offered next on their own page, and what they just answered."""

from typing import Final

from sqlalchemy.orm import Session

from campaigns.decisions import NextOffer, next_offers
from contacts.reaction_lists import AnswerView, answers_of_member
from web.state import customer, now
from web.words import language

CHANNEL: Final = "account"
SHOWN = 4
LONGEST_NUMBER: Final = 19
"""Digits of the largest number of an answer."""


def offers_now(session: Session) -> list[NextOffer]:
    """Return what is offered now, the best first; it is written down as shown."""
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

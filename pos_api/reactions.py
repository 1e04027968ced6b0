"""Reactions: what members answer to offers at the till."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from campaigns.decision_lists import NoSuchDecision, answerable
from contacts.operations import NoAccount, record_reaction
from core import clock
from core.errors import NotFound, RegularsError
from core.ids import find_uuid
from customers.queries import holder_of_card
from pos_api import examples
from pos_api.bodies import parse, read
from pos_api.keys import actor_of, bearer, till_of
from pos_api.openapi import Calls
from pos_api.payment_cards import refuse_payment_cards
from pos_api.problems import refusals
from pos_api.schemas import REACTION, ReactionBody
from pos_api.transactions import transact
from rewards.offer_queries import is_offer

reactions = Calls("reactions", "What members answer to offers")

CODES: Mapping[type[RegularsError], str] = {NoAccount: "not_registered"}


class NoSuchOffer(NotFound):
    """There never was an offer of this code."""


@reactions.call(
    "POST",
    "/reactions",
    body=ReactionBody,
    examples=examples.REACTIONS,
    answers={204: (None, "Kept.", {})},
    problems=("not_found", "not_registered"),
)
def post_reaction() -> Response:
    """
    Keep what a member answered to an offer.

    From the next request on, in every channel, what was refused is not offered: `never` and
    `wrong_product` until the same thing is `accepted`, `not_now` for thirty days. `scope` says
    whether the article, its whole category or everything is meant. A `decision_id` stands for the
    article that was offered by it; a card answers its own only. An `offer_code` stands for the offer itself:
    what it makes cheaper is not told with it any more.
    """
    key = bearer()
    raw = read()

    def work(session: Session) -> None:
        till = till_of(session, key)
        document = parse(raw)
        wish = REACTION.read(document)
        refuse_payment_cards(session, document)
        with refusals(CODES):
            record_reaction(
                session,
                card_number=wish["card_number"],
                reaction=wish["reaction"],
                scope=wish.get("scope") or "item",
                channel="till",
                actor=actor_of(till),
                now=clock.now(),
                **_subject(session, wish),
            )

    transact(work)
    return Response(status=204, headers={"Cache-Control": "no-store"})


def _subject(session: Session, wish: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what an answer is about, as it is kept.

    Raises `NoSuchDecision` or `NoSuchOffer`; but all means all, whatever it was said about.
    """
    try:
        if "decision_id" in wish:
            return _decided(session, wish["card_number"], wish["decision_id"])
        if "offer_code" in wish:
            return _offered(session, wish["offer_code"])
    except (NoSuchDecision, NoSuchOffer):
        if wish.get("scope") != "all":
            raise
    return {"sku": wish.get("sku")}


def _decided(session: Session, card_number: str, told: str) -> dict[str, Any]:
    identity = find_uuid(told)
    if identity is None:
        raise NoSuchDecision("There is no such decision.")
    holder = holder_of_card(session, card_number)
    found = answerable(session, identity, member_id=holder.member_id, account_id=holder.account_id)
    return {"sku": found.sku, "offer_code": found.offer_code, "decision_id": found.decision_id}


def _offered(session: Session, offer_code: str) -> dict[str, Any]:
    if not is_offer(session, offer_code):
        raise NoSuchOffer(f"There is no offer {offer_code}.")
    return {"offer_code": offer_code}

"""Reactions: what members answer to offers at the till."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from contacts.operations import NoAccount, record_reaction
from core import clock
from core.errors import RegularsError
from pos_api import examples
from pos_api.bodies import parse, read
from pos_api.keys import actor_of, bearer, till_of
from pos_api.openapi import Calls
from pos_api.payment_cards import refuse_payment_cards
from pos_api.problems import Problem, refusals
from pos_api.schemas import REACTION, ReactionBody
from pos_api.transactions import transact

reactions = Calls("reactions", "What members answer to offers")

CODES: Mapping[type[RegularsError], str] = {NoAccount: "not_registered"}


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
    whether the article, its whole category or everything is meant.
    """
    key = bearer()
    raw = read()

    def work(session: Session) -> None:
        till = till_of(session, key)
        document = parse(raw)
        wish = REACTION.read(document)
        refuse_payment_cards(session, document)
        _refuse_unknown_offers(wish)
        with refusals(CODES):
            record_reaction(
                session,
                card_number=wish["card_number"],
                reaction=wish["reaction"],
                scope=wish.get("scope") or "item",
                sku=wish.get("sku"),
                channel="till",
                actor=actor_of(till),
                now=clock.now(),
            )

    transact(work)
    return Response(status=204, headers={"Cache-Control": "no-store"})


def _refuse_unknown_offers(wish: Mapping[str, Any]) -> None:
    """Raise `not_found` for an answer to an offer or a decision, none of which was ever made; all means all."""
    if wish.get("scope") == "all":
        return
    if "offer_code" in wish:
        raise Problem("not_found", f"There is no offer {wish['offer_code']}.")
    if "decision_id" in wish:
        raise Problem("not_found", "There is no such decision.")

"""Cards: what a till should know when one is scanned."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from core import clock
from core.errors import RegularsError
from customers.card_changes import block_card, replace_card
from customers.enrolment import CardInUse
from customers.queries import CardNotFound
from loyalty.queries import card_view, has_entries
from pos_api import examples, idempotency, parameters
from pos_api.answers import CardAnswer
from pos_api.bodies import answer, from_path, parse, read
from pos_api.keys import actor_of, bearer, till_of
from pos_api.openapi import Calls
from pos_api.payment_cards import refuse_payment_cards
from pos_api.problems import Problem, refusals
from pos_api.schemas import BLOCK, REPLACEMENT, BlockBody, Body, ReplacementBody
from pos_api.transactions import look, transact

cards = Calls("cards", "Cards and their holders")

CODES: Mapping[type[RegularsError], str] = {CardInUse: "card_in_use"}


@cards.call(
    "GET",
    "/cards/<card_number>",
    answers={200: (CardAnswer, "The card.", examples.CARD_ANSWER)},
    problems=("not_found",),
    parameters=(parameters.CARD_PARAMETER,),
)
def show_card(card_number: str) -> Response:
    """
    Return a card's state, its holder's name and points.

    Blocked and replaced cards are shown with that state; a replaced card shows its successor's account.
    """
    key = bearer()
    from_path(card_number)

    def work(session: Session) -> dict[str, Any]:
        till = till_of(session, key)
        try:
            return card_view(session, card_number=card_number, now=clock.now(), store=till)
        except CardNotFound as error:
            raise Problem("not_found", "The card number was never seen.") from error

    return answer(look(work))


@cards.call(
    "POST",
    "/cards/<card_number>/block",
    body=BlockBody,
    examples=examples.BLOCKS,
    answers={200: (CardAnswer, "The blocked card.", {**examples.CARD_ANSWER, "state": "blocked"})},
    problems=("not_found", "card_in_use", "in_progress", "idempotency_conflict"),
    parameters=(parameters.CARD_PARAMETER, parameters.IDEMPOTENCY_KEY),
)
def block(card_number: str) -> Response:
    """Block a lost or stolen card; a second time changes nothing."""

    def change(session: Session, wish: Mapping[str, Any], actor: str, now: datetime) -> str:
        block_card(session, card_number=card_number, reason=wish["reason"], now=now, actor=actor)
        return card_number

    return _changed(card_number, BLOCK, change)


@cards.call(
    "POST",
    "/cards/<card_number>/replace",
    body=ReplacementBody,
    examples=examples.REPLACEMENTS,
    answers={200: (CardAnswer, "The new card.", {**examples.CARD_ANSWER, "card_number": "2990000000057"})},
    problems=("not_found", "card_in_use", "in_progress", "idempotency_conflict"),
    parameters=(parameters.CARD_PARAMETER, parameters.IDEMPOTENCY_KEY),
)
def replace(card_number: str) -> Response:
    """
    Put a new card in the place of a lost one.

    Account, holder and history follow; the old number still resolves for returns and late receipts.
    Once more it is refused, but under the same `Idempotency-Key` answered as before.
    """

    def change(session: Session, wish: Mapping[str, Any], actor: str, now: datetime) -> str:
        new_card_number: str = wish["new_card_number"]
        replace_card(
            session,
            card_number=card_number,
            new_card_number=new_card_number,
            reason=wish["reason"],
            now=now,
            actor=actor,
            has_history=lambda account_id: has_entries(session, account_id=account_id),
        )
        return new_card_number

    return _changed(card_number, REPLACEMENT, change)


def _changed(
    card_number: str, body: Body, change: Callable[[Session, Mapping[str, Any], str, datetime], str]
) -> Response:
    """Answer the request for a change of a card with the card that `change` leaves the holder with."""
    key = bearer()
    repeated = idempotency.key_of_request()
    from_path(card_number)
    raw = read()

    def work(session: Session) -> dict[str, Any]:
        till = till_of(session, key)
        document = parse(raw)
        wish = body.read(document)
        refuse_payment_cards(session, document)
        now = clock.now()

        def changed() -> dict[str, Any]:
            with refusals(CODES):
                shown = change(session, wish, actor_of(till), now)
            return card_view(session, card_number=shown, now=now, store=till)

        return idempotency.once(
            session, changed, till_id=till.till_id, key=repeated, document=document, now=now, status=200
        )

    return answer(transact(work))

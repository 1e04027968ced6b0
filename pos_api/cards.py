"""Cards: what a till should know when one is scanned."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from core import clock
from customers.queries import CardNotFound
from loyalty.queries import card_view
from pos_api import examples
from pos_api.answers import CardAnswer
from pos_api.bodies import answer, from_path
from pos_api.keys import bearer, till_of
from pos_api.openapi import Calls
from pos_api.problems import Problem
from pos_api.transactions import transact

cards = Calls("cards", "Cards and their holders")


@cards.call(
    "GET",
    "/cards/<card_number>",
    answers={200: (CardAnswer, "The card.", examples.CARD_ANSWER)},
    problems=("not_found",),
    parameters=(examples.CARD_PARAMETER,),
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

    return answer(transact(work))

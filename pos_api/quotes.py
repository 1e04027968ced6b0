"""Quotes: what a basket would cost and earn before it is paid."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from campaigns.till_offers import TillOffers
from core import clock
from loyalty.quotes.baskets import quote_basket
from pos_api import examples
from pos_api.answers import QuoteAnswer
from pos_api.bodies import answer, parse, read
from pos_api.keys import bearer, till_of
from pos_api.openapi import Calls
from pos_api.payment_cards import refuse_payment_cards
from pos_api.quote_schemas import QUOTE, QuoteBody
from pos_api.transactions import look

quotes = Calls("quotes", "What baskets would cost and earn")


@quotes.call(
    "POST",
    "/quotes",
    body=QuoteBody,
    examples=examples.QUOTES,
    answers={200: (QuoteAnswer, "What it would come to now.", examples.QUOTE_ANSWER)},
    problems=(),
)
def post_quote() -> Response:
    """
    Say what a basket would cost and earn, with the live offers; no points, stock or receipts are changed.

    What a quote promises is honoured for ten minutes. Of offers with a budget it holds so much until then, or
    until the till's next quote or receipt.

    More `points_to_spend` than can be spent are cut and `messages` says so. A card that was never seen
    is quoted without a member; it earns nothing, and `messages` says that too. The sale that follows
    names the quote in `quote_id`; where it departs from it, its answer lists the `differences`.
    """
    key = bearer()
    raw = read()

    def work(session: Session) -> dict[str, Any]:
        till = till_of(session, key)
        document = parse(raw)
        basket = QUOTE.read(document)
        refuse_payment_cards(session, document)
        now = clock.now()
        offers = TillOffers.for_quote(session, till=till, basket=basket, now=now)
        return quote_basket(session, till=till, basket=basket, now=now, adviser=offers)

    return answer(look(work))

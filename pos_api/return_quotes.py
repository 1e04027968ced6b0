"""What a return would do, before money is handed back."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from core import clock
from loyalty.quotes.returns import quote_return
from pos_api import examples
from pos_api.answers import ReturnQuoteAnswer
from pos_api.bodies import answer, parse, read
from pos_api.keys import bearer, till_of
from pos_api.openapi import Calls
from pos_api.problems import refusals
from pos_api.schemas import RETURN_QUOTE, ReturnQuoteBody
from pos_api.transactions import transact

return_quotes = Calls("returns", "What returns would do")


@return_quotes.call(
    "POST",
    "/returns/quotes",
    body=ReturnQuoteBody,
    examples=examples.RETURN_QUOTES,
    answers={200: (ReturnQuoteAnswer, "What it would do now.", examples.RETURN_QUOTE_ANSWER)},
    problems=("not_found", "in_progress"),
)
def post_return_quote() -> Response:
    """
    Say what a return would do; nothing is booked.

    Refunds are money: what is given back in points is left out. More than is still out is cut, and flagged.
    """
    key = bearer()
    raw = read()

    def work(session: Session) -> dict[str, Any]:
        till = till_of(session, key)
        wish = RETURN_QUOTE.read(parse(raw))
        with refusals({}):
            return quote_return(
                session, till=till, original=wish["original"], lines=wish["lines"], now=clock.now()
            )

    return answer(transact(work))

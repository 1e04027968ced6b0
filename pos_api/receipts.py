"""Receipts: what tills post, and what they were told."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from pos_api import examples
from pos_api.answers import ReceiptAnswer
from pos_api.bodies import answer
from pos_api.fields import day_of
from pos_api.keys import bearer, in_own_store, till_of
from pos_api.openapi import Calls
from pos_api.problems import Problem
from pos_api.transactions import transact
from sales.queries import ReceiptNotFound, stored_answer

receipts = Calls("receipts", "Sales, returns and voids")


@receipts.call(
    "GET",
    "/receipts/<store_code>/<till_code>/<business_date>/<receipt_number>",
    answers={200: (ReceiptAnswer, "What the till was told.", examples.RECEIPT_ANSWER)},
    problems=("other_store", "not_found"),
    parameters=examples.RECEIPT_IDENTITY,
)
def show_receipt(store_code: str, till_code: str, business_date: str, receipt_number: str) -> Response:
    """Return the stored answer to a receipt of the own store."""
    key = bearer()

    def work(session: Session) -> dict[str, Any]:
        in_own_store(till_of(session, key), store_code)
        day = day_of(business_date)
        if day is None or "\x00" in till_code + receipt_number:
            raise Problem("not_found", "There is no such receipt.")
        try:
            stored = stored_answer(
                session,
                store_code=store_code,
                till_code=till_code,
                business_date=day,
                receipt_number=receipt_number,
            )
        except ReceiptNotFound as error:
            raise Problem("not_found", str(error)) from error
        if stored.answer is None:
            raise Problem("not_found", "The receipt was imported; no till was told anything about it.")
        return stored.answer

    return answer(transact(work))

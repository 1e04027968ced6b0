"""Receipts: what tills post, and what they were told."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from campaigns.till_offers import TillOffers
from core import clock
from core.driver import may_end
from loyalty.checkout import Outcome, Quarantined, settle
from loyalty.queries import answer_from_books
from pos_api import examples, idempotency, parameters
from pos_api.answers import ReceiptAnswer
from pos_api.bodies import answer, from_path, parse, read
from pos_api.fields import day_of
from pos_api.keys import bearer, in_own_store, till_of
from pos_api.openapi import Calls
from pos_api.problems import Problem
from pos_api.schemas import RECEIPT, ReceiptBody
from pos_api.transactions import transact
from sales.queries import ReceiptNotFound, stored_answer
from sales.receipts import fingerprint

receipts = Calls("receipts", "Sales, returns and voids")


@receipts.call(
    "POST",
    "/receipts",
    body=ReceiptBody,
    examples=examples.RECEIPTS,
    answers={
        201: (ReceiptAnswer, "Booked.", examples.RECEIPT_ANSWER),
        200: (
            ReceiptAnswer,
            "The same receipt was booked before.",
            {**examples.RECEIPT_ANSWER, "replayed": True},
        ),
    },
    problems=("in_progress", "receipt_conflict", "idempotency_conflict"),
    parameters=(parameters.IDEMPOTENCY_KEY,),
)
def post_receipt() -> Response:
    """
    Commit a sale, a return or a void.

    The receipt's identity is store, till, business date and number: the same receipt again is
    answered as it was, another one under its identity is set aside for a person. A paid receipt is
    always accepted; what is odd about it is flagged.
    """
    key = bearer()
    repeated = idempotency.key_of_request()
    raw = read()

    def work(session: Session) -> Outcome | Quarantined:
        till = till_of(session, key)
        posted = RECEIPT.read(parse(raw))
        now = clock.now()
        if repeated is None:
            may_end(session)
        offers = TillOffers.for_receipt(session, till=till, posted=posted, now=now)
        settled = settle(session, till=till, posted=posted, now=now, adviser=offers)
        if repeated is not None and isinstance(settled, Outcome):
            # The receipt's own identity goes first; its answer is kept with it, so none is kept here.
            meaning = fingerprint(posted, till)
            idempotency.claim(
                session, till_id=till.till_id, key=repeated, fingerprint=meaning, status=201, now=now
            )
        return settled

    document, status = told(transact(work, often=True))
    return answer(document, status)


def told(settled: Outcome | Quarantined) -> tuple[dict[str, Any], int]:
    """Return the answer to a receipt with its status; raises `receipt_conflict` when another one was there."""
    if isinstance(settled, Quarantined):
        raise Problem("receipt_conflict", settled.detail)
    return settled.answer, 200 if settled.replayed else 201


@receipts.call(
    "GET",
    "/receipts/<store_code>/<till_code>/<business_date>/<receipt_number>",
    answers={200: (ReceiptAnswer, "What the till was told.", examples.RECEIPT_ANSWER)},
    problems=("other_store", "not_found"),
    parameters=parameters.RECEIPT_IDENTITY,
)
def show_receipt(store_code: str, till_code: str, business_date: str, receipt_number: str) -> Response:
    """Return the stored answer to a receipt of the own store."""
    key = bearer()
    from_path(store_code, till_code, receipt_number)

    def work(session: Session) -> dict[str, Any]:
        till = till_of(session, key)
        in_own_store(till, store_code)
        day = day_of(business_date)
        if day is None:
            raise Problem("not_found", f"{business_date} is no business date.")
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
        return stored.answer or answer_from_books(
            session, till=till, business_date=day, receipt_id=stored.receipt_id, now=clock.now()
        )

    return answer(transact(work))

"""Batches of receipts that a till has queued: each is booked and answered by itself."""

from collections.abc import Iterator
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from core import clock
from loyalty.checkout import Outcome, Quarantined, settle
from pos_api import examples
from pos_api.answers import BatchAnswer
from pos_api.bodies import MEBIBYTE, answer, parse_each, read
from pos_api.keys import bearer, till_of
from pos_api.openapi import Calls
from pos_api.problems import UNREACHABLE, Problem, of_outage, of_surprise
from pos_api.receipts import told
from pos_api.schemas import BATCH, LARGEST_BATCH, RECEIPT, BatchBody
from pos_api.transactions import transact
from sales.receipts import TillIdentity

batches = Calls("batches", "Receipts that were queued")

LARGEST_BODY = 16 * MEBIBYTE


@batches.call(
    "POST",
    "/receipts/batch",
    body=BatchBody,
    examples=examples.BATCHES,
    answers={200: (BatchAnswer, "Every receipt has its own status.", examples.BATCH_ANSWER)},
    problems=(),
)
def post_batch() -> Response:
    """
    Commit up to 500 receipts in any order.

    Each is booked in a transaction of its own and answered as it would be alone, so a bad one
    blocks none; a return may stand before its sale. Of two bodies with one identity the first wins.
    """
    key = bearer()
    till = transact(lambda session: till_of(session, key))
    document, unreadable = parse_each(read(LARGEST_BODY), "receipts")
    entries = BATCH.read(document)["receipts"]
    if len(entries) > LARGEST_BATCH:
        raise Problem("too_large", f"A batch has at most {LARGEST_BATCH} receipts.")
    return answer({"results": list(_results(till, entries, unreadable))})


def _results(
    till: TillIdentity, entries: tuple[Any, ...], unreadable: dict[int, Problem]
) -> Iterator[dict[str, Any]]:
    outage: Problem | None = None
    for index, entry in enumerate(entries):
        try:
            # Once the database is away, the till comes back sooner than we would have tried them all.
            document, status = _settled(till, entry, unreadable.get(index) or outage)
        except Problem as problem:
            yield {"index": index, "status": problem.status, "problem": problem.document()}
        except UNREACHABLE as error:
            outage = of_outage(error)
            yield {"index": index, "status": outage.status, "problem": outage.document()}
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others are booked
            surprise = of_surprise(error)
            yield {"index": index, "status": surprise.status, "problem": surprise.document()}
        else:
            yield {"index": index, "status": status, "receipt": document}


def _settled(till: TillIdentity, entry: Any, refused: Problem | None) -> tuple[dict[str, Any], int]:
    if refused is not None:
        raise refused
    posted = RECEIPT.read(entry)

    def work(session: Session) -> Outcome | Quarantined:
        return settle(session, till=till, posted=posted, now=clock.now())

    return told(transact(work))

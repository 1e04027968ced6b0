"""What the night does for tills: answers kept under an Idempotency-Key are forgotten after a week."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, tuple_

from core.jobs import Shift
from pos_api.models import IdempotencyRecord

KEPT = timedelta(days=7)
"""The contract promises a day."""
BATCH = 10_000


def clear_answers(shift: Shift) -> dict[str, Any]:
    """Delete answers older than a week, a batch at a time so that no till waits; returns how many."""
    identity = (IdempotencyRecord.till_id, IdempotencyRecord.key)
    old = (
        select(*identity)
        .where(IdempotencyRecord.created_at < shift.now - KEPT)
        .order_by(IdempotencyRecord.created_at)
        .limit(BATCH)
    )
    deleting = (
        delete(IdempotencyRecord).where(tuple_(*identity).in_(old)).returning(IdempotencyRecord.till_id)
    )
    cleared = 0
    while True:
        count = len(shift.transact(lambda session: session.execute(deleting).all()))
        cleared += count
        shift.report(cleared, None)
        if count < BATCH:
            return {"answers": cleared}

"""What offers gave with a sale goes back when nothing of the sale is left, and is given again when that was a mistake."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from rewards.offer_uses import give_back_uses, restore_uses
from rewards.stocks.operations import Cause, hand_over_again, put_gifts_back
from rewards.vouchers.issue import OfReceipt
from rewards.vouchers.returns import cancel_issued, give_back_vouchers, take_again
from sales.receipts import TillIdentity


@dataclass(frozen=True, slots=True)
class Undone:
    """
    A sale of which nothing is left because of the receipt `by`, a void or the return of the last of it.

    With `restored_of` it is the other way round: `by` voided the return that had left nothing.
    """

    business_date: date
    receipt_id: UUID
    by: UUID
    restored_of: UUID | None = None


def undo(session: Session, undone: Iterable[Undone], *, till: TillIdentity, now: datetime) -> None:
    """
    Give back what offers gave with sales: uses, budgets, gifts, spent vouchers; cancel the unused ones they issued.

    What was given back before is not given back again. The sales, and what names them, are written already,
    and the caller holds their locks.
    """
    for one in undone:
        sale = OfReceipt(one.business_date, one.receipt_id, now)
        if one.restored_of is None:
            _give_back(session, one, sale, till, now)
        else:
            _give_again(session, one, sale, restored_of=one.restored_of, till=till, now=now)


def _give_back(session: Session, undone: Undone, sale: OfReceipt, till: TillIdentity, now: datetime) -> None:
    # Stock, vouchers, counters: in the order in which sales take them, so that none waits for the other.
    cause = Cause(now, till.actor, business_date=undone.business_date, note=f"undone by {undone.by}")
    put_gifts_back(session, receipt_id=undone.receipt_id, cause=cause)
    give_back_vouchers(session, sale=sale, by=undone.by, actor=till.actor)
    cancel_issued(session, sale=sale, by=undone.by, actor=till.actor)
    give_back_uses(
        session,
        business_date=undone.business_date,
        receipt_id=undone.receipt_id,
        by_receipt_id=undone.by,
        now=now,
    )


def _give_again(
    session: Session,
    undone: Undone,
    sale: OfReceipt,
    *,
    restored_of: UUID,
    till: TillIdentity,
    now: datetime,
) -> None:
    cause = Cause(now, till.actor, business_date=undone.business_date, note=f"undone by {restored_of}")
    hand_over_again(session, receipt_id=undone.receipt_id, cause=cause)
    take_again(session, sale=sale, by=restored_of, actor=till.actor)
    restore_uses(
        session,
        business_date=undone.business_date,
        receipt_id=undone.receipt_id,
        restored_of=restored_of,
        by_receipt_id=undone.by,
        now=now,
    )

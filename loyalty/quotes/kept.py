"""Keeping what a till was told of a basket, and with it, at once or not at all, what that holds of budgets."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import errors
from sqlalchemy.orm import Session

from core.driver import ask
from core.quick_json import text_of
from loyalty.quotes.promises import NOTHING_PROMISED, Promise
from loyalty.quotes.quote import HONOURED_FOR, Quote
from rewards.offer_uses import HOLD, Place, Use, hold_values
from sales.baskets import Basket
from sales.receipts import LIVE, SALE, PostedReceipt, TillIdentity

_COLUMNS = """
    quote_id, store_id, till_id, card_number, account_id, currency, quoted_at, valid_until, lines,
    gross_amount, discount_amount, points_amount, payable_amount, points_to_spend, points_to_earn, offers"""
_VALUES = """
    %(quote_id)s::uuid, %(store_id)s::integer, %(till_id)s::integer, %(card_number)s::text, %(account_id)s::uuid,
    %(currency)s::text, %(now)s::timestamptz, %(valid_until)s::timestamptz, %(lines)s::jsonb,
    %(gross_amount)s::bigint, %(discount_amount)s::bigint, %(points_amount)s::bigint, %(payable_amount)s::bigint,
    %(points_to_spend)s::bigint, %(points_to_earn)s::bigint, %(offers)s::jsonb"""

# A quote that a power cut takes back within the same second is one that nobody knows any more: the till asks again, and a
# receipt that names it is looked at anew. So nobody waits for the disk, unless something is held by it.
_KEEP = f"""
    with at_ease as materialized (select set_config('synchronous_commit', 'off', true))
    insert into quote ({_COLUMNS}) select {_VALUES} from at_ease
"""
_KEEP_HOLDING = f"""
    with held as materialized (select {HOLD} as short), kept as (
        insert into quote ({_COLUMNS}) select {_VALUES} from held where short is null
    )
    select short from held
"""


def keep_quote(
    session: Session,
    document: dict[str, Any],
    *,
    till: TillIdentity,
    basket: Basket,
    account_id: UUID | None,
    promise: Promise,
    now: datetime,
    holding: tuple[Place, Sequence[Use]] | None = None,
) -> list[str]:
    """
    Keep a quote, in one round trip, and return the offers whose budgets cannot bear it: then it is not kept.

    `holding` is what it holds, and where; whatever the till held before is let go. None where nothing
    that is live has a budget.
    """
    totals, points = document["totals"], document["points"]
    values: dict[str, Any] = {
        "quote_id": document["quote_id"],
        "store_id": till.store_id,
        "till_id": till.till_id,
        "card_number": basket.card_number,
        "account_id": account_id,
        "currency": basket.currency,
        "now": now,
        "valid_until": now + HONOURED_FOR,
        "lines": text_of(_lines(basket, document)),
        "gross_amount": totals["gross_amount"],
        "discount_amount": totals["discount_amount"],
        "points_amount": totals["points_amount"],
        "payable_amount": totals["payable_amount"],
        "points_to_spend": points["to_spend"],
        "points_to_earn": points["to_earn"],
        "offers": None if (promised := promise.document()) is None else text_of(promised),
    }
    if holding is None:
        ask(session, _KEEP, values)
        return []
    place, wanted = holding
    values |= hold_values(
        quote_id=document["quote_id"],
        place=place,
        wanted=wanted,
        now=now,
        valid_until=now + HONOURED_FOR,
    )
    row = ask(session, _KEEP_HOLDING, values).fetchone()
    return list(row[0] or ()) if row else []


_USE = "update quote set used_by = %s where quote_id = %s and used_by is null"


def use_quote(
    session: Session, quote: Quote | None, *, posted: PostedReceipt, receipt_id: UUID
) -> Callable[[], None]:
    """
    Note, in the trip that writes a receipt, that it relies on what its quote promised of offers.

    What is returned looks afterwards whether no other receipt did so meanwhile; otherwise it raises psycopg's
    SerializationFailure: looked at again, the quote is used.
    """
    relied = (
        quote is not None
        and quote.promise != NOTHING_PROMISED
        and posted.type == SALE
        and posted.mode == LIVE
        and quote.honours(posted.closed_at)
    )
    if quote is None or not relied:
        return lambda: None
    cursor = ask(session, _USE, (receipt_id, quote.quote_id))

    def look() -> None:
        # Used by another or forgotten meanwhile: a new attempt finds it so.
        if cursor.rowcount != 1:
            raise errors.SerializationFailure("the quote was used by another receipt meanwhile")

    return look


def _lines(basket: Basket, document: dict[str, Any]) -> list[list[Any]]:
    return [
        [
            line.line_number,
            str(line.quantity),
            line.unit_price,
            quoted["gross_amount"],
            quoted["discount_amount"],
        ]
        for line, quoted in zip(basket.lines, document["lines"], strict=True)
    ]

"""
What looks like misuse of a card or of a till: judged with each receipt, raised for a person to decide.

A customer is never blocked by this. Receipts come in any order, so each one is judged
together with what was closed before and after it: whichever of too many comes last is
flagged, and the same alert is raised whatever the order.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import ask
from loyalty.opening import Opening, Seen
from sales.receipts import LIVE, RETURN, SALE, Flag, PostedReceipt, TillIdentity

MOST_IN_TEN_MINUTES = 3
MOST_IN_A_DAY = 6
"""Receipts with one card in one store."""
MOST_OF_A_CASHIER_IN_A_DAY = 4
MOST_OF_A_CASHIER_IN_A_WEEK = 10
MOST_BLIND_RETURNS_IN_A_WEEK = 2
SHORT = timedelta(minutes=10)
WATCHED_FOR = timedelta(days=35)
"""Older receipts from files raise no alerts: nobody can ask the cashier any more."""

Kind = Literal["velocity", "own_card", "cashier_card", "blind_returns"]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What looks like misuse; `day` is the business date, or the Monday of the week it is judged by."""

    kind: Kind
    day: date
    receipts: int
    operator_code: str | None = None
    card_number: str | None = None


def most_within(moments: Collection[datetime], moment: datetime, span: timedelta) -> int:
    """Return how many of `moments` and `moment` itself lie within the best `span` that holds `moment`."""
    ordered = sorted((*moments, moment))
    most = 0
    for first in ordered:
        if moment - span <= first <= moment:
            most = max(most, sum(1 for other in ordered if first <= other <= first + span))
    return most


def monday_of(day: date) -> date:
    """Return the Monday of the week of `day`."""
    return day - timedelta(days=day.weekday())


def velocity_flag(posted: PostedReceipt, seen: Seen) -> Flag | None:
    """Return the flag of a live sale whose card is on too many receipts at once, or in one day and store."""
    if most_within(seen.near, posted.closed_at, SHORT) > MOST_IN_TEN_MINUTES:
        return Flag("suspicious", f"the card was on more than {MOST_IN_TEN_MINUTES} receipts in ten minutes")
    if seen.today + 1 > MOST_IN_A_DAY:
        return Flag(
            "suspicious", f"the card was on more than {MOST_IN_A_DAY} receipts of this store in a day"
        )
    return None


def suspicions(posted: PostedReceipt, opening: Opening) -> Iterator[Suspicion]:
    """Yield what looks like misuse about a live receipt in the light of those that are there already."""
    if posted.mode != LIVE:
        return
    operator, card, day = posted.operator_code, posted.card_number, posted.business_date
    if posted.type == RETURN and posted.original is None and operator is not None:
        yield Suspicion("blind_returns", monday_of(day), 1, operator_code=operator)
    if posted.type != SALE or card is None or opening.card is None or opening.card.account_id is None:
        return
    seen = opening.seen
    if seen.own_card:
        yield Suspicion("own_card", day, seen.by_operator + 1, operator_code=operator, card_number=card)
    elif operator is not None and seen.by_operator + 1 > MOST_OF_A_CASHIER_IN_A_DAY:
        yield Suspicion("cashier_card", day, seen.by_operator + 1, operator_code=operator, card_number=card)
    elif operator is not None and seen.by_operator_in_week + 1 > MOST_OF_A_CASHIER_IN_A_WEEK:
        count = seen.by_operator_in_week + 1
        yield Suspicion("cashier_card", monday_of(day), count, operator_code=operator, card_number=card)
    if velocity_flag(posted, seen):
        near = most_within(seen.near, posted.closed_at, SHORT)
        yield Suspicion("velocity", day, max(seen.today + 1, near), card_number=card)


_ORDERED = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"

# Blind returns are counted here, the new one among them: by an index of theirs, which holds nothing else.
_RAISE = """
    insert into alert (kind, store_id, day, operator_code, card_number, receipts, business_date, receipt_id, raised_at)
    select %(kind)s, %(store_id)s, %(day)s, %(operator_code)s, %(card_number)s, found.receipts,
           %(business_date)s, %(receipt_id)s, %(now)s
    from (
        select case when %(kind)s = 'blind_returns' then (
            select count(*) from receipt
            where store_id = %(store_id)s and operator_code = %(operator_code)s and type = 'return'
              and original_receipt_number is null and mode = 'live'
              and business_date between %(day)s::date and %(day)s::date + 6
        ) else %(receipts)s end as receipts
    ) as found
    where %(kind)s <> 'blind_returns' or found.receipts > %(most)s
    on conflict on constraint alert_subject_key do update
    set receipts = greatest(alert.receipts, excluded.receipts),
        business_date = excluded.business_date, receipt_id = excluded.receipt_id
"""


def raise_alerts(
    session: Session,
    *,
    found: Sequence[Suspicion],
    till: TillIdentity,
    business_date: date,
    receipt_id: UUID,
    now: datetime,
) -> None:
    """
    Raise alerts about a receipt just written, each subject's once a day or week.

    One that a person has decided about stays decided.
    """
    for one in found:
        values: dict[str, Any] = {
            "kind": one.kind,
            "store_id": till.store_id,
            "day": one.day,
            "operator_code": one.operator_code,
            "card_number": one.card_number,
            "receipts": one.receipts,
            "business_date": business_date,
            "receipt_id": receipt_id,
            "now": now,
            "most": MOST_BLIND_RETURNS_IN_A_WEEK,
        }
        if one.kind == "blind_returns":
            # No account is held here: two at once must see each other.
            ask(session, _ORDERED, (f"blind returns {till.store_id} {one.operator_code}",))
        ask(session, _RAISE, values)

"""What is used of offers: budgets that are left, what quotes hold of them, what receipts use and give back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import ask, driver_of, together
from core.quick_json import text_of
from core.trips import Answer
from rewards.carts import Left
from rewards.offers import Limits, Offer

UNLIMITED: Final = Limits()
MOST_AMOUNT: Final = 10**12
"""Minor units that one receipt counts of one offer: what a till states beyond that is a mistake, and would overflow budgets."""


@dataclass(frozen=True, slots=True)
class Use:
    """So many applications of a version of an offer, and so much off by it, in minor units; `limits` are its budgets."""

    offer_code: str
    offer_version: int
    uses: int
    amount: int
    limits: Limits = UNLIMITED

    def document(self) -> dict[str, Any]:
        """Return what the database's functions take."""
        limits = self.limits
        return {
            "offer_code": self.offer_code,
            "offer_version": self.offer_version,
            "uses": self.uses,
            "amount": min(self.amount, MOST_AMOUNT),
            "max_uses": limits.uses,
            "max_amount": limits.amount,
            "max_day_uses": limits.per_store_day_uses,
            "max_day_amount": limits.per_store_day_amount,
            "max_week_uses": limits.per_store_week_uses,
            "max_week_amount": limits.per_store_week_amount,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """The till that asks, and the day of its store for which it does."""

    store_id: int
    till_id: int
    day: date


_SPENT = """
    select code.offer_code, spent.uses, spent.amount, day_uses, day_amount, week_uses, week_amount,
           person.today, person.ever
    from unnest(%(codes)s::text[]) as code (offer_code)
    left join offer_spent(%(codes)s::text[], %(store_id)s::integer, %(day)s::date, %(now)s::timestamptz,
                          %(quote_id)s::uuid) as spent using (offer_code)
    left join lateral (
        select coalesce(sum(used.uses) filter (where used.day = %(day)s), 0)::bigint as today,
               coalesce(sum(used.uses), 0)::bigint as ever
        from offer_use as used
        where used.person_id = %(person_id)s::uuid and used.offer_code = code.offer_code
    ) as person on true
"""


_LET_GO = "select let_go_of_offers(%s::integer, %s::uuid)"


def budgets_left(
    session: Session,
    *,
    offers: Collection[Offer],
    place: Place,
    person_id: UUID | None,
    now: datetime,
    quote_id: UUID | None = None,
) -> Mapping[str, Left]:
    """
    Return what the limits of `offers` still allow at `place`, in one round trip; asks nothing without offers.

    What quotes hold at this moment is gone, but not what the quote `quote_id` holds that is being paid. What
    else the till holds is let go: this is its next quote or receipt.
    """
    if not offers:
        return {}
    by_code = {offer.code: offer.limits for offer in offers}
    values = {
        "codes": list(by_code),
        "store_id": place.store_id,
        "day": place.day,
        "now": now,
        "quote_id": quote_id,
        "person_id": person_id,
    }
    with together(session):
        # The question sees what was let go.
        ask(session, _LET_GO, (place.till_id, quote_id))
        spent = ask(session, _SPENT, values)
    return {row[0]: _left(by_code[row[0]], row) for row in spent.fetchall()}


def _left(limits: Limits, row: Sequence[Any]) -> Left:
    _, uses, amount, day_uses, day_amount, week_uses, week_amount, today, ever = row

    def rest(limit: int | None, spent: int | None) -> int | None:
        return None if limit is None else max(0, limit - (spent or 0))

    return Left(
        uses=rest(limits.uses, uses),
        amount=rest(limits.amount, amount),
        member_day=rest(limits.per_member_day, today),
        member=rest(limits.per_member, ever),
        store_day_uses=rest(limits.per_store_day_uses, day_uses),
        store_day_amount=rest(limits.per_store_day_amount, day_amount),
        store_week_uses=rest(limits.per_store_week_uses, week_uses),
        store_week_amount=rest(limits.per_store_week_amount, week_amount),
    )


HOLD = """hold_offers(%(quote_id)s::uuid, %(till_id)s::integer, %(store_id)s::integer, %(day)s::date, %(now)s::timestamptz,
            %(valid_until)s::timestamptz, %(wanted)s::jsonb)"""
"""SQL that holds what a quote promises, all or nothing; NULL, or the codes of what cannot be held. A part of larger questions."""


def hold_values(
    *, quote_id: UUID | str, place: Place, wanted: Sequence[Use], now: datetime, valid_until: datetime
) -> dict[str, Any]:
    """Return the values for the places in `HOLD`."""
    return {
        "quote_id": quote_id,
        "till_id": place.till_id,
        "store_id": place.store_id,
        "day": place.day,
        "now": now,
        "valid_until": valid_until,
        "wanted": text_of([use.document() for use in wanted]),
    }


@dataclass(frozen=True, slots=True)
class Using:
    """The receipt that uses offers: closed when, at which till on which of its store's days, by whom, after which quote."""

    business_date: date
    receipt_id: UUID
    place: Place
    person_id: UUID | None
    quote_id: UUID | None
    closed_at: datetime


_USE = """
    select book_offer_uses(%s::date, %s::uuid, %s::integer, %s::integer, %s::date, %s::uuid, %s::uuid, %s::timestamptz,
                           %s::timestamptz, %s::jsonb)
"""


def use_offers(session: Session, *, using: Using, uses: Sequence[Use], now: datetime) -> set[str]:
    """
    Book what a receipt used, let go of what its quote and its till held, and return what was beyond its budget.

    The counters of budgets are locked until the transaction ends.
    """
    row = send_uses(session, using=using, uses=uses, now=now).fetchone()
    return set(row[0] or ()) if row else set()


def send_uses(session: Session, *, using: Using, uses: Sequence[Use], now: datetime) -> Answer:
    """Do as `use_offers` does, and return the answer: together with others it is not there before the trip is over."""
    values = (
        using.business_date,
        using.receipt_id,
        using.place.till_id,
        using.place.store_id,
        using.place.day,
        using.person_id,
        using.quote_id,
        using.closed_at,
        now,
        text_of([use.document() for use in uses]),
    )
    return ask(session, _USE, values)


def let_go(session: Session, *, till_id: int) -> None:
    """Let go of what a till's last quote held."""
    ask(session, _LET_GO, (till_id, None))


def clear_holds(session: Session, *, before: datetime) -> None:
    """Forget holds that ended `before`; they have counted for nothing since."""
    driver_of(session).execute("delete from offer_hold where valid_until < %s", (before,))


_REVERSE = "select reverse_offer_uses(%s::date, %s::uuid, %s::uuid, %s::timestamptz, %s::uuid)"


def give_back_uses(
    session: Session, *, business_date: date, receipt_id: UUID, by_receipt_id: UUID, now: datetime
) -> None:
    """Give back the uses and amounts of a sale that still stand, for the void or return that leaves nothing of it."""
    ask(session, _REVERSE, (business_date, receipt_id, by_receipt_id, now, None))


def restore_uses(
    session: Session,
    *,
    business_date: date,
    receipt_id: UUID,
    restored_of: UUID,
    by_receipt_id: UUID,
    now: datetime,
) -> None:
    """Let the uses of a sale stand again that `restored_of` gave back, since that was voided itself."""
    values = (business_date, receipt_id, by_receipt_id, now, restored_of)
    ask(session, _REVERSE, values)


_COUNT = """
    select count_offers(array(
        select offer_code from offer_version
        where state = 'live' and (
            document #> '{limits,uses}' <> 'null' or document #> '{limits,amount}' <> 'null'
            or document #> '{limits,per_store_day_uses}' <> 'null'
            or document #> '{limits,per_store_day_amount}' <> 'null'
            or document #> '{limits,per_store_week_uses}' <> 'null'
            or document #> '{limits,per_store_week_amount}' <> 'null')))
"""


def count_budgets(session: Session) -> None:
    """Begin to count the uses of live offers that have a budget and were not counted yet, those before included."""
    driver_of(session).execute(_COUNT)

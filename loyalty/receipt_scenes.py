"""All that must be known of a live sale before it is booked, in one question: its locks, its card, what lies in it, what to offer next."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import ask
from core.ids import find_uuid
from core.json_values import day_in, moment_in, uuid_in
from core.records import record
from loyalty.exclusions import excluded_goods
from loyalty.opening import Known, Opening, Scanned, Seen, first_tier_of, held_in, quote_in
from loyalty.programme.rules import Excluded
from loyalty.tiers.scheme import Scheme
from loyalty.tiers.state import asked_values, state_in
from sales.barcode_layouts import codes_to_look_up
from sales.receipts import PostedReceipt, TillIdentity, own_identity

QUESTION: Final = """
    select receipt_scene(
        %s, %s::integer, %s::integer, %s::date, %s, %s, %s::timestamptz, %s::timestamptz,
        %s, %s, %s, %s::date, %s, %s, %s::uuid, %s::text[], %s::text[], %s::boolean, %s::boolean,
        %s::text, %s::text, %s::jsonb, %s::boolean, %s::integer[], %s::integer, %s::boolean, %s::interval, %s::date)
"""
_NO_TIER: Final = (None, None, None)
_NO_ADVICE: Final = (False, None, 0, False, None)


@record
class Look:
    """
    What the question came to beside the opening.

    `basket` is what `loyalty.shoppers.scene_in` reads, for `values`; `advice` what the adviser asked for, None where
    it asked nothing. `asked_buyer` says whether who buys was looked up, `asked_first` whether it was asked if a purchase is
    the first.
    """

    basket: Sequence[Any]
    values: Mapping[str, Any]
    asked_buyer: bool
    asked_first: bool
    advice: Mapping[str, Any] | None


def ask_about(
    session: Session,
    till: TillIdentity,
    posted: PostedReceipt,
    *,
    now: datetime,
    today: date,
    tiers: Scheme | None,
    excluded: Excluded,
    asks_buyer: bool,
    asks_first: bool,
    advice: Mapping[str, Any] | None,
) -> tuple[Opening, Look | None]:
    """
    Lock the identity of a live sale and its account, as `open_receipt` does, and return what is known of both and of its basket.

    `asks_buyer` says whether offers may ask who buys, `asks_first` whether it matters that a purchase is the first, `advice` are the values of an adviser's question, None
    for none. Of a receipt that was known before nothing else is looked at: no look. An account that nobody has looked at since
    there are tiers takes a second trip.

    Whoever books the same receipt at the same moment waits here, at most five seconds,
    after which psycopg's LockNotAvailable is raised.
    """
    original = posted.original
    skus, gtins = codes_to_look_up(session, posted.lines, store_id=till.store_id)
    row = ask(
        session,
        QUESTION,
        (
            own_identity(posted, till),
            till.store_id,
            till.till_id,
            posted.business_date,
            posted.receipt_number,
            posted.card_number,
            posted.closed_at,
            now,
            original and original.identity,
            original and original.store_code,
            original and original.till_code,
            original and original.business_date,
            original and original.receipt_number,
            posted.operator_code,
            posted.quote_id and find_uuid(posted.quote_id),
            skus,
            gtins,
            asks_buyer,
            asks_first,
            *(_NO_TIER if tiers is None else asked_values(tiers, posted.business_date)[:3]),
            *(_NO_ADVICE if advice is None else _asked(advice)),
            today,
        ),
    ).fetchone()[0]
    known = row[0]
    if known is not None:
        return Opening(Known(UUID(known[0]), bytes.fromhex(known[1]), known[2]), None), None
    look = Look(_basket_in(row), {"skus": skus, "gtins": gtins}, asks_buyer, asks_first, row[12])
    return _opening_in(session, row, posted, tiers, excluded), look


def _asked(advice: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        advice["asks_advice"],
        advice["common"],
        advice["most"],
        advice["asks_person"],
        advice["patience"],
    )


def _basket_in(row: Sequence[Any]) -> Sequence[Any]:
    person = row[11]
    if person is None:
        return (row[9], row[10], None, None, None, None, None, None, None, None)
    code, born, *rest = person
    return (row[9], row[10], code, day_in(born), *rest)


def _opening_in(
    session: Session, row: Sequence[Any], posted: PostedReceipt, tiers: Scheme | None, excluded: Excluded
) -> Opening:
    _, card, original, waiting, seen, account, sums, quote, tier, generation, goods, _, _ = row
    if goods is None:
        goods = (None,) * len(posted.lines)
    account_id = uuid_in(account)
    state = None
    if tiers is not None and tier is not None:
        state = state_in(tiers, posted.business_date, tier)
    today, near, by_operator, by_operator_in_week, own_card = seen
    return Opening(
        known=None,
        card=None if card is None else _scanned_in(card),
        articles=tuple([article and article[6] for article in goods]),
        original_receipt=uuid_in(original),
        waiting=waiting,
        seen=Seen(
            today or 0,
            tuple(map(datetime.fromisoformat, near or ())),
            by_operator or 0,
            by_operator_in_week or 0,
            bool(own_card),
        ),
        held=None if account_id is None else held_in(account_id, sums),
        quote=None
        if quote is None
        else quote_in(UUID(quote[0]), datetime.fromisoformat(quote[1]), *quote[2:]),
        excluded=frozenset(
            posted.lines[place].line_number for place in (excluded_goods(goods, excluded) if excluded else ())
        ),
        generation=generation,
        tier=state,
        first_tier=first_tier_of(session, account_id, posted, tiers, state),
    )


def _scanned_in(card: Sequence[Any]) -> Scanned:
    state, blocked, account, member, given, family, language, born = card
    return Scanned(
        state, moment_in(blocked), uuid_in(account), uuid_in(member), given, family, language, day_in(born)
    )

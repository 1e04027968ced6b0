"""A receipt's part in tiers: a sale reaches one at once, everything else has the account looked at as a whole."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import ask, driver_of
from loyalty.booking import Booking
from loyalty.opening import Opening
from loyalty.tiers.scheme import Schemes
from loyalty.tiers.standings import event_of, keep_standing, restand, tell
from loyalty.tiers.state import Climb, TierState, climb, may_climb
from loyalty.tiers.versions import schemes as schemes_of
from loyalty.tiers.walk import Qualifying
from sales.receipts import LIVE, RETURN, SALE, PostedReceipt, TillIdentity


@dataclass(frozen=True, slots=True)
class TierBooking:
    """
    What a receipt does to the tier of its account.

    Either it adds an `entry` to a state that is known, or the account is looked at anew, as far back as
    `since`, once the receipt is written. With neither it changes nothing.
    """

    account_id: UUID | None = None
    state: TierState | None = None
    """How the account stands afterwards, as far as that is known before it is written."""
    entry: Qualifying | None = None
    climb: Climb | None = None
    since: date | None = None


def book_tier(
    schemes: Schemes,
    *,
    posted: PostedReceipt,
    till: TillIdentity,
    opening: Opening,
    booking: Booking,
    receipt_id: UUID,
    now: datetime,
) -> TierBooking:
    """Return what `posted` does to the tier of the account that it is booked on. Pure."""
    account_id, state = booking.account_id, opening.tier
    if account_id is None or posted.mode != LIVE:
        return TierBooking(account_id, state)
    if not _counts(schemes, state, business_day(now, till.timezone)):
        return TierBooking(account_id)
    if posted.type != SALE:
        return TierBooking(account_id, state, since=_since(schemes, posted) if booking.linked else None)
    entry = Qualifying(
        posted.business_date,
        posted.closed_at,
        receipt_id,
        posted.currency,
        max(0, sum(line.total_amount for line in posted.lines if line.line_number not in opening.excluded)),
        booking.moved.earned,
        1,
    )
    # Who earns nothing may have been the cashier themselves: then it does not count at all, which the books know.
    plain = booking.moved.earned and not opening.waiting and posted.currency == till.currency
    if state is not None and plain and may_climb(state, entry, today=business_day(now, till.timezone)):
        climbed = climb(schemes, state, entry)
        return TierBooking(account_id, climbed.state, entry, climbed)
    since = schemes.counted_from if opening.waiting else posted.business_date
    return TierBooking(account_id, state, since=since)


def _counts(schemes: Schemes, state: TierState | None, today: date) -> bool:
    """Return whether purchases are counted: from the start of the first version on, and for who has a standing."""
    return bool(schemes) and (state is not None or schemes.approved[0].valid_from <= today)


def _since(schemes: Schemes, posted: PostedReceipt) -> date | None:
    """Return the first day that a return or void can have changed: what is voided lay on any day."""
    return posted.business_date if posted.type == RETURN else schemes.counted_from


def write_tier(session: Session, booked: TierBooking, *, now: datetime) -> None:
    """Write the entry of a sale, and the step that it made; together with others, without a round trip of its own."""
    entry, account_id = booked.entry, booked.account_id
    if entry is None or account_id is None or booked.climb is None:
        return
    values = (
        account_id,
        entry.business_date,
        entry.receipt_id,
        entry.closed_at,
        entry.currency,
        entry.spend,
        entry.points,
        entry.visits,
    )
    ask(session, _COUNT, values)
    if booked.climb.step is not None:
        keep_standing(session, account_id, booked.climb.state, now=now)
        tell(session, [event_of(account_id, booked.climb.step)], now=now)


_COUNT = """
    insert into qualifying_entry (account_id, business_date, receipt_id, closed_at, currency, spend, points, visits)
    values (%s, %s, %s, %s, %s, %s, %s, %s)
"""


def look_again(
    session: Session, booked: TierBooking, *, schemes: Schemes, till: TillIdentity, now: datetime
) -> TierState | None:
    """Look at the whole account, now that the receipt is written; None when nothing made that necessary."""
    if booked.since is None or booked.account_id is None:
        return None
    found = restand(
        session,
        account_ids=[booked.account_id],
        schemes=schemes,
        today=business_day(now, till.timezone),
        now=now,
        since=booked.since,
    )
    return found.get(booked.account_id)


def restand_held(session: Session, *, account_id: UUID, today: date, now: datetime) -> None:
    """Look at all that an account, which is held, ever qualified for, where there are tiers."""
    versions = schemes_of(session)
    if versions and versions.approved[0].valid_from <= today:
        first = versions.counted_from
        restand(session, account_ids=[account_id], schemes=versions, today=today, now=now, since=first)


def restand_known(
    session: Session, *, account_ids: Collection[UUID], days: Collection[date], now: datetime
) -> None:
    """
    Look at those of these accounts that have a standing, after sales of `days` were imported.

    The night looks at the others.
    """
    versions = schemes_of(session)
    if not versions or not account_ids:
        return
    rows = driver_of(session).execute(
        """
        select account_id from tier_standing join balance using (account_id)
        where account_id = any(%s) order by account_id for update of balance
        """,
        (list(account_ids),),
    )
    known = [row[0] for row in rows.fetchall()]
    restand(session, account_ids=known, schemes=versions, today=now.date(), now=now, since=min(days))

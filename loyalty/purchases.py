"""Sales: what they spend and earn is booked, and what waited for them."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.clock import business_day
from loyalty.booking import Booking, position_after
from loyalty.earning import earned_on_receipt, nothing, points_part, share_over_lines
from loyalty.holding import Holding
from loyalty.ledger import Cause
from loyalty.offer_points import NOTHING_ADDED, OfferPoints
from loyalty.opening import Held, Opening
from loyalty.programme.rules import Programme
from loyalty.returns.booked_sale import BookedSale, Moved
from loyalty.returns.originals import Named
from loyalty.returns.reversals import book_waiting
from loyalty.returns.standing_lines import SoldLine, Standing
from loyalty.spending import Spent, hold_spenders, spend_on_receipt
from sales.receipts import LIVE, Flag, PostedLine, PostedReceipt, TillIdentity, own_identity
from sales.records import LinePoints


def book_sale(
    session: Session,
    *,
    till: TillIdentity,
    posted: PostedReceipt,
    opening: Opening,
    held: Held | None,
    receipt_id: UUID,
    now: datetime,
    programme: Programme,
    offers: OfferPoints = NOTHING_ADDED,
) -> Booking:
    """
    Book what a sale spends and earns on the account `held`, None when its card has none to earn for.

    It earns by `programme`, with what `offers` add.
    """
    own = None if held is None else held.account_id
    booking = Booking(account_id=own, programme_version=programme.version or None)
    cause = Cause(posted.business_date, now, receipt_id)
    spends = posted.mode == LIVE and bool(posted.redemption_ids or posted.offline_redemptions)
    # What was spent with a card offline was, whether the card may still earn or not.
    payer = opening.card.account_id if spends and posted.offline_redemptions and opening.card else None
    ended = _has_ended(programme, posted, till, now)
    if held is not None and held.settled and not opening.waiting and not spends and not ended:
        holdings = {held.account_id: Holding(held.account_id, now=now, complete=False)}
    else:
        holdings = hold_spenders(session, posted=posted, till=till, own=own, payer=payer, now=now)
    booking.holdings = list(holdings.values())
    spent = Spent()
    if spends:
        spent = spend_on_receipt(
            session,
            posted=posted,
            till=till,
            payer=payer,
            holdings=holdings,
            cause=cause,
            programme=programme,
        )
    booking.rests, booking.issued = spent.rests, spent.issued
    booking.flags = [*spent.flags, *_value_flags(posted, spent, programme)]
    holding = holdings.get(own) if own else None
    shares = nothing(posted.lines)
    if holding is not None and not opening.seen.own_card:
        shares = earned_on_receipt(posted, till, programme, opening.excluded, offers)
    earned = sum(shares.values())
    lot = None
    if holding is not None:
        lot = holding.earn(shares, cause, timezone=till.timezone, programme=programme)
    spent_shares = share_over_lines(spent.points, posted.lines)
    booking.moved = Moved(earned=earned, spent=spent.points)
    booking.points = {line: LinePoints(shares[line], spent_shares[line]) for line in shares}
    if earned and programme.pending_days:
        booking.pending_until = programme.pending_until(posted.business_date)
    if opening.waiting:
        if holding is not None and ended:
            # What a return takes back must not hang on whether it came before or after its sale.
            holding.expire(Cause(business_day(now, till.timezone), now))
        _book_what_waited(session, booking, till=till, posted=posted, cause=cause)
    if held is not None and holding is not None:
        booking.position = position_after(held, holding, lot)
    return booking


def _has_ended(programme: Programme, posted: PostedReceipt, till: TillIdentity, now: datetime) -> bool:
    """Whether the points of a sale have ended before it came, so that they only pay what is below zero."""
    ends = (
        programme.expires_at(posted.business_date, till.timezone)
        if posted.business_date < now.date()
        else None
    )
    return ends is not None and ends <= now


def _value_flags(posted: PostedReceipt, spent: Spent, programme: Programme) -> Iterator[Flag]:
    """Yield the flags of a receipt whose points paid for more or less than they are worth, or more than they may."""
    if posted.mode != LIVE:
        return
    stated = points_part(posted, programme)
    if stated not in {spent.value, spent.value + spent.voucher_value}:
        yield Flag(
            "totals_mismatch", f"points_amount says {stated}, the points spent are worth {spent.value}"
        )
    bill = sum(line.total_amount for line in posted.lines)
    if spent.points and programme.exceeds_share(spent.value, bill):
        yield Flag(
            "over_redeemed",
            f"points worth {spent.value} paid more than {programme.share_percent} % of a bill of {bill}",
        )


def _book_what_waited(
    session: Session, booking: Booking, *, till: TillIdentity, posted: PostedReceipt, cause: Cause
) -> None:
    assert cause.receipt_id is not None
    named = Named(
        receipt_id=cause.receipt_id,
        business_date=posted.business_date,
        type=posted.type,
        mode=posted.mode,
        account_id=booking.account_id,
        identity=own_identity(posted, till),
        sale_receipt_id=None,
        sale_business_date=None,
        sale_identity=None,
        waits=False,
    )
    sale = None
    if posted.mode == LIVE:
        sold = {line.line_number: _sold(line, booking) for line in posted.lines}
        entries = [entry for holding in booking.holdings for entry in holding.entries]
        sale = BookedSale(
            receipt_id=cause.receipt_id,
            account_id=booking.account_id,
            standing=Standing(sold),
            entries=[entry for entry in entries if entry.cause.receipt_id == cause.receipt_id],
            holdings={holding.account_id: holding for holding in booking.holdings},
            # What is given with it is only being booked.
            gave=True,
        )
    booking.arrivals = list(
        book_waiting(session, named=named, sale=sale, now=cause.booked_at, undone=booking.undone)
    )


def _sold(line: PostedLine, booking: Booking) -> SoldLine:
    points = booking.points[line.line_number]
    return SoldLine(line.quantity, points.points, points.points_spent)

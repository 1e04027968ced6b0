"""Sales: what they earn is booked, and what waited for them."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.clock import business_day
from loyalty.booked_sale import BookedSale, Moved
from loyalty.booking import Booking, position_after
from loyalty.earning import earned_points, share_over_lines
from loyalty.holding import Holding
from loyalty.ledger import Cause
from loyalty.opening import Held, Opening
from loyalty.originals import Named, read_lots
from loyalty.programme import Programme
from loyalty.returns import SoldLine, Standing
from loyalty.reversals import book_waiting
from sales.receipts import LIVE, PostedReceipt, TillIdentity, own_identity
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
) -> Booking:
    """Book what a sale earns on the account `held`, None when its card has none to earn for."""
    booking = Booking(account_id=None if held is None else held.account_id)
    cause = Cause(posted.business_date, now, receipt_id)
    holding = None if held is None else _holding(session, held, till=till, opening=opening, now=now)
    shares: Mapping[int, int] = {}
    lot = None
    if holding is not None:
        booking.holdings = [holding]
        shares = share_over_lines(earned_points(posted, till, programme), posted.lines)
        lot = holding.earn(shares, cause, timezone=till.timezone, programme=programme)
        if lot:
            booking.moved = Moved(earned=lot.earned)
            booking.points = {line: LinePoints(points=share) for line, share in shares.items()}
            booking.pending_until = programme.pending_until(posted.business_date)
    if opening.waiting:
        _book_what_waited(session, booking, till=till, posted=posted, cause=cause, shares=shares)
    if held is not None and holding is not None:
        booking.position = position_after(held, holding, lot)
    return booking


def _holding(session: Session, held: Held, *, till: TillIdentity, opening: Opening, now: datetime) -> Holding:
    """Return the account with its lots; with none when earning is all that will happen to it."""
    if held.settled and not opening.waiting:
        return Holding(held.account_id, now=now, complete=False)
    holding = Holding(held.account_id, read_lots(session, account_id=held.account_id), now=now)
    holding.expire(Cause(business_day(now, till.timezone), now))
    return holding


def _book_what_waited(
    session: Session,
    booking: Booking,
    *,
    till: TillIdentity,
    posted: PostedReceipt,
    cause: Cause,
    shares: Mapping[int, int],
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
        sold = {
            line.line_number: SoldLine(line.quantity, shares.get(line.line_number, 0), 0)
            for line in posted.lines
        }
        sale = BookedSale(
            receipt_id=cause.receipt_id,
            account_id=booking.account_id,
            standing=Standing(sold),
            entries=[
                entry for holding in booking.holdings for entry in holding.entries if entry.cause is cause
            ],
            holdings={holding.account_id: holding for holding in booking.holdings},
        )
    booking.arrivals = list(book_waiting(session, named=named, sale=sale, now=cause.booked_at))

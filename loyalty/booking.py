"""What was made of a receipt before it is written, and the account it is booked on. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from loyalty.holding import Holding
from loyalty.lots import EXPIRING_WITHIN, Lot, Position, last_day, position_of
from loyalty.opening import Held
from loyalty.returns.booked_sale import Moved
from loyalty.returns.undoing import Undone
from rewards.vouchers.issue import IssuedVoucher
from sales.receipts import Flag
from sales.records import Arrival, LinePoints


@dataclass(slots=True)
class Booking:
    """A receipt's effect on points, its own flags of that, and what had waited for it."""

    account_id: UUID | None = None
    """The account that the receipt belongs to."""
    position: Position | None = None
    """How the account that the till is told about stands afterwards."""
    holdings: list[Holding] = field(default_factory=list)
    moved: Moved = field(default_factory=Moved)
    points: Mapping[int, LinePoints] = field(default_factory=dict)
    pending_until: date | None = None
    flags: list[Flag] = field(default_factory=list)
    rests: list[tuple[str, int]] = field(default_factory=list)
    """Vouchers that were reserved and paid with, good still, and for how much, in minor units."""
    issued: list[IssuedVoucher] = field(default_factory=list)
    """What was issued for rests of such vouchers."""
    arrivals: list[Arrival] = field(default_factory=list)
    original_receipt_id: UUID | None = None
    programme_version: int | None = None
    """Of a sale, the version that it was booked under; None is the contract's own."""
    undone: list[Undone] = field(default_factory=list)
    """Sales of which nothing is left now, or something again: what offers gave with them goes back or is given again."""
    linked: bool = False
    """Whether a live return or void names an original, be it there or not."""
    language: str | None = None
    """That of the member on whose account a return or void was booked: whoever brings it may have no card at hand."""


def position_after(held: Held, holding: Holding, lot: Lot | None = None) -> Position:
    """
    Return how a held account stands after what was booked in `holding`.

    From its lots if they were read; otherwise from its sums and the new `lot`, which is
    all that can have happened.
    """
    if holding.complete:
        reserved = held.reserved + holding.added("reserved")
        return position_of(holding.lots.values(), reserved=reserved, now=holding.now)
    if lot is None or lot.is_due(holding.now):
        return held.position
    position = held.position
    pending = lot.is_pending(holding.now)
    expiring = dict(position.expiring)
    if lot.expires_at and lot.expires_at <= holding.now + EXPIRING_WITHIN:
        day = last_day(lot.expires_at)
        expiring[day] = expiring.get(day, 0) + lot.remaining
    return Position(
        available=position.available + (0 if pending else lot.remaining),
        pending=position.pending + (lot.remaining if pending else 0),
        reserved=position.reserved,
        expiring=tuple(sorted(expiring.items())),
    )

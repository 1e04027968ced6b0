"""
What an answer to a till says beside prices and points: loyalty carries it on its own trips, and knows nothing of how it is made.

The edge hands in an adviser, or none. What it makes must never fail or delay what is quoted or paid.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from contacts.reactions import Refusals
from core.clock import business_day
from core.driver import Along, bring_along
from core.records import record
from core.trips import Values
from loyalty.booking import Booking
from loyalty.expiry import ending_soon
from loyalty.holders import holder_on, language_for
from loyalty.opening import Opening
from loyalty.receipt_scenes import Look
from loyalty.tiers.state import TierState
from rewards.live_book import LiveBook, live_book
from sales.receipts import TillIdentity


@record
class Customer:
    """
    Who stands at the till, as far as booking knows it, and in which words they are spoken to.

    `ending` is the last day of points that end soon, and how many of them would be lost. `source` names the
    quote or receipt.
    """

    language: str
    today: date
    live: LiveBook
    tier_code: str | None
    ending: tuple[date, int] | None
    source: Mapping[str, str]


@record
class Advice:
    """
    The next offers as the contract has them, the lines to print of them, and the statement that keeps them.

    The statement answers whether it could; it raises nothing. `refusals` are what the customer is not to be
    offered, None where the adviser has not learnt it.
    """

    offers: tuple[dict[str, Any], ...] = ()
    lines: tuple[str, ...] = ()
    log: tuple[str, Values] | None = None
    refusals: Refusals | None = None

    def send_along(self, session: Session) -> Along | None:
        """Let it be kept on the way of the next question; None where there is nothing to keep."""
        return bring_along(session, *self.log) if self.log is not None else None


NO_ADVICE: Final = Advice()


class Adviser(Protocol):
    """Who knows what to offer next; one for each attempt at an answer."""

    @property
    def question(self) -> Mapping[str, Any] | None:
        """The values of what must be known to advise, for who asks it beside a question; None where nothing is to be asked."""
        ...

    def advise(self, session: Session, customer: Customer, found: Mapping[str, Any] | None = None) -> Advice:
        """
        Return what to say; nothing rather than an error, and nothing rather than late.

        `found` is what the question came to, where somebody asked it.
        """
        ...


def receipt_advice(  # noqa: PLR0917 - what is known of a receipt by then
    session: Session,
    adviser: Adviser | None,
    look: Look | None,
    till: TillIdentity,
    opening: Opening,
    booking: Booking,
    tier: TierState | None,
    receipt_id: UUID,
    *,
    now: datetime,
) -> Advice:
    """Return what to offer next to whoever has paid; nothing without an adviser."""
    if adviser is None:
        return NO_ADVICE
    today = business_day(now, till.timezone)
    customer = Customer(
        language=language_for(holder_on(opening, booking), till),
        today=today,
        live=live_book(session, generation=opening.generation),
        tier_code=tier.code if tier else None,
        ending=ending_soon(booking.position, today) if booking.position else None,
        source={"receipt": str(receipt_id)},
    )
    return adviser.advise(session, customer, look.advice if look is not None else None)

"""Whom a receipt is booked for, and how they are spoken to. Pure."""

from loyalty.booking import Booking
from loyalty.opening import Opening, Scanned
from loyalty.printing import greeting, language_of_store
from sales.receipts import TillIdentity


def holder_on(opening: Opening, booking: Booking) -> Scanned | None:
    """Return the card on the receipt, where the account that it is booked on is the card's own."""
    card = opening.card
    return card if card and card.account_id and card.account_id == booking.account_id else None


def language_for(holder: Scanned | None, till: TillIdentity, *, otherwise: str | None = None) -> str:
    """Return the holder's language, else what is known `otherwise`, else the store's."""
    known = (holder.language if holder else None) or otherwise
    return known or language_of_store(till.timezone)


def name_of(holder: Scanned | None) -> str | None:
    """Return how the holder is greeted; None for a card that nobody has registered."""
    return greeting(holder.given_name, holder.family_name or "") if holder and holder.given_name else None

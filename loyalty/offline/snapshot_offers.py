"""The live offers as a till takes them along, to apply them while nobody can be asked."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rewards.codec import offer_document
from rewards.live_book import live_book
from sales.receipts import TillIdentity


def offers_for(session: Session, *, till: TillIdentity, now: datetime) -> dict[str, Any]:
    """
    Return how groups choose, and the live offers of the till's store that are not over, as the format writes them.

    What is left of budgets is not told: a receipt beyond one is booked, and flagged. Offers that name
    members tell nothing about others, so lists of member codes are left out with their offers.
    """
    live = live_book(session)
    return {
        "choice": live.book.choice,
        "offers": [
            {**offer_document(offer), "version": offer.version}
            for offer in live.offers.values()
            if (not offer.stores or till.store_code in offer.stores)
            and (offer.valid.end is None or now < offer.valid.end)
            and not offer.audience.member_codes
        ],
    }

"""Reads about cards and their holders."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import ask, driver_of
from core.errors import NotFound
from core.records import record

LONGEST_CHAIN = 100
"""Replacements that a number is followed through; more than anybody loses cards."""


class CardNotFound(NotFound):
    """The number was never seen, or its check digit is wrong."""


@record
class CardHolder:
    """
    Whom a number leads to.

    `card_number` and `state` are those asked for; the rest is the card's at the end of
    its replacements: the account that its receipts are booked on and the person to greet.
    """

    card_number: str
    state: str
    successor: str
    successor_state: str
    blocked_at: datetime | None
    account_id: UUID | None
    member_id: UUID | None
    given_name: str | None
    family_name: str | None
    language: str | None
    birth_date: date | None
    role: str | None = None
    """What the member may do on the account: owner, spender, or earner, who may not spend."""


HOLDER = "select * from card_holder(%(card_number)s::text)"
"""A `CardHolder`, of no row when the card was never seen; a part of larger questions too."""


def holder_of_card(session: Session, card_number: str) -> CardHolder:
    """Return whom `card_number` leads to, through all its replacements; raises `CardNotFound`."""
    row = ask(session, HOLDER, {"card_number": card_number}).fetchone()
    if row is None:
        raise CardNotFound(f"the card number {card_number} was never seen")
    return CardHolder(*row)


def known_cards(session: Session, numbers: Collection[str]) -> set[str]:
    """Return which of `numbers` are cards of ours."""
    if not numbers:
        return set()
    rows = driver_of(session).execute(
        "select card_number from card where card_number = any(%s)", (list(numbers),)
    )
    return {row[0] for row in rows}

"""Many cards at once: what an import of receipts asks about them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of
from customers.queries import LONGEST_CHAIN


@dataclass(frozen=True, slots=True)
class CardStanding:
    """Where a card stands after all its replacements, and whose receipts are booked with it."""

    state: str
    blocked_at: datetime | None
    account_id: UUID | None
    member_id: UUID | None


_STANDING = f"""
    with recursive chain as (
        select card_number as scanned, card_number, state, blocked_at, account_id, member_id, replaced_by, 0 as step
        from card where card_number = any(%s)
        union all
        select chain.scanned, next.card_number, next.state, next.blocked_at, next.account_id, next.member_id,
               next.replaced_by, step + 1
        from chain join card as next on chain.state = 'replaced' and next.card_number = chain.replaced_by
        where step < {LONGEST_CHAIN}
    )
    select distinct on (scanned) scanned, state, blocked_at, account_id, member_id
    from chain
    order by scanned, step desc
"""


def standing_of_cards(session: Session, card_numbers: Collection[str]) -> dict[str, CardStanding]:
    """Return where the cards stand, by the number asked for; a number never seen is left out."""
    rows = driver_of(session).execute(_STANDING, (list(card_numbers),)).fetchall()
    return {row[0]: CardStanding(*row[1:]) for row in rows}

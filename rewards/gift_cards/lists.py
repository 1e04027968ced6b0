"""Gift cards and what was moved on them, for people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from core.keyset import Ask, Page, read_page
from rewards.gift_cards.models import GiftCard, GiftCardEntry, GiftCardLeg
from rewards.gift_cards.operations import GiftCardNotFound
from sales.models import Store, Till


@dataclass(frozen=True, slots=True)
class GiftCardRow:
    """A gift card as it stands; `balance` in minor units."""

    gift_card_number: str
    currency: str
    state: str
    balance: int
    issued_at: datetime
    issued_by: str


@dataclass(frozen=True, slots=True)
class GiftCardMove:
    """Money that came or went; `amount` is the change of the balance."""

    entry_id: UUID
    reason: str
    amount: int
    booked_at: datetime
    actor: str
    store_code: str | None
    till_code: str | None
    receipt_number: str | None
    note: str | None


def _cards() -> Select[*tuple[Any, ...]]:
    return select(
        GiftCard.gift_card_number,
        GiftCard.currency,
        GiftCard.state,
        GiftCard.balance,
        GiftCard.issued_at,
        GiftCard.issued_by,
    )


def list_gift_cards(session: Session, ask: Ask) -> Page[GiftCardRow]:
    """Return a page of gift cards; filter `state`, words are the beginning of a number."""
    statement = _cards()
    if ask.filters.get("state"):
        statement = statement.where(GiftCard.state == ask.filters["state"])
    if ask.words:
        typed = "".join(ask.words.split()).upper()
        statement = statement.where(GiftCard.gift_card_number.startswith(typed, autoescape=True))
    sorts = ("gift_card_number", "state", "balance", "issued_at")
    page = read_page(session, statement, ask=ask, sorts=sorts, key="gift_card_number", filled=sorts)
    return Page(tuple(GiftCardRow(*row[:6]) for row in page.rows), page.following, page.previous, page.total)


def gift_card_row(session: Session, number: str) -> GiftCardRow:
    """Return one card; raises `GiftCardNotFound`."""
    row = session.execute(_cards().where(GiftCard.gift_card_number == number)).one_or_none()
    if row is None:
        raise GiftCardNotFound("there is no gift card of this number")
    return GiftCardRow(*row)


def gift_card_moves(session: Session, number: str) -> list[GiftCardMove]:
    """Return all that was booked on a card, the newest first."""
    held = aliased(GiftCardLeg)
    rows = session.execute(
        select(
            GiftCardEntry.entry_id,
            GiftCardEntry.reason,
            held.amount,
            GiftCardEntry.booked_at,
            GiftCardEntry.actor,
            Store.store_code,
            Till.till_code,
            GiftCardEntry.receipt_number,
            GiftCardEntry.note,
        )
        .join(held, (held.entry_id == GiftCardEntry.entry_id) & (held.book == "held"))
        .outerjoin(Store, Store.store_id == GiftCardEntry.store_id)
        .outerjoin(Till, Till.till_id == GiftCardEntry.till_id)
        .where(GiftCardEntry.gift_card_number == number)
        .order_by(GiftCardEntry.booked_at.desc(), GiftCardEntry.entry_id.desc())
    )
    return [GiftCardMove(*row) for row in rows]

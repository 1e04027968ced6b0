"""Tables: gift cards, and the double-entry books of the money on them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class GiftCard(Base):
    """A bearer's stored money; `balance` is a cache of its entries, and its row the lock under which money moves."""

    __tablename__ = "gift_card"
    __table_args__ = (
        CheckConstraint("gift_card_number ~ '^[0-9A-Z]{16}$'", name="number"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("state in ('active', 'blocked')", name="state"),
        CheckConstraint("balance >= 0", name="balance"),
    )

    gift_card_number: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="active")
    balance: Mapped[int] = mapped_column(BigInteger, server_default="0")
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]


class GiftCardEntry(Base):
    """Money that was paid in for a card, paid with it, or came back to it; append-only."""

    __tablename__ = "gift_card_entry"
    __table_args__ = (
        CheckConstraint("reason in ('load', 'spend', 'return')", name="reason"),
        CheckConstraint("(reason = 'return') = (returns is not null)", name="returns"),
        Index("gift_card_entry_gift_card_number_idx", "gift_card_number", "entry_id"),
        Index("gift_card_entry_returns_idx", "returns", postgresql_where="returns is not null"),
    )

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    gift_card_number: Mapped[str] = mapped_column(ForeignKey("gift_card.gift_card_number"))
    reason: Mapped[str]
    booked_at: Mapped[datetime]
    actor: Mapped[str]
    store_id: Mapped[int | None] = mapped_column(ForeignKey("store.store_id"))
    till_id: Mapped[int | None] = mapped_column(ForeignKey("till.till_id"))
    receipt_number: Mapped[str | None]
    returns: Mapped[UUID | None] = mapped_column(ForeignKey("gift_card_entry.entry_id"))
    """The spending that comes back, as a whole or a part of it."""
    note: Mapped[str | None]
    """Why it was booked by hand."""


class GiftCardLeg(Base):
    """One side of an entry; the legs of an entry sum to zero. `held` is what the card holds, the others the chain's."""

    __tablename__ = "gift_card_leg"
    __table_args__ = (
        CheckConstraint("book in ('held', 'paid_in', 'spent')", name="book"),
        CheckConstraint("amount <> 0", name="amount"),
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("gift_card_entry.entry_id"), primary_key=True)
    book: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)

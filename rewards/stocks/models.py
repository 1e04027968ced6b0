"""Tables: how many pieces of a reward lie in each store, and every movement that made it so."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class RewardStock(Base):
    """
    How many pieces of a reward lie in a store, and how many of those are held for somebody.

    A trigger notes with what a stock begins; from then on every change has its movement.
    """

    __tablename__ = "reward_stock"
    __table_args__ = (
        CheckConstraint("on_hand >= 0", name="on_hand"),
        CheckConstraint("reserved between 0 and on_hand", name="reserved"),
        CheckConstraint("low_at >= 0", name="low"),
    )

    reward_code: Mapped[str] = mapped_column(ForeignKey("reward.reward_code"), primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"), primary_key=True)
    on_hand: Mapped[int]
    reserved: Mapped[int] = mapped_column(server_default="0")
    low_at: Mapped[int | None]
    """When so few or fewer can be had, the store is told; None is never."""


class StockMovement(Base):
    """A change of a stock, as differences of what lies there and of what is held; append-only."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        ForeignKeyConstraint(
            ["reward_code", "store_id"],
            ["reward_stock.reward_code", "reward_stock.store_id"],
            name="stock_movement_reward_code_fkey",
        ),
        CheckConstraint(
            "case kind "
            "when 'opening' then on_hand >= 0 and reserved >= 0 "
            "when 'delivery' then on_hand > 0 and reserved = 0 "
            "when 'count' then reserved = 0 "
            "when 'reserve' then on_hand = 0 and reserved > 0 "
            "when 'release' then on_hand = 0 and reserved < 0 "
            "when 'hand_over' then on_hand < 0 and reserved in (0, on_hand) "
            "when 'put_back' then on_hand > 0 and reserved = 0 "
            "else false end",
            name="kind",
        ),
        CheckConstraint("(business_date is null) = (receipt_id is null)", name="receipt"),
        Index("stock_movement_stock_idx", "store_id", "reward_code", "movement_id"),
        Index("stock_movement_redemption_idx", "redemption_id", postgresql_where="redemption_id is not null"),
        Index("stock_movement_receipt_idx", "receipt_id", postgresql_where="receipt_id is not null"),
    )

    movement_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    reward_code: Mapped[str]
    store_id: Mapped[int]
    kind: Mapped[str]
    on_hand: Mapped[int]
    reserved: Mapped[int]
    moved_at: Mapped[datetime]
    actor: Mapped[str]
    redemption_id: Mapped[UUID | None]
    business_date: Mapped[date | None]
    receipt_id: Mapped[UUID | None]
    """With business_date names the receipt that a gift was handed over with, or that brought it back."""
    offer_code: Mapped[str | None]
    note: Mapped[str | None]

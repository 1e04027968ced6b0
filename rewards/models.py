"""Tables: rewards that points buy, with their stock per store."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from rewards.rehearsal_models import Rehearsal, RehearsalPart, RehearsedOffer

__all__ = ["Rehearsal", "RehearsalPart", "RehearsedOffer", "Reward", "RewardStock"]


class Reward(Base):
    """A gift or service that points buy; its name per language."""

    __tablename__ = "reward"
    __table_args__ = (CheckConstraint("points > 0", name="points"),)

    reward_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, Any]]
    points: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default="true")


class RewardStock(Base):
    """How many pieces of a reward lie in a store."""

    __tablename__ = "reward_stock"
    __table_args__ = (CheckConstraint("on_hand >= 0", name="on_hand"),)

    reward_code: Mapped[str] = mapped_column(ForeignKey("reward.reward_code"), primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"), primary_key=True)
    on_hand: Mapped[int]

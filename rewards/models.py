"""Tables: rewards that points buy; their stock, vouchers and offers in modules of their own."""

from typing import Any

from sqlalchemy import CheckConstraint, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from rewards.gift_cards.models import GiftCard, GiftCardEntry, GiftCardLeg
from rewards.offer_models import LiveBook, OfferCode, OfferCounter, OfferHold, OfferUse, OfferVersion
from rewards.rehearsals.models import Rehearsal, RehearsalPart, RehearsedOffer
from rewards.stocks.models import RewardStock, StockMovement
from rewards.vouchers.models import Voucher, VoucherBatch, VoucherEvent, VoucherReservation

__all__ = [
    "GiftCard",
    "GiftCardEntry",
    "GiftCardLeg",
    "LiveBook",
    "OfferCode",
    "OfferCounter",
    "OfferHold",
    "OfferUse",
    "OfferVersion",
    "Rehearsal",
    "RehearsalPart",
    "RehearsedOffer",
    "Reward",
    "RewardStock",
    "StockMovement",
    "Voucher",
    "VoucherBatch",
    "VoucherEvent",
    "VoucherReservation",
]


class Reward(Base):
    """A gift or service that points buy, its name per language; for 0 points it is given by offers only."""

    __tablename__ = "reward"
    __table_args__ = (
        CheckConstraint("points >= 0", name="points"),
        CheckConstraint("pickup_days between 1 and 60", name="pickup"),
    )

    reward_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, Any]]
    points: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default="true")
    pickup_days: Mapped[int] = mapped_column(SmallInteger, server_default="3")
    """How many days after it was reserved at a desk it can be picked up still."""

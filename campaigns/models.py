"""Tables: what was offered to whom, what came of it, and what each store has to offer."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, Numeric
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

CHANNELS = ("till", "desk", "account", "catalog")


class Decision(Base):
    """
    That somebody was offered an article: one for each day, channel, store and article, however often it was shown.

    Its id begins with the day, so that a decision is found by its id alone.
    """

    __tablename__ = "decision"
    __table_args__ = (
        CheckConstraint("channel in ('till', 'desk', 'account', 'catalog')", name="channel"),
        CheckConstraint("propensity > 0 and propensity <= 1", name="propensity"),
        Index("decision_member_id_idx", "member_id", "day"),
        Index(
            "decision_account_id_idx",
            "account_id",
            "day",
            postgresql_where="member_id is null and account_id is not null",
        ),
        {"postgresql_partition_by": "RANGE (day)"},
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    """The business day of the store, or of the chain where there is no store."""
    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    """When it was shown first."""
    member_id: Mapped[UUID | None]
    """NULL for a card without a member, and for a basket without a card."""
    account_id: Mapped[UUID | None]
    channel: Mapped[str]
    store_id: Mapped[int | None]
    article_id: Mapped[int]
    offer_code: Mapped[str | None]
    """The live offer that lowers the article's price."""
    score: Mapped[float]
    propensity: Mapped[float]
    """How likely it was to be chosen, by the best score or by the chance that learning needs."""
    explored: Mapped[bool]
    """Whether it was chance that chose it."""
    reason: Mapped[dict[str, Any]]
    context: Mapped[dict[str, Any]]
    """What it was decided from: the list and the place in it, the basket, the run."""


class DecisionOutcome(Base):
    """The first receipt on which what was offered was bought; the night finds it."""

    __tablename__ = "decision_outcome"

    day: Mapped[date] = mapped_column(primary_key=True)
    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    business_date: Mapped[date]
    receipt_id: Mapped[UUID]
    bought_at: Mapped[datetime]


class DecisionRules(Base):
    """How much may be told to a member, and how much is left to chance; without the row the defaults hold."""

    __tablename__ = "decision_rules"
    __table_args__ = (
        CheckConstraint("only_row", name="only_row"),
        CheckConstraint("exploration between 0 and 0.5", name="exploration"),
    )

    only_row: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    limits: Mapped[dict[str, Any]]
    """By channel: [articles a day, articles in seven days]."""
    exploration: Mapped[Decimal] = mapped_column(Numeric(4, 3))
    set_by: Mapped[str]
    set_at: Mapped[datetime]


class SoldLately(Base):
    """When a store sold an article last, of the last weeks: without stock records that counts as being there."""

    __tablename__ = "sold_lately"

    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    article_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_sold: Mapped[date]


class StoreOffers(Base):
    """What most baskets of a store hold: what is offered to whom nobody has ranked anything for."""

    __tablename__ = "store_offers"

    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    article_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    made_for: Mapped[date]


class ReturnedFaulty(Base):
    """What was brought back to a store as faulty by an account; the night writes it down."""

    __tablename__ = "returned_faulty"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    returned_on: Mapped[date]

"""Tables: what passed between the chain and its members, and what they answered to what they were offered."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

DIRECTIONS = ("inbound", "outbound", "internal")


class Contact(Base):
    """
    One dated event between the chain and a member; it is never changed.

    Inbound is what the member did or said, outbound what the chain said, internal what the chain found out.
    """

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("direction in ('inbound', 'outbound', 'internal')", name="direction"),
        Index("contact_member_id_idx", "member_id", "at"),
        Index(
            "contact_source_idx",
            "source",
            "kind",
            "member_id",
            unique=True,
            postgresql_where="source is not null",
        ),
    )

    contact_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    at: Mapped[datetime]
    channel: Mapped[str]
    direction: Mapped[str]
    kind: Mapped[str]
    detail: Mapped[dict[str, Any]]
    source: Mapped[str | None]
    """What brought it about; the same source writes an event of a kind about a member once."""


class Reaction(Base):
    """
    One answer of a member; it is never changed, the newest about the same subject holds.

    The subject is the article when `category` is NULL, otherwise the category; with
    neither it is everything that the chain might offer.
    """

    __tablename__ = "reaction"
    __table_args__ = (
        CheckConstraint("reaction in ('accepted', 'not_now', 'never', 'wrong_product')", name="reaction"),
        CheckConstraint("scope in ('item', 'category', 'all')", name="scope"),
        CheckConstraint("scope = 'all' or sku is not null", name="subject"),
        Index("reaction_member_id_idx", "member_id", postgresql_where="member_id is not null"),
        Index("reaction_account_id_idx", "account_id", postgresql_where="member_id is null"),
    )

    reaction_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.member_id"))
    """Who answered; NULL for a card without a member, whose answers hold for whoever registers it."""
    card_number: Mapped[str]
    reaction: Mapped[str]
    scope: Mapped[str]
    sku: Mapped[str | None]
    """What the answer was about, whatever its scope, as the till said it; NULL when that was everything."""
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.article_id"))
    """The article of that number; NULL while nobody has heard of it."""
    category: Mapped[str | None]
    """The article's category at that moment, when the answer is about all of it."""
    channel: Mapped[str]
    actor: Mapped[str]
    recorded_at: Mapped[datetime]

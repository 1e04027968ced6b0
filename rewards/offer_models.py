"""Tables: offers with their versions, the book that tills see, and what was used of them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

OFFER_STATES = ("draft", "live", "rejected", "withdrawn", "replaced", "stopped")


class OfferCode(Base):
    """The code of an offer, which all its versions share, and budgets are counted by."""

    __tablename__ = "offer"
    __table_args__ = (CheckConstraint("offer_code ~ '^[A-Z0-9_-]{1,32}$'", name="code"),)

    offer_code: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class OfferVersion(Base):
    """
    A version of an offer; one of each offer is live at most.

    A draft may be changed; decided, it stands as it is for ever, and of a live one only the end is
    still to come: a trigger sees to that.
    """

    __tablename__ = "offer_version"
    __table_args__ = (
        CheckConstraint("version > 0", name="version"),
        CheckConstraint(
            "state in ('draft', 'live', 'rejected', 'withdrawn', 'replaced', 'stopped')", name="state"
        ),
        CheckConstraint(
            "(state = 'draft') = (decided_by is null) and (state = 'draft') = (decided_at is null)",
            name="decided",
        ),
        CheckConstraint("(state in ('live', 'replaced', 'stopped')) = (live_from is not null)", name="live"),
        CheckConstraint(
            "(state in ('replaced', 'stopped')) = (ended_at is not null) "
            "and (ended_at is null) = (ended_by is null)",
            name="ended",
        ),
        CheckConstraint(
            "live_from is null or imported_live or decided_by <> drafted_by", name="second_person"
        ),
        CheckConstraint("state <> 'rejected' or decision_reason is not null", name="reason"),
        CheckConstraint("document ->> 'code' = offer_code", name="document"),
        Index("offer_version_live_key", "offer_code", unique=True, postgresql_where="state = 'live'"),
    )

    offer_code: Mapped[str] = mapped_column(ForeignKey("offer.offer_code"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]]
    """The offer in canonical form, as `rewards.codec` writes it."""
    state: Mapped[str]
    imported_live: Mapped[bool] = mapped_column(server_default="false")
    """Made live at once by an administrator's import, without rehearsal and second person."""
    drafted_by: Mapped[str]
    drafted_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    live_from: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    end_reason: Mapped[str | None]


class LiveBook(Base):
    """The one row that says which generation of live offers tills must see, and how groups choose."""

    __tablename__ = "offer_book"
    __table_args__ = (
        CheckConstraint("book = 1", name="book"),
        CheckConstraint("choice in ('first', 'best')", name="choice"),
    )

    book: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, server_default="1")
    generation: Mapped[int] = mapped_column(BigInteger)
    choice: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class ChoicePast(Base):
    """How groups chose up to a moment; a trigger writes it when that changes."""

    __tablename__ = "offer_choice_past"
    __table_args__ = (CheckConstraint("choice in ('first', 'best')", name="choice"),)

    until: Mapped[datetime] = mapped_column(primary_key=True)
    choice: Mapped[str]


class OfferUse(Base):
    """
    What a receipt used of an offer; append-only, what is given back is a row of the other sign.

    `covered` says how its budget bore it: it was `within` it, `held` by the quote, `late` where that
    hold had ended before the receipt came, or `beyond` it, which the receipt is flagged for. There are
    no foreign keys: rows are written with nearly every receipt.
    """

    __tablename__ = "offer_use"
    __table_args__ = (
        CheckConstraint("covered in ('within', 'held', 'late', 'beyond')", name="covered"),
        CheckConstraint("uses >= 0 or reversed_by is not null", name="reversed"),
        Index("offer_use_receipt_idx", "business_date", "receipt_id"),
        Index("offer_use_person_id_idx", "person_id", "offer_code", postgresql_where="person_id is not null"),
        Index("offer_use_offer_code_idx", "offer_code", "day"),
    )

    use_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    offer_code: Mapped[str]
    offer_version: Mapped[int]
    business_date: Mapped[date]
    receipt_id: Mapped[UUID]
    store_id: Mapped[int]
    day: Mapped[date]
    """The store's own day on which the receipt was closed."""
    person_id: Mapped[UUID | None]
    """The member, or the account of a card that has none."""
    uses: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)
    covered: Mapped[str]
    reversed_by: Mapped[UUID | None]
    """Of what is given back, and of what stands again: the return or void that did it."""
    booked_at: Mapped[datetime]


class OfferCounter(Base):
    """
    The sums of `offer_use` of an offer that ever had a budget: in all, by store and day, by store and week.

    The row of the total is the lock under which all of them move.
    """

    __tablename__ = "offer_counter"
    __table_args__ = (
        CheckConstraint("period in ('total', 'day', 'week')", name="period"),
        CheckConstraint(
            "(period = 'total') = (store_id = 0) and (period = 'total') = (starts_on = date '2000-01-01')",
            name="total",
        ),
    )

    offer_code: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Zero in the total."""
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    """The day, the Monday of the week, or 2000-01-01 in the total."""
    uses: Mapped[int] = mapped_column(BigInteger, server_default="0")
    amount: Mapped[int] = mapped_column(BigInteger, server_default="0")


class OfferHold(Base):
    """What a quote has promised of an offer with a budget; it counts until `valid_until`, or is let go before."""

    __tablename__ = "offer_hold"
    __table_args__ = (
        CheckConstraint("uses > 0 and amount >= 0", name="uses"),
        Index("offer_hold_offer_code_idx", "offer_code", "valid_until"),
        Index("offer_hold_till_id_idx", "till_id"),
    )

    quote_id: Mapped[UUID] = mapped_column(primary_key=True)
    offer_code: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[int]
    store_id: Mapped[int]
    day: Mapped[date]
    uses: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)
    valid_until: Mapped[datetime]

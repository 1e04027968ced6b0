"""Tables: batches of vouchers, the vouchers with everything that happened to them, and who holds one."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

OF_RECEIPT = "(business_date is null) = (receipt_id is null)"


class VoucherBatch(Base):
    """
    What vouchers of one kind are worth, how long, where, and how they are printed.

    Without `value_amount` they are only a key to offers. What is changed here holds for vouchers issued
    from then on: an issued voucher keeps its value, its minimum and its end.
    """

    __tablename__ = "voucher_batch"
    __table_args__ = (
        CheckConstraint("batch_code ~ '^[A-Z0-9_-]{1,32}$'", name="code"),
        CheckConstraint("value_amount >= 0", name="value"),
        CheckConstraint(
            "(value_amount is null and minimum_amount = 0) or currency is not null", name="currency"
        ),
        CheckConstraint("minimum_amount >= 0", name="minimum"),
        CheckConstraint("valid_days between 0 and 36500", name="days"),
        CheckConstraint("residual in ('forfeit', 'keep', 'reissue')", name="residual"),
        CheckConstraint("symbology in ('ean13', 'code128', 'qr')", name="symbology"),
        CheckConstraint("ean_prefix ~ '^2[0-9]$'", name="prefix"),
    )

    batch_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, Any]]
    value_amount: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    minimum_amount: Mapped[int] = mapped_column(BigInteger, server_default="0")
    valid_days: Mapped[int | None]
    """How many days after the day of issue are valid still; None is for ever."""
    residual: Mapped[str] = mapped_column(server_default="forfeit")
    """What becomes of the rest when a voucher pays less than its value."""
    symbology: Mapped[str] = mapped_column(server_default="code128")
    ean_prefix: Mapped[str] = mapped_column(server_default="27")
    store_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    """Where its vouchers are taken; an empty list is everywhere."""
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class Voucher(Base):
    """
    A code worth something once: issued, perhaps reserved, then redeemed, cancelled or expired.

    A trigger lets nothing change but its state, its end and what is left of it; a redeemed or a cancelled
    one can only be issued again, when the sale was returned or the return was voided.
    """

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint("voucher_code ~ '^[A-Z0-9-]{4,32}$'", name="code"),
        CheckConstraint("state in ('issued', 'reserved', 'redeemed', 'cancelled', 'expired')", name="state"),
        CheckConstraint("account_id is not null or not bound", name="bound"),
        CheckConstraint(
            "(value_amount is null) = (left_amount is null) and (left_amount between 0 and value_amount)",
            name="value",
        ),
        CheckConstraint(
            "(value_amount is null and minimum_amount = 0) or currency is not null", name="currency"
        ),
        CheckConstraint(
            "(state = 'reserved') = (reserved_until is not null) "
            "and (state = 'reserved') = (redemption_id is not null)",
            name="reserved",
        ),
        CheckConstraint("(state = 'redeemed') = (redeemed_at is not null)", name="redeemed"),
        CheckConstraint(OF_RECEIPT, name="receipt"),
        Index("voucher_batch_code_idx", "batch_code", "issued_at", "voucher_code"),
        Index("voucher_account_id_idx", "account_id", postgresql_where="account_id is not null"),
        Index("voucher_due_idx", "valid_until", postgresql_where="state = 'issued'"),
        Index("voucher_receipt_idx", "receipt_id", postgresql_where="receipt_id is not null"),
        Index("voucher_replaces_idx", "replaces", postgresql_where="replaces is not null"),
    )

    voucher_code: Mapped[str] = mapped_column(primary_key=True)
    batch_code: Mapped[str] = mapped_column(ForeignKey("voucher_batch.batch_code"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id"))
    """Whose card shows it; None is nobody's."""
    bound: Mapped[bool] = mapped_column(server_default="false")
    """Whether nobody else may use it."""
    state: Mapped[str] = mapped_column(server_default="issued")
    value_amount: Mapped[int | None] = mapped_column(BigInteger)
    left_amount: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    minimum_amount: Mapped[int] = mapped_column(BigInteger, server_default="0")
    valid_until: Mapped[date | None]
    """The last day, on the calendar of the store where it is presented."""
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]
    business_date: Mapped[date | None]
    receipt_id: Mapped[UUID | None]
    """With business_date names the receipt that it was issued by."""
    offer_code: Mapped[str | None]
    replaces: Mapped[str | None] = mapped_column(ForeignKey("voucher.voucher_code"))
    """The voucher whose rest this one is."""
    reserved_until: Mapped[datetime | None]
    redemption_id: Mapped[UUID | None]
    redeemed_at: Mapped[datetime | None]


class VoucherEvent(Base):
    """Something that happened to a voucher; append-only."""

    __tablename__ = "voucher_event"
    __table_args__ = (
        CheckConstraint(
            "event in ('issued', 'reserved', 'released', 'redeemed', 'redeemed_again', 'given_back', "
            "'cancelled', 'restored', 'expired', 'reprinted')",
            name="event",
        ),
        CheckConstraint(OF_RECEIPT, name="receipt"),
        Index("voucher_event_voucher_code_idx", "voucher_code", "event_id"),
        Index("voucher_event_receipt_idx", "receipt_id", postgresql_where="receipt_id is not null"),
    )

    event_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    voucher_code: Mapped[str] = mapped_column(ForeignKey("voucher.voucher_code"))
    event: Mapped[str]
    happened_at: Mapped[datetime]
    actor: Mapped[str]
    amount: Mapped[int | None] = mapped_column(BigInteger)
    """What was redeemed or given back, in minor units; None for vouchers that are only a key."""
    store_id: Mapped[int | None]
    business_date: Mapped[date | None]
    receipt_id: Mapped[UUID | None]
    redemption_id: Mapped[UUID | None]
    note: Mapped[str | None]


class VoucherReservation(Base):
    """That a till held a voucher: reserved, then posted, released or expired; resolved once."""

    __tablename__ = "voucher_reservation"
    __table_args__ = (
        CheckConstraint("state in ('reserved', 'posted', 'released', 'expired')", name="state"),
        CheckConstraint("(state = 'reserved') = (resolved_at is null)", name="resolved"),
        CheckConstraint("value_amount >= 0", name="value"),
        Index(
            "voucher_reservation_open_idx",
            "voucher_code",
            unique=True,
            postgresql_where="state = 'reserved'",
        ),
    )

    redemption_id: Mapped[UUID] = mapped_column(primary_key=True)
    voucher_code: Mapped[str] = mapped_column(ForeignKey("voucher.voucher_code"))
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"))
    till_id: Mapped[int] = mapped_column(ForeignKey("till.till_id"))
    value_amount: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    reserved_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    business_date: Mapped[date | None]
    receipt_id: Mapped[UUID | None]

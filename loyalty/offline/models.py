"""Tables of offline work: keys that sign allowances, and what was spent under them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class SigningKey(Base):
    """A secret that signs allowances: one is current, retired ones only verify what they signed."""

    __tablename__ = "signing_key"
    __table_args__ = (
        CheckConstraint("length(secret) = 32", name="secret"),
        CheckConstraint("revoked_at is null or retired_at is not null", name="revoked"),
        Index(
            "signing_key_current_idx",
            text("(retired_at is null)"),
            unique=True,
            postgresql_where="retired_at is null",
        ),
    )

    key_id: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class OfflineRedemption(Base):
    """
    Points that a till let be spent while it was offline; append-only.

    `key_id`, `granted`, `issued_at` and `expires_at` are the allowance's, NULL when its signature
    does not hold; `overdrawn` is how many of the points the account did not have.
    """

    __tablename__ = "offline_redemption"
    __table_args__ = (
        CheckConstraint("points > 0", name="points"),
        CheckConstraint("overdrawn between 0 and points", name="overdrawn"),
        CheckConstraint(
            "(key_id is null) = (granted is null) and (key_id is null) = (issued_at is null) "
            "and (key_id is null) = (expires_at is null)",
            name="signed",
        ),
        Index("offline_redemption_account_id_idx", "account_id", "booked_at"),
        Index("offline_redemption_receipt_idx", "business_date", "receipt_id"),
    )

    redemption_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id"))
    """None when the card had no account, so that nothing could be booked."""
    card_number: Mapped[str | None]
    business_date: Mapped[date]
    receipt_id: Mapped[UUID]
    identity: Mapped[str]
    """The receipt's, as a void names it."""
    points: Mapped[int] = mapped_column(BigInteger)
    overdrawn: Mapped[int] = mapped_column(BigInteger)
    key_id: Mapped[str | None] = mapped_column(ForeignKey("signing_key.key_id"))
    granted: Mapped[int | None] = mapped_column(BigInteger)
    issued_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    booked_at: Mapped[datetime]

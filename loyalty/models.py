"""Tables: the double-entry ledger of points, its lots, and the cached balances."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from loyalty.liability.models import LiabilityLine, LiabilityReport, PointsDay, PointsOwed, PointsSummary
from loyalty.offline.models import OfflineRedemption, SigningKey
from loyalty.referrals.models import Referral, ReferralCode, ReferralRules
from loyalty.tiers.models import QualifyingEntry, TierEvent, TierGrant, TierScheme, TierStanding

__all__ = [
    "LiabilityLine",
    "LiabilityReport",
    "OfflineRedemption",
    "PointsDay",
    "PointsOwed",
    "PointsSummary",
    "QualifyingEntry",
    "Referral",
    "ReferralCode",
    "ReferralRules",
    "SigningKey",
    "TierEvent",
    "TierGrant",
    "TierScheme",
    "TierStanding",
]

REASONS = ("earn", "reverse", "spend", "return", "reserve", "release", "expire", "adjust", "merge", "restore")
BOOKS = ("points", "reserved", "issued", "spent", "expired", "adjusted", "merged")


class LedgerEntry(Base):
    """One booked event; append-only."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint(
            "reason in ('earn', 'reverse', 'spend', 'return', 'reserve', 'release', 'expire', 'adjust', 'merge', "
            "'restore')",
            name="reason",
        ),
        Index("ledger_entry_account_id_idx", "account_id", "booked_at"),
        Index(
            "ledger_entry_receipt_idx",
            "business_date",
            "receipt_id",
            postgresql_where="receipt_id is not null",
        ),
        Index("ledger_entry_reference_idx", "reference", postgresql_where="reference is not null"),
        # An adjustment is booked once, whoever tries.
        Index("ledger_entry_adjustment_idx", "reference", unique=True, postgresql_where="reason = 'adjust'"),
        Index("ledger_entry_booked_at_idx", "booked_at", postgresql_using="brin"),
    )

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    reason: Mapped[str]
    business_date: Mapped[date]
    booked_at: Mapped[datetime]
    receipt_id: Mapped[UUID | None]
    """With business_date names the receipt that caused the entry; there is none for an expiry."""
    reference: Mapped[UUID | None]
    note: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None]


class LedgerLeg(Base):
    """
    One side of an entry; the legs of an entry sum to zero.

    The book `points` is what an account holds, by lot and, where it matters, by
    the line of the receipt that earned it; the other books are the chain's side.
    """

    __tablename__ = "ledger_leg"
    __table_args__ = (
        CheckConstraint(
            "book in ('points', 'reserved', 'issued', 'spent', 'expired', 'adjusted', 'merged')", name="book"
        ),
        CheckConstraint("(lot_id is not null) = (book in ('points', 'reserved'))", name="lot"),
        Index("ledger_leg_account_id_idx", "account_id", postgresql_include=["book", "points"]),
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.entry_id"), primary_key=True)
    leg_number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[UUID]
    book: Mapped[str]
    lot_id: Mapped[UUID | None]
    line_number: Mapped[int | None]
    points: Mapped[int] = mapped_column(BigInteger)


class Lot(Base):
    """
    Points that were earned together: one receipt's, kept by line.

    `remaining` and `line_remaining` are caches of the ledger's legs on this lot.
    A debt (points taken back below zero) is a lot with a negative remainder.
    """

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint("cardinality(line_numbers) = cardinality(line_remaining)", name="lines"),
        Index("lot_available_idx", "account_id", "available_at", postgresql_where="remaining <> 0"),
        Index("lot_expires_idx", "account_id", "expires_at", postgresql_where="remaining <> 0"),
        Index(
            "lot_due_idx", "expires_at", postgresql_where="remaining > 0", postgresql_include=["remaining"]
        ),
        Index("lot_given_idx", "expires_at", postgresql_where="receipt_id is null and remaining <> 0"),
        Index("lot_receipt_idx", "receipt_id", postgresql_where="receipt_id is not null"),
        Index("lot_moved_from_key", "moved_from", unique=True, postgresql_where="moved_from is not null"),
        Index(
            "lot_available_at_idx",
            "available_at",
            postgresql_using="brin",
            postgresql_ops={"available_at": "timestamptz_minmax_multi_ops"},
        ),
    )

    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    business_date: Mapped[date]
    receipt_id: Mapped[UUID | None]
    booked_at: Mapped[datetime]
    available_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    earned: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    line_numbers: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    line_remaining: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    moved_from: Mapped[UUID | None] = mapped_column(ForeignKey("lot.lot_id"))
    """The lot of another account that lives on in this one, since the accounts were joined."""


class Redemption(Base):
    """
    Points held for a purchase or a reward: reserved, then posted, released or expired; resolved once.

    A reservation past `expires_at` counts as released from that moment, whenever it is booked so.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        CheckConstraint("state in ('reserved', 'posted', 'released', 'expired')", name="state"),
        CheckConstraint("points > 0", name="points"),
        CheckConstraint("(state = 'reserved') = (resolved_at is null)", name="resolved"),
        Index("redemption_open_idx", "account_id", "expires_at", postgresql_where="state = 'reserved'"),
        Index("redemption_due_idx", "expires_at", postgresql_where="state = 'reserved'"),
        Index(
            "redemption_pickup_idx",
            "store_id",
            "pickup_code",
            unique=True,
            postgresql_where="state = 'reserved' and pickup_code is not null",
        ),
    )

    redemption_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    card_number: Mapped[str]
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"))
    till_id: Mapped[int | None] = mapped_column(ForeignKey("till.till_id"))
    """Where it was reserved; none at a desk."""
    points: Mapped[int] = mapped_column(BigInteger)
    value_amount: Mapped[int] = mapped_column(BigInteger)
    reward_code: Mapped[str | None] = mapped_column(ForeignKey("reward.reward_code"))
    state: Mapped[str]
    reserved_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    business_date: Mapped[date | None]
    receipt_id: Mapped[UUID | None]
    """With business_date names the receipt that it was spent on; none when handed over at the counter."""
    pickup_code: Mapped[str | None]
    """What a customer names who comes for a gift."""
    reserved_by: Mapped[str | None]


class Quote(Base):
    """
    What a till was told that a basket comes to; forgotten after a while, and changed only by being used.

    It has no foreign keys: it is written whenever something is scanned, and lives for days.
    """

    __tablename__ = "quote"
    __table_args__ = (
        CheckConstraint("valid_until <= quoted_at + interval '10 minutes'", name="valid"),
        CheckConstraint("points_to_earn >= 0 and points_to_spend >= 0", name="points"),
        CheckConstraint("payable_amount = gross_amount - discount_amount - points_amount", name="payable"),
    )

    quote_id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[int]
    till_id: Mapped[int]
    card_number: Mapped[str | None]
    account_id: Mapped[UUID | None]
    currency: Mapped[str]
    quoted_at: Mapped[datetime] = mapped_column(index=True)
    valid_until: Mapped[datetime]
    lines: Mapped[list[Any]]
    """By line: [line number, quantity, unit price, gross, discount], amounts in minor units."""
    gross_amount: Mapped[int] = mapped_column(BigInteger)
    discount_amount: Mapped[int] = mapped_column(BigInteger)
    points_amount: Mapped[int] = mapped_column(BigInteger)
    payable_amount: Mapped[int] = mapped_column(BigInteger)
    points_to_spend: Mapped[int] = mapped_column(BigInteger)
    points_to_earn: Mapped[int] = mapped_column(BigInteger)
    offers: Mapped[dict[str, Any] | None]
    """What it promised of offers, as `loyalty.quotes.promises` writes it; none where no offer applied."""
    used_by: Mapped[UUID | None]
    """The receipt that relied on what it promised of offers: the only one that does."""


class Balance(Base):
    """The cached sum of an account's points; its row is the lock under which points move."""

    __tablename__ = "balance"
    __table_args__ = (
        CheckConstraint("reserved >= 0", name="reserved"),
        CheckConstraint("moved_to is null or points = 0 and reserved = 0", name="moved"),
        Index("balance_moved_to_idx", "moved_to", postgresql_where="moved_to is not null"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger, server_default="0")
    reserved: Mapped[int] = mapped_column(BigInteger, server_default="0")
    moved_to: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id"))
    """The account that this one was joined to; then it holds nothing, and nothing is booked on it any more."""


class ReceiptClaim(Base):
    """That somebody claimed a receipt that had no card: booked, or refused for whatever reason."""

    __tablename__ = "receipt_claim"
    __table_args__ = (
        CheckConstraint("outcome in ('booked', 'refused')", name="outcome"),
        CheckConstraint("(outcome = 'booked') = (receipt_id is not null)", name="booked"),
        Index("receipt_claim_account_id_idx", "account_id", "claimed_at"),
    )

    claim_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    card_number: Mapped[str]
    claimed_at: Mapped[datetime]
    actor: Mapped[str]
    identity: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str]
    business_date: Mapped[date | None]
    receipt_id: Mapped[UUID | None] = mapped_column(unique=True)


class Alert(Base):
    """
    What looks like misuse of a card or a till: one for each card or cashier and `day`, until a person decides.

    For what is judged by the week, `day` is its Monday. The receipt is the one that raised it last.
    """

    __tablename__ = "alert"
    __table_args__ = (
        CheckConstraint("kind in ('velocity', 'own_card', 'cashier_card', 'blind_returns')", name="kind"),
        CheckConstraint("state in ('open', 'confirmed', 'dismissed')", name="state"),
        CheckConstraint(
            "(state = 'open') = (decided_by is null) and (state = 'open') = (decided_at is null)",
            name="decided",
        ),
        CheckConstraint("state <> 'dismissed' or reason is not null", name="reason"),
        UniqueConstraint(
            "kind",
            "store_id",
            "day",
            "operator_code",
            "card_number",
            name="alert_subject_key",
            postgresql_nulls_not_distinct=True,
        ),
        Index("alert_open_idx", "store_id", "raised_at", postgresql_where="state = 'open'"),
        Index("alert_card_number_idx", "card_number", postgresql_where="card_number is not null"),
    )

    alert_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"))
    day: Mapped[date]
    operator_code: Mapped[str | None]
    card_number: Mapped[str | None]
    receipts: Mapped[int]
    business_date: Mapped[date]
    receipt_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(server_default="open")
    raised_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]


class ProgrammeVersion(Base):
    """
    A version of the programme's rules, in force from the start of `valid_from` until a later one is.

    A draft may be changed; approved by a second person, rejected or withdrawn it stands as it is
    for ever, which a trigger sees to.
    """

    __tablename__ = "programme_version"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'approved', 'rejected', 'withdrawn')", name="state"),
        CheckConstraint(
            "(state = 'draft') = (decided_by is null) and (state = 'draft') = (decided_at is null)",
            name="decided",
        ),
        CheckConstraint("state <> 'approved' or decided_by <> drafted_by", name="second_person"),
        CheckConstraint("state <> 'rejected' or decision_reason is not null", name="reason"),
        Index("programme_version_valid_idx", "valid_from", postgresql_where="state = 'approved'"),
    )

    version: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    valid_from: Mapped[date]
    state: Mapped[str]
    rules: Mapped[dict[str, Any]]
    note: Mapped[str]
    drafted_by: Mapped[str]
    drafted_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]


class Adjustment(Base):
    """
    Points that a person gives or takes: requested, then approved, rejected or withdrawn; decided once.

    Above the limit of their role somebody else approves; below it the request is its own approval.
    """

    __tablename__ = "adjustment"
    __table_args__ = (
        CheckConstraint("points <> 0", name="points"),
        CheckConstraint(
            "reason in ('goodwill', 'complaint', 'missing_purchase', 'till_error', 'promotion', 'misuse', "
            "'correction', 'other')",
            name="reason",
        ),
        CheckConstraint("state in ('requested', 'approved', 'rejected', 'withdrawn')", name="state"),
        CheckConstraint(
            "(state = 'requested') = (decided_by is null) and (decided_by is null) = (decided_at is null)",
            name="decided",
        ),
        CheckConstraint(
            "state <> 'approved' or not needs_second or decided_by <> requested_by", name="second"
        ),
        CheckConstraint("state <> 'rejected' or decided_by <> requested_by", name="rejected"),
        CheckConstraint("state <> 'withdrawn' or decided_by = requested_by", name="withdrawn"),
        Index("adjustment_account_id_idx", "account_id", "requested_at"),
        Index("adjustment_requested_at_idx", "requested_at"),
        Index("adjustment_waiting_idx", "requested_at", postgresql_where="state = 'requested'"),
    )

    adjustment_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.member_id"), index=True)
    points: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    note: Mapped[str]
    state: Mapped[str]
    points_limit: Mapped[int] = mapped_column(BigInteger)
    """Up to how many points a day the requester needed nobody else for this account, when it was requested."""
    needs_second: Mapped[bool]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]


class AdjustmentLimit(Base):
    """Up to how many points somebody of a role adjusts an account in a day without a second person."""

    __tablename__ = "adjustment_limit"
    __table_args__ = (CheckConstraint("points >= 0", name="points"),)

    role: Mapped[str] = mapped_column(primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class ExpiryWarning(Base):
    """That an account was to be told that points of its own end soon; once for 30 and once for 7 days before."""

    __tablename__ = "expiry_warning"
    __table_args__ = (
        CheckConstraint("days_before in (30, 7)", name="days"),
        CheckConstraint("points > 0", name="points"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(primary_key=True)
    days_before: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    points: Mapped[int] = mapped_column(BigInteger)
    warned_at: Mapped[datetime]

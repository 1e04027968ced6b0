"""Tables: stores, tills and their keys, articles, receipts with lines and flags."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class Store(Base):
    """A shop; its currency and time zone decide amounts and business days."""

    __tablename__ = "store"

    store_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    store_code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    currency: Mapped[str]
    timezone: Mapped[str]
    city: Mapped[str | None]
    country: Mapped[str | None]


class Till(Base):
    """A cash register of a store."""

    __tablename__ = "till"
    __table_args__ = (UniqueConstraint("store_id", "till_code"),)

    till_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"))
    till_code: Mapped[str]


class TillKey(Base):
    """A till's secret: a readable prefix and the SHA-256 of the whole key."""

    __tablename__ = "till_key"

    key_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    till_id: Mapped[int] = mapped_column(ForeignKey("till.till_id"), index=True)
    prefix: Mapped[str] = mapped_column(unique=True)
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class StaffCard(Base):
    """The card of somebody who works at the tills of a store; a basket they ring themselves earns nothing on it."""

    __tablename__ = "staff_card"
    __table_args__ = (
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        Index("staff_card_operator_idx", "store_id", "operator_code"),
        Index("staff_card_bound_key", "card_number", unique=True, postgresql_where="ended_at is null"),
    )

    staff_card_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    card_number: Mapped[str] = mapped_column(ForeignKey("card.card_number"))
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"))
    operator_code: Mapped[str]
    name: Mapped[str]
    registered_at: Mapped[datetime]
    registered_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class Article(Base):
    """What can be bought; the GTIN is kept as fourteen digits."""

    __tablename__ = "article"
    __table_args__ = (
        CheckConstraint("unit in ('pcs', 'kg', 'l', 'm')", name="unit"),
        Index("article_category_idx", "category"),
    )

    article_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    sku: Mapped[str] = mapped_column(unique=True)
    gtin: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    department: Mapped[str | None]
    category: Mapped[str | None]
    type: Mapped[str | None]
    brand: Mapped[str | None]
    unit: Mapped[str]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    price: Mapped[int | None] = mapped_column(BigInteger)
    cost: Mapped[int | None] = mapped_column(BigInteger)
    picture: Mapped[str | None]


class ArticleCode(Base):
    """A code that tills send for an article which the list knows by another, as a person decided."""

    __tablename__ = "article_code"

    code: Mapped[str] = mapped_column(primary_key=True)
    """The SKU that lines state, else what their GTIN says; see `sales.given_codes.code_of`."""
    article_id: Mapped[int] = mapped_column(ForeignKey("article.article_id"), index=True)
    set_by: Mapped[str]
    set_at: Mapped[datetime]


class ArticleStock(Base):
    """How much of an article lay in a store when it was last counted; what was sold since is not in it."""

    __tablename__ = "article_stock"

    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"), primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.article_id"), primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(Numeric(14, 3))
    counted_at: Mapped[datetime]


class ArticlePrice(Base):
    """
    A price of the list for a period, of one store or of all (`store_id` NULL).

    Periods may overlap, as a short reduction lies within a standing price: in force is the store's own
    before the chain's, and among these the one that began last.
    """

    __tablename__ = "article_price"
    __table_args__ = (
        UniqueConstraint(
            "article_id",
            "store_id",
            "valid_from",
            name="article_price_begin_key",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("valid_from < valid_to", name="period"),
    )

    price_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    store_id: Mapped[int | None] = mapped_column(ForeignKey("store.store_id"))
    article_id: Mapped[int] = mapped_column(ForeignKey("article.article_id"))
    price: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    """The first day on which it no longer holds; NULL while no end is set."""


class ArticlePast(Base):
    """
    Where an article belonged before: what stood in its row up to a moment.

    A trigger writes it, whoever changes the row: returns are judged by what the article was when it was sold.
    """

    __tablename__ = "article_past"

    article_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    gtin: Mapped[str | None]
    department: Mapped[str | None]
    category: Mapped[str | None]
    type: Mapped[str | None]
    brand: Mapped[str | None]


class Receipt(Base):
    """An immutable document from a till: sale, return or void."""

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint(
            "business_date", "store_id", "till_id", "receipt_number", name="receipt_identity_key"
        ),
        CheckConstraint("type in ('sale', 'return', 'void')", name="type"),
        CheckConstraint("mode in ('live', 'training', 'suspended')", name="mode"),
        Index("receipt_account_id_idx", "account_id", "business_date"),
        Index("receipt_store_id_idx", "store_id", "closed_at"),
        Index("receipt_number_idx", "receipt_number", "business_date"),
        Index(
            "receipt_card_number_idx",
            "card_number",
            "business_date",
            postgresql_where="card_number is not null",
        ),
        Index(
            "receipt_blind_return_idx",
            "store_id",
            "operator_code",
            "business_date",
            postgresql_where="type = 'return' and original_receipt_number is null",
        ),
        {"postgresql_partition_by": "RANGE (business_date)"},
    )

    business_date: Mapped[date] = mapped_column(primary_key=True)
    receipt_id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"))
    till_id: Mapped[int] = mapped_column(ForeignKey("till.till_id"))
    receipt_number: Mapped[str]
    type: Mapped[str]
    mode: Mapped[str]
    offline: Mapped[bool]
    closed_at: Mapped[datetime]
    received_at: Mapped[datetime]
    operator_code: Mapped[str | None]
    card_number: Mapped[str | None]
    card_entry_mode: Mapped[str | None]
    account_id: Mapped[UUID | None]
    member_id: Mapped[UUID | None]
    currency: Mapped[str]
    gross_amount: Mapped[int] = mapped_column(BigInteger)
    discount_amount: Mapped[int] = mapped_column(BigInteger)
    points_amount: Mapped[int] = mapped_column(BigInteger)
    rounding_amount: Mapped[int] = mapped_column(BigInteger)
    payable_amount: Mapped[int] = mapped_column(BigInteger)
    tenders: Mapped[list[Any] | None]
    quote_id: Mapped[UUID | None]
    redemption_ids: Mapped[list[Any] | None]
    voucher_codes: Mapped[list[Any] | None]
    original_store_code: Mapped[str | None]
    original_till_code: Mapped[str | None]
    original_business_date: Mapped[date | None]
    original_receipt_number: Mapped[str | None]
    original_receipt_id: Mapped[UUID | None]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the body's meaning: two bodies with one identity are the same when these agree."""
    answer: Mapped[dict[str, Any] | None]
    """What the till was told; NULL for imported receipts, whose answer is made from the books when asked."""
    programme_version: Mapped[int | None]
    """The version of the programme's rules that a sale was booked under; NULL is the contract's own programme."""
    excluded_lines: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    """Numbers of the lines that earned nothing because the version left their articles out."""
    offer_points: Mapped[dict[str, Any] | None]
    """What offers added to the points of a sale, so that it can be worked out again."""


class ReceiptLine(Base):
    """
    One line of a receipt; its shares of points are stored when booked and never recomputed.

    On a sale `points` were earned and `points_spent` spent; on a return they were
    taken back and given back.
    """

    __tablename__ = "receipt_line"
    __table_args__ = ({"postgresql_partition_by": "RANGE (business_date)"},)

    business_date: Mapped[date] = mapped_column(primary_key=True)
    receipt_id: Mapped[UUID] = mapped_column(primary_key=True)
    line_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    article_id: Mapped[int | None]
    sku: Mapped[str | None]
    gtin: Mapped[str | None]
    name: Mapped[str | None]
    quantity: Mapped[Decimal] = mapped_column(Numeric(14, 3))
    unit: Mapped[str | None]
    unit_price: Mapped[int] = mapped_column(BigInteger)
    discount_amount: Mapped[int] = mapped_column(BigInteger)
    total_amount: Mapped[int] = mapped_column(BigInteger)
    tax_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    discounts: Mapped[list[Any] | None]
    original_line_number: Mapped[int | None]
    return_reason: Mapped[str | None]
    points: Mapped[int] = mapped_column(BigInteger, server_default="0")
    points_spent: Mapped[int] = mapped_column(BigInteger, server_default="0")
    counted_quantity: Mapped[Decimal | None] = mapped_column(Numeric(14, 3))
    """On a return, what is left of the quantity after the cap; NULL while it waits, and on sales."""


class ReceiptLink(Base):
    """
    What a live return or void names; while its original has not come, it waits here.

    Kept apart from the partitioned receipts: a sale looks here by its identity, whatever
    the business date of what came before it.
    """

    __tablename__ = "receipt_link"
    __table_args__ = (
        Index("receipt_link_waiting_idx", "arrival", postgresql_where="original_receipt_id is null"),
    )

    receipt_id: Mapped[UUID] = mapped_column(primary_key=True)
    business_date: Mapped[date]
    arrival: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """Order in which they came; those that waited are booked in it."""
    type: Mapped[str]
    identity: Mapped[str]
    original_identity: Mapped[str] = mapped_column(index=True)
    original_business_date: Mapped[date | None]
    original_receipt_id: Mapped[UUID | None]
    """The original, once it is there; NULL while this one waits."""


class ReceiptFlag(Base):
    """
    Something odd about an accepted receipt, waiting for a person in the work queue.

    It has no foreign key to the receipt: rows may move between partitions, which such a key would forbid.
    """

    __tablename__ = "receipt_flag"
    __table_args__ = (
        CheckConstraint("state in ('open', 'resolved', 'dismissed')", name="state"),
        Index("receipt_flag_receipt_idx", "business_date", "receipt_id"),
        Index("receipt_flag_open_idx", "store_id", "code", "flagged_at", postgresql_where="state = 'open'"),
    )

    flag_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    business_date: Mapped[date]
    receipt_id: Mapped[UUID]
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"))
    code: Mapped[str]
    line_number: Mapped[int | None]
    detail: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="open")
    flagged_at: Mapped[datetime]
    resolved_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    note: Mapped[str | None]
    """What the person who dealt with it wrote; a reason where it was dismissed."""


class QuarantinedReceipt(Base):
    """A body that came under an identity already taken by another body; kept, never booked."""

    __tablename__ = "quarantined_receipt"
    __table_args__ = (
        UniqueConstraint("business_date", "store_id", "till_id", "receipt_number", "fingerprint"),
        CheckConstraint("state in ('open', 'resolved', 'dismissed')", name="state"),
    )

    quarantine_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    business_date: Mapped[date]
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"))
    till_id: Mapped[int] = mapped_column(ForeignKey("till.till_id"))
    receipt_number: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="open")
    resolved_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    note: Mapped[str | None]


class BarcodeLayout(Base):
    """
    How the barcodes that a shop's own scales print are read: of one store, of a country, or of all stores.

    `pattern` has the prefix in digits, then I for the item's number, K for a check digit of the
    value where there is one, V for the value, C for the code's check digit.
    """

    __tablename__ = "barcode_layout"
    __table_args__ = (
        UniqueConstraint(
            "store_id",
            "country",
            "pattern",
            name="barcode_layout_place_key",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("store_id is null or country is null", name="place"),
        CheckConstraint("pattern ~ '^2[0-9]+I+K?V+C$' and length(pattern) = 13", name="pattern"),
        CheckConstraint("holds in ('weight', 'price', 'quantity')", name="holds"),
        CheckConstraint("decimals between 0 and 3", name="decimals"),
        CheckConstraint("article_by in ('sku', 'sku_unpadded', 'gtin')", name="article_by"),
    )

    layout_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    store_id: Mapped[int | None] = mapped_column(ForeignKey("store.store_id"))
    country: Mapped[str | None]
    pattern: Mapped[str]
    holds: Mapped[str]
    """What V is: weight, price or quantity, with `decimals` decimals."""
    decimals: Mapped[int] = mapped_column(SmallInteger)
    article_by: Mapped[str]
    """What the item's number leads to: the article of that SKU, with or without leading zeros, or of the GTIN with a value of zero."""
    set_by: Mapped[str]
    set_at: Mapped[datetime]

"""Tables of catalog runs: from draft to hand-over, who is in them, their proofs, and the vouchers of their copies."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Numeric,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

STATES = ("draft", "proofed", "approved", "running", "stopped", "finished", "cancelled")


class CatalogRun(Base):
    """
    Editions of some groups for a period, on their way from a draft to the letterbox.

    Whoever made it never approves it. A `standing` one is an order: it is approved once, and from then on
    the night opens a run of its own for each period, which names it in `order_id`.
    """

    __tablename__ = "catalog_run"
    __table_args__ = (
        CheckConstraint("size in ('A4', 'A5')", name="size"),
        CheckConstraint("channels <@ '{print,email}' and cardinality(channels) > 0", name="channels"),
        CheckConstraint("valid_from < valid_to", name="period"),
        CheckConstraint("hold_out between 0 and 0.5", name="hold_out"),
        CheckConstraint("first_part > 0", name="first_part"),
        CheckConstraint(
            "state in ('draft', 'proofed', 'approved', 'running', 'stopped', 'finished', 'cancelled')",
            name="state",
        ),
        CheckConstraint("approved_by <> made_by", name="second_person"),
        CheckConstraint(
            "state in ('draft', 'proofed', 'cancelled') or approved_by is not null", name="approved"
        ),
        Index(
            "catalog_run_order_idx",
            "order_id",
            "valid_from",
            unique=True,
            postgresql_where="order_id is not null",
        ),
    )

    catalog_run_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    theme: Mapped[str]
    size: Mapped[str]
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    """The first day on which it no longer holds: periods are half-open."""
    group_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    """Of which groups; an empty list in a standing order is all that there are by then."""
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    """In the stores of which countries its readers shop, as stores name them; empty is everywhere."""
    voucher_batches: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    hold_out: Mapped[Decimal] = mapped_column(Numeric(4, 3))
    """Which share of the audience gets no copy, so that it can be seen what the copies do."""
    first_part: Mapped[int | None]
    """After so many copies it stops, to be looked at; None makes all at once."""
    standing: Mapped[bool] = mapped_column(server_default="false")
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("catalog_run.catalog_run_id"))
    state: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    proof: Mapped[int] = mapped_column(server_default="0")
    """The number of its newest proof; 0 before the first."""
    comment: Mapped[str | None]
    """Why it was sent back, until the next proof."""
    comment_by: Mapped[str | None]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    requested_on: Mapped[date | None]
    """The day under which its job runs."""
    counted_at: Mapped[datetime | None]
    """When it was settled who gets a copy and who is held out."""
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]


class CatalogProof(Base):
    """Some copies made to be looked at, and what the run and its editions were when they were made."""

    __tablename__ = "catalog_proof"

    catalog_run_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_run.catalog_run_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    made_by: Mapped[str]
    asked_at: Mapped[datetime]
    made_at: Mapped[datetime | None]


class CatalogProofCopy(Base):
    """One copy of a proof, and why it was chosen."""

    __tablename__ = "catalog_proof_copy"
    __table_args__ = (
        ForeignKeyConstraint(
            ["catalog_run_id", "number"], ["catalog_proof.catalog_run_id", "catalog_proof.number"]
        ),
    )

    catalog_run_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    edition_id: Mapped[UUID]
    why: Mapped[list[Any]]
    language: Mapped[str]
    path: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    pages: Mapped[int]
    picks: Mapped[list[Any]]


class CatalogRecipient(Base):
    """Somebody of a run's audience, settled when it began: the edition, by which channel, and who is held out."""

    __tablename__ = "catalog_recipient"
    __table_args__ = (
        CheckConstraint("channel in ('print', 'email')", name="channel"),
        Index(
            "catalog_recipient_turn_idx",
            "catalog_run_id",
            "turn",
            postgresql_where="not held_out and left_out is null",
        ),
    )

    catalog_run_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_run.catalog_run_id"), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), primary_key=True)
    edition_id: Mapped[UUID]
    store_id: Mapped[int]
    channel: Mapped[str]
    held_out: Mapped[bool]
    turn: Mapped[int]
    """In which order copies are made."""
    left_out: Mapped[str | None]
    """Why there is no copy after all: objected, withdrew, refuses, nothing."""


class CatalogVoucher(Base):
    """That a voucher was issued for a member's copy of an edition; once per batch."""

    __tablename__ = "catalog_voucher"

    edition_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), primary_key=True)
    batch_code: Mapped[str] = mapped_column(primary_key=True)
    voucher_code: Mapped[str] = mapped_column(ForeignKey("voucher.voucher_code"), unique=True)


class CatalogHandover(Base):
    """Copies of a run leaving the house, together: as a file for the printer, a ZIP, or by e-mail."""

    __tablename__ = "catalog_handover"
    __table_args__ = (
        CheckConstraint("kind in ('print', 'zip', 'email')", name="kind"),
        CheckConstraint("state in ('waiting', 'prepared', 'handed', 'stale')", name="state"),
        Index(
            "catalog_handover_open_idx",
            "catalog_run_id",
            "kind",
            unique=True,
            postgresql_where="state in ('waiting', 'prepared')",
        ),
    )

    handover_id: Mapped[UUID] = mapped_column(primary_key=True)
    catalog_run_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_run.catalog_run_id"), index=True)
    kind: Mapped[str]
    state: Mapped[str]
    """A stale one was prepared, but then somebody refused, objected or withdrew: it never left."""
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    """Until when answers, objections and withdrawals are heard in it."""
    prepared_at: Mapped[datetime | None]
    handed_by: Mapped[str | None]
    handed_at: Mapped[datetime | None]
    path: Mapped[str | None]
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    size: Mapped[int | None] = mapped_column(BigInteger)
    copies: Mapped[int] = mapped_column(server_default="0")
    remade: Mapped[int] = mapped_column(server_default="0")
    dropped: Mapped[int] = mapped_column(server_default="0")

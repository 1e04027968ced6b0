"""Tables: catalog editions, and the archive of copies exactly as they were made."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from catalogs.runs.models import (
    CatalogHandover,
    CatalogProof,
    CatalogProofCopy,
    CatalogRecipient,
    CatalogRun,
    CatalogVoucher,
)
from core.database import Base

__all__ = [
    "CatalogCopy",
    "CatalogHandover",
    "CatalogProof",
    "CatalogProofCopy",
    "CatalogRecipient",
    "CatalogRun",
    "CatalogVoucher",
    "Edition",
]


class Edition(Base):
    """A catalog of one shopper group for one period; `content` holds its pages as data, per language and store."""

    __tablename__ = "edition"
    __table_args__ = (
        CheckConstraint("valid_from < valid_to", name="period"),
        Index(
            "edition_without_run_idx",
            "group_id",
            "valid_from",
            "theme",
            unique=True,
            postgresql_where="catalog_run_id is null",
        ),
        Index(
            "edition_of_run_idx",
            "catalog_run_id",
            "group_id",
            unique=True,
            postgresql_where="catalog_run_id is not null",
        ),
    )

    edition_id: Mapped[UUID] = mapped_column(primary_key=True)
    edition_code: Mapped[str] = mapped_column(unique=True)
    run_id: Mapped[UUID]
    """The analysis that found the group."""
    group_id: Mapped[str]
    group_name: Mapped[str]
    theme: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    """The first day on which it no longer holds: periods are half-open."""
    created_at: Mapped[datetime]
    content: Mapped[dict[str, Any]]
    catalog_run_id: Mapped[UUID | None] = mapped_column(ForeignKey("catalog_run.catalog_run_id"))
    """The run that it goes out with; None for those that were made to be tried only."""


class CatalogCopy(Base):
    """
    One member's copy: the file on disk and what stands in it.

    A trigger keeps what was sent, or dropped, for ever; what was not sent yet may be made again, as its next version.
    """

    __tablename__ = "catalog_copy"
    __table_args__ = (
        UniqueConstraint("edition_id", "member_id"),
        CheckConstraint("channel in ('print', 'email')", name="channel"),
        CheckConstraint("state in ('made', 'sent', 'dropped')", name="state"),
        CheckConstraint("(state = 'sent') = (sent_at is not null)", name="sent"),
        CheckConstraint("(state = 'dropped') = (dropped_at is not null)", name="dropped"),
        Index("catalog_copy_handover_id_idx", "handover_id", postgresql_where="handover_id is not null"),
    )

    copy_id: Mapped[UUID] = mapped_column(primary_key=True)
    copy_code: Mapped[str] = mapped_column(unique=True)
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("edition.edition_id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), index=True)
    store_id: Mapped[int | None] = mapped_column(ForeignKey("store.store_id"))
    language: Mapped[str]
    path: Mapped[str]
    """Relative to the data folder."""
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]
    pages: Mapped[int]
    picks: Mapped[list[Any]]
    made_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")
    channel: Mapped[str | None]
    """By which way it goes out; None for copies made outside of a run."""
    state: Mapped[str] = mapped_column(server_default="made")
    handover_id: Mapped[UUID | None] = mapped_column(ForeignKey("catalog_handover.handover_id"))
    sent_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    dropped_why: Mapped[str | None]

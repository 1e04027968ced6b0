"""Tables: catalog editions, and the archive of copies exactly as they were made."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class Edition(Base):
    """A catalog of one shopper group for one period; `content` holds its pages as data, per language and store."""

    __tablename__ = "edition"
    __table_args__ = (
        UniqueConstraint("group_id", "valid_from", "theme"),
        CheckConstraint("valid_from < valid_to", name="period"),
    )

    edition_id: Mapped[UUID] = mapped_column(primary_key=True)
    edition_code: Mapped[str] = mapped_column(unique=True)
    run_id: Mapped[UUID]
    group_id: Mapped[str]
    group_name: Mapped[str]
    theme: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    """The first day on which it no longer holds: periods are half-open."""
    created_at: Mapped[datetime]
    content: Mapped[dict[str, Any]]


class CatalogCopy(Base):
    """One member's copy: the file on disk and what stands in it."""

    __tablename__ = "catalog_copy"
    __table_args__ = (UniqueConstraint("edition_id", "member_id"),)

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

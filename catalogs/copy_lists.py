"""Catalogs as people look at them: editions, and the archive of copies exactly as they were made."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Case, Select, case, func, select, text
from sqlalchemy.orm import Session

from catalogs.models import CatalogCopy, Edition
from catalogs.runs.leaving_copies import HELD_BACK
from core.errors import NotFound
from core.keyset import Ask, Page, read_page
from customers.models import Member
from sales.models import Store

EDITION_SORTS: Final = ("created_at", "valid_from", "group_name", "copies")
COPY_SORTS: Final = ("made_at", "copy_code", "family_name", "size", "pages")


class NoSuchEdition(NotFound):
    """There is no such edition."""


class NoSuchCopy(NotFound):
    """There is no such copy."""


@dataclass(frozen=True, slots=True)
class EditionRow:
    """One edition: a group's catalog for a half-open period."""

    edition_id: UUID
    edition_code: str
    group_id: str
    group_name: str
    theme: str
    valid_from: date
    valid_to: date
    created_at: datetime
    copies: int
    newest_copy_at: datetime | None

    @property
    def last_day(self) -> date:
        """The last day on which the catalog holds."""
        return self.valid_to - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One member's copy; `path` is relative to the data folder."""

    copy_id: UUID
    copy_code: str
    edition_id: UUID
    edition_code: str
    group_id: str
    group_name: str
    valid_from: date
    valid_to: date
    member_id: UUID
    member_code: str
    given_name: str
    family_name: str
    store_code: str | None
    language: str
    path: str
    sha256: bytes
    size: int
    pages: int
    made_at: datetime
    version: int
    channel: str | None
    """By which way it goes out; None for copies made to be tried."""
    state: str
    """made, sent, dropped, or held_back: queued to be mailed, but its mail was cancelled or failed."""
    sent_at: datetime | None

    @property
    def last_day(self) -> date:
        """The last day on which the catalog holds."""
        return self.valid_to - timedelta(days=1)


def list_editions(session: Session, ask: Ask) -> Page[EditionRow]:
    """Return a page of editions; words in code and group."""
    statement = _editions()
    if ask.words:
        statement = statement.where(
            (Edition.edition_code == ask.words) | Edition.group_name.icontains(ask.words, autoescape=True)
        )
    page = read_page(session, statement, ask=ask, sorts=EDITION_SORTS, key="edition_id", count=True)
    return Page(tuple(EditionRow(*row[:10]) for row in page.rows), page.following, page.previous, page.total)


def read_edition(session: Session, *, edition_id: UUID) -> EditionRow:
    """Return one edition; raises `NoSuchEdition`."""
    row = session.execute(_editions().where(Edition.edition_id == edition_id)).one_or_none()
    if row is None:
        raise NoSuchEdition("There is no such edition")
    return EditionRow(*row)


def list_copies(
    session: Session, ask: Ask, *, edition_id: UUID, store_id: int | None = None
) -> Page[CopyRow]:
    """Return a page of an edition's copies; filters language and state; words are a copy or member code."""
    statement = _copies().where(CatalogCopy.edition_id == edition_id)
    if store_id is not None:
        statement = statement.where(CatalogCopy.store_id == store_id)
    if language := ask.filters.get("language"):
        statement = statement.where(CatalogCopy.language == language)
    if state := ask.filters.get("state"):
        statement = statement.where(_state() == state)
    if ask.words:
        statement = statement.where((CatalogCopy.copy_code == ask.words) | (Member.member_code == ask.words))
    page = read_page(session, statement, ask=ask, sorts=COPY_SORTS, key="copy_id", count=True)
    return Page(tuple(CopyRow(*row[:23]) for row in page.rows), page.following, page.previous, page.total)


def copies_of_member(session: Session, *, member_id: UUID, limit: int = 50) -> list[CopyRow]:
    """Return the copies that a member got, the newest first."""
    rows = session.execute(
        _copies().where(CatalogCopy.member_id == member_id).order_by(CatalogCopy.made_at.desc()).limit(limit)
    )
    return [CopyRow(*row) for row in rows]


def read_copy(session: Session, *, copy_id: UUID) -> CopyRow:
    """Return one copy; raises `NoSuchCopy`."""
    row = session.execute(_copies().where(CatalogCopy.copy_id == copy_id)).one_or_none()
    if row is None:
        raise NoSuchCopy("There is no such copy")
    return CopyRow(*row)


def find_copy(session: Session, *, copy_code: str) -> CopyRow:
    """Return the copy of this code; raises `NoSuchCopy`."""
    row = session.execute(_copies().where(CatalogCopy.copy_code == copy_code)).one_or_none()
    if row is None:
        raise NoSuchCopy("There is no such copy")
    return CopyRow(*row)


def copies_in_all(session: Session) -> int:
    """Return how many copies the archive holds."""
    return session.scalar(select(func.count()).select_from(CatalogCopy)) or 0


def _editions() -> Select[*tuple[Any, ...]]:
    of_edition = CatalogCopy.edition_id == Edition.edition_id
    copies = select(func.count()).where(of_edition).scalar_subquery()
    newest = select(func.max(CatalogCopy.made_at)).where(of_edition).scalar_subquery()
    return select(
        Edition.edition_id,
        Edition.edition_code,
        Edition.group_id,
        Edition.group_name,
        Edition.theme,
        Edition.valid_from,
        Edition.valid_to,
        Edition.created_at,
        copies.label("copies"),
        newest.label("newest_copy_at"),
    )


def _copies() -> Select[*tuple[Any, ...]]:
    return (
        select(
            CatalogCopy.copy_id,
            CatalogCopy.copy_code,
            CatalogCopy.edition_id,
            Edition.edition_code,
            Edition.group_id,
            Edition.group_name,
            Edition.valid_from,
            Edition.valid_to,
            CatalogCopy.member_id,
            Member.member_code,
            Member.given_name,
            Member.family_name,
            Store.store_code,
            CatalogCopy.language,
            CatalogCopy.path,
            CatalogCopy.sha256,
            CatalogCopy.size,
            CatalogCopy.pages,
            CatalogCopy.made_at,
            CatalogCopy.version,
            CatalogCopy.channel,
            _state().label("state"),
            CatalogCopy.sent_at,
        )
        .join(Edition, Edition.edition_id == CatalogCopy.edition_id)
        .join(Member, Member.member_id == CatalogCopy.member_id)
        .outerjoin(Store, Store.store_id == CatalogCopy.store_id)
    )


def _state() -> Case[str]:
    return case(
        ((CatalogCopy.state == "sent") & text(HELD_BACK), "held_back"),
        else_=CatalogCopy.state,
    )

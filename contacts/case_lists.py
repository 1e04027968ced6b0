"""Cases as people look at them: lists with filters, the cases of a member, and one by its number."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from contacts.cases import NoSuchCase
from contacts.models import MemberCase
from core.keyset import Ask, Page, read_page
from customers.models import Member
from sales.models import Article

CASE_SORTS: Final = ("opened_at", "case_number", "kind", "owner", "resolved_at")


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case with the member and the article it is about."""

    case_number: str
    member_id: UUID
    member_code: str
    member_name: str
    kind: str
    article_id: int | None
    sku: str | None
    article_name: str | None
    business_date: date | None
    receipt_id: UUID | None
    channel: str
    text: str
    owner: str | None
    state: str
    opened_at: datetime
    opened_by: str
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None


def list_cases(session: Session, ask: Ask) -> Page[CaseView]:
    """Return a page of cases. Filters: state, kind, owner. Words are a case number or a member code."""
    statement = _cases()
    for name, column in (
        ("state", MemberCase.state),
        ("kind", MemberCase.kind),
        ("owner", MemberCase.owner),
    ):
        if value := ask.filters.get(name):
            statement = statement.where(column == value)
    if ask.words:
        statement = statement.where((MemberCase.case_number == ask.words) | (Member.member_code == ask.words))
    page = read_page(
        session, statement, ask=ask, sorts=CASE_SORTS, key="case_number", count=True, filled=("opened_at",)
    )
    return Page(tuple(_view(row) for row in page.rows), page.following, page.previous, page.total)


def read_case(session: Session, case_number: str) -> CaseView:
    """Return the case of this number; raises `NoSuchCase`."""
    row = session.execute(_cases().where(MemberCase.case_number == case_number)).one_or_none()
    if row is None:
        raise NoSuchCase(f"there is no case {case_number!r}")
    return _view(row)


def cases_of_member(session: Session, member_id: UUID) -> list[CaseView]:
    """Return every case of a member: open ones first, then the newest first."""
    rows = session.execute(
        _cases()
        .where(MemberCase.member_id == member_id)
        .order_by(MemberCase.state, MemberCase.opened_at.desc())
    )
    return [_view(row) for row in rows]


def open_cases_of(session: Session, member_ids: Iterable[UUID]) -> dict[UUID, list[CaseView]]:
    """Return the open cases of members, by member, the oldest first."""
    found: dict[UUID, list[CaseView]] = defaultdict(list)
    rows = session.execute(
        _cases()
        .where(MemberCase.member_id.in_(list(member_ids)), MemberCase.state == "open")
        .order_by(MemberCase.opened_at)
    )
    for row in rows:
        found[row.member_id].append(_view(row))
    return dict(found)


def owners(session: Session) -> list[str]:
    """Return who owns cases, by login."""
    found = session.scalars(
        select(MemberCase.owner).where(MemberCase.owner.is_not(None)).distinct().order_by(MemberCase.owner)
    )
    return [owner for owner in found if owner is not None]


def _view(row: Any) -> CaseView:
    return CaseView(*row[:19])


def _cases() -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = (
        select(
            MemberCase.case_number,
            MemberCase.member_id,
            Member.member_code,
            func.trim(Member.given_name + " " + Member.family_name).label("member_name"),
            MemberCase.kind,
            MemberCase.article_id,
            Article.sku,
            Article.name,
            MemberCase.business_date,
            MemberCase.receipt_id,
            MemberCase.channel,
            MemberCase.text,
            MemberCase.owner,
            MemberCase.state,
            MemberCase.opened_at,
            MemberCase.opened_by,
            MemberCase.resolved_at,
            MemberCase.resolved_by,
            MemberCase.resolution,
        )
        .join(Member, Member.member_id == MemberCase.member_id)
        .outerjoin(Article, Article.article_id == MemberCase.article_id)
    )
    return statement

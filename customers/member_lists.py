"""Members as people look at them: found by card, phone, e-mail or name; one member with cards and consents."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.keyset import Ask, Page, read_page
from customers.member_search import by_name, meant
from customers.models import Card, Consent, GroupMembership, Member, MemberStanding
from customers.standings import may_be_profiled

MEMBER_SORTS: Final = ("name", "member_code", "joined_on", "home_store_code", "language")


class NoSuchMember(NotFound):
    """There is no such member."""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member of a list; `group_id`, `phase` and `value_class` are those of the run asked for."""

    member_id: UUID
    member_code: str
    account_id: UUID
    given_name: str
    family_name: str
    email: str | None
    phone: str | None
    language: str
    home_store_code: str | None
    joined_on: date
    role: str
    group_id: str | None
    phase: str | None = None
    value_class: str | None = None

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}".strip()


@dataclass(frozen=True, slots=True)
class CardView:
    """One card of a member or of the account."""

    card_number: str
    state: str
    blocked_reason: str | None
    replaced_by: str | None
    issued_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What a member decided last about one purpose in one channel."""

    purpose: str
    channel: str | None
    granted: bool
    source: str
    text_version: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class MembershipView:
    """Which group a run put a member into, how strongly, and which came second."""

    group_id: str
    strength: float | None
    second_group_id: str | None
    second_strength: float | None
    baskets: int


@dataclass(frozen=True, slots=True)
class MemberView:
    """One member with what belongs to them."""

    row: MemberRow
    birth_date: date | None
    company_name: str | None
    company_id: str | None
    vat_id: str | None
    profiling_objected_at: datetime | None
    cards: tuple[CardView, ...]
    household: tuple[MemberRow, ...]
    consents: tuple[ConsentView, ...]


def list_members(
    session: Session, ask: Ask, *, run_id: UUID | None = None, group_id: str | None = None, names: bool = True
) -> Page[MemberRow]:
    """
    Return a page of members, with their groups in the run `run_id`; of one group if `group_id` is given.

    Filters: language, home_store, and phase and value of the run. Words are what
    `customers.member_search` looks for.
    """
    statement = _members(run_id)
    if group_id is not None:
        statement = statement.where(GroupMembership.group_id == group_id)
    for name, column in (
        ("language", Member.language),
        ("home_store", Member.home_store_code),
        ("phase", MemberStanding.phase),
        ("value", MemberStanding.value_class),
    ):
        if value := ask.filters.get(name):
            statement = statement.where(column == value)
    if ask.words:
        statement = statement.where(meant(session, ask.words, names=names))
    sorts = MEMBER_SORTS if names else tuple(sort for sort in MEMBER_SORTS if sort != "name")
    page = read_page(
        session,
        statement,
        ask=ask,
        sorts=sorts,
        key="member_id",
        count=True,
        filled=("name", "member_code", "joined_on"),
    )
    return Page(tuple(MemberRow(*row[:14]) for row in page.rows), page.following, page.previous, page.total)


def find_members(session: Session, words: str, *, names: bool = True, limit: int = 8) -> list[MemberRow]:
    """Return the few members whom `words` may mean."""
    if not words.strip():
        return []
    statement = _members(None).where(meant(session, words.strip(), names=names))
    rows = session.execute(statement.order_by(by_name()).limit(limit))
    return [MemberRow(*row[:14]) for row in rows]


def read_member(session: Session, *, member_id: UUID, run_id: UUID | None = None) -> MemberView:
    """Return one member whole; raises `NoSuchMember`."""
    row = session.execute(_members(run_id).where(Member.member_id == member_id)).one_or_none()
    member = session.get(Member, member_id)
    if row is None or member is None:
        raise NoSuchMember("There is no such member")
    household = session.execute(
        _members(run_id)
        .where(Member.account_id == member.account_id)
        .order_by(Member.joined_on, Member.member_id)
    )
    cards = session.execute(
        select(Card.card_number, Card.state, Card.blocked_reason, Card.replaced_by, Card.issued_at)
        .where(Card.member_id == member_id)
        .order_by(Card.state, Card.card_number)
    )
    return MemberView(
        row=MemberRow(*row[:14]),
        birth_date=member.birth_date,
        company_name=member.company_name,
        company_id=member.company_id,
        vat_id=member.vat_id,
        profiling_objected_at=member.profiling_objected_at,
        cards=tuple(CardView(*card) for card in cards),
        household=tuple(MemberRow(*other[:14]) for other in household),
        consents=_consents(session, member_id),
    )


def membership_of(session: Session, *, member_id: UUID, run_id: UUID) -> MembershipView | None:
    """Return where the run put the member; None when it did not see them, as it does not see objectors."""
    row = session.execute(
        select(
            GroupMembership.group_id,
            GroupMembership.strength,
            GroupMembership.second_group_id,
            GroupMembership.second_strength,
            GroupMembership.baskets,
        ).where(GroupMembership.member_id == member_id, GroupMembership.run_id == run_id)
    ).one_or_none()
    return MembershipView(*row) if row else None


def members_in_all(session: Session) -> int:
    """Return how many members there are."""
    return session.scalar(select(func.count()).select_from(Member)) or 0


def joined_by_month(session: Session, *, since: date) -> list[tuple[date, int]]:
    """Return how many members joined per month from `since` on, oldest first."""
    month = func.date_trunc("month", Member.joined_on).label("month")
    statement = select(month, func.count()).where(Member.joined_on >= since).group_by(month).order_by(month)
    return [(start.date(), count) for start, count in session.execute(statement)]


def _consents(session: Session, member_id: UUID) -> tuple[ConsentView, ...]:
    rows = session.execute(
        select(
            Consent.purpose,
            Consent.channel,
            Consent.granted,
            Consent.source,
            Consent.text_version,
            Consent.recorded_at,
        )
        .ext(distinct_on(Consent.purpose, Consent.channel))
        .where(Consent.member_id == member_id)
        .order_by(Consent.purpose, Consent.channel, Consent.recorded_at.desc(), Consent.consent_id.desc())
    )
    return tuple(ConsentView(*row) for row in rows)


def _members(run_id: UUID | None) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = select(
        Member.member_id,
        Member.member_code,
        Member.account_id,
        Member.given_name,
        Member.family_name,
        Member.email,
        Member.phone,
        Member.language,
        Member.home_store_code,
        Member.joined_on,
        Member.role,
        GroupMembership.group_id,
        MemberStanding.phase,
        MemberStanding.value_class,
        by_name().label("name"),
    )
    for table in (GroupMembership, MemberStanding):
        statement = statement.outerjoin(
            table, (table.member_id == Member.member_id) & (table.run_id == run_id) & may_be_profiled()
        )
    return statement

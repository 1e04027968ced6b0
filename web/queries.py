"""What the screens read of people, their sessions, and the audit trail."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, String, func, or_, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.keyset import Ask, Page, read_page
from core.models import AuditEvent
from sales.models import Store
from web.models import Person, WebSession
from web.state import Viewer

IDLE: Final = timedelta(minutes=30)
LONGEST_SESSION: Final = timedelta(hours=12)


class NoSuchEvent(NotFound):
    """Nothing of this number is in the audit trail."""


class NoSuchPerson(NotFound):
    """Nobody has this login or id."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody who may sign in."""

    person_id: UUID
    login: str
    name: str
    role: str
    language: str
    store_code: str | None
    store_name: str | None
    created_at: datetime
    disabled_at: datetime | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One event of the audit trail."""

    event_id: int
    happened_at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: str
    detail: dict[str, Any] | None


def viewer_of_session(
    session: Session, *, token_sha256: bytes, now: datetime
) -> tuple[Viewer, datetime] | None:
    """Return who holds the session of this token, and when it was last seen; None when it ended or idled out."""
    row = session.execute(
        select(Person, WebSession, Store)
        .join(WebSession, WebSession.person_id == Person.person_id)
        .outerjoin(Store, Store.store_id == Person.store_id)
        .where(
            WebSession.token_sha256 == token_sha256,
            WebSession.seen_at > now - IDLE,
            WebSession.created_at > now - LONGEST_SESSION,
            Person.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    person, web_session, store = row
    timezone = store.timezone if store else home_timezone(session)
    viewer = Viewer(
        person_id=person.person_id,
        login=person.login,
        name=person.name,
        role=person.role,
        language=person.language,
        csrf_token=web_session.csrf_token,
        store_id=person.store_id,
        store_code=store.store_code if store else None,
        store_name=store.name if store else None,
        timezone=timezone,
    )
    return viewer, web_session.seen_at


def home_timezone(session: Session) -> str:
    """Return the time zone most stores lie in, UTC while there is none."""
    found = session.scalar(select(func.mode().within_group(Store.timezone)))
    return str(found) if found else "UTC"


def person_by_login(session: Session, *, login: str) -> Person | None:
    """Return the person of this login, whatever the case of its letters."""
    return session.scalars(select(Person).where(Person.login == login.strip().casefold())).one_or_none()


def person_by_id(session: Session, *, person_id: UUID) -> PersonRow:
    """Return one person; raises `NoSuchPerson`."""
    row = session.execute(_people().where(Person.person_id == person_id)).one_or_none()
    if row is None:
        raise NoSuchPerson("There is no such person")
    return _person_row(row)


def all_people(session: Session) -> list[PersonRow]:
    """Return everybody, by login."""
    return [_person_row(row) for row in session.execute(_people().order_by(Person.login))]


PEOPLE_SORTS: Final = ("login", "name", "role", "store_code", "seen_at", "created_at")


def list_people(session: Session, ask: Ask) -> Page[PersonRow]:
    """Return a page of people; filters role, state (active, disabled); words in login and name."""
    statement = _people()
    if role := ask.filters.get("role"):
        statement = statement.where(Person.role == role)
    if state := ask.filters.get("state"):
        disabled = Person.disabled_at.is_not(None)
        statement = statement.where(disabled if state == "disabled" else ~disabled)
    if ask.words:
        statement = statement.where(
            or_(
                Person.login.icontains(ask.words, autoescape=True),
                Person.name.icontains(ask.words, autoescape=True),
            )
        )
    page = read_page(session, statement, ask=ask, sorts=PEOPLE_SORTS, key="person_id", count=True)
    return Page(tuple(_person_row(row) for row in page.rows), page.following, page.previous, page.total)


AUDIT_SORTS: Final = ("happened_at",)


def list_audit(session: Session, ask: Ask) -> Page[AuditRow]:
    """Return a page of the audit trail; filters action, subject_kind; words in actor and subject."""
    statement = _events()
    if action := ask.filters.get("action"):
        statement = statement.where(AuditEvent.action == action)
    if ask.words:
        statement = statement.where(
            or_(AuditEvent.actor == ask.words, AuditEvent.subject_id.cast(String) == ask.words)
        )
    page = read_page(session, statement, ask=ask, sorts=AUDIT_SORTS, key="event_id")
    return Page(tuple(AuditRow(*row[:7]) for row in page.rows), page.following, page.previous)


def read_event(session: Session, *, event_id: int) -> AuditRow:
    """Return one event of the audit trail; raises `NoSuchEvent`."""
    row = session.execute(_events().where(AuditEvent.event_id == event_id)).one_or_none()
    if row is None:
        raise NoSuchEvent("There is no such event")
    return AuditRow(*row[:7])


def _events() -> Select[*tuple[Any, ...]]:
    return select(
        AuditEvent.event_id,
        AuditEvent.happened_at,
        AuditEvent.actor,
        AuditEvent.action,
        AuditEvent.subject_kind,
        AuditEvent.subject_id,
        AuditEvent.detail,
    )


def audit_actions(session: Session) -> list[str]:
    """Return the kinds of action that were ever recorded, in order."""
    return list(session.scalars(select(AuditEvent.action).distinct().order_by(AuditEvent.action)))


def _people() -> Select[*tuple[Any, ...]]:
    last_seen = (
        select(func.max(WebSession.seen_at)).where(WebSession.person_id == Person.person_id).scalar_subquery()
    )
    return select(
        Person.person_id,
        Person.login,
        Person.name,
        Person.role,
        Person.language,
        Person.created_at,
        Person.disabled_at,
        Store.store_code.label("store_code"),
        Store.name.label("store_name"),
        last_seen.label("seen_at"),
    ).outerjoin(Store, Store.store_id == Person.store_id)


def _person_row(row: Any) -> PersonRow:
    return PersonRow(
        person_id=row.person_id,
        login=row.login,
        name=row.name,
        role=row.role,
        language=row.language,
        store_code=row.store_code,
        store_name=row.store_name,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        seen_at=row.seen_at,
    )

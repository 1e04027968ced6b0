"""What changes people, their sessions and their sign-in attempts."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Conflict, NotFound, Refused
from core.i18n import LANGUAGES
from core.ids import uuid7
from sales.models import Store
from web.models import Person, SignInAttempt, WebSession
from web.passwords import check_strength, generate_password, hash_password
from web.queries import NoSuchPerson, person_by_login
from web.roles import ROLES, STORE_ROLES

WINDOW: Final = timedelta(minutes=15)
ATTEMPTS: Final = 10
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")
SEEN_STEP: Final = timedelta(seconds=60)
"""A session in use is noted at most so often."""


class LoginTaken(Conflict):
    """Somebody else has this login."""


class BadPerson(Refused):
    """A login, role, store or name is not as it must be; `field` names which."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class NoSuchStore(NotFound):
    """No store has this code."""


class TooManyAttempts(Conflict):
    """Sign-ins of this account were tried too often; `until` is when the next one is evaluated."""

    def __init__(self, until: datetime) -> None:
        super().__init__("Too many attempts; try again later")
        self.until = until


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just begun; the token goes into the cookie and nowhere else."""

    token: str
    csrf_token: str


def add_person(
    session: Session,
    *,
    login: str,
    role: str,
    name: str | None,
    store_code: str | None,
    password: str | None,
    language: str,
    actor: str,
    now: datetime,
) -> tuple[Person, str]:
    """
    Add somebody who may sign in and return them with their password.

    Without `password` one is generated. Cashiers and store managers need a store,
    other roles have none. Raises `BadPerson`, `LoginTaken`, `NoSuchStore`, `WeakPassword`.
    """
    login = login.strip().casefold()
    store_id = _store_for(session, role=role, store_code=store_code)
    if not _LOGIN.fullmatch(login):
        raise BadPerson("login", "A login has 2 to 64 letters, digits or . _ @ + -")
    if language not in LANGUAGES:
        raise BadPerson("language", f"{language!r} is not one of {', '.join(LANGUAGES)}")
    if person_by_login(session, login=login) is not None:
        raise LoginTaken(f"The login {login!r} is taken")
    if password is None:
        password = generate_password()
    check_strength(password, login)
    person = Person(
        person_id=uuid7(),
        login=login,
        name=(name or "").strip() or login,
        password_hash=hash_password(password),
        role=role,
        store_id=store_id,
        language=language,
        created_at=now,
    )
    session.add(person)
    session.flush()
    detail = {"role": role, "store_code": store_code}
    _record(session, person, now=now, actor=actor, action="person.add", detail=detail)
    return person, password


def _store_for(session: Session, *, role: str, store_code: str | None) -> int | None:
    if role not in ROLES:
        raise BadPerson("role", f"{role!r} is not one of {', '.join(ROLES)}")
    if role not in STORE_ROLES:
        if store_code:
            raise BadPerson("store", f"The role {role} belongs to no store")
        return None
    if not store_code:
        raise BadPerson("store", f"The role {role} needs a store")
    store_id = session.scalar(select(Store.store_id).where(Store.store_code == store_code))
    if store_id is None:
        raise NoSuchStore(f"There is no store {store_code!r}")
    return store_id


def set_password(session: Session, *, person_id: UUID, password: str, actor: str, now: datetime) -> None:
    """Give a person a new password and end all their sessions; raises `WeakPassword`, `NoSuchPerson`."""
    person = _person(session, person_id)
    check_strength(password, person.login)
    person.password_hash = hash_password(password)
    session.execute(delete(WebSession).where(WebSession.person_id == person_id))
    session.flush()
    _record(session, person, now=now, actor=actor, action="person.password")


def set_disabled(session: Session, *, person_id: UUID, disabled: bool, actor: str, now: datetime) -> None:
    """Shut a person out, ending all their sessions, or let them in again; raises `NoSuchPerson`, `BadPerson`."""
    person = _person(session, person_id)
    if disabled and person.login == actor:
        raise BadPerson("login", "You cannot shut yourself out")
    person.disabled_at = now if disabled else None
    session.execute(delete(WebSession).where(WebSession.person_id == person_id))
    session.flush()
    _record(session, person, now=now, actor=actor, action="person.disable" if disabled else "person.enable")


def set_language(session: Session, *, person_id: UUID, language: str) -> None:
    """Keep the language a person reads; raises `BadPerson`."""
    if language not in LANGUAGES:
        raise BadPerson("language", f"{language!r} is not one of {', '.join(LANGUAGES)}")
    session.execute(update(Person).where(Person.person_id == person_id).values(language=language))


def claim_attempt(session: Session, *, bucket: str, now: datetime, most: int = ATTEMPTS) -> int:
    """
    Take one of the attempts of `bucket` and return its number, before the password is looked at.

    At most `most` are given in fifteen minutes, however many ask at once; after that it
    raises `TooManyAttempts`. An attempt that succeeds is not counted.
    """
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"sign-in {bucket}", 0))))
    since = now - WINDOW
    counted = select(SignInAttempt.attempted_at).where(
        SignInAttempt.login == bucket, SignInAttempt.attempted_at > since, ~SignInAttempt.succeeded
    )
    times = sorted(session.scalars(counted))
    if len(times) >= most:
        raise TooManyAttempts(times[-most] + WINDOW)
    taken = insert(SignInAttempt).values(login=bucket, attempted_at=now, succeeded=False)
    return int(session.execute(taken.returning(SignInAttempt.attempt_id)).scalar_one())


def begin_session(
    session: Session, *, person_id: UUID, attempt_id: int, previous_token: str | None, now: datetime
) -> NewSession:
    """Begin a session with a new token; the browser's previous one ends, so that no token outlives a sign-in."""
    session.execute(
        update(SignInAttempt).where(SignInAttempt.attempt_id == attempt_id).values(succeeded=True)
    )
    if previous_token:
        end_session(session, token=previous_token)
    new = NewSession(token=secrets.token_urlsafe(32), csrf_token=secrets.token_urlsafe(32))
    session.execute(
        insert(WebSession).values(
            token_sha256=token_hash(new.token),
            person_id=person_id,
            csrf_token=new.csrf_token,
            created_at=now,
            seen_at=now,
        )
    )
    return new


def end_session(session: Session, *, token: str) -> None:
    """End the session of `token`, if there is one."""
    session.execute(delete(WebSession).where(WebSession.token_sha256 == token_hash(token)))


def touch_session(session: Session, *, token: str, seen_at: datetime, now: datetime) -> None:
    """Note that a session is in use, at most once a minute."""
    if now - seen_at >= SEEN_STEP:
        session.execute(
            update(WebSession).where(WebSession.token_sha256 == token_hash(token)).values(seen_at=now)
        )


def token_hash(token: str) -> bytes:
    """Return what is stored of a session's token."""
    return hashlib.sha256(token.encode()).digest()


def _person(session: Session, person_id: UUID) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise NoSuchPerson("There is no such person")
    return person


def _record(
    session: Session,
    person: Person,
    *,
    now: datetime,
    actor: str,
    action: str,
    detail: dict[str, Any] | None = None,
) -> None:
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="person",
        subject_id=person.login,
        detail=detail,
    )

"""Changing the programme: one person drafts a version, another approves or rejects it; nothing decided changes."""

from datetime import date, datetime

from sqlalchemy import CursorResult, insert, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Conflict, Refused
from loyalty.models import ProgrammeVersion
from loyalty.programme.codec import rules_document
from loyalty.programme.rules import Programme
from loyalty.programme.versions import Version, earliest_start, find_version, forget_copy

LONGEST_TEXT = 500


class SamePerson(Refused):
    """Who drafted a version cannot approve it."""


class StartsTooSoon(Refused):
    """The version would hold on days whose sales may have been booked already; `earliest` is the first that is free."""

    def __init__(self, earliest: date) -> None:
        super().__init__(f"a version approved now starts on {earliest.isoformat()} at the earliest")
        self.earliest = earliest


class AlreadyDecided(Conflict):
    """The draft was decided, or changed by somebody, since it was read."""


class NoReason(Refused):
    """A rejection needs a reason, a draft a note that says what it is for."""


def draft_version(
    session: Session, *, programme: Programme, valid_from: date, note: str, actor: str, now: datetime
) -> int:
    """Write a new draft and return its number; raises `NoReason` or `StartsTooSoon`."""
    _check_start(session, valid_from, now)
    content = rules_document(programme)
    version = session.execute(
        insert(ProgrammeVersion)
        .values(
            valid_from=valid_from,
            state="draft",
            rules=content,
            note=_said(note),
            drafted_by=actor,
            drafted_at=now,
        )
        .returning(ProgrammeVersion.version)
    ).scalar_one()
    _audit(session, version, "programme.draft", actor, now, valid_from=valid_from.isoformat(), rules=content)
    return version


def change_draft(
    session: Session,
    *,
    version: int,
    seen: datetime,
    programme: Programme,
    valid_from: date,
    note: str,
    actor: str,
    now: datetime,
) -> None:
    """
    Replace the content of a draft that was `seen` as of its last change; who changes it becomes its author.

    Raises `VersionNotFound`, `AlreadyDecided`, `NoReason` or `StartsTooSoon`.
    """
    find_version(session, version=version)
    _check_start(session, valid_from, now)
    content = rules_document(programme)
    _update(
        session,
        version,
        seen,
        valid_from=valid_from,
        rules=content,
        note=_said(note),
        drafted_by=actor,
        drafted_at=now,
    )
    _audit(session, version, "programme.change", actor, now, valid_from=valid_from.isoformat(), rules=content)


def approve_version(
    session: Session, *, version: int, seen: datetime, actor: str, now: datetime, reason: str = ""
) -> Version:
    """
    Let a draft that was `seen` as it is hold from its day on.

    Raises `VersionNotFound`, `AlreadyDecided`, `SamePerson` or `StartsTooSoon`: the day may have
    come too near while the draft waited.
    """
    draft = find_version(session, version=version)
    if draft.drafted_by == actor:
        raise SamePerson("who drafted a version cannot approve it: a second person has to look")
    _check_start(session, draft.valid_from, now)
    _decide(session, version, seen=seen, state="approved", actor=actor, now=now, reason=reason)
    forget_copy(session)
    return find_version(session, version=version)


def reject_version(
    session: Session, *, version: int, seen: datetime, actor: str, now: datetime, reason: str
) -> None:
    """Refuse a draft for a `reason`; raises `VersionNotFound`, `AlreadyDecided` or `NoReason`."""
    find_version(session, version=version)
    _decide(session, version, seen=seen, state="rejected", actor=actor, now=now, reason=_said(reason))


def withdraw_version(session: Session, *, version: int, seen: datetime, actor: str, now: datetime) -> None:
    """Take a draft back; raises `VersionNotFound` or `AlreadyDecided`."""
    find_version(session, version=version)
    _decide(session, version, seen=seen, state="withdrawn", actor=actor, now=now)


def _decide(
    session: Session, version: int, *, seen: datetime, state: str, actor: str, now: datetime, reason: str = ""
) -> None:
    said = reason.strip()[:LONGEST_TEXT] or None
    _update(session, version, seen, state=state, decided_by=actor, decided_at=now, decision_reason=said)
    words = {"approved": "approve", "rejected": "reject", "withdrawn": "withdraw"}
    _audit(session, version, f"programme.{words[state]}", actor, now, reason=said)


def _update(session: Session, version: int, seen: datetime, **values: object) -> None:
    """Change a draft if it is still what was `seen`."""
    result = session.execute(
        update(ProgrammeVersion)
        .where(
            ProgrammeVersion.version == version,
            ProgrammeVersion.state == "draft",
            ProgrammeVersion.drafted_at == seen,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    if not result.rowcount:
        raise AlreadyDecided(f"version {version} was decided or changed meanwhile")


def _check_start(session: Session, valid_from: date, now: datetime) -> None:
    earliest = earliest_start(session, now=now)
    if earliest is not None and valid_from < earliest:
        raise StartsTooSoon(earliest)


def _said(text: str) -> str:
    said = text.strip()[:LONGEST_TEXT]
    if not said:
        raise NoReason("say why")
    return said


def _audit(session: Session, version: int, action: str, actor: str, now: datetime, **detail: object) -> None:
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="programme_version",
        subject_id=str(version),
        detail={name: content for name, content in detail.items() if content is not None},
    )

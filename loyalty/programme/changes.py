"""Changing the programme: one person drafts a version, another approves or rejects it; nothing decided changes."""

from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from loyalty.drafts import Drafts
from loyalty.models import ProgrammeVersion
from loyalty.programme.codec import rules_document
from loyalty.programme.rules import Programme
from loyalty.programme.versions import Version, find_version, forget_copy

_DRAFTS: Final = Drafts(
    table=ProgrammeVersion,
    subject="programme_version",
    called="programme",
    find=lambda session, version: find_version(session, version=version),
)


def draft_version(
    session: Session, *, programme: Programme, valid_from: date, note: str, actor: str, now: datetime
) -> int:
    """Write a new draft and return its number; raises `NoReason` or `StartsTooSoon`."""
    rules = rules_document(programme)
    return _DRAFTS.write(session, rules=rules, valid_from=valid_from, note=note, actor=actor, now=now)


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
    _DRAFTS.change(
        session,
        version=version,
        seen=seen,
        rules=rules_document(programme),
        valid_from=valid_from,
        note=note,
        actor=actor,
        now=now,
    )


def approve_version(
    session: Session, *, version: int, seen: datetime, actor: str, now: datetime, reason: str = ""
) -> Version:
    """
    Let a draft that was `seen` as it is hold from its day on.

    Raises `VersionNotFound`, `AlreadyDecided`, `SamePerson` or `StartsTooSoon`: the day may have
    come too near while the draft waited.
    """
    _DRAFTS.approve(session, version=version, seen=seen, actor=actor, now=now, reason=reason)
    forget_copy(session)
    return find_version(session, version=version)


def reject_version(
    session: Session, *, version: int, seen: datetime, actor: str, now: datetime, reason: str
) -> None:
    """Refuse a draft for a `reason`; raises `VersionNotFound`, `AlreadyDecided` or `NoReason`."""
    _DRAFTS.reject(session, version=version, seen=seen, actor=actor, now=now, reason=reason)


def withdraw_version(session: Session, *, version: int, seen: datetime, actor: str, now: datetime) -> None:
    """Take a draft back; raises `VersionNotFound` or `AlreadyDecided`."""
    _DRAFTS.withdraw(session, version=version, seen=seen, actor=actor, now=now)

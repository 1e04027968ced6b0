"""Changing the tiers: one person drafts a version, another approves or rejects it; nothing decided changes."""

from datetime import date, datetime

from sqlalchemy import CursorResult, insert, or_, update
from sqlalchemy.orm import Session

from core.audit import record_event
from loyalty.programme.changes import LONGEST_TEXT, AlreadyDecided, NoReason, SamePerson, StartsTooSoon
from loyalty.programme.versions import earliest_start
from loyalty.tiers.codec import scheme_document
from loyalty.tiers.models import TierScheme, TierStanding
from loyalty.tiers.scheme import Scheme
from loyalty.tiers.versions import SchemeVersion, find_scheme, forget_schemes


def draft_scheme(
    session: Session, *, scheme: Scheme, valid_from: date, note: str, actor: str, now: datetime
) -> int:
    """Write a new draft and return its number; raises `NoReason` or `StartsTooSoon`."""
    _check_start(session, valid_from, now)
    content = scheme_document(scheme)
    version = session.execute(
        insert(TierScheme)
        .values(
            valid_from=valid_from,
            state="draft",
            rules=content,
            note=_said(note),
            drafted_by=actor,
            drafted_at=now,
        )
        .returning(TierScheme.version)
    ).scalar_one()
    _audit(session, version, "tiers.draft", actor, now, valid_from=valid_from.isoformat(), rules=content)
    return version


def change_scheme_draft(
    session: Session,
    *,
    version: int,
    seen: datetime,
    scheme: Scheme,
    valid_from: date,
    note: str,
    actor: str,
    now: datetime,
) -> None:
    """
    Replace the content of a draft that was `seen` as of its last change; who changes it becomes its author.

    Raises `SchemeNotFound`, `AlreadyDecided`, `NoReason` or `StartsTooSoon`.
    """
    find_scheme(session, version=version)
    _check_start(session, valid_from, now)
    content = scheme_document(scheme)
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
    _audit(session, version, "tiers.change", actor, now, valid_from=valid_from.isoformat(), rules=content)


def approve_scheme(
    session: Session, *, version: int, seen: datetime, actor: str, now: datetime, reason: str = ""
) -> SchemeVersion:
    """
    Let a draft that was `seen` as it is hold from its day on.

    Every account is looked at on that day. Raises `SchemeNotFound`, `AlreadyDecided`, `SamePerson`
    or `StartsTooSoon`: the day may have come too near while the draft waited.
    """
    draft = find_scheme(session, version=version)
    if draft.drafted_by == actor:
        raise SamePerson("who drafted a version cannot approve it: a second person has to look")
    _check_start(session, draft.valid_from, now)
    _decide(session, version, seen=seen, state="approved", actor=actor, now=now, reason=reason)
    session.execute(
        update(TierStanding)
        .where(or_(TierStanding.due_on.is_(None), TierStanding.due_on > draft.valid_from))
        .values(due_on=draft.valid_from)
        .execution_options(synchronize_session=False)
    )
    forget_schemes(session)
    return find_scheme(session, version=version)


def reject_scheme(
    session: Session, *, version: int, seen: datetime, actor: str, now: datetime, reason: str
) -> None:
    """Refuse a draft for a `reason`; raises `SchemeNotFound`, `AlreadyDecided` or `NoReason`."""
    find_scheme(session, version=version)
    _decide(session, version, seen=seen, state="rejected", actor=actor, now=now, reason=_said(reason))


def withdraw_scheme(session: Session, *, version: int, seen: datetime, actor: str, now: datetime) -> None:
    """Take a draft back; raises `SchemeNotFound` or `AlreadyDecided`."""
    find_scheme(session, version=version)
    _decide(session, version, seen=seen, state="withdrawn", actor=actor, now=now)


def _decide(
    session: Session, version: int, *, seen: datetime, state: str, actor: str, now: datetime, reason: str = ""
) -> None:
    said = reason.strip()[:LONGEST_TEXT] or None
    _update(session, version, seen, state=state, decided_by=actor, decided_at=now, decision_reason=said)
    words = {"approved": "approve", "rejected": "reject", "withdrawn": "withdraw"}
    _audit(session, version, f"tiers.{words[state]}", actor, now, reason=said)


def _update(session: Session, version: int, seen: datetime, **values: object) -> None:
    """Change a draft if it is still what was `seen`."""
    result = session.execute(
        update(TierScheme)
        .where(TierScheme.version == version, TierScheme.state == "draft", TierScheme.drafted_at == seen)
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
        subject_kind="tier_scheme",
        subject_id=str(version),
        detail={name: content for name, content in detail.items() if content is not None},
    )

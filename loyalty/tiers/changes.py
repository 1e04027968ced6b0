"""Changing the tiers: one person drafts a version, another approves or rejects it; nothing decided changes."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from loyalty.drafts import Drafts
from loyalty.tiers.codec import scheme_document
from loyalty.tiers.models import TierScheme, TierStanding
from loyalty.tiers.scheme import Scheme
from loyalty.tiers.versions import SchemeVersion, find_scheme, forget_schemes

_DRAFTS: Final = Drafts(
    table=TierScheme,
    subject="tier_scheme",
    called="tiers",
    find=lambda session, version: find_scheme(session, version=version),
)


def draft_scheme(
    session: Session, *, scheme: Scheme, valid_from: date, note: str, actor: str, now: datetime
) -> int:
    """Write a new draft and return its number; raises `NoReason` or `StartsTooSoon`."""
    rules = scheme_document(scheme)
    return _DRAFTS.write(session, rules=rules, valid_from=valid_from, note=note, actor=actor, now=now)


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
    _DRAFTS.change(
        session,
        version=version,
        seen=seen,
        rules=scheme_document(scheme),
        valid_from=valid_from,
        note=note,
        actor=actor,
        now=now,
    )


def approve_scheme(
    session: Session, *, version: int, seen: datetime, actor: str, now: datetime, reason: str = ""
) -> SchemeVersion:
    """
    Let a draft that was `seen` as it is hold from its day on.

    Every account is looked at on that day. Raises `SchemeNotFound`, `AlreadyDecided`, `SamePerson`
    or `StartsTooSoon`: the day may have come too near while the draft waited.
    """
    start = _DRAFTS.approve(session, version=version, seen=seen, actor=actor, now=now, reason=reason)
    session.execute(
        update(TierStanding)
        .where(or_(TierStanding.due_on.is_(None), TierStanding.due_on > start))
        .values(due_on=start)
        .execution_options(synchronize_session=False)
    )
    forget_schemes(session)
    return find_scheme(session, version=version)


def reject_scheme(
    session: Session, *, version: int, seen: datetime, actor: str, now: datetime, reason: str
) -> None:
    """Refuse a draft for a `reason`; raises `SchemeNotFound`, `AlreadyDecided` or `NoReason`."""
    _DRAFTS.reject(session, version=version, seen=seen, actor=actor, now=now, reason=reason)


def withdraw_scheme(session: Session, *, version: int, seen: datetime, actor: str, now: datetime) -> None:
    """Take a draft back; raises `SchemeNotFound` or `AlreadyDecided`."""
    _DRAFTS.withdraw(session, version=version, seen=seen, actor=actor, now=now)

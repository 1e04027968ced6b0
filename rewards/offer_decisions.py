"""Deciding about drafted offers: rehearsed by the machine, approved by a second person, stopped by anybody who may."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Conflict, NotFound, Refused
from rewards.models import LiveBook, OfferVersion, RehearsedOffer
from rewards.offer_uses import count_budgets

LONGEST_TEXT: Final = 500


class OfferVersionNotFound(NotFound):
    """There is no such version of the offer."""


class SamePerson(Refused):
    """Who drafted a version cannot approve it."""


class NotRehearsed(Refused):
    """The version was never rehearsed as it is now."""


class NoReason(Refused):
    """A rejection, and stopping a live offer, need a reason."""


class AlreadyDecided(Conflict):
    """The draft was decided, or changed by somebody, since it was read."""


class NotLive(Conflict):
    """No version of the offer is live, so there is nothing to stop."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is decided about."""

    state: str
    drafted_by: str


def rehearsal_needed(session: Session, *, offer_code: str, version: int) -> bool:
    """
    Return whether a version still has to be rehearsed before it can be approved.

    A rehearsal counts when it is completed and was of exactly this content. Raises `OfferVersionNotFound`.
    """
    _draft(session, offer_code, version)
    return not session.scalar(
        select(
            select(RehearsedOffer.offer_code)
            .join(
                OfferVersion,
                (OfferVersion.offer_code == RehearsedOffer.offer_code)
                & (OfferVersion.version == RehearsedOffer.version)
                & (OfferVersion.document == RehearsedOffer.document),
            )
            .where(
                RehearsedOffer.offer_code == offer_code,
                RehearsedOffer.version == version,
                RehearsedOffer.results.is_not(None),
            )
            .exists()
        )
    )


def approve_offer(
    session: Session,
    *,
    offer_code: str,
    version: int,
    seen: datetime,
    actor: str,
    now: datetime,
    reason: str = "",
) -> None:
    """
    Make a draft live that was `seen` as it was last changed; the version that was live is replaced.

    Raises `OfferVersionNotFound`, `SamePerson`, `NotRehearsed` or `AlreadyDecided`.
    """
    hold_book(session)
    draft = _draft(session, offer_code, version)
    if draft.drafted_by == actor:
        raise SamePerson("who drafted an offer cannot approve it: a second person has to look")
    if draft.state == "draft" and rehearsal_needed(session, offer_code=offer_code, version=version):
        raise NotRehearsed(f"version {version} of {offer_code} was not rehearsed as it is now: do that first")
    said = _cut(reason)
    replaced = _end_live(session, offer_code, state="replaced", actor=actor, now=now)
    decided = {
        "state": "live",
        "decided_by": actor,
        "decided_at": now,
        "decision_reason": said,
        "live_from": now,
    }
    _decide(session, offer_code, version, seen, decided)
    let_tills_see(session, actor=actor, now=now)
    _audit(
        session, offer_code, version, "offer.approve", actor=actor, now=now, reason=said, replaced=replaced
    )


def reject_offer(
    session: Session, *, offer_code: str, version: int, seen: datetime, actor: str, now: datetime, reason: str
) -> None:
    """Refuse a draft for a `reason`; raises `OfferVersionNotFound`, `AlreadyDecided` or `NoReason`."""
    _draft(session, offer_code, version)
    said = _said(reason)
    decided = {"state": "rejected", "decided_by": actor, "decided_at": now, "decision_reason": said}
    _decide(session, offer_code, version, seen, decided)
    _audit(session, offer_code, version, "offer.reject", actor=actor, now=now, reason=said)


def withdraw_offer(
    session: Session,
    *,
    offer_code: str,
    version: int,
    seen: datetime,
    actor: str,
    now: datetime,
    reason: str = "",
) -> None:
    """Take a draft back; raises `OfferVersionNotFound` or `AlreadyDecided`."""
    _draft(session, offer_code, version)
    said = _cut(reason)
    decided = {"state": "withdrawn", "decided_by": actor, "decided_at": now, "decision_reason": said}
    _decide(session, offer_code, version, seen, decided)
    _audit(session, offer_code, version, "offer.withdraw", actor=actor, now=now, reason=said)


def stop_offer(session: Session, *, offer_code: str, actor: str, now: datetime, reason: str) -> int:
    """
    Stop the live version of an offer and return its number; quotes already given are honoured for their time.

    One person suffices: what stops giving costs nothing. Raises `NotLive` or `NoReason`.
    """
    said = _said(reason)
    hold_book(session)
    version = _end_live(session, offer_code, state="stopped", actor=actor, now=now, reason=said)
    if version is None:
        raise NotLive(f"no version of {offer_code} is live")
    let_tills_see(session, actor=actor, now=now)
    _audit(session, offer_code, version, "offer.stop", actor=actor, now=now, reason=said)
    return version


def let_tills_see(session: Session, *, actor: str, now: datetime) -> None:
    """
    Draw another generation of the live offers, which every process asks for with its next basket.

    Budgets that are new begin to be counted.
    """
    count_budgets(session)
    session.execute(
        update(LiveBook).values(generation=func.nextval("offer_generation"), changed_at=now, changed_by=actor)
    )


def hold_book(session: Session) -> None:
    """Let nobody else make a version of any offer, or end one, until this transaction is over."""
    session.execute(select(LiveBook.generation).with_for_update())


def _draft(session: Session, offer_code: str, version: int) -> Draft:
    row = session.execute(
        select(OfferVersion.state, OfferVersion.drafted_by).where(
            OfferVersion.offer_code == offer_code, OfferVersion.version == version
        )
    ).one_or_none()
    if row is None:
        raise OfferVersionNotFound(f"there is no version {version} of {offer_code}")
    return Draft(row.state, row.drafted_by)


def _decide(
    session: Session, offer_code: str, version: int, seen: datetime, decided: Mapping[str, Any]
) -> None:
    """Decide about a draft if it is still what was `seen`."""
    result = session.execute(
        update(OfferVersion)
        .where(
            OfferVersion.offer_code == offer_code,
            OfferVersion.version == version,
            OfferVersion.state == "draft",
            OfferVersion.drafted_at == seen,
        )
        .values(**decided)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    if not result.rowcount:
        raise AlreadyDecided(f"version {version} of {offer_code} was decided or changed meanwhile")


def _end_live(
    session: Session, offer_code: str, *, state: str, actor: str, now: datetime, reason: str | None = None
) -> int | None:
    """End the live version and return its number, None where there is none."""
    version: int | None = session.scalar(
        update(OfferVersion)
        .where(OfferVersion.offer_code == offer_code, OfferVersion.state == "live")
        .values(state=state, ended_at=now, ended_by=actor, end_reason=reason)
        .returning(OfferVersion.version)
        .execution_options(synchronize_session=False)
    )
    return version


def _cut(text: str) -> str | None:
    return text.strip()[:LONGEST_TEXT] or None


def _said(text: str) -> str:
    said = _cut(text)
    if said is None:
        raise NoReason("say why")
    return said


def _audit(
    session: Session,
    offer_code: str,
    version: int,
    action: str,
    *,
    actor: str,
    now: datetime,
    **detail: object,
) -> None:
    told = {"version": version, **{name: value for name, value in detail.items() if value is not None}}
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="offer",
        subject_id=offer_code,
        detail=told,
    )

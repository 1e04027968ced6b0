"""Versions of rules, of the programme as of the tiers: one person drafts one, another decides; nothing decided changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import CursorResult, insert, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Conflict, Refused
from loyalty.models import ProgrammeVersion
from loyalty.stored_versions import earliest_start
from loyalty.tiers.models import TierScheme

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


class Draft(Protocol):
    """A version that waits for a decision, as far as it matters to that."""

    @property
    def drafted_by(self) -> str:
        """Who wrote it last."""

    @property
    def valid_from(self) -> date:
        """The day from which it is to hold."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """
    The versions of one kind of rules: their table, and by which words the audit trail calls them.

    `find` returns a version by its number or raises that there is none; every change of one raises what it does, and
    `AlreadyDecided` where the draft is not as it was `seen` any more.
    """

    table: type[ProgrammeVersion | TierScheme]
    subject: str
    called: str
    find: Callable[[Session, int], Draft]

    def write(
        self,
        session: Session,
        *,
        rules: Mapping[str, Any],
        valid_from: date,
        note: str,
        actor: str,
        now: datetime,
    ) -> int:
        """Write a new draft and return its number; raises `NoReason` or `StartsTooSoon`."""
        _check_start(session, valid_from, now)
        version = session.execute(
            insert(self.table)
            .values(
                valid_from=valid_from,
                state="draft",
                rules=rules,
                note=_said(note),
                drafted_by=actor,
                drafted_at=now,
            )
            .returning(self.table.version)
        ).scalar_one()
        self._audit(session, version, "draft", actor, now, valid_from=valid_from.isoformat(), rules=rules)
        return version

    def change(
        self,
        session: Session,
        *,
        version: int,
        seen: datetime,
        rules: Mapping[str, Any],
        valid_from: date,
        note: str,
        actor: str,
        now: datetime,
    ) -> None:
        """Replace a draft's content; who changes it becomes its author. Raises `NoReason` or `StartsTooSoon`, too."""
        self.find(session, version)
        _check_start(session, valid_from, now)
        self._update(
            session,
            version,
            seen,
            valid_from=valid_from,
            rules=rules,
            note=_said(note),
            drafted_by=actor,
            drafted_at=now,
        )
        self._audit(session, version, "change", actor, now, valid_from=valid_from.isoformat(), rules=rules)

    def approve(
        self, session: Session, *, version: int, seen: datetime, actor: str, now: datetime, reason: str = ""
    ) -> date:
        """Let a draft hold, and return from which day on; raises `SamePerson` or `StartsTooSoon`, too."""
        draft = self.find(session, version)
        if draft.drafted_by == actor:
            raise SamePerson("who drafted a version cannot approve it: a second person has to look")
        _check_start(session, draft.valid_from, now)
        self._decide(session, version, seen, "approved", "approve", actor, now, reason)
        return draft.valid_from

    def reject(
        self, session: Session, *, version: int, seen: datetime, actor: str, now: datetime, reason: str
    ) -> None:
        """Refuse a draft for a `reason`; raises `NoReason`, too."""
        self.find(session, version)
        self._decide(session, version, seen, "rejected", "reject", actor, now, _said(reason))

    def withdraw(self, session: Session, *, version: int, seen: datetime, actor: str, now: datetime) -> None:
        """Take a draft back."""
        self.find(session, version)
        self._decide(session, version, seen, "withdrawn", "withdraw", actor, now, "")

    def _decide(  # noqa: PLR0917
        self,
        session: Session,
        version: int,
        seen: datetime,
        state: str,
        action: str,
        actor: str,
        now: datetime,
        reason: str,
    ) -> None:
        said = reason.strip()[:LONGEST_TEXT] or None
        self._update(
            session, version, seen, state=state, decided_by=actor, decided_at=now, decision_reason=said
        )
        self._audit(session, version, action, actor, now, reason=said)

    def _update(self, session: Session, version: int, seen: datetime, **values: object) -> None:
        """Change a draft if it is still what was `seen`."""
        table = self.table
        result = session.execute(
            update(table)
            .where(table.version == version, table.state == "draft", table.drafted_at == seen)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)
        if not result.rowcount:
            raise AlreadyDecided(f"version {version} was decided or changed meanwhile")

    def _audit(
        self, session: Session, version: int, action: str, actor: str, now: datetime, **detail: object
    ) -> None:
        record_event(
            session,
            now=now,
            actor=actor,
            action=f"{self.called}.{action}",
            subject_kind=self.subject,
            subject_id=str(version),
            detail={name: content for name, content in detail.items() if content is not None},
        )


def _check_start(session: Session, valid_from: date, now: datetime) -> None:
    earliest = earliest_start(session, now=now)
    if earliest is not None and valid_from < earliest:
        raise StartsTooSoon(earliest)


def _said(text: str) -> str:
    said = text.strip()[:LONGEST_TEXT]
    if not said:
        raise NoReason("say why")
    return said

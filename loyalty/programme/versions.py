"""Versions of the programme as they are stored: those in force, kept at hand by every process, and all there are."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from core.clock import business_day
from core.database import engine_of
from core.errors import NotFound
from loyalty.models import ProgrammeVersion
from loyalty.programme.codec import read_rules, rules_document
from loyalty.programme.rules import Approved, Programme, Programmes
from sales.models import Receipt, Store

KEPT_FOR = 60.0
"""
Seconds after which a process reads the approved versions again.

Approved versions never change, and one starts no sooner than `AHEAD` days after the day of
its approval, a day after the latest that a till may be ahead of us: so no copy this young
lacks a version that holds on the day of a receipt.
"""
AHEAD = 2

_kept: WeakKeyDictionary[Engine, tuple[float, Programmes]] = WeakKeyDictionary()


class VersionNotFound(NotFound):
    """There is no version of the programme of this number."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the programme with its story."""

    programme: Programme
    valid_from: date
    state: str
    note: str
    drafted_by: str
    drafted_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None

    @property
    def number(self) -> int:
        """The number of the version."""
        return self.programme.version


def programmes(session: Session) -> Programmes:
    """Return the approved versions, from this process' copy as long as that cannot lack one that holds."""
    engine = engine_of(session)
    kept = _kept.get(engine)
    if kept is not None and time.monotonic() - kept[0] < KEPT_FOR:
        return kept[1]
    read_at = time.monotonic()
    found = read_programmes(session)
    _kept[engine] = read_at, found
    return found


def read_programmes(session: Session) -> Programmes:
    """Return the approved versions as they are stored now."""
    rows = session.execute(
        select(
            ProgrammeVersion.version,
            ProgrammeVersion.valid_from,
            ProgrammeVersion.decided_at,
            ProgrammeVersion.rules,
        ).where(ProgrammeVersion.state == "approved")
    )
    return Programmes(
        Approved(valid_from, decided_at, read_rules(rules, version=version))
        for version, valid_from, decided_at, rules in rows
        if decided_at is not None
    )


def forget_copy(session: Session) -> None:
    """Let this process read the versions again once `session` has committed."""
    engine = engine_of(session)
    event.listen(session, "after_commit", lambda _: _kept.pop(engine, None), once=True)


def earliest_start(session: Session, *, now: datetime) -> date | None:
    """
    Return the first day on which a version that is approved at `now` may start; None for any day.

    No sale may have been booked under the rules that it replaces, so while there is no receipt
    at all a chain may set up the rules that its past is imported under.
    """
    if session.scalar(select(Receipt.receipt_id).limit(1)) is None:
        return None
    zones = session.scalars(select(Store.timezone).distinct()).all() or ["UTC"]
    return max(business_day(now, zone) for zone in zones) + timedelta(days=AHEAD)


def all_versions(session: Session) -> list[Version]:
    """Return every version there is, the one of the latest start first."""
    rows = session.scalars(
        select(ProgrammeVersion).order_by(ProgrammeVersion.valid_from.desc(), ProgrammeVersion.version.desc())
    )
    return [_version(row) for row in rows]


def find_version(session: Session, *, version: int) -> Version:
    """Return a version with its story; raises `VersionNotFound`."""
    row = session.get(ProgrammeVersion, version, populate_existing=True)
    if row is None:
        raise VersionNotFound(f"there is no version {version} of the programme")
    return _version(row)


def version_document(version: Version) -> dict[str, Any]:
    """Return a version with its story as JSON."""
    return {
        "version": version.number,
        "valid_from": version.valid_from.isoformat(),
        "state": version.state,
        "note": version.note,
        "drafted_by": version.drafted_by,
        "drafted_at": version.drafted_at.isoformat(),
        "decided_by": version.decided_by,
        "decided_at": version.decided_at and version.decided_at.isoformat(),
        "decision_reason": version.decision_reason,
        "rules": rules_document(version.programme),
    }


def _version(row: ProgrammeVersion) -> Version:
    rules: Mapping[str, Any] = row.rules
    return Version(
        programme=read_rules(rules, version=row.version),
        valid_from=row.valid_from,
        state=row.state,
        note=row.note,
        drafted_by=row.drafted_by,
        drafted_at=row.drafted_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
    )

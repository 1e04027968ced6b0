"""Versions of the tiers as they are stored: those in force, kept at hand by every process, and all there are."""

import time
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from core.database import engine_of
from core.errors import NotFound
from loyalty.programme.versions import KEPT_FOR
from loyalty.tiers.codec import read_scheme, scheme_document
from loyalty.tiers.models import TierScheme
from loyalty.tiers.scheme import ApprovedScheme, Scheme, Schemes

_kept: WeakKeyDictionary[Engine, tuple[float, Schemes]] = WeakKeyDictionary()


class SchemeNotFound(NotFound):
    """There is no version of the tiers of this number."""


@dataclass(frozen=True, slots=True)
class SchemeVersion:
    """A version of the tiers with its story."""

    scheme: Scheme
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
        return self.scheme.version


def schemes(session: Session) -> Schemes:
    """Return the approved versions, from this process' copy as long as that cannot lack one that holds."""
    engine = engine_of(session)
    kept = _kept.get(engine)
    if kept is not None and time.monotonic() - kept[0] < KEPT_FOR:
        return kept[1]
    read_at = time.monotonic()
    found = read_schemes(session)
    _kept[engine] = read_at, found
    return found


def read_schemes(session: Session) -> Schemes:
    """Return the approved versions as they are stored now."""
    rows = session.execute(
        select(TierScheme.version, TierScheme.valid_from, TierScheme.decided_at, TierScheme.rules).where(
            TierScheme.state == "approved"
        )
    )
    return Schemes(
        ApprovedScheme(valid_from, decided_at, read_scheme(rules, version=version))
        for version, valid_from, decided_at, rules in rows
        if decided_at is not None
    )


def forget_schemes(session: Session) -> None:
    """Let this process read the versions again once `session` has committed."""
    engine = engine_of(session)
    event.listen(session, "after_commit", lambda _: _kept.pop(engine, None), once=True)


def all_schemes(session: Session) -> list[SchemeVersion]:
    """Return every version there is, the one of the latest start first."""
    rows = session.scalars(
        select(TierScheme).order_by(TierScheme.valid_from.desc(), TierScheme.version.desc())
    )
    return [_version(row) for row in rows]


def find_scheme(session: Session, *, version: int) -> SchemeVersion:
    """Return a version with its story; raises `SchemeNotFound`."""
    row = session.get(TierScheme, version, populate_existing=True)
    if row is None:
        raise SchemeNotFound(f"there is no version {version} of the tiers")
    return _version(row)


def version_document(version: SchemeVersion) -> dict[str, Any]:
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
        "rules": scheme_document(version.scheme),
    }


def _version(row: TierScheme) -> SchemeVersion:
    return SchemeVersion(
        scheme=read_scheme(row.rules, version=row.version),
        valid_from=row.valid_from,
        state=row.state,
        note=row.note,
        drafted_by=row.drafted_by,
        drafted_at=row.drafted_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
    )

"""Versions of rules as they are stored, of the programme as of the tiers: those in force, kept at hand by every process, and all there are."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from core.clock import business_day
from core.database import engine_of
from core.errors import NotFound
from loyalty.models import ProgrammeVersion
from loyalty.tiers.models import TierScheme
from sales.models import Receipt, Store

KEPT_FOR = 60.0
"""
Seconds after which a process reads the approved versions again.

Approved versions never change, and one starts no sooner than `AHEAD` days after the day of
its approval, a day after the latest that a till may be ahead of us: so no copy this young
lacks a version that holds on the day of a receipt.
"""
AHEAD = 2

RulesT = TypeVar("RulesT")
ReadT_co = TypeVar("ReadT_co", covariant=True)
InForceT = TypeVar("InForceT")


@dataclass(frozen=True, slots=True)
class RulesVersion(Generic[RulesT]):
    """A version of rules with its story."""

    number: int
    rules: RulesT
    valid_from: date
    state: str
    note: str
    drafted_by: str
    drafted_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None


class Reading(Protocol[ReadT_co]):
    """Rules out of the document that is stored, with the number of their version."""

    def __call__(self, document: Mapping[str, Any], *, version: int) -> ReadT_co:
        """Return the rules; raises what the codec raises for a document that holds none."""


@dataclass(frozen=True, eq=False)
class StoredVersions(Generic[RulesT, InForceT]):
    """
    The versions of one kind of rules in their `table`.

    `read` and `write` are its codec, `gather` makes of approved versions (first day, when they were approved, rules) what
    says which of them holds when, and `missing` is raised with a sentence for a number that no version has.
    """

    table: type[ProgrammeVersion | TierScheme]
    read: Reading[RulesT]
    write: Callable[[RulesT], Any]
    gather: Callable[[Iterable[tuple[date, datetime, RulesT]]], InForceT]
    missing: Callable[[int], NotFound]
    _kept: WeakKeyDictionary[Engine, tuple[float, InForceT]] = field(
        default_factory=WeakKeyDictionary, init=False
    )

    def in_force(self, session: Session) -> InForceT:
        """Return the approved versions, from this process' copy as long as that cannot lack one that holds."""
        engine = engine_of(session)
        kept = self._kept.get(engine)
        if kept is not None and time.monotonic() - kept[0] < KEPT_FOR:
            return kept[1]
        read_at = time.monotonic()
        found = self.read_in_force(session)
        self._kept[engine] = read_at, found
        return found

    def read_in_force(self, session: Session) -> InForceT:
        """Return the approved versions as they are stored now."""
        table = self.table
        rows = session.execute(
            select(table.version, table.valid_from, table.decided_at, table.rules).where(
                table.state == "approved"
            )
        )
        return self.gather(
            (valid_from, decided_at, self.read(rules, version=version))
            for version, valid_from, decided_at, rules in rows
            if decided_at is not None
        )

    def forget(self, session: Session) -> None:
        """Let this process read the versions again once `session` has committed."""
        engine = engine_of(session)
        event.listen(session, "after_commit", lambda _: self._kept.pop(engine, None), once=True)

    def all(self, session: Session) -> list[RulesVersion[RulesT]]:
        """Return every version there is, the one of the latest start first."""
        table = self.table
        rows: Iterable[ProgrammeVersion | TierScheme] = session.scalars(
            select(table).order_by(table.valid_from.desc(), table.version.desc())
        )
        return [self._version(row) for row in rows]

    def find(self, session: Session, *, version: int) -> RulesVersion[RulesT]:
        """Return a version with its story; raises `missing`."""
        row = session.get(self.table, version, populate_existing=True)
        if not isinstance(row, ProgrammeVersion | TierScheme):
            raise self.missing(version)
        return self._version(row)

    def document(self, version: RulesVersion[RulesT]) -> dict[str, Any]:
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
            "rules": self.write(version.rules),
        }

    def _version(self, row: ProgrammeVersion | TierScheme) -> RulesVersion[RulesT]:
        return RulesVersion(
            number=row.version,
            rules=self.read(row.rules, version=row.version),
            valid_from=row.valid_from,
            state=row.state,
            note=row.note,
            drafted_by=row.drafted_by,
            drafted_at=row.drafted_at,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            decision_reason=row.decision_reason,
        )


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

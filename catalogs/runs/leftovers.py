"""
What is left over and ought not to be: files that belong to no copy, hand-overs that nobody may take, vouchers nobody got.

A process that was killed, a hand-over that became stale, a mail that was held back each leave something behind that
names people or is worth money. Whoever works on catalogs next removes it, and every night does.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import event, or_, select, update
from sqlalchemy.orm import Session

from catalogs.models import CatalogCopy, CatalogHandover, CatalogRun, Edition
from catalogs.personal_vouchers import ACTOR
from catalogs.runs.leaving_copies import HELD_BACK
from core.driver import driver_of
from core.whole_files import is_unfinished
from rewards.vouchers.changes import cancel_vouchers

FOLDER: Final = "catalogs/handovers"
"""Where files that leave the house lie, under the data folder."""

LATELY: Final = timedelta(days=8)


def name_of_handover(run_code: str, kind: str, handover_id: UUID) -> str:
    """Return how the files of a hand-over are called, without what follows the dot."""
    return f"{run_code}-{kind}-{handover_id.hex[-6:]}"


def remove_strays(session: Session, *, data: Path, editions: Collection[UUID]) -> int:
    """
    Remove files of `editions` that no copy of the archive names, and return how many.

    Halves of files that a killed process was writing, and files of people who were left out afterwards. Whoever calls
    is `making.alone`: what is being made at the moment is in no archive either.
    """
    removed = 0
    for edition_id, code in session.execute(
        select(Edition.edition_id, Edition.edition_code).where(Edition.edition_id.in_(editions))
    ).all():
        known = set(session.scalars(select(CatalogCopy.path).where(CatalogCopy.edition_id == edition_id)))
        for path in (data / "catalogs" / code).rglob("*"):
            if path.is_file() and path.relative_to(data).as_posix() not in known:
                path.unlink(missing_ok=True)
                removed += 1
    return removed


def remove_stale_files(session: Session, *, data: Path) -> int:
    """
    Remove the files of hand-overs that may not leave any more once the transaction is committed, and return how many.

    They became stale, or their run was cancelled. What is being prepared, is prepared, or was handed over stays: a file
    that went before it is known for good that it may not leave would be missed by who takes it.
    """
    session.execute(
        update(CatalogHandover)
        .where(
            CatalogHandover.state == "prepared",
            CatalogHandover.catalog_run_id == CatalogRun.catalog_run_id,
            CatalogRun.state == "cancelled",
        )
        .values(state="stale")
        .execution_options(synchronize_session=False)
    )
    folder = data / FOLDER
    if not folder.is_dir():
        return 0
    there = list(folder.iterdir())
    # Read after the folder: whatever began since is not among what was seen.
    rows = session.execute(
        select(CatalogRun.run_code, CatalogHandover.kind, CatalogHandover.handover_id, CatalogHandover.state)
        .join(CatalogRun, CatalogRun.catalog_run_id == CatalogHandover.catalog_run_id)
        .where(
            or_(
                CatalogHandover.state.in_(("prepared", "handed")),
                (CatalogHandover.state == "waiting") & (CatalogRun.state != "cancelled"),
            )
        )
    ).all()
    kept = {name_of_handover(row.run_code, row.kind, row.handover_id): row.state for row in rows}
    stale = []
    for path in there:
        state = kept.get(path.name.partition(".")[0])
        if state is None or (state != "waiting" and is_unfinished(path)):
            stale.append(path)

    def remove(_session: Session) -> None:
        for path in stale:
            path.unlink(missing_ok=True)

    event.listen(session, "after_commit", remove, once=True)
    return len(stale)


def remove_half_files(data: Path, name: str) -> int:
    """
    Remove what a killed process left of the files of the hand-over called `name`, and return how many they were.

    Whoever calls prepares it, and nobody else does.
    """
    halves = [path for path in (data / FOLDER).glob(f"{name}.*") if is_unfinished(path)]
    for path in halves:
        path.unlink(missing_ok=True)
    return len(halves)


def cancel_held_back_vouchers(session: Session, *, now: datetime) -> int:
    """Cancel the vouchers of copies that were queued to be mailed and never left; returns how many."""
    rows = driver_of(session).execute(
        f"""
        select mine.voucher_code
        from catalog_voucher as mine
        join voucher using (voucher_code)
        join catalog_copy using (edition_id, member_id)
        where voucher.state in ('issued', 'reserved') and catalog_copy.state = 'sent' and {HELD_BACK}
        """
    )
    codes = [row[0] for row in rows.fetchall()]
    if not codes:
        return 0
    cancelled = cancel_vouchers(
        session, codes=codes, reason="their catalogs' mails were held back", actor=ACTOR, now=now
    )
    return len(cancelled)


def remove_leftovers(session: Session, *, data: Path, now: datetime) -> None:
    """Remove all of it: stale files, vouchers of mails that were held back, and strays of runs cancelled lately."""
    remove_stale_files(session, data=data)
    cancel_held_back_vouchers(session, now=now)
    cancelled = session.scalars(
        select(Edition.edition_id)
        .join(CatalogRun, CatalogRun.catalog_run_id == Edition.catalog_run_id)
        .where(CatalogRun.state == "cancelled", CatalogRun.cancelled_at > now - LATELY)
    ).all()
    remove_strays(session, data=data, editions=cancelled)

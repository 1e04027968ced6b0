"""
Copies leaving the house: as one file for the printer, as a ZIP of single files, or by e-mail.

A file is prepared in the background, after every copy was looked at again; where that was interrupted, stopped or
failed, it is gone on with. It is handed over when somebody takes it, and that is refused where anything was heard of
a member meanwhile: then it is prepared anew. From that moment its copies are sent: they never change, and each
stands in its member's history once.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalogs.models import CatalogCopy, CatalogHandover, CatalogRun, Edition
from catalogs.runs.leaving_copies import send_copies
from catalogs.runs.rechecks import look_again
from core.audit import record_event
from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.job_runs import latest_runs, request_run
from core.models import JobRun

KINDS: Final = ("print", "zip", "email")
CHANNELS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "print": ("print",),
    "zip": ("print", "email"),
    "email": ("email",),
}
"""Copies of which channels leave by what."""


class NoSuchHandover(NotFound):
    """There is no such hand-over."""


class NothingToHandOver(Conflict):
    """No copy of the run waits to leave by this way."""


class NotPrepared(Conflict):
    """The hand-over is not prepared, or was handed over already in another way."""


class HeardMeanwhile(Conflict):
    """Members said something since the file was prepared; it is prepared anew."""


def ask_for_handover(
    session: Session, *, run_id: UUID, kind: str, job: str, actor: str, now: datetime
) -> UUID:
    """
    Ask for the copies of a run that were not sent yet to be handed over, and return the hand-over's id.

    The run must have been approved and its copies made, all of them or a first part. One whose preparation was
    interrupted, stopped or failed is gone on with, and one that nobody took is made anew. Raises `NothingToHandOver`,
    and `NotPrepared` while another of this kind is being prepared.
    """
    run = session.get_one(CatalogRun, run_id)
    if run.state not in {"finished", "stopped"}:
        raise NothingToHandOver("no made copy of this run waits to leave by this way")
    known = session.scalar(
        select(CatalogHandover.handover_id)
        .where(
            CatalogHandover.catalog_run_id == run_id,
            CatalogHandover.kind == kind,
            CatalogHandover.state == "waiting",
        )
        .with_for_update()
    )
    if known is not None and _goes_on(session, run.run_code, kind, f"{job}{known}", actor=actor, now=now):
        return known
    if not _copies_waiting(session, run_id, kind):
        raise NothingToHandOver("no made copy of this run waits to leave by this way")
    _give_up_older(session, run_id, kind, job)
    handover_id = uuid7()
    made = session.scalar(
        insert(CatalogHandover)
        .values(
            handover_id=handover_id,
            catalog_run_id=run_id,
            kind=kind,
            state="waiting",
            made_by=actor,
            made_at=now,
        )
        .on_conflict_do_nothing()
        .returning(CatalogHandover.handover_id)
    )
    if made is None:
        raise NotPrepared("another hand-over of this kind is being prepared")
    request_run(session, job=f"{job}{handover_id}", business_day=now.date())
    _record(session, run.run_code, "catalog_handover.ask", actor=actor, now=now, detail={"kind": kind})
    return handover_id


def _goes_on(session: Session, run_code: str, kind: str, job: str, *, actor: str, now: datetime) -> bool:
    """
    Let the preparation called `job` go on where nobody works at it, and return whether it does.

    The scheduler's next look takes it up, or whoever asked does. Raises `NotPrepared` while somebody is at it.
    """
    view = next(iter(latest_runs(session, job=job, limit=1)), None)
    if view is None or view.state == "completed":
        return False
    if view.alive:
        raise NotPrepared("another hand-over of this kind is being prepared")
    if view.state != "waiting":
        request_run(session, job=job, business_day=view.business_day)
        _record(session, run_code, "catalog_handover.resume", actor=actor, now=now, detail={"kind": kind})
    return True


def _copies_waiting(session: Session, run_id: UUID, kind: str) -> bool:
    """Return whether a copy of a run waits to leave by a way."""
    waiting = (
        select(CatalogCopy.copy_id)
        .join(Edition, Edition.edition_id == CatalogCopy.edition_id)
        .where(
            Edition.catalog_run_id == run_id,
            CatalogCopy.state == "made",
            CatalogCopy.channel.in_(CHANNELS_OF[kind]),
        )
    )
    return bool(session.scalar(select(waiting.exists())))


def _give_up_older(session: Session, run_id: UUID, kind: str, job: str) -> None:
    """Let an earlier hand-over of a kind be stale: one that nobody took, or whose preparation ended without a file."""
    ended = (
        select(JobRun.run_id)
        .where(JobRun.job == func.concat(job, CatalogHandover.handover_id), JobRun.state == "completed")
        .exists()
    )
    session.execute(
        update(CatalogHandover)
        .where(
            CatalogHandover.catalog_run_id == run_id,
            CatalogHandover.kind == kind,
            or_(CatalogHandover.state == "prepared", and_(CatalogHandover.state == "waiting", ended)),
        )
        .values(state="stale")
        .execution_options(synchronize_session=False)
    )


def take_handover(session: Session, *, handover_id: UUID, actor: str, now: datetime) -> CatalogHandover:
    """
    Hand a prepared file over: from now on its copies are sent, each told to its member's history; return it.

    Taken once more it is the same file again. Raises `NotPrepared`; raises `HeardMeanwhile`, after whose
    transaction was rolled back `make_stale` says so, where a copy in it may not go any more.
    """
    handover = session.get(CatalogHandover, handover_id, with_for_update=True, populate_existing=True)
    if handover is None:
        raise NoSuchHandover("there is no such hand-over")
    run = session.get_one(CatalogRun, handover.catalog_run_id)
    if handover.state == "handed":
        _record(
            session,
            run.run_code,
            "catalog_handover.take_again",
            actor=actor,
            now=now,
            detail={"kind": handover.kind},
        )
        return handover
    if handover.state != "prepared" or run.state == "cancelled":
        raise NotPrepared("it is not prepared to be handed over")
    verdict = look_again(
        session,
        catalog_run_id=run.catalog_run_id,
        channels=CHANNELS_OF[handover.kind],
        now=now,
        handover_id=handover_id,
    )
    if not verdict.empty:
        raise HeardMeanwhile(
            f"of {len(verdict.copies)} members something was heard since it was prepared: prepare it again"
        )
    sent = send_copies(session, handover_id=handover_id, now=now)
    if len(sent) != handover.copies:
        raise HeardMeanwhile("its copies are not all there any more: prepare it again")
    handover.state, handover.handed_by, handover.handed_at = "handed", actor, now
    _record(
        session,
        run.run_code,
        "catalog_handover.take",
        actor=actor,
        now=now,
        detail={"kind": handover.kind, "copies": len(sent), "sha256": (handover.sha256 or b"").hex()},
    )
    return handover


def make_stale(session: Session, *, handover_id: UUID) -> None:
    """Say of a prepared hand-over that it may not go any more."""
    session.execute(
        update(CatalogHandover)
        .where(CatalogHandover.handover_id == handover_id, CatalogHandover.state == "prepared")
        .values(state="stale")
    )


def _record(
    session: Session, run_code: str, action: str, *, actor: str, now: datetime, detail: dict[str, Any]
) -> None:
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="catalog_run",
        subject_id=run_code,
        detail=detail,
    )

"""Writes about catalog runs: drafting one, its proofs, the second person's word, and how it goes on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalogs.models import CatalogCopy, CatalogProof, CatalogProofCopy, CatalogRun, CatalogVoucher, Edition
from catalogs.operations import EditionPlan, content_of
from catalogs.personal_vouchers import cancel_vouchers_of
from catalogs.runs.run import FROM, BadRun, Recipe
from core.audit import record_event
from core.errors import Conflict, NotFound, Refused
from core.job_runs import request_run
from core.models import AuditEvent

RUN_JOB: Final = "catalog_run:"
PROOF_JOB: Final = "catalog_proof:"
HANDOVER_JOB: Final = "catalog_handover:"
"""What the names of the jobs begin with; an identifier follows."""
LONGEST_COMMENT: Final = 2_000


class NoSuchRun(NotFound):
    """There is no such catalog run."""


class NotNow(Conflict):
    """A run cannot be moved like this from the state that it is in."""


class OwnRun(Refused):
    """Nobody approves a run that they made, or an edition of which they changed."""


class ChangedSinceProof(Conflict):
    """The run or one of its editions was changed after the proof; make another one first."""


def edit_edition(session: Session, *, edition_id: UUID, plan: EditionPlan, actor: str, now: datetime) -> None:
    """
    Keep what somebody made of an edition; its run is a draft again, and needs another proof.

    Raises `NoSuchRun` for an edition of no run, and `NotNow` once the run is approved.
    """
    run_id = session.scalar(select(Edition.catalog_run_id).where(Edition.edition_id == edition_id))
    if run_id is None:
        raise NoSuchRun("there is no run that this edition goes out with")
    move(session, run_id, "edit", state="draft")
    session.execute(
        update(Edition)
        .where(Edition.edition_id == edition_id)
        .values(content=content_of(plan))
        .execution_options(synchronize_session=False)
    )
    record_move(
        session,
        run_id,
        "catalog_run.edit",
        actor=actor,
        now=now,
        detail={"edition": str(edition_id), "group": plan.group_id},
    )


def content_of_run(session: Session, run_id: UUID) -> dict[str, Any]:
    """Return what a proof shows and a second person approves: the run's settings, and its editions."""
    run = run_to_move(session, run_id)
    editions = session.scalars(
        select(Edition).where(Edition.catalog_run_id == run_id).order_by(Edition.group_id)
    ).all()
    return {
        "run": recipe_of(run).document(),
        "editions": {
            edition.group_id: {"name": edition.group_name, "content": edition.content} for edition in editions
        },
    }


def recipe_of(run: CatalogRun) -> Recipe:
    """Return what a run was wished to be."""
    return Recipe(
        name=run.name,
        theme=run.theme,
        size=run.size,
        channels=tuple(run.channels),
        valid_from=run.valid_from,
        valid_to=run.valid_to,
        group_ids=tuple(run.group_ids),
        voucher_batches=tuple(run.voucher_batches),
        hold_out=run.hold_out,
        first_part=run.first_part,
        countries=tuple(run.countries),
    )


def ask_for_proof(session: Session, *, run_id: UUID, actor: str, now: datetime) -> int:
    """
    Ask for a proof of the run as it is now, and return its number; the scheduler's next look makes it.

    Raises `NotNow` while its pages are not planned.
    """
    if not run_to_move(session, run_id).standing and not has_editions(session, run_id):
        raise NotNow("its pages are not planned yet")
    number: int = move(session, run_id, "proof", proof=CatalogRun.proof + 1).proof
    session.execute(
        insert(CatalogProof).values(
            catalog_run_id=run_id,
            number=number,
            content=content_of_run(session, run_id),
            made_by=actor,
            asked_at=now,
        )
    )
    request_run(session, job=f"{PROOF_JOB}{run_id}.{number}", business_day=now.date())
    record_move(session, run_id, "catalog_run.proof", actor=actor, now=now, detail={"proof": number})
    return number


def keep_proof(
    session: Session, *, run_id: UUID, number: int, copies: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Keep the copies of a proof; the run is proofed by it unless it was changed or proofed again meanwhile."""
    if copies:
        session.execute(
            insert(CatalogProofCopy).on_conflict_do_nothing(),
            [{"catalog_run_id": run_id, "number": number, **copy} for copy in copies],
        )
    session.execute(
        update(CatalogProof)
        .where(CatalogProof.catalog_run_id == run_id, CatalogProof.number == number)
        .values(made_at=now)
    )
    if copies and proofed_content(session, run_id, number) == content_of_run(session, run_id):
        session.execute(
            update(CatalogRun)
            .where(
                CatalogRun.catalog_run_id == run_id,
                CatalogRun.proof == number,
                CatalogRun.state.in_(FROM["proofed"]),
            )
            .values(state="proofed", comment=None, comment_by=None)
        )


def proofed_content(session: Session, run_id: UUID, number: int) -> dict[str, Any] | None:
    """Return what a run was when one of its proofs was asked for."""
    return session.scalar(
        select(CatalogProof.content).where(
            CatalogProof.catalog_run_id == run_id, CatalogProof.number == number
        )
    )


def send_back(session: Session, *, run_id: UUID, comment: str, actor: str, now: datetime) -> None:
    """Let a proofed run be a draft again, and say why; raises `BadRun` without a word, and `NotNow`."""
    if not comment.strip() or len(comment) > LONGEST_COMMENT:
        raise BadRun("comment", "say what is to be changed, in up to 2,000 signs")
    move(session, run_id, "send_back", state="draft", comment=comment.strip(), comment_by=actor)
    record_move(
        session, run_id, "catalog_run.send_back", actor=actor, now=now, detail={"comment": comment.strip()}
    )


def approve_run(
    session: Session, *, run_id: UUID, actor: str, now: datetime, proof: int | None = None
) -> None:
    """
    Approve a run as its newest proof shows it; `proof` is the number of the one that was looked at.

    Raises `OwnRun` for its maker, `ChangedSinceProof`, and `NotNow`.
    """
    run = run_to_move(session, run_id, lock=True)
    if actor in {run.made_by, *_hands(session, run)}:
        raise OwnRun("a catalog run is approved by somebody who did not make it")
    if run.standing:
        raise NotNow("an order is approved as one")
    newest = proofed_content(session, run_id, run.proof)
    if run.state == "proofed" and (
        newest != content_of_run(session, run_id) or (proof is not None and proof != run.proof)
    ):
        raise ChangedSinceProof("it was changed since this proof; look at a new one first")
    move(session, run_id, "approve", state="approved", approved_by=actor, approved_at=now)
    record_move(session, run_id, "catalog_run.approve", actor=actor, now=now, detail={"proof": run.proof})


def start_run(session: Session, *, run_id: UUID, actor: str, now: datetime) -> None:
    """Let an approved run begin, or a stopped one go on; the scheduler's next look takes it up."""
    state = run_to_move(session, run_id).state
    way = "resume" if state == "stopped" else "start"
    run = move(
        session,
        run_id,
        way,
        state="running",
        requested_on=func.coalesce(CatalogRun.requested_on, now.date()),
        started_at=func.coalesce(CatalogRun.started_at, now),
        # What was made to be looked at has been: it goes on to the end.
        **({"first_part": None} if way == "resume" else {}),
    )
    request_run(session, job=f"{RUN_JOB}{run_id}", business_day=run.requested_on or now.date())
    record_move(session, run_id, f"catalog_run.{way}", actor=actor, now=now)


def cancel_run(session: Session, *, run_id: UUID, reason: str, actor: str, now: datetime) -> None:
    """End a run, or an order, for good; what was handed over stays, the rest never leaves. Raises `NotNow`."""
    if not reason.strip():
        raise BadRun("reason", "say why it is cancelled")
    move(session, run_id, "cancel", state="cancelled", cancelled_by=actor, cancelled_at=now)
    editions = select(Edition.edition_id).where(Edition.catalog_run_id == run_id)
    session.execute(
        update(CatalogCopy)
        .where(CatalogCopy.edition_id.in_(editions), CatalogCopy.state == "made")
        .values(state="dropped", dropped_at=now, dropped_why="cancelled")
        .execution_options(synchronize_session=False)
    )
    # Vouchers of rounds that were interrupted have no copy yet.
    sent = select(CatalogCopy.copy_id).where(
        CatalogCopy.edition_id == CatalogVoucher.edition_id,
        CatalogCopy.member_id == CatalogVoucher.member_id,
        CatalogCopy.state == "sent",
    )
    members = session.scalars(
        select(CatalogVoucher.member_id)
        .distinct()
        .where(CatalogVoucher.edition_id.in_(editions), ~sent.exists())
    ).all()
    if members:
        cancel_vouchers_of(
            session,
            edition_ids=session.scalars(editions).all(),
            member_ids=members,
            reason=f"their catalogs were cancelled: {reason.strip()}",
            now=now,
        )
    record_move(
        session, run_id, "catalog_run.cancel", actor=actor, now=now, detail={"reason": reason.strip()}
    )


def move(session: Session, run_id: UUID, way: str, **values: Any) -> CatalogRun:
    """Move a run, and return it as it then is; raises `NotNow` if another was quicker or it may not be moved so."""
    moved = session.scalar(
        update(CatalogRun)
        .where(CatalogRun.catalog_run_id == run_id, CatalogRun.state.in_(FROM[way]))
        .values(**values)
        .returning(CatalogRun)
        .execution_options(populate_existing=True)
    )
    if moved is None:
        state = run_to_move(session, run_id).state
        raise NotNow(f"the run is {state}: that cannot be done with it now")
    return moved


def has_editions(session: Session, run_id: UUID) -> bool:
    """Return whether a run has editions: an order has none, nor a draft whose pages are not planned yet."""
    return (
        session.scalar(select(Edition.edition_id).where(Edition.catalog_run_id == run_id).limit(1))
        is not None
    )


def run_to_move(session: Session, run_id: UUID, *, lock: bool = False) -> CatalogRun:
    """Return a run as it is now, locked where asked for; raises `NoSuchRun`."""
    run = session.get(CatalogRun, run_id, populate_existing=True, with_for_update=lock or None)
    if run is None:
        raise NoSuchRun("there is no such catalog run")
    return run


def _hands(session: Session, run: CatalogRun) -> set[str]:
    """Return who changed an edition of the run; they do not approve it either."""
    return set(
        session.scalars(
            select(AuditEvent.actor).where(
                AuditEvent.subject_kind == "catalog_run",
                AuditEvent.subject_id == run.run_code,
                AuditEvent.action == "catalog_run.edit",
            )
        )
    )


def record_move(
    session: Session,
    run_id: UUID,
    action: str,
    *,
    actor: str,
    now: datetime,
    detail: dict[str, Any] | None = None,
) -> None:
    """Audit what somebody did with a run."""
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="catalog_run",
        subject_id=session.scalar(select(CatalogRun.run_code).where(CatalogRun.catalog_run_id == run_id))
        or "",
        detail=detail,
    )

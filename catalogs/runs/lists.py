"""Runs of catalogs as people look at them: how far each is, its proofs, what it came to, and how it left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from catalogs.copy_lists import NoSuchCopy
from catalogs.models import CatalogHandover, CatalogProof, CatalogProofCopy, CatalogRun, Edition
from catalogs.runs.drafting import DRAFT_JOB
from catalogs.runs.operations import HANDOVER_JOB, PROOF_JOB, RUN_JOB, NoSuchRun
from catalogs.runs.recipients import Audience, audience_of
from core.job_runs import JobRunView, latest_runs
from core.keyset import Ask, Page, read_page
from customers.models import Member

RUN_SORTS: Final = ("made_at", "valid_from", "name")


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list; `copies` are those in the archive."""

    catalog_run_id: UUID
    run_code: str
    name: str
    theme: str
    size: str
    channels: Sequence[str]
    valid_from: date
    valid_to: date
    state: str
    standing: bool
    made_by: str
    made_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    hold_out: Decimal
    first_part: int | None
    voucher_batches: Sequence[str]
    group_ids: Sequence[str]
    countries: Sequence[str]
    proof: int
    comment: str | None
    comment_by: str | None
    order_id: UUID | None
    cancelled_by: str | None
    counted_at: datetime | None
    editions: int

    @property
    def last_day(self) -> date:
        """The last day on which the catalog holds."""
        return self.valid_to - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EditionOfRun:
    """One of a run's editions and how many copies it has."""

    edition_id: UUID
    edition_code: str
    group_id: str
    group_name: str
    pages: int


@dataclass(frozen=True, slots=True)
class ProofCopy:
    """A copy of a proof; `why` says what it was chosen for."""

    place: int
    member_id: UUID
    member_code: str
    name: str
    why: Sequence[str]
    language: str
    group_id: str
    group_name: str
    path: str
    sha256: bytes
    pages: int
    shown: int


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof of a run; `made_at` is None until its copies are there."""

    number: int
    content: Mapping[str, Any]
    made_by: str
    asked_at: datetime
    made_at: datetime | None
    copies: tuple[ProofCopy, ...]


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """A hand-over of copies of a run."""

    handover_id: UUID
    kind: str
    state: str
    made_by: str
    made_at: datetime
    prepared_at: datetime | None
    handed_by: str | None
    handed_at: datetime | None
    path: str | None
    sha256: bytes | None
    size: int | None
    copies: int
    remade: int
    dropped: int


def list_runs(session: Session, ask: Ask) -> Page[RunRow]:
    """Return a page of runs; filter state; words in name or code."""
    statement = _runs()
    if state := ask.filters.get("state"):
        statement = statement.where(CatalogRun.state == state)
    if ask.words:
        statement = statement.where(
            CatalogRun.name.icontains(ask.words, autoescape=True) | (CatalogRun.run_code == ask.words)
        )
    page = read_page(session, statement, ask=ask, sorts=RUN_SORTS, key="catalog_run_id", count=True)
    return Page(tuple(RunRow(*row[:26]) for row in page.rows), page.following, page.previous, page.total)


def read_run(session: Session, *, run_id: UUID) -> RunRow:
    """Return one run; raises `NoSuchRun`."""
    row = session.execute(_runs().where(CatalogRun.catalog_run_id == run_id)).one_or_none()
    if row is None:
        raise NoSuchRun("there is no such catalog run")
    return RunRow(*row)


def find_run(session: Session, *, run_code: str) -> RunRow:
    """Return the run of this code; raises `NoSuchRun`."""
    row = session.execute(_runs().where(CatalogRun.run_code == run_code)).one_or_none()
    if row is None:
        raise NoSuchRun(f"there is no catalog run {run_code!r}")
    return RunRow(*row)


def run_audience(session: Session, *, run_id: UUID) -> Audience:
    """Return how far a run is."""
    return audience_of(session, catalog_run_id=run_id)


def editions_in(session: Session, *, run_id: UUID) -> list[EditionOfRun]:
    """Return the editions that go out with a run."""
    rows = session.execute(
        select(
            Edition.edition_id,
            Edition.edition_code,
            Edition.group_id,
            Edition.group_name,
            func.jsonb_array_length(func.coalesce(Edition.content["pages"], func.jsonb_build_array())),
        )
        .where(Edition.catalog_run_id == run_id)
        .order_by(Edition.group_name)
    )
    return [EditionOfRun(*row) for row in rows]


def read_proof(session: Session, *, run_id: UUID, number: int) -> Proof | None:
    """Return a proof of a run with its copies, None if there is none of this number."""
    row = session.get(CatalogProof, (run_id, number))
    if row is None:
        return None
    copies = session.execute(
        select(
            CatalogProofCopy.place,
            CatalogProofCopy.member_id,
            Member.member_code,
            func.trim(Member.given_name + " " + Member.family_name),
            CatalogProofCopy.why,
            CatalogProofCopy.language,
            Edition.group_id,
            Edition.group_name,
            CatalogProofCopy.path,
            CatalogProofCopy.sha256,
            CatalogProofCopy.pages,
            func.jsonb_array_length(CatalogProofCopy.picks),
        )
        .join(Member, Member.member_id == CatalogProofCopy.member_id)
        .join(Edition, Edition.edition_id == CatalogProofCopy.edition_id)
        .where(CatalogProofCopy.catalog_run_id == run_id, CatalogProofCopy.number == number)
        .order_by(CatalogProofCopy.place)
    )
    return Proof(
        row.number,
        row.content,
        row.made_by,
        row.asked_at,
        row.made_at,
        tuple(ProofCopy(*copy) for copy in copies),
    )


def proof_file(session: Session, *, run_id: UUID, number: int, place: int) -> tuple[str, bytes]:
    """Return path and SHA-256 of a copy of a proof; raises `NoSuchCopy`."""
    row = session.get(CatalogProofCopy, (run_id, number, place))
    if row is None:
        raise NoSuchCopy("There is no such copy")
    return row.path, row.sha256


def handovers_of(session: Session, *, run_id: UUID) -> list[HandoverRow]:
    """Return the hand-overs of a run, the newest first."""
    rows = session.scalars(
        select(CatalogHandover)
        .where(CatalogHandover.catalog_run_id == run_id)
        .order_by(CatalogHandover.made_at.desc(), CatalogHandover.handover_id.desc())
    )
    return [
        HandoverRow(
            row.handover_id,
            row.kind,
            row.state,
            row.made_by,
            row.made_at,
            row.prepared_at,
            row.handed_by,
            row.handed_at,
            row.path,
            row.sha256,
            row.size,
            row.copies,
            row.remade,
            row.dropped,
        )
        for row in rows
    ]


def job_of_run(session: Session, *, run_id: UUID) -> JobRunView | None:
    """Return the job that makes a run's copies, None before somebody asked for it."""
    return next(iter(latest_runs(session, job=f"{RUN_JOB}{run_id}", limit=1)), None)


def job_of_draft(session: Session, *, run_id: UUID) -> JobRunView | None:
    """Return the job that plans a run's editions, None where that was done at once."""
    return next(iter(latest_runs(session, job=f"{DRAFT_JOB}{run_id}", limit=1)), None)


def job_of_proof(session: Session, *, run_id: UUID, number: int) -> JobRunView | None:
    """Return the job that makes a proof."""
    return next(iter(latest_runs(session, job=f"{PROOF_JOB}{run_id}.{number}", limit=1)), None)


def job_of_handover(session: Session, *, handover_id: UUID) -> JobRunView | None:
    """Return the job that prepares a hand-over."""
    return next(iter(latest_runs(session, job=f"{HANDOVER_JOB}{handover_id}", limit=1)), None)


def _runs() -> Select[*tuple[Any, ...]]:
    editions = (
        select(func.count()).where(Edition.catalog_run_id == CatalogRun.catalog_run_id).scalar_subquery()
    )
    return select(
        CatalogRun.catalog_run_id,
        CatalogRun.run_code,
        CatalogRun.name,
        CatalogRun.theme,
        CatalogRun.size,
        CatalogRun.channels,
        CatalogRun.valid_from,
        CatalogRun.valid_to,
        CatalogRun.state,
        CatalogRun.standing,
        CatalogRun.made_by,
        CatalogRun.made_at,
        CatalogRun.approved_by,
        CatalogRun.approved_at,
        CatalogRun.hold_out,
        CatalogRun.first_part,
        CatalogRun.voucher_batches,
        CatalogRun.group_ids,
        CatalogRun.countries,
        CatalogRun.proof,
        CatalogRun.comment,
        CatalogRun.comment_by,
        CatalogRun.order_id,
        CatalogRun.cancelled_by,
        CatalogRun.counted_at,
        editions.label("editions"),
    )

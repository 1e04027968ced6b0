"""Reads about rehearsals: what was rehearsed, how far it is, and what it came to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, String, and_, cast, func, or_, select, true
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.job_runs import HELD
from core.models import JobRun, JobStep
from rewards.models import Rehearsal, RehearsalPart, RehearsedOffer
from rewards.rehearsals.operations import JOB


class RehearsalNotFound(NotFound):
    """There is no rehearsal of this id."""


@dataclass(frozen=True, slots=True)
class RehearsedView:
    """One offer of a rehearsal: the version as it was, and its results, None until the rehearsal is completed."""

    offer_code: str
    version: int
    document: Mapping[str, Any]
    results: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class RehearsalView:
    """
    A rehearsal; `state` and `alive` are those of its run, `done` of `total` baskets.

    `results` are those of all its offers together, None until it is completed.
    """

    rehearsal_id: UUID
    run_id: UUID
    state: str
    alive: bool
    stopping: bool
    done: int
    total: int | None
    error: str | None
    first_day: date
    following_day: date
    store_ids: tuple[int, ...]
    requested_by: str
    requested_at: datetime
    completed_at: datetime | None
    results: Mapping[str, Any] | None
    offers: tuple[RehearsedView, ...] = ()

    @property
    def last_day(self) -> date:
        """The last day of the period."""
        return self.following_day - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a rehearsal starts from: the offers, what is live beside them, and the period."""

    first_day: date
    following_day: date
    store_ids: tuple[int, ...]
    beside: Mapping[str, Any]
    offers: tuple[tuple[int, Mapping[str, Any]], ...]
    requested_at: datetime
    completed: bool


_COLUMNS = (
    Rehearsal.rehearsal_id,
    JobRun.run_id,
    JobRun.state,
    and_(JobRun.state == "running", HELD).label("alive"),
    JobRun.stop_requested_at.is_not(None).label("stopping"),
    func.coalesce(JobStep.done, 0).label("done"),
    JobStep.total,
    JobStep.error,
    Rehearsal.first_day,
    Rehearsal.following_day,
    Rehearsal.store_ids,
    Rehearsal.requested_by,
    Rehearsal.requested_at,
    Rehearsal.completed_at,
)


def find_rehearsal(session: Session, *, rehearsal_id: UUID) -> RehearsalView:
    """Return a rehearsal with its offers and results; raises `RehearsalNotFound`."""
    found = _views(session, Rehearsal.rehearsal_id == rehearsal_id, limit=1, whole=True)
    if not found:
        raise RehearsalNotFound(f"there is no rehearsal {rehearsal_id}")
    return found[0]


def latest_rehearsals(session: Session, *, limit: int = 500) -> list[RehearsalView]:
    """Return the newest rehearsals first, without their results."""
    return _views(session, true(), limit=limit, whole=False)


def rehearsals_of(
    session: Session, *, offer_code: str, version: int | None = None, limit: int = 100
) -> list[RehearsalView]:
    """Return the rehearsals of an offer, or of one version of it, the newest first, without their results."""
    of_offer = select(RehearsedOffer.rehearsal_id).where(RehearsedOffer.offer_code == offer_code)
    if version is not None:
        of_offer = of_offer.where(RehearsedOffer.version == version)
    return _views(session, Rehearsal.rehearsal_id.in_(of_offer), limit=limit, whole=False)


def _views(
    session: Session, condition: ColumnElement[bool], *, limit: int, whole: bool
) -> list[RehearsalView]:
    columns = (*_COLUMNS, Rehearsal.results) if whole else _COLUMNS
    rows = session.execute(
        select(*columns)
        .join(JobRun, JobRun.job == JOB + cast(Rehearsal.rehearsal_id, String))
        .outerjoin(JobStep, and_(JobStep.run_id == JobRun.run_id, JobStep.name == "rehearse"))
        .where(condition)
        .order_by(Rehearsal.requested_at.desc(), Rehearsal.rehearsal_id.desc())
        .limit(limit)
    ).all()
    offers = _offers(session, [row.rehearsal_id for row in rows], whole=whole)
    return [_view(row, offers.get(row.rehearsal_id, [])) for row in rows]


def _view(row: Row[Any], offers: list[RehearsedView]) -> RehearsalView:
    values = row._asdict()
    values["store_ids"] = tuple(values["store_ids"])
    values.setdefault("results", None)
    return RehearsalView(**values, offers=tuple(offers))


def _offers(session: Session, rehearsals: list[UUID], *, whole: bool) -> dict[UUID, list[RehearsedView]]:
    found: dict[UUID, list[RehearsedView]] = {}
    columns = [
        RehearsedOffer.rehearsal_id,
        RehearsedOffer.offer_code,
        RehearsedOffer.version,
        RehearsedOffer.document,
    ]
    statement = select(*columns, *((RehearsedOffer.results,) if whole else ()))
    for row in session.execute(
        statement.where(RehearsedOffer.rehearsal_id.in_(rehearsals)).order_by(RehearsedOffer.offer_code)
    ):
        results = row.results if whole else None
        found.setdefault(row.rehearsal_id, []).append(
            RehearsedView(row.offer_code, row.version, row.document, results)
        )
    return found


def kept_rehearsal(session: Session, *, rehearsal_id: UUID) -> Kept:
    """Return what a rehearsal starts from; raises `RehearsalNotFound`."""
    row = session.execute(
        select(
            Rehearsal.first_day,
            Rehearsal.following_day,
            Rehearsal.store_ids,
            Rehearsal.beside,
            Rehearsal.requested_at,
            Rehearsal.completed_at,
        ).where(Rehearsal.rehearsal_id == rehearsal_id)
    ).one_or_none()
    if row is None:
        raise RehearsalNotFound(f"there is no rehearsal {rehearsal_id}")
    offers = _offers(session, [rehearsal_id], whole=False)[rehearsal_id]
    return Kept(
        row.first_day,
        row.following_day,
        tuple(row.store_ids),
        row.beside,
        tuple((offer.version, offer.document) for offer in offers),
        row.requested_at,
        row.completed_at is not None,
    )


def kept_parts(session: Session, *, rehearsal_id: UUID) -> Iterator[tuple[date, Mapping[str, Any]]]:
    """Yield the days that are done and what they came to, in order."""
    rows = session.execute(
        select(RehearsalPart.business_date, RehearsalPart.sums)
        .where(RehearsalPart.rehearsal_id == rehearsal_id)
        .order_by(RehearsalPart.business_date)
        .execution_options(yield_per=1)
    )
    for row in rows:
        yield row.business_date, row.sums


def waiting_rehearsals(session: Session) -> list[tuple[UUID, date]]:
    """Return the rehearsals that somebody asked for, and those that were interrupted, with the day of their run."""
    rows = session.execute(
        select(JobRun.job, JobRun.business_day)
        .where(
            JobRun.job.startswith(JOB, autoescape=True),
            or_(JobRun.state == "waiting", and_(JobRun.state == "running", ~HELD)),
        )
        .order_by(JobRun.run_id)
    )
    return [(UUID(row.job.removeprefix(JOB)), row.business_day) for row in rows]

"""Writes about rehearsals: asking for one, keeping the days that are done, and what it came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Refused
from core.ids import uuid7
from core.job_runs import request_run
from rewards.models import Rehearsal, RehearsalPart, RehearsedOffer

MOST_OFFERS: Final = 20
LONGEST_DAYS: Final = 366
JOB: Final = "rehearsal:"
"""What the names of the jobs begin with that rehearse; the rehearsal's id follows."""


class TooManyOffers(Refused):
    """A rehearsal takes one to twenty offers, each code once."""


class BadPeriod(Refused):
    """A rehearsal's period has at least one day and at most a year."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is live while offers are rehearsed: the choice, and every live offer with its version."""

    choice: str
    offers: tuple[tuple[int, Mapping[str, Any]], ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"choice": self.choice, "offers": [[version, dict(offer)] for version, offer in self.offers]}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Beside":
        """Return what `document` wrote."""
        return cls(document["choice"], tuple((version, offer) for version, offer in document["offers"]))


def check_rehearsal(codes: Sequence[str], *, first_day: date, following_day: date) -> None:
    """Raise `TooManyOffers` or `BadPeriod` unless these can be rehearsed together over the period."""
    if not 1 <= len(codes) <= MOST_OFFERS or len(set(codes)) < len(codes):
        raise TooManyOffers(f"a rehearsal takes one to {MOST_OFFERS} offers, each code once")
    if not 1 <= (following_day - first_day).days <= LONGEST_DAYS:
        raise BadPeriod(f"a rehearsal goes over at least one day and at most {LONGEST_DAYS}")


def request_rehearsal(
    session: Session,
    *,
    offers: Sequence[tuple[int, Mapping[str, Any]]],
    beside: Beside,
    first_day: date,
    following_day: date,
    store_ids: Sequence[int],
    actor: str,
    now: datetime,
) -> UUID:
    """
    Ask for a rehearsal of `offers`, versions with their documents, and return its id.

    The scheduler's next look takes it up. Raises `TooManyOffers` or `BadPeriod`.
    """
    codes = [str(document["code"]) for _, document in offers]
    check_rehearsal(codes, first_day=first_day, following_day=following_day)
    rehearsal_id = uuid7()
    session.execute(
        insert(Rehearsal).values(
            rehearsal_id=rehearsal_id,
            first_day=first_day,
            following_day=following_day,
            store_ids=list(store_ids),
            beside=beside.document(),
            requested_by=actor,
            requested_at=now,
        )
    )
    session.execute(
        insert(RehearsedOffer),
        [
            {"rehearsal_id": rehearsal_id, "offer_code": code, "version": version, "document": document}
            for code, (version, document) in zip(codes, offers, strict=True)
        ],
    )
    request_run(session, job=job_of(rehearsal_id), business_day=now.date())
    record_event(
        session,
        now=now,
        actor=actor,
        action="offer.rehearse",
        subject_kind="rehearsal",
        subject_id=str(rehearsal_id),
        detail={
            "offers": {code: version for code, (version, _) in zip(codes, offers, strict=True)},
            "first_day": first_day.isoformat(),
            "following_day": following_day.isoformat(),
            "stores": len(store_ids),
        },
    )
    return rehearsal_id


def job_of(rehearsal_id: UUID) -> str:
    """Return the name of the job that a rehearsal runs as."""
    return f"{JOB}{rehearsal_id}"


def keep_part(session: Session, *, rehearsal_id: UUID, business_date: date, sums: Mapping[str, Any]) -> None:
    """Keep what one day came to; a day that is kept already raises the database's error."""
    session.execute(
        insert(RehearsalPart).values(rehearsal_id=rehearsal_id, business_date=business_date, sums=dict(sums))
    )


def complete_rehearsal(
    session: Session,
    *,
    rehearsal_id: UUID,
    results: Mapping[str, Any],
    by_offer: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> None:
    """Keep what a rehearsal came to, for ever, and forget its parts."""
    for code, of_offer in by_offer.items():
        session.execute(
            update(RehearsedOffer)
            .where(RehearsedOffer.rehearsal_id == rehearsal_id, RehearsedOffer.offer_code == code)
            .values(results=dict(of_offer))
            .execution_options(synchronize_session=False)
        )
    session.execute(
        update(Rehearsal)
        .where(Rehearsal.rehearsal_id == rehearsal_id)
        .values(results=dict(results), completed_at=now)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(RehearsalPart).where(RehearsalPart.rehearsal_id == rehearsal_id))

"""Proofs: ten real copies of a run, chosen to differ, made to be looked at before anybody gets one."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from catalogs.making import Making
from catalogs.models import CatalogRun
from catalogs.opening import editions_of_run
from catalogs.orders import OrderDesk, Ordered
from catalogs.runs.operations import keep_proof
from catalogs.runs.recipients import Recipient, candidates_of
from catalogs.runs.sampling import SAMPLE, Candidate, choose_sample
from core import clock
from core.database import Sessions
from core.errors import Conflict
from core.progress import Report, silent

SPARE = 3
"""So many times as many are looked at as are shown, for those of whom there is nothing to show."""


class NobodyToShow(Conflict):
    """Nobody of the run's groups would get a copy, so there is nothing to look at."""


def make_proof(
    sessions: Sessions,
    *,
    run_id: UUID,
    number: int,
    data: Path,
    day: date,
    now: datetime,
    report: Report = silent,
    workers: int | None = None,
) -> Mapping[str, Any]:
    """
    Make the copies of a proof, as real ones are made, with vouchers that are samples and worth nothing.

    Raises `NobodyToShow`. Made again after an interruption, it is the same proof.
    """
    report(0, SAMPLE)
    with sessions() as session:
        run = session.get_one(CatalogRun, run_id)
        editions = editions_of_run(session, run_id)
        readers, candidates = candidates_of(
            session, catalog_run_id=run_id, channels=run.channels, countries=run.countries, day=day
        )
        desk = OrderDesk(editions, data=data, day=day, now=now, samples=True)
        chosen = _with_something_to_show(session, desk, readers, candidates, folder=_folder(run_id, number))
    if not chosen:
        raise NobodyToShow(
            "nobody of these groups and countries agreed to a catalog by these channels, or their stores show nothing"
        )
    making = Making(sessions, desk, workers, report, len(chosen))
    why = {ordered.order.copy_code: words for ordered, words in chosen}
    rows: dict[str, dict[str, Any]] = {}
    for chunk in making.files([ordered for ordered, _words in chosen]):
        for ordered, made in chunk:
            rows[made.copy_code] = {
                "member_id": ordered.recipient.member_id,
                "edition_id": ordered.edition.edition_id,
                "why": list(why[made.copy_code]),
                "language": ordered.order.reader.language,
                "path": ordered.file,
                "sha256": made.sha256,
                "pages": made.pages,
                "picks": list(ordered.items(made)),
            }
            report(len(rows), len(chosen))
    with sessions.begin() as session:
        keep_proof(
            session,
            run_id=run_id,
            number=number,
            copies=[
                {"place": place, **rows[ordered.order.copy_code]}
                for place, (ordered, _words) in enumerate(chosen, start=1)
            ],
            now=clock.now(),
        )
    return {"copies": len(rows)}


def _with_something_to_show(
    session: Session,
    desk: OrderDesk,
    readers: Mapping[UUID, Recipient],
    candidates: Sequence[Candidate],
    *,
    folder: str,
) -> list[tuple[Ordered, tuple[str, ...]]]:
    sample = choose_sample(candidates, count=SAMPLE * SPARE)
    orders = desk.write(session, [readers[one.member_id] for one, _why in sample], folder=folder)
    by_member = {ordered.recipient.member_id: ordered for ordered in orders.made.values()}
    # Chosen once more among those who can be shown, so that none of what differs is lost.
    shown = choose_sample([one for one, _why in sample if one.member_id in by_member])
    return [(by_member[one.member_id], why) for one, why in shown]


def _folder(run_id: UUID, number: int) -> str:
    return f"proofs/{run_id}/{number}/"

"""
A hand-over prepared in the background: every copy is looked at again, then the file is written or the mails are queued.

What was interrupted is done again; a mail that is queued stays queued.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from catalogs.copy_files import write_zip
from catalogs.making import Making
from catalogs.models import CatalogCopy, CatalogHandover, CatalogRun, Edition
from catalogs.opening import editions_of_run
from catalogs.orders import OrderDesk
from catalogs.pdf.printing import PrintCopy, write_print_file
from catalogs.runs.handovers import CHANNELS_OF, HeardMeanwhile
from catalogs.runs.leaving_copies import CopyToSend, copies_of_handover, send_copies
from catalogs.runs.leftovers import (
    FOLDER,
    name_of_handover,
    remove_half_files,
    remove_stale_files,
    remove_strays,
)
from catalogs.runs.rechecks import Mending, UnsentCopy, drop_copies, look_again, mend
from catalogs.runs.recipients import WITHDREW
from contacts.mail_texts import write_mail
from contacts.outbox import Attachment, queue_mail
from core import clock
from core.clock import day_start
from core.database import Sessions
from core.i18n import show_date
from core.progress import Report, silent
from sales.business_days import chain_timezone

MOST_TRIES: Final = 5
MAILS_AT_ONCE: Final = 100


def prepare_handover(
    sessions: Sessions,
    *,
    handover_id: UUID,
    data: Path,
    day: date,
    now: datetime,
    report: Report = silent,
    workers: int | None = None,
) -> Mapping[str, Any]:
    """
    Look at every copy again, make those again that may not go as they are, and write the file.

    E-mails are queued at once. What was prepared before it was interrupted is done again, and the half of a file that
    was left is removed; mails that are queued stay. Of a run that was cancelled meanwhile nothing is prepared.
    """
    with sessions.begin() as session:
        handover = session.get_one(CatalogHandover, handover_id)
        run = session.get_one(CatalogRun, handover.catalog_run_id)
        if handover.state == "waiting" and run.state == "cancelled":
            handover.state = "stale"
        session.flush()
        remove_stale_files(session, data=data)
        state = handover.state
        editions = editions_of_run(session, run.catalog_run_id)
    if state != "waiting":
        return {"state": state}
    remove_half_files(data, name_of_handover(run.run_code, handover.kind, handover_id))
    desk = OrderDesk(editions, data=data, day=day, now=now)
    with sessions() as session:
        # Of copies that were being made again.
        remove_strays(session, data=data, editions=list(desk.editions))
    making = Making(sessions, desk, workers)
    work = _Preparing(sessions, handover, run, making, report)
    if handover.kind == "email":
        return work.mail()
    return work.file()


@dataclass(slots=True)
class _Preparing:
    sessions: Sessions
    handover: CatalogHandover
    run: CatalogRun
    making: Making
    report: Report

    @property
    def data(self) -> Path:
        return self.making.desk.data

    def mend(self) -> bool:
        """Make copies fit for leaving; returns whether any was not."""
        now = clock.now()
        with self.sessions() as session:
            verdict = look_again(
                session,
                catalog_run_id=self.run.catalog_run_id,
                channels=CHANNELS_OF[self.handover.kind],
                now=now,
            )
        if verdict.empty:
            return False
        # What a desk read of stores is kept; what members say is read anew with every order.
        found = mend(self.making, verdict, catalog_run_id=self.run.catalog_run_id, now=now)
        # Told at once: whoever goes on after this process was killed finds nothing of it to mend any more.
        with self.sessions.begin() as session:
            self._tell(session, found)
        return True

    def _tell(self, session: Session, found: Mending) -> None:
        session.execute(
            update(CatalogHandover)
            .where(CatalogHandover.handover_id == self.handover.handover_id)
            .values(
                remade=CatalogHandover.remade + found.remade,
                dropped=CatalogHandover.dropped + found.dropped,
            )
        )

    def _told(self) -> Mapping[str, Any]:
        """Return what came of it, of all times that it was begun."""
        with self.sessions() as session:
            row = session.get_one(CatalogHandover, self.handover.handover_id)
            return {"copies": row.copies, "remade": row.remade, "dropped": row.dropped}

    def file(self) -> Mapping[str, Any]:
        """Write the file and let the hand-over be prepared, unless something is heard all the time."""
        for _try in range(MOST_TRIES):
            self.mend()
            checked_at = clock.now()
            rows = self._claim()
            path = self._write(rows)
            if not self.mend():
                return self._prepared(path, len(rows), checked_at)
        raise HeardMeanwhile("members kept saying something while the file was written; try again")

    def _claim(self) -> list[CopyToSend]:
        with self.sessions.begin() as session:
            ids = (
                select(CatalogCopy.copy_id)
                .join(Edition, Edition.edition_id == CatalogCopy.edition_id)
                .where(
                    Edition.catalog_run_id == self.run.catalog_run_id,
                    CatalogCopy.state == "made",
                    CatalogCopy.channel.in_(CHANNELS_OF[self.handover.kind]),
                )
            )
            session.execute(
                update(CatalogCopy)
                .where(CatalogCopy.copy_id.in_(ids))
                .values(handover_id=self.handover.handover_id)
                .execution_options(synchronize_session=False)
            )
            return copies_of_handover(session, self.handover.handover_id)

    def _write(self, rows: list[CopyToSend]) -> Path:
        folder = self.data / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        name = name_of_handover(self.run.run_code, self.handover.kind, self.handover.handover_id)
        if self.handover.kind == "print":
            path = folder / f"{name}.pdf"
            write_print_file(
                path,
                (PrintCopy(row.copy_code, self.data / row.path, row.sha256) for row in rows),
                title=self.run.name,
                report=self.report,
                total=len(rows),
            )
            return path
        path = folder / f"{name}.zip"
        write_zip(path, rows, data=self.data, report=self.report)
        return path

    def _prepared(self, path: Path, copies: int, checked_at: datetime) -> Mapping[str, Any]:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").digest()
        with self.sessions.begin() as session:
            session.execute(
                update(CatalogHandover)
                .where(
                    CatalogHandover.handover_id == self.handover.handover_id,
                    CatalogHandover.state == "waiting",
                )
                .values(
                    state="prepared",
                    prepared_at=clock.now(),
                    checked_at=checked_at,
                    path=path.relative_to(self.data).as_posix(),
                    sha256=digest,
                    size=path.stat().st_size,
                    copies=copies,
                )
            )
        return self._told()

    def mail(self) -> Mapping[str, Any]:
        """Queue a mail for every copy that goes by e-mail, each once, and send it with that."""
        for _try in range(MOST_TRIES):
            as_of = clock.now()
            if not self.mend():
                break
        self._claim()
        with self.sessions() as session:
            rows = copies_of_handover(session, self.handover.handover_id)
        for start in range(0, len(rows), MAILS_AT_ONCE):
            part = rows[start : start + MAILS_AT_ONCE]
            with self.sessions.begin() as session:
                self._queue(session, part, as_of=as_of, now=clock.now())
            self.report(start + len(part), len(rows))
        with self.sessions.begin() as session:
            now = clock.now()
            session.execute(
                update(CatalogHandover)
                .where(CatalogHandover.handover_id == self.handover.handover_id)
                .values(
                    state="handed",
                    prepared_at=now,
                    checked_at=now,
                    handed_at=now,
                    handed_by=self.handover.made_by,
                    copies=select(func.count())
                    .where(CatalogCopy.handover_id == self.handover.handover_id, CatalogCopy.state == "sent")
                    .scalar_subquery(),
                )
            )
        return self._told()

    def _called(self, language: str) -> str:
        """Return what the file of a mailed copy is called: nothing of the group, which may be nobody's business."""
        return f"{'catalog' if language == 'en' else 'katalog'}-{self.run.valid_from.isoformat()}.pdf"

    def _queue(self, session: Session, rows: list[CopyToSend], *, as_of: datetime, now: datetime) -> None:
        """Queue the mails of a part; whoever does not want one any more has the copy dropped."""
        unwanted: dict[UnsentCopy, str] = {}
        queued: list[UUID] = []
        over = day_start(self.run.valid_to, chain_timezone(session))
        for row in rows:
            mail = write_mail(
                "catalog",
                row.language,
                name=row.name,
                first=show_date(self.run.valid_from, row.language),
                last=show_date(self.run.valid_to - timedelta(days=1), row.language),
            )
            mail_id = queue_mail(
                session,
                member_id=row.member_id,
                kind="catalog",
                source=row.copy_code,
                recipient=row.email or "",
                language=row.language,
                mail=mail,
                purpose="catalog" if row.agreed_to_catalog else "offers",
                attachments=[Attachment(row.path, self._called(row.language), sha256=row.sha256.hex())],
                not_after=over,
                as_of=as_of,
                now=now,
            )
            if mail_id is None:
                unwanted[
                    UnsentCopy(
                        row.copy_id, row.copy_code, row.member_id, row.edition_id, 1, row.path, now, {}
                    )
                ] = WITHDREW
            else:
                queued.append(row.copy_id)
        self._tell(session, Mending(dropped=drop_copies(session, unwanted, now=now)))
        send_copies(session, handover_id=self.handover.handover_id, now=now, only=queued)

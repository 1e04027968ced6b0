"""
Copies leaving the house: as one file for the printer, as a ZIP of single files, or by e-mail.

A file is prepared in the background, after every copy was looked at again; it is handed over when somebody
takes it, and that is refused where anything was heard of a member meanwhile: then it is prepared anew. From
that moment its copies are sent: they never change, and each stands in its member's history.
"""

import csv
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import file_digest, sha256
from io import StringIO
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalogs.making import Making
from catalogs.models import CatalogCopy, CatalogHandover, CatalogRun, Edition
from catalogs.opening import editions_of_run
from catalogs.orders import OrderDesk
from catalogs.printing import PrintCopy, write_print_file
from catalogs.rechecks import Mending, UnsentCopy, drop_copies, look_again, mend
from catalogs.recipients import WITHDREW
from contacts.mail_texts import write_mail
from contacts.outbox import Attachment, queue_mail
from core import clock
from core.audit import record_event
from core.database import Sessions
from core.driver import driver_of
from core.errors import Conflict, NotFound
from core.i18n import show_date
from core.ids import uuid7
from core.job_runs import request_run
from core.models import JobRun
from core.progress import Report, silent
from core.spreadsheets import harmless

KINDS: Final = ("print", "zip", "email")
CHANNELS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "print": ("print",),
    "zip": ("print", "email"),
    "email": ("email",),
}
"""Copies of which channels leave by what."""
MOST_TRIES: Final = 5
MAILS_AT_ONCE: Final = 100
FOLDER: Final = "catalogs/handovers"


class NoSuchHandover(NotFound):
    """There is no such hand-over."""


class NothingToHandOver(Conflict):
    """No copy of the run waits to leave by this way."""


class NotPrepared(Conflict):
    """The hand-over is not prepared, or was handed over already in another way."""


class HeardMeanwhile(Conflict):
    """Members said something since the file was prepared; it is prepared anew."""


class ArchiveDamaged(Conflict):
    """A file of the archive is not the one that was made."""


def ask_for_handover(
    session: Session, *, run_id: UUID, kind: str, job: str, actor: str, now: datetime
) -> UUID:
    """
    Ask for the copies of a run that were not sent yet to be handed over, and return the hand-over's id.

    The run must have been approved and its copies made, all of them or a first part. Raises `NothingToHandOver`, and
    `NotPrepared` while another of this kind is under way.
    """
    run = session.get_one(CatalogRun, run_id)
    waiting = session.scalar(
        select(func.count())
        .select_from(CatalogCopy)
        .join(Edition, Edition.edition_id == CatalogCopy.edition_id)
        .where(
            Edition.catalog_run_id == run_id,
            CatalogCopy.state == "made",
            CatalogCopy.channel.in_(CHANNELS_OF[kind]),
        )
    )
    if run.state not in {"finished", "stopped"} or not waiting:
        raise NothingToHandOver("no made copy of this run waits to leave by this way")
    ended = (
        select(JobRun.run_id)
        .where(
            JobRun.job == func.concat(job, CatalogHandover.handover_id),
            JobRun.state.in_(("failed", "stopped", "completed")),
        )
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

    E-mails are queued at once. What was prepared before it was interrupted is done again; mails that are queued stay.
    """
    with sessions() as session:
        handover = session.get_one(CatalogHandover, handover_id)
        if handover.state != "waiting":
            return {"state": handover.state}
        run = session.get_one(CatalogRun, handover.catalog_run_id)
        editions = editions_of_run(session, run.catalog_run_id)
    making = Making(sessions, OrderDesk(editions, data=data, day=day, now=now), workers)
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
    done: Mending | None = None

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
        total = self.done or Mending()
        self.done = Mending(total.remade + found.remade, total.dropped + found.dropped)
        return True

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

    def _claim(self) -> list["CopyToSend"]:
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

    def _write(self, rows: list["CopyToSend"]) -> Path:
        folder = self.data / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self.run.run_code}-{self.handover.kind}-{self.handover.handover_id.hex[-6:]}"
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
        done = self.done or Mending()
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
                    remade=done.remade,
                    dropped=done.dropped,
                )
            )
        return {"copies": copies, "remade": done.remade, "dropped": done.dropped}

    def mail(self) -> Mapping[str, Any]:
        """Queue a mail for every copy that goes by e-mail, each once, and send it with that."""
        self.mend()
        self._claim()
        with self.sessions() as session:
            rows = copies_of_handover(session, self.handover.handover_id)
        sent = 0
        for start in range(0, len(rows), MAILS_AT_ONCE):
            part = rows[start : start + MAILS_AT_ONCE]
            with self.sessions.begin() as session:
                sent += self._queue(session, part, now=clock.now())
            self.report(start + len(part), len(rows))
        done = self.done or Mending()
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
                    remade=done.remade,
                    dropped=done.dropped,
                )
            )
        return {"copies": sent, "remade": done.remade, "dropped": done.dropped}

    def _queue(self, session: Session, rows: list["CopyToSend"], *, now: datetime) -> int:
        """Queue the mails of a part; whoever does not want one any more has the copy dropped."""
        unwanted: dict[UnsentCopy, str] = {}
        queued: list[UUID] = []
        for row in rows:
            mail = write_mail(
                "catalog",
                row.language,
                name=row.name,
                title=row.group_name,
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
                attachments=[Attachment(row.path, f"{row.copy_code}.pdf", sha256=row.sha256.hex())],
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
        drop_copies(session, unwanted, now=now)
        return len(send_copies(session, handover_id=self.handover.handover_id, now=now, only=queued))


@dataclass(frozen=True, slots=True)
class CopyToSend:
    """A copy on its way out, with what its manifest and its mail say."""

    copy_id: UUID
    copy_code: str
    edition_id: UUID
    member_id: UUID
    member_code: str
    name: str
    email: str | None
    language: str
    store_code: str | None
    group_name: str
    channel: str
    path: str
    sha256: bytes
    pages: int
    agreed_to_catalog: bool


def copies_of_handover(session: Session, handover_id: UUID) -> list[CopyToSend]:
    """Return the copies that a hand-over takes along, neighbours of one edition, store and language."""
    rows = driver_of(session).execute(
        """
        select copy.copy_id, copy.copy_code, copy.edition_id, member.member_id, member.member_code,
               coalesce(nullif(trim(member.given_name || ' ' || member.family_name), ''), member.company_name, ''),
               member.email, copy.language, store.store_code, edition.group_name, copy.channel, copy.path, copy.sha256,
               copy.pages,
               coalesce((select granted from consent where consent.member_id = member.member_id
                         and purpose = 'catalog' and channel = 'email'
                         order by recorded_at desc, consent_id desc limit 1), false)
        from catalog_copy as copy
        join edition using (edition_id)
        join member using (member_id)
        left join store on store.store_id = copy.store_id
        where copy.handover_id = %s and copy.state = 'made'
        order by edition.edition_code, copy.store_id, copy.language, copy.copy_code
        """,
        (handover_id,),
    )
    return [CopyToSend(*row) for row in rows]


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


def send_copies(
    session: Session, *, handover_id: UUID, now: datetime, only: list[UUID] | None = None
) -> list[UUID]:
    """Let the copies of a hand-over be sent, and write each into its member's history; returns them."""
    rows = driver_of(session).execute(
        """
        with gone as (
            update catalog_copy set state = 'sent', sent_at = %(now)s, handover_id = %(handover)s
            where state = 'made'
              and case when %(only)s::uuid[] is null then handover_id = %(handover)s else copy_id = any(%(only)s) end
            returning copy_id, copy_code, member_id, edition_id, channel, pages, sha256
        ), told as (
            insert into contact (member_id, at, channel, direction, kind, detail, source)
            select member_id, %(now)s, gone.channel, 'outbound', 'catalog',
                   jsonb_build_object('copy_code', copy_code, 'edition', edition.edition_code,
                                      'title', edition.group_name, 'valid_from', edition.valid_from,
                                      'valid_to', edition.valid_to, 'pages', pages),
                   'catalog ' || copy_code
            from gone join edition using (edition_id)
            on conflict do nothing
        )
        select copy_id from gone
        """,
        {"now": now, "handover": handover_id, "only": only},
    )
    return [row[0] for row in rows.fetchall()]


MANIFEST: Final = (
    "file",
    "copy_code",
    "member_code",
    "name",
    "language",
    "store",
    "channel",
    "pages",
    "sha256",
)


def write_zip(path: Path, rows: list[CopyToSend], *, data: Path, report: Report = silent) -> None:
    """
    Write a ZIP of single files with a manifest; it appears when it is whole. Raises `ArchiveDamaged`.

    File names are copy codes, which hold no sign that any system minds; names of people stand in the manifest only,
    where none is taken for a formula.
    """
    half = path.with_suffix(f".{os.getpid()}.part")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for number, row in enumerate(rows, start=1):
                content = read_archived(data, row.path, row.sha256)
                archive.writestr(f"{row.copy_code}.pdf", content)
                report(number, len(rows))
            archive.writestr("manifest.csv", "\ufeff" + "".join(_manifest(rows)), zipfile.ZIP_DEFLATED)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def _manifest(rows: list[CopyToSend]) -> Iterator[str]:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(MANIFEST)
    for row in rows:
        cells = (
            f"{row.copy_code}.pdf",
            row.copy_code,
            row.member_code,
            row.name,
            row.language,
            row.store_code or "",
            row.channel,
            str(row.pages),
            row.sha256.hex(),
        )
        writer.writerow([harmless(cell) for cell in cells])
    yield text.getvalue()


def read_archived(data: Path, path: str, digest: bytes) -> bytes:
    """Return a file of the archive exactly as it was made; raises `ArchiveDamaged`."""
    try:
        content = (data / path).read_bytes()
    except OSError as error:
        raise ArchiveDamaged(f"{path} is not in the archive") from error
    if sha256(content).digest() != digest:
        raise ArchiveDamaged(f"{path} is not what was made")
    return content


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

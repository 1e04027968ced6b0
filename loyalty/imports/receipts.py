"""
Past receipts from a file: stored, flagged and booked as if their tills had posted them.

Sales go in by the chunk, set-based; returns and voids follow one by one through the till's
own way. Each chunk is one transaction, and what is stored already is left alone, so that an
import that was killed is simply started again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from psycopg import errors
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.ahead import ahead
from core.database import Sessions
from core.progress import Report
from core.tabular import RefusedRows, Summary
from customers.queries import known_cards
from loyalty.imports.alone import SettledAlone, settle_alone
from loyalty.imports.sales import awaited, consider, store_and_book
from loyalty.imports.singly import settle_each
from loyalty.liability.figures import mind_kept_days
from loyalty.programme.rules import Programmes
from loyalty.programme.versions import read_programmes
from loyalty.tiers.booking import restand_known
from sales.models import Store
from sales.poslog import is_poslog
from sales.poslog_spool import Kept, PoslogSpool
from sales.poslog_transactions import Cells, Place
from sales.receipt_chunks import Chunk
from sales.receipt_codes import Codes
from sales.receipt_loading import Sorted, prepare_months, sort_out
from sales.receipt_spool import Spool

T = TypeVar("T")
Show = Callable[[str], AbstractContextManager[Report]]

TRIES = 3
AGAIN = (errors.UniqueViolation, errors.SerializationFailure, errors.DeadlockDetected)
"""What happens when tills write the same receipts or accounts at the same moment."""
WRITTEN = ("till", "receipt", "receipt_line", "receipt_flag", "ledger_entry", "ledger_leg", "lot", "balance")
"""The tables that an import writes."""
SINGLY = 200
"""Receipts that go one by one are committed together by this many."""


@dataclass
class Imported:
    """What an import of receipts did; `summary` counts rows of the file, of a POSLog its receipts."""

    written: int = 0
    unchanged: int = 0
    receipts: int = 0
    lines: int = 0
    points: int = 0
    in_receipts: bool = False
    """Whether `summary` counts receipts, as of a POSLog."""
    skipped: int = 0
    """Transactions of a POSLog that are no receipts."""
    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("reading", "loading", "booking"), 0.0)
    )
    summary: Summary = field(default_factory=lambda: Summary(0, 0, 0, 0, None))

    @contextmanager
    def clocked(self, part: str) -> Iterator[None]:
        """Count the time of a block as that of a part of the work."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - began

    def as_json(self) -> dict[str, Any]:
        """Return what was done as the command line prints it."""
        return {
            **self.summary.as_json(),
            "receipts": self.receipts,
            "points": self.points,
            **({"skipped": self.skipped} if self.in_receipts else {}),
            "seconds": {part: round(seconds, 3) for part, seconds in self.seconds.items()},
        }


def import_receipts(sessions: Sessions, path: Path, *, now: datetime, show: Show) -> Imported:
    """
    Store and book the receipts of the file `path`: CSV, parquet, or POSLog, which its first bytes tell.

    Raises `core.tabular.UnreadableFile` or `WrongColumns` before anything is written.
    """
    with sessions() as session:
        rules = read_programmes(session)
    with _spool(sessions, path) as spool:
        work = _Import(sessions, spool, now, rules)
        work.done.in_receipts = spool.in_receipts
        with show(f"Reading {path.name}, %") as report, work.done.clocked("reading"):
            spool.read(path, own=work.own_cards, report=report)
        work.take_sales(show)
        work.take_others(show)
        if isinstance(spool, PoslogSpool):
            work.take_alone(spool, show)
            work.done.skipped = spool.skipped
        with work.done.clocked("loading"), RefusedRows(path, spool.names) as sink:
            spool.refusals.write(path, sink)
    done = work.done
    done.summary = Summary(
        spool.rows_read,
        done.written,
        done.unchanged + spool.unchanged,
        sink.count,
        sink.written_to,
        "receipts" if spool.in_receipts else "rows",
    )
    return done


def _spool(sessions: Sessions, path: Path) -> Spool:
    if not is_poslog(path):
        return Spool()
    with sessions() as session:
        stores = session.execute(select(Store.store_code, Store.currency, Store.timezone)).all()
    places = {store.store_code: Place(store.currency, store.timezone) for store in stores}
    return PoslogSpool(places.get)


@dataclass
class _Import:
    """An import on its way."""

    sessions: Sessions
    spool: Spool
    now: datetime
    rules: Programmes
    done: Imported = field(default_factory=Imported)
    codes: Codes = field(default_factory=Codes)

    def own_cards(self, numbers: set[str]) -> set[str]:
        with self.sessions.begin() as session:
            return known_cards(session, numbers)

    def take_sales(self, show: Show) -> None:
        """Store and book the sales of the file; the next chunk is made ready while one is written."""
        taken = 0
        with show("Storing receipts, lines") as report:
            chunks = ahead(map(Chunk.prepared, self.spool.sales()))
            while True:
                with self.done.clocked("loading"):
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                self._settle(chunk, self._sales)
                taken += chunk.rows.num_rows
                report(taken, self.spool.sale_rows)

    def take_others(self, show: Show) -> None:
        """Settle the returns and voids of the file, in the order in which they were closed."""
        if not self.spool.other_rows:
            return
        with show("Settling returns and voids") as report:
            for rows in self.spool.others():
                whole = Chunk.of(rows).by_time()
                for start in range(0, len(whole), SINGLY):
                    self._settle(whole.part(start, start + SINGLY), self._singly)
                    report(min(start + SINGLY, len(whole)), len(whole))

    def _settle(self, chunk: Chunk, take: Callable[[Session, Chunk], "_Taken"]) -> None:
        """Take a chunk in a transaction of its own, and count what became of it once that is sure."""

        def work(session: Session) -> _Taken:
            # A long import books with the moment at which it began, which the night may have summed up meanwhile.
            mind_kept_days(session, now=self.now)
            return take(session, chunk)

        taken = _again(self.sessions, work)
        found, in_receipts = taken.found, self.done.in_receipts
        self.done.written += taken.receipts if in_receipts else taken.rows
        self.done.lines += taken.rows
        self.done.receipts += taken.receipts
        self.done.points += taken.points
        self.done.unchanged += found.unchanged_receipts if in_receipts else found.unchanged_rows
        for rows, reason in taken.found.refused:
            self.spool.refusals.add(rows, reason)

    def take_alone(self, spool: PoslogSpool, show: Show) -> None:
        """Settle the receipts of a POSLog that go one by one, in the order in which they were closed."""
        total, taken = spool.alone_count(), 0
        if not total:
            return
        with show("Settling returns, voids and training") as report:
            alone = spool.alone()
            while receipts := list(islice(alone, SINGLY)):
                with self.done.clocked("booking"):
                    self._settle_alone(spool, receipts)
                taken += len(receipts)
                report(taken, total)

    def _settle_alone(self, spool: PoslogSpool, receipts: list[Kept]) -> None:
        def work(session: Session) -> SettledAlone:
            mind_kept_days(session, now=self.now)
            return settle_alone(session, receipts, self.codes, now=self.now)

        settled = _again(self.sessions, work)
        self.done.written += settled.written
        self.done.receipts += settled.written
        self.done.unchanged += settled.unchanged
        self.done.points += settled.points
        for kept, reason in settled.refused:
            cells: Cells = {
                "store_code": kept.store_code,
                "till_code": kept.till_code,
                "business_date": kept.posted.business_date.isoformat(),
                "receipt_number": kept.posted.receipt_number,
            }
            spool.refusals.add_transaction(kept.line, cells, reason)

    def _sales(self, session: Session, chunk: Chunk) -> "_Taken":
        found = self._found(session, chunk)
        new = found.arrivals
        with self.done.clocked("loading"):
            waited = awaited(session, new.chunk)
        points = 0
        if waited.any():
            with self.done.clocked("booking"):
                points = settle_each(session, new.only(waited), now=self.now)
        plain = new.only(~waited)
        with self.done.clocked("booking"):
            sales = consider(session, plain, rules=self.rules, now=self.now)
        points += store_and_book(session, sales, rules=self.rules, now=self.now, clocked=self.done.clocked)
        with self.done.clocked("booking"):
            owners = sales.holders.account_ids.used()
            restand_known(session, account_ids=owners, days=plain.chunk.days.used(), now=self.now)
        if awaited(session, plain.chunk).any():
            raise errors.SerializationFailure("a return came while its sale was being written")
        return _Taken(found, new.chunk.rows.num_rows, len(new.chunk), points)

    def _singly(self, session: Session, chunk: Chunk) -> "_Taken":
        found = self._found(session, chunk)
        new = found.arrivals
        with self.done.clocked("booking"):
            points = settle_each(session, new, now=self.now)
        return _Taken(found, new.chunk.rows.num_rows, len(new.chunk), points)

    def _found(self, session: Session, chunk: Chunk) -> Sorted:
        with self.done.clocked("loading"):
            prepare_months(session, chunk.days.used())
            return sort_out(session, chunk, self.codes)


@dataclass(frozen=True)
class _Taken:
    """What became of a chunk."""

    found: Sorted
    rows: int
    receipts: int
    points: int


def _again(sessions: Sessions, work: Callable[[Session], T]) -> T:
    """Do `work` in a transaction of its own, again where somebody else was in the way."""
    for tries_left in reversed(range(TRIES)):
        try:
            with sessions.begin() as session:
                return work(session)
        except (*AGAIN, DBAPIError) as error:
            in_the_way = isinstance(getattr(error, "orig", error), AGAIN)
            if not in_the_way or not tries_left:
                raise
    raise AssertionError("unreachable")

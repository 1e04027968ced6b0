"""
Copies made and archived, in rounds.

What a round needs is read, and its vouchers are issued, in one short transaction; the files are made in
child processes outside of any; each chunk that is on disk is archived in a transaction of its own. Whoever
is killed leaves files that nobody archived, which are written again under the same names with the same
vouchers: no copy is lost, and none is made twice.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from catalogs.models import CatalogRun
from catalogs.operations import archive_copies
from catalogs.orders import OrderDesk, Ordered, Orders
from catalogs.pdf.drawing_store import FOLDER as DRAWINGS
from catalogs.personal_vouchers import cancel_vouchers_of
from catalogs.render import MadeCopy, kept_hands, make_files
from catalogs.runs.recipients import Recipient, leave_out, next_recipients
from core.database import Sessions
from core.errors import Conflict
from core.progress import Report, silent

ROUND: Final = 400
"""So many copies are read for at a time, which bounds the memory."""
SECONDS_BETWEEN_TRIES: Final = 0.5
LOCK: Final = func.hashtext("catalogs.make_copies")


class AlreadyMaking(Conflict):
    """Another process is making copies; two would overwrite each other's files."""


@contextmanager
def alone(sessions: Sessions, *, wait: Callable[[], None] | None = None) -> Iterator[None]:
    """
    Hold the right to make copies on a connection of its own.

    Raises `AlreadyMaking` while another process has it; with `wait` that is called, which may raise, and tried again.
    """
    engine = sessions.kw["bind"]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as own:
        # Closed, not given back to the pool: the lock must end with the connection.
        own.detach()
        while not own.scalar(select(func.pg_try_advisory_lock(LOCK))):
            if wait is None:
                raise AlreadyMaking("another process is making catalog copies; let it finish")
            wait()
            time.sleep(SECONDS_BETWEEN_TRIES)
        try:
            yield
        finally:
            # It ends with the connection, but a busy server takes a moment to see that one is gone.
            with suppress(SQLAlchemyError):
                own.execute(select(func.pg_advisory_unlock(LOCK)))


class RunEnded(Conflict):
    """Somebody cancelled the run while its copies were made."""


@dataclass(slots=True)
class Making:
    """Copies under way: those made so far by group, and how many there will be."""

    sessions: Sessions
    desk: OrderDesk
    workers: int | None = None
    report: Report = silent
    total: int | None = None
    before: int = 0
    """How many were made before, for the report."""
    made: Counter[str] | None = None
    catalog_run_id: UUID | None = None
    """Of which run the copies are, if of one: it is looked at before anything of it is kept."""

    def files(self, orders: Sequence[Ordered]) -> Iterator[list[tuple[Ordered, MadeCopy]]]:
        """Make the files of `orders` and yield what is on disk, a chunk at a time."""
        by_code = {ordered.order.copy_code: ordered for ordered in orders}
        for chunk in make_files(
            [ordered.order for ordered in orders],
            photos=photos_in(self.desk.data),
            drawings=self.desk.data / DRAWINGS,
            workers=self.workers,
        ):
            yield [(by_code[made.copy_code], made) for made in chunk]

    def archive(self, orders: Orders) -> None:
        """Make and archive the copies of a round."""
        counted = self.made = self.made if self.made is not None else Counter()
        for chunk in self.files(list(orders.made.values())):
            with self.sessions.begin() as session:
                if self.catalog_run_id is not None:
                    _hold_running(session, self.catalog_run_id)
                archive_copies(
                    session, [ordered.archived(made) for ordered, made in chunk], now=self.desk.now
                )
            counted.update(ordered.recipient.group_id for ordered, _made in chunk)
            self.report(self.before + counted.total(), self.total)

    def round(self, waiting: Sequence[Recipient]) -> Orders:
        """Make and archive copies for `waiting`, with vouchers of their own; returns what was ordered."""
        with self.sessions.begin() as session:
            orders = self.desk.write(session, waiting)
        self.archive(orders)
        return orders


def make_run_copies(making: Making, *, catalog_run_id: UUID, most: int | None) -> bool:
    """
    Make the copies of a run that are not made yet, at most `most`; returns whether none waits any more.

    Whom something speaks against by now, or for whom there is nothing, is noted as left out, and vouchers that
    an interrupted round had issued for them are cancelled. Raises `RunEnded` once the run was cancelled.
    """
    left = most
    making.catalog_run_id = catalog_run_id
    with kept_hands():
        while left is None or left > 0:
            with making.sessions.begin() as session:
                _hold_running(session, catalog_run_id)
                waiting = next_recipients(
                    session, catalog_run_id=catalog_run_id, limit=ROUND if left is None else min(left, ROUND)
                )
                if not waiting:
                    return True
                orders = making.desk.write(session, waiting)
                leave_out(session, catalog_run_id=catalog_run_id, why=orders.left_out)
                cancel_vouchers_of(
                    session,
                    edition_ids={reader.edition_id for reader in waiting},
                    member_ids=list(orders.left_out),
                    reason="their catalogs are not made",
                    now=making.desk.now,
                )
            making.archive(orders)
            if left is not None:
                left -= len(orders.made)
    with making.sessions() as session:
        return not next_recipients(session, catalog_run_id=catalog_run_id, limit=1)


def _hold_running(session: Session, catalog_run_id: UUID) -> None:
    """Let nobody end the run before this transaction does; raises `RunEnded` where somebody has."""
    state = session.scalar(
        select(CatalogRun.state).where(CatalogRun.catalog_run_id == catalog_run_id).with_for_update(read=True)
    )
    if state != "running":
        raise RunEnded(f"the run is {state}")


def photos_in(data: Path) -> Path | None:
    """Return the folder of the articles' own pictures, None where there is none."""
    folder = data / "pictures"
    return folder if folder.is_dir() else None

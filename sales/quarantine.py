"""Bodies that came under the identity of another receipt: listed, compared with it, and dealt with."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from core.keyset import Ask, Page, read_page
from sales.models import QuarantinedReceipt, Receipt, Store, Till
from sales.receipts import PostedReceipt, line_gross, receipt_document
from sales.stored_receipts import read_stored
from sales.work_queue import FlagNotClosed, FlagNotOpen, NoSuchEntry, ReasonMissing, record_step

BODY_SORTS: Final = ("received_at", "business_date", "store_code")


@dataclass(frozen=True, slots=True)
class BodyRow:
    """A quarantined body, and the receipt that was stored under its identity before."""

    quarantine_id: int
    business_date: date
    receipt_number: str
    received_at: datetime
    state: str
    resolved_by: str | None
    resolved_at: datetime | None
    note: str | None
    body: Mapping[str, Any]
    store_code: str
    store_name: str
    timezone: str
    till_code: str
    receipt_id: UUID
    stored_at: datetime
    currency: str
    payable_amount: int

    @property
    def other_payable(self) -> int | None:
        """What the second body says was paid, in minor units."""
        amount = self.body.get("totals", {}).get("payable_amount")
        return None if amount is None else int(amount)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the two bodies: a JSON pointer, and what each says there."""

    pointer: str
    stored: str | None
    second: str | None

    @property
    def differs(self) -> bool:
        """Whether the two say something else."""
        return self.stored != self.second


def list_bodies(session: Session, ask: Ask, *, store_id: int | None = None) -> Page[BodyRow]:
    """Return a page of quarantined bodies; filter state, words are a receipt number."""
    statement = _bodies(store_id)
    if state := ask.filters.get("state"):
        statement = statement.where(QuarantinedReceipt.state == state)
    if ask.words:
        statement = statement.where(QuarantinedReceipt.receipt_number == ask.words)
    page = read_page(session, statement, ask=ask, sorts=BODY_SORTS, key="quarantine_id", filled=BODY_SORTS)
    return Page(tuple(BodyRow(*row[:17]) for row in page.rows), page.following, page.previous)


def read_body(session: Session, *, quarantine_id: int, store_id: int | None = None) -> BodyRow:
    """Return one quarantined body; raises `NoSuchEntry`, also for another store's when `store_id` is given."""
    statement = _bodies(store_id).where(QuarantinedReceipt.quarantine_id == quarantine_id)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NoSuchEntry("There is no such entry in the queue")
    return BodyRow(*row[:17])


def _bodies(store_id: int | None) -> Select[*tuple[Any, ...]]:
    second = QuarantinedReceipt
    statement: Select[*tuple[Any, ...]] = (
        select(
            second.quarantine_id,
            second.business_date,
            second.receipt_number,
            second.received_at,
            second.state,
            second.resolved_by,
            second.resolved_at,
            second.note,
            second.body,
            Store.store_code,
            Store.name.label("store_name"),
            Store.timezone,
            Till.till_code,
            Receipt.receipt_id,
            Receipt.received_at.label("stored_at"),
            Receipt.currency,
            Receipt.payable_amount,
        )
        .join(
            Receipt,
            (Receipt.business_date == second.business_date)
            & (Receipt.store_id == second.store_id)
            & (Receipt.till_id == second.till_id)
            & (Receipt.receipt_number == second.receipt_number),
        )
        .join(Store, Store.store_id == second.store_id)
        .join(Till, Till.till_id == second.till_id)
    )
    return statement if store_id is None else statement.where(second.store_id == store_id)


def open_bodies(session: Session, *, store_id: int | None = None) -> int:
    """Return how many bodies wait for a person."""
    statement = select(QuarantinedReceipt.quarantine_id).where(QuarantinedReceipt.state == "open")
    if store_id is not None:
        statement = statement.where(QuarantinedReceipt.store_id == store_id)
    return len(session.scalars(statement.limit(1000)).all())


def compared(session: Session, row: BodyRow) -> list[Field]:
    """Return the stored receipt and the second body field by field, in the order of the contract."""
    stored = read_stored(session, business_date=row.business_date, receipt_id=row.receipt_id).posted
    return list(fields(_as_stated(stored, row.body), row.body))


def _as_stated(stored: PostedReceipt, second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored receipt as a document, without the sums that its till may have left out."""
    document = receipt_document(stored)
    totals = document.get("totals", {})
    stated = second.get("totals", {})
    if "gross_amount" not in stated and totals.get("gross_amount") == sum(map(line_gross, stored.lines)):
        totals.pop("gross_amount", None)
    if "payable_amount" not in stated and not totals.get("payable_amount"):
        totals.pop("payable_amount", None)
    if not totals:
        document.pop("totals", None)
    return document


def fields(stored: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Field]:
    """Yield every field that either of two receipts states; lines are matched by their number."""
    left, right = dict(_flat(stored)), dict(_flat(second))
    for pointer in dict.fromkeys([*left, *right]):
        yield Field(pointer, left.get(pointer), right.get(pointer))


def _flat(content: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, Mapping):
        for key, inner in content.items():
            yield from _flat(inner, f"{pointer}/{key}")
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            by_number = isinstance(inner, Mapping) and inner.get("line_number")
            yield from _flat(inner, f"{pointer}/{by_number or index}")
    else:
        yield pointer, content if isinstance(content, str) else json.dumps(content)


def settle_bodies(
    session: Session,
    *,
    quarantine_ids: Collection[int],
    state: str,
    note: str,
    store_id: int | None,
    actor: str,
    now: datetime,
) -> int:
    """
    Take bodies out of the queue and return how many were still in it; the stored receipts stand.

    `state` is resolved or dismissed, which needs a reason in `note`. Raises
    `ReasonMissing`, and `FlagNotOpen` when none of them waits any more.
    """
    if state == "dismissed" and not note.strip():
        raise ReasonMissing("Say why this is dismissed")
    second = QuarantinedReceipt
    statement = update(second).where(second.quarantine_id.in_(sorted(quarantine_ids)), second.state == "open")
    if store_id is not None:
        statement = statement.where(second.store_id == store_id)
    settled = session.scalars(
        statement.values(
            state=state, resolved_by=actor, resolved_at=now, note=note.strip() or None
        ).returning(second.quarantine_id)
    ).all()
    if not settled:
        raise FlagNotOpen("Somebody has dealt with this already")
    for quarantine_id in settled:
        record_step(
            session,
            kind="body",
            entry_id=quarantine_id,
            action=state,
            detail={"note": note.strip()},
            actor=actor,
            now=now,
        )
    return len(settled)


def reopen_body(
    session: Session, *, quarantine_id: int, store_id: int | None, actor: str, now: datetime
) -> None:
    """Put a body back into the queue; raises `NoSuchEntry` or `FlagNotClosed`."""
    row = read_body(session, quarantine_id=quarantine_id, store_id=store_id)
    second = QuarantinedReceipt
    reopened = session.execute(
        update(second)
        .where(second.quarantine_id == quarantine_id, second.state != "open")
        .values(state="open", resolved_by=None, resolved_at=None, note=None)
        .returning(second.quarantine_id)
    ).scalar_one_or_none()
    if reopened is None:
        raise FlagNotClosed("It waits for a person already")
    record_step(
        session,
        kind="body",
        entry_id=quarantine_id,
        action="reopened",
        detail={"was": row.state, "by": row.resolved_by},
        actor=actor,
        now=now,
    )

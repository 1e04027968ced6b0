"""The work queue: what is odd about accepted receipts, until a person has dealt with it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import Conflict, NotFound, Refused
from core.keyset import Ask, Page, read_page
from core.models import AuditEvent
from sales.models import QuarantinedReceipt, Receipt, ReceiptFlag, Store, Till

FLAG_SORTS: Final = ("flagged_at", "code", "store_code", "payable_amount")
STATES: Final = ("open", "resolved", "dismissed")
DECIDED_BY_CODE: Final = "unknown_article"
"""See `sales.unknown_articles`."""
CARD_FLAGS: Final = ("unknown_card", "blocked_card")
"""Flags of a sale that got no account by its card."""
MOST_COUNTED: Final = 1000
"""More entries than this are not counted for the navigation."""


class FlagNotOpen(Conflict):
    """Somebody has dealt with this already."""


class FlagNotClosed(Conflict):
    """It waits for a person already, or what closed it cannot be taken back."""


class NoSuchEntry(NotFound):
    """There is no such entry in the queue, or it is another store's."""


class ReasonMissing(Refused):
    """Whoever dismisses an entry says why."""


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One entry of the work queue."""

    flag_id: int
    code: str
    detail: str
    line_number: int | None
    state: str
    flagged_at: datetime
    resolved_by: str | None
    resolved_at: datetime | None
    note: str | None
    business_date: date
    receipt_id: UUID
    receipt_number: str
    type: str
    mode: str
    card_number: str | None
    account_id: UUID | None
    store_code: str
    store_name: str
    timezone: str
    till_code: str
    currency: str
    payable_amount: int

    @property
    def may_get_card(self) -> bool:
        """Whether the receipt is a sale that still belongs to nobody."""
        return self.type == "sale" and self.mode == "live" and self.account_id is None


def list_flags(session: Session, ask: Ask, *, store_id: int | None = None) -> Page[FlagRow]:
    """
    Return a page of the work queue.

    Filters: state, code, since and until (business days, both included). Words are a
    receipt number or a card number. Open entries about unknown articles are decided by their codes,
    so they are listed only where words or a code ask for them.
    """
    statement = _flags(store_id)
    if ask.filters.get("state") == "open" and not ask.filters.get("code") and not ask.words:
        statement = statement.where(ReceiptFlag.code != DECIDED_BY_CODE)
    for name, column in (("state", ReceiptFlag.state), ("code", ReceiptFlag.code)):
        if value := ask.filters.get(name):
            statement = statement.where(column == value)
    if day := _day(ask.filters.get("since")):
        statement = statement.where(ReceiptFlag.business_date >= day)
    if day := _day(ask.filters.get("until")):
        statement = statement.where(ReceiptFlag.business_date <= day)
    if ask.words:
        statement = statement.where(
            or_(Receipt.receipt_number == ask.words, Receipt.card_number == ask.words)
        )
    page = read_page(session, statement, ask=ask, sorts=FLAG_SORTS, key="flag_id", filled=FLAG_SORTS)
    return Page(tuple(map(_flag_row, page.rows)), page.following, page.previous)


def read_flag(session: Session, *, flag_id: int, store_id: int | None = None) -> FlagRow:
    """Return one entry; raises `NoSuchEntry`, also for another store's when `store_id` is given."""
    row = session.execute(_flags(store_id).where(ReceiptFlag.flag_id == flag_id)).one_or_none()
    if row is None:
        raise NoSuchEntry("There is no such entry in the queue")
    return _flag_row(row)


def _flags(store_id: int | None) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = (
        select(
            ReceiptFlag.flag_id,
            ReceiptFlag.code,
            ReceiptFlag.detail,
            ReceiptFlag.line_number,
            ReceiptFlag.state,
            ReceiptFlag.flagged_at,
            ReceiptFlag.resolved_by,
            ReceiptFlag.resolved_at,
            ReceiptFlag.note,
            ReceiptFlag.business_date,
            ReceiptFlag.receipt_id,
            Receipt.receipt_number,
            Receipt.type,
            Receipt.mode,
            Receipt.card_number,
            Receipt.account_id,
            Store.store_code,
            Store.name.label("store_name"),
            Store.timezone,
            Till.till_code,
            Receipt.currency,
            Receipt.payable_amount,
        )
        .join(
            Receipt,
            (Receipt.business_date == ReceiptFlag.business_date)
            & (Receipt.receipt_id == ReceiptFlag.receipt_id),
        )
        .join(Store, Store.store_id == Receipt.store_id)
        .join(Till, Till.till_id == Receipt.till_id)
    )
    return statement if store_id is None else statement.where(ReceiptFlag.store_id == store_id)


def _flag_row(row: Any) -> FlagRow:
    return FlagRow(*row[:22])


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def settle_flags(
    session: Session,
    *,
    flag_ids: Collection[int],
    state: str,
    note: str,
    store_id: int | None,
    actor: str,
    now: datetime,
) -> int:
    """
    Take entries out of the queue and return how many were still in it.

    `state` is resolved (accepted as it is) or dismissed, which needs a reason in `note`.
    With `store_id` only that store's are found. Raises `ReasonMissing`, and `FlagNotOpen`
    when none of them waits any more.
    """
    if state == "dismissed" and not note.strip():
        raise ReasonMissing("Say why this is dismissed")
    statement = update(ReceiptFlag).where(
        ReceiptFlag.flag_id.in_(sorted(flag_ids)), ReceiptFlag.state == "open"
    )
    if store_id is not None:
        statement = statement.where(ReceiptFlag.store_id == store_id)
    settled = session.execute(
        statement.values(
            state=state, resolved_by=actor, resolved_at=now, note=note.strip() or None
        ).returning(ReceiptFlag.flag_id, ReceiptFlag.code)
    ).all()
    if not settled:
        raise FlagNotOpen("Somebody has dealt with this already")
    for flag_id, code in settled:
        record_step(
            session,
            kind="flag",
            entry_id=flag_id,
            action=state,
            detail={"code": code, "note": note.strip()},
            actor=actor,
            now=now,
        )
    return len(settled)


def reopen_flag(session: Session, *, flag_id: int, store_id: int | None, actor: str, now: datetime) -> None:
    """
    Put an entry back into the queue.

    Raises `NoSuchEntry`, and `FlagNotClosed` for one that waits, or that no person can
    deal with any more: a sale that has its account by now.
    """
    row = read_flag(session, flag_id=flag_id, store_id=store_id)
    if row.code in CARD_FLAGS and row.type == "sale" and row.account_id is not None:
        raise FlagNotClosed("The receipt belongs to an account by now")
    reopened = session.execute(
        update(ReceiptFlag)
        .where(ReceiptFlag.flag_id == flag_id, ReceiptFlag.state != "open")
        .values(state="open", resolved_by=None, resolved_at=None, note=None)
        .returning(ReceiptFlag.flag_id)
    ).scalar_one_or_none()
    if reopened is None:
        raise FlagNotClosed("It waits for a person already")
    detail = {"code": row.code, "was": row.state, "by": row.resolved_by, "note": row.note}
    record_step(
        session, kind="flag", entry_id=flag_id, action="reopened", detail=detail, actor=actor, now=now
    )


def close_flags(
    session: Session,
    *,
    business_date: date,
    receipt_id: UUID,
    codes: Sequence[str],
    note: str,
    actor: str,
    now: datetime,
) -> None:
    """Take a receipt's flags of some kinds out of the queue, because what they said was put right."""
    closed = session.execute(
        update(ReceiptFlag)
        .where(
            ReceiptFlag.business_date == business_date,
            ReceiptFlag.receipt_id == receipt_id,
            ReceiptFlag.code.in_(codes),
            ReceiptFlag.state == "open",
        )
        .values(state="resolved", resolved_by=actor, resolved_at=now, note=note)
        .returning(ReceiptFlag.flag_id, ReceiptFlag.code)
    ).all()
    for flag_id, code in closed:
        record_step(
            session,
            kind="flag",
            entry_id=flag_id,
            action="resolved",
            detail={"code": code, "note": note},
            actor=actor,
            now=now,
        )


def record_step(
    session: Session,
    *,
    kind: str,
    entry_id: int,
    action: str,
    detail: dict[str, Any],
    actor: str,
    now: datetime,
) -> None:
    """Write into the audit trail what was done about an entry, a "flag" or a "body"."""
    record_event(
        session,
        now=now,
        actor=actor,
        action=f"{kind}.{action}",
        subject_kind=kind,
        subject_id=str(entry_id),
        detail=detail,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a person did about an entry."""

    at: datetime
    actor: str
    action: str
    """resolved, dismissed or reopened."""
    note: str | None


def steps_of(session: Session, *, kind: str, entry_id: int) -> list[Step]:
    """Return what was done about an entry, a "flag" or a "body", the first first."""
    events = session.execute(
        select(AuditEvent.happened_at, AuditEvent.actor, AuditEvent.action, AuditEvent.detail)
        .where(AuditEvent.subject_kind == kind, AuditEvent.subject_id == str(entry_id))
        .order_by(AuditEvent.happened_at, AuditEvent.event_id)
    )
    return [
        Step(event.happened_at, event.actor, event.action.partition(".")[2], (event.detail or {}).get("note"))
        for event in events
    ]


def waiting(session: Session, *, store_id: int | None) -> int:
    """Return how many entries wait for a person; counted no further than `MOST_COUNTED`."""
    return min(MOST_COUNTED, sum(_counted(session, store_id)))


def _counted(session: Session, store_id: int | None) -> Iterator[int]:
    for table in (ReceiptFlag, QuarantinedReceipt):
        statement = select(table.state).where(table.state == "open").limit(MOST_COUNTED)
        if store_id is not None:
            statement = statement.where(table.store_id == store_id)
        yield session.scalar(select(func.count()).select_from(statement.subquery())) or 0

"""Lists of vouchers and of their batches, for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.keyset import Ask, Page, read_page
from customers.models import Member
from rewards.vouchers.batches import Batch, batches
from rewards.vouchers.models import Voucher, VoucherBatch, VoucherEvent
from rewards.vouchers.reservations import VoucherNotFound

STATES: Final = ("issued", "reserved", "redeemed", "cancelled", "expired")


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch with how many of its vouchers stand in each state, and what the open ones are worth."""

    batch: Batch
    counts: Mapping[str, int]
    open_amount: int

    @property
    def issued(self) -> int:
        """All that were ever issued."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class VoucherRow:
    """A voucher in a list; whose it is by the member's code and name, if it is somebody's."""

    voucher_code: str
    batch_code: str
    state: str
    value_amount: int | None
    left_amount: int | None
    currency: str | None
    minimum_amount: int
    valid_until: date | None
    issued_at: datetime
    bound: bool
    member_code: str | None
    member_name: str | None
    member_id: UUID | None


@dataclass(frozen=True, slots=True)
class VoucherStory:
    """One thing that happened to a voucher."""

    event: str
    happened_at: datetime
    actor: str
    amount: int | None
    receipt_id: UUID | None
    business_date: date | None
    note: str | None


def batch_rows(session: Session) -> list[BatchRow]:
    """Return all batches, by code."""
    counted = session.execute(
        select(
            Voucher.batch_code,
            Voucher.state,
            func.count(),
            func.coalesce(func.sum(Voucher.left_amount).filter(Voucher.state.in_(("issued", "reserved"))), 0),
        ).group_by(Voucher.batch_code, Voucher.state)
    )
    counts: dict[str, dict[str, int]] = {}
    amounts: dict[str, int] = {}
    for batch_code, state, count, amount in counted:
        counts.setdefault(batch_code, {})[state] = count
        amounts[batch_code] = amounts.get(batch_code, 0) + int(amount or 0)
    return [
        BatchRow(batch, counts.get(code, {}), amounts.get(code, 0))
        for code, batch in batches(session).items()
    ]


def _vouchers() -> Select[*tuple[Any, ...]]:
    holder = (
        select(Member.account_id, func.min(Member.member_code).label("member_code"))
        .group_by(Member.account_id)
        .subquery()
    )
    return (
        select(
            Voucher.voucher_code,
            Voucher.batch_code,
            Voucher.state,
            Voucher.value_amount,
            Voucher.left_amount,
            Voucher.currency,
            Voucher.minimum_amount,
            Voucher.valid_until,
            Voucher.issued_at,
            Voucher.bound,
            Member.member_code,
            func.concat_ws(" ", Member.given_name, Member.family_name).label("member_name"),
            Member.member_id,
        )
        .join_from(Voucher, VoucherBatch)
        .outerjoin(holder, holder.c.account_id == Voucher.account_id)
        .outerjoin(Member, Member.member_code == holder.c.member_code)
    )


def list_vouchers(session: Session, ask: Ask, *, batch: str | None = None) -> Page[VoucherRow]:
    """
    Return a page of vouchers, by any column, of one batch if `batch` names one.

    Filters: `batch`, `state`, `code` (exactly), `member` (code).
    """
    statement = _vouchers()
    if batch is not None:
        statement = statement.where(Voucher.batch_code == batch)
    wanted = {
        "batch": Voucher.batch_code,
        "state": Voucher.state,
        "code": Voucher.voucher_code,
        "member": Member.member_code,
    }
    for name, column in wanted.items():
        if ask.filters.get(name):
            statement = statement.where(column == ask.filters[name])
    if ask.words:
        statement = statement.where(Voucher.voucher_code.startswith(ask.words.upper(), autoescape=True))
    page = read_page(
        session,
        statement,
        ask=ask,
        sorts=("voucher_code", "batch_code", "state", "left_amount", "valid_until", "issued_at"),
        key="voucher_code",
        filled=("voucher_code", "batch_code", "state", "issued_at"),
    )
    return Page(tuple(VoucherRow(*row[:13]) for row in page.rows), page.following, page.previous, page.total)


def voucher_row(session: Session, code: str) -> VoucherRow:
    """Return one voucher; raises `VoucherNotFound`."""
    row = session.execute(_vouchers().where(Voucher.voucher_code == code)).one_or_none()
    if row is None:
        raise VoucherNotFound(f"nobody issued the voucher {code}")
    return VoucherRow(*row)


def voucher_story(session: Session, code: str) -> list[VoucherStory]:
    """Return what happened to a voucher, the newest first."""
    rows = session.execute(
        select(
            VoucherEvent.event,
            VoucherEvent.happened_at,
            VoucherEvent.actor,
            VoucherEvent.amount,
            VoucherEvent.receipt_id,
            VoucherEvent.business_date,
            VoucherEvent.note,
        )
        .where(VoucherEvent.voucher_code == code)
        .order_by(VoucherEvent.event_id.desc())
    )
    return [VoucherStory(*row) for row in rows]

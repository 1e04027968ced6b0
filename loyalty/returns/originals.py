"""What a return or void names: read with everything that was booked on it since, under the locks of the receipt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.driver import driver_of
from loyalty.accounts import open_holding
from loyalty.ledger import Cause, Entry, Leg
from loyalty.opening import hold_account
from loyalty.returns.booked_sale import BookedReturn, BookedSale
from loyalty.returns.standing_lines import BroughtBack, Counted, SoldLine, Standing
from sales.receipts import RETURN, VOID, TillIdentity


@dataclass(frozen=True, slots=True)
class Named:
    """A stored receipt that another one names."""

    receipt_id: UUID
    business_date: date
    type: str
    mode: str
    account_id: UUID | None
    identity: str
    sale_receipt_id: UUID | None
    """Of a return that was booked: the sale that it is of."""
    sale_business_date: date | None
    sale_identity: str | None
    waits: bool
    """Whether it is a return or void whose own original has not come."""
    language: str | None = None
    """That of the member whose receipt it is; of an account's, where its card has no holder."""


_NAMED = """
    select receipt.receipt_id, receipt.business_date, receipt.type, receipt.mode,
           coalesce(balance.moved_to, receipt.account_id) as account_id,
           %(identity)s as identity, link.original_receipt_id as sale_receipt_id,
           link.original_business_date as sale_business_date, link.original_identity as sale_identity,
           link.receipt_id is not null and link.original_receipt_id is null as waits,
           coalesce(holder.language,
                    (select member.language from member
                     where member.account_id = coalesce(balance.moved_to, receipt.account_id)
                     order by member.member_id limit 1)) as language
    from receipt
    left join receipt_link as link on link.receipt_id = receipt.receipt_id
    left join balance on balance.account_id = receipt.account_id
    left join member as holder on holder.member_id = receipt.member_id
    where receipt.business_date = %(business_date)s and receipt.receipt_id = %(receipt_id)s
"""


def read_named(session: Session, *, business_date: date, receipt_id: UUID, identity: str) -> Named:
    """Return the receipt that another one names."""
    values = {"business_date": business_date, "receipt_id": receipt_id, "identity": identity}
    row = _rows(session).execute(_NAMED, values).fetchone()
    assert row is not None
    return Named(*row)


_LINES = """
    select line_number, quantity, points, points_spent
    from receipt_line where business_date = %(business_date)s and receipt_id = %(receipt_id)s
"""

# A void of a return belongs to the sale's story too; nothing can follow after it.
_FAMILY = """
    with recursive family as (
        select %(receipt_id)s::uuid as receipt_id, %(business_date)s::date as business_date,
               'sale' as type, %(identity)s as identity, ''::text as original_identity, 0::bigint as arrival
        union all
        select link.receipt_id, link.business_date, link.type, link.identity, link.original_identity, link.arrival
        from family
        join receipt_link as link
          on link.original_identity = family.identity and link.original_receipt_id is not null
    )
"""

_LINKED = f"{_FAMILY} select receipt_id, type, identity, original_identity from family order by arrival"

# A receipt that nothing was given with is the rule: whether there is something to give back is asked beside the rest.
_GAVE = """
    select exists (select from offer_use where business_date = %(business_date)s and receipt_id = %(receipt_id)s)
        or exists (select from voucher_event where receipt_id = %(receipt_id)s)
        or exists (select from stock_movement where receipt_id = %(receipt_id)s)
"""

_RETURNED = f"""
    {_FAMILY}
    select line.receipt_id, line.line_number, line.original_line_number, line.counted_quantity as quantity,
           line.points, line.points_spent
    from family
    join receipt_line as line using (business_date, receipt_id)
    where family.type = 'return' and line.counted_quantity is not null
    order by line.receipt_id, line.line_number
"""

_ENTRIES = f"""
    {_FAMILY}
    select entry.entry_id, entry.account_id, entry.reason, entry.business_date, entry.booked_at,
           entry.receipt_id, entry.reference, leg.book, leg.lot_id, leg.line_number, leg.points, balance.moved_to
    from family
    join ledger_entry as entry using (business_date, receipt_id)
    join ledger_leg as leg using (entry_id)
    join balance on balance.account_id = entry.account_id
    where entry.reason <> 'expire'
    order by entry.entry_id, leg.leg_number
"""


def read_booked_sale(session: Session, *, named: Named, till: TillIdentity, now: datetime) -> BookedSale:
    """
    Return the live sale `named` with what was booked on it, its accounts held.

    The caller holds the sale's account already; should points have been spent from
    others, they are held here, and the story is read again after that.
    """
    held = {named.account_id} if named.account_id else set()
    while True:
        sale = _read(session, named)
        missing = {entry.account_id for entry in sale.entries} - held
        for account_id in sorted(missing):
            hold_account(session, account_id=account_id, now=now)
        held |= missing
        if not missing:
            break
    touched = {leg.lot_id for entry in sale.entries for leg in entry.legs if leg.lot_id}
    for account_id in held:
        sale.holdings[account_id] = open_holding(
            session, account_id=account_id, till=till, now=now, lots=touched
        )
    return sale


def _read(session: Session, named: Named) -> BookedSale:
    values = {
        "business_date": named.business_date,
        "receipt_id": named.receipt_id,
        "identity": named.identity,
    }
    with driver_of(session).pipeline():
        lines, linked, returned, legs, gave = (
            _rows(session).execute(query, values) for query in (_LINES, _LINKED, _RETURNED, _ENTRIES, _GAVE)
        )
    sold = {row.line_number: SoldLine(row.quantity, row.points, row.points_spent) for row in lines.fetchall()}
    entries = _entries(_where_they_are_now(session, legs.fetchall()))
    links = linked.fetchall()
    voided = {row.original_identity for row in links if row.type == VOID}
    returns = _returns(links, returned.fetchall(), entries, voided)
    standing = Standing(sold, voided=named.identity in voided)
    for booked in returns.values():
        if not booked.voided:
            standing.record(booked.counted)
    return BookedSale(
        receipt_id=named.receipt_id,
        account_id=named.account_id,
        standing=standing,
        entries=entries,
        returns=returns,
        holdings={},
        gave=bool(gave.fetchall()[0][0]),
    )


def _returns(
    links: Sequence[Any], lines: Iterable[Any], entries: Iterable[Entry], voided: set[str]
) -> dict[UUID, BookedReturn]:
    counted: dict[UUID, list[Counted]] = {}
    for line in lines:
        counted.setdefault(line.receipt_id, []).append(
            Counted(
                line.line_number,
                line.original_line_number,
                line.quantity,
                line.points,
                line.points_spent,
                over=False,
            )
        )
    return {
        link.receipt_id: BookedReturn(
            counted.get(link.receipt_id, []),
            [entry for entry in entries if entry.cause.receipt_id == link.receipt_id],
            voided=link.identity in voided,
        )
        for link in links
        if link.type == RETURN
    }


_LIVING_ON = """
    with recursive chain as (
        select lot_id as origin, lot_id, 0 as step from lot where lot_id = any(%s)
        union all
        select chain.origin, lot.lot_id, step + 1 from chain join lot on lot.moved_from = chain.lot_id
    )
    select distinct on (origin) origin, lot_id from chain order by origin, step desc
"""


def _where_they_are_now(session: Session, legs: Sequence[Any]) -> Sequence[Any]:
    """Return the legs with the accounts and lots in which theirs live on, should accounts have been joined since."""
    moved = {leg.lot_id for leg in legs if leg.moved_to and leg.lot_id}
    if not moved:
        return legs
    now: dict[UUID, UUID] = dict(driver_of(session).execute(_LIVING_ON, (list(moved),)).fetchall())
    return [
        leg._replace(account_id=leg.moved_to or leg.account_id, lot_id=now.get(leg.lot_id, leg.lot_id))
        for leg in legs
    ]


def _entries(legs: Iterable[Any]) -> list[Entry]:
    """Return the entries of rows of legs, which come entry by entry."""
    rows: dict[UUID, list[Any]] = {}
    for leg in legs:
        rows.setdefault(leg.entry_id, []).append(leg)
    return [
        Entry(
            account_id=first.account_id,
            reason=first.reason,
            cause=Cause(first.business_date, first.booked_at, first.receipt_id, first.reference),
            legs=tuple(Leg(leg.book, leg.points, leg.lot_id, leg.line_number) for leg in entry),
            entry_id=entry_id,
        )
        for entry_id, entry in rows.items()
        for first in entry[:1]
    ]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A live return or void that came before what it names."""

    receipt_id: UUID
    business_date: date
    type: str
    identity: str
    lines: tuple[BroughtBack, ...]


_WAITING = """
    select link.receipt_id, link.business_date, link.type, link.identity,
           line.line_number, line.original_line_number, line.quantity
    from receipt_link as link
    left join receipt_line as line using (business_date, receipt_id)
    where link.original_identity = %s and link.original_receipt_id is null
    order by link.arrival, line.line_number
"""


def read_waiting(session: Session, *, identity: str) -> list[Waiting]:
    """Return what waits for the receipt of this identity, in the order in which it came."""
    found: dict[UUID, list[Any]] = {}
    for row in _rows(session).execute(_WAITING, (identity,)).fetchall():
        found.setdefault(row.receipt_id, []).append(row)
    return [
        Waiting(
            receipt_id,
            rows[0].business_date,
            rows[0].type,
            rows[0].identity,
            tuple(
                BroughtBack(row.line_number, row.original_line_number, row.quantity)
                for row in rows
                if row.line_number is not None
            ),
        )
        for receipt_id, rows in found.items()
    ]


def _rows(session: Session) -> psycopg.Cursor[Any]:
    return driver_of(session).cursor(row_factory=namedtuple_row)

"""
A sale that nobody's card was read on gets its account later, and its points with it.

Everything is as if the card had been known when the sale was booked: the sale earns by the rules of
its business date, and what was returned or voided of it meanwhile is taken back. What the tills were
told stays what they were told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.audit import record_event
from core.clock import business_day
from core.driver import driver_of
from core.errors import Conflict, Refused
from customers.operations import put_into_use
from customers.queries import CardHolder, holder_of_card
from loyalty.accounts import open_holding
from loyalty.earning import earned_on_receipt, nothing
from loyalty.exclusions import excluded_articles
from loyalty.ledger import Cause
from loyalty.offer_points import read_offer_points
from loyalty.opening import hold_account
from loyalty.operations import book
from loyalty.programme.rules import Programme
from loyalty.programme.versions import programmes
from loyalty.returns.booked_sale import BookedSale
from loyalty.returns.standing_lines import BroughtBack, SoldLine, Standing
from loyalty.tiers.booking import restand_held
from sales.receipts import LIVE, RETURN, SALE, own_identity
from sales.records import Arrival, LinePoints, record_arrivals
from sales.staff_cards import staff_bindings
from sales.stored_receipts import StoredReceipt, read_stored, record_account
from sales.work_queue import CARD_FLAGS, close_flags


class HasAccount(Conflict):
    """The receipt belongs to an account already."""


class EarnsNothing(Refused):
    """Only live sales can be given to an account later."""


class CardCannotEarn(Refused):
    """The card stood for no account when the receipt was closed: it was blocked, or is out of date."""


@dataclass(frozen=True, slots=True)
class Linked:
    """What came of linking: the account, and its points after what was returned meanwhile."""

    account_id: UUID
    member_id: UUID | None
    earned: int
    reversed: int


def link_card(
    session: Session,
    *,
    business_date: date,
    receipt_id: UUID,
    card_number: str,
    now: datetime,
    actor: str,
) -> Linked:
    """
    Give a stored sale to the account of a card, and book what it earns; it happens once, whoever else tries.

    Raises `sales.stored_receipts.ReceiptNotStored`, `EarnsNothing`, `HasAccount`,
    `customers.queries.CardNotFound` or `CardCannotEarn`.
    """
    stored = hold_sale(session, business_date=business_date, receipt_id=receipt_id)
    holder = holder_of_card(session, card_number)
    account_id = _account_of(session, holder, stored, now=now)
    return book_late(
        session,
        stored=stored,
        account_id=account_id,
        member_id=holder.member_id,
        now=now,
        actor=actor,
        note=f"linked to card {card_number}",
        detail={"card_number": card_number},
    )


def hold_sale(session: Session, *, business_date: date, receipt_id: UUID) -> StoredReceipt:
    """
    Lock a live sale that belongs to nobody yet, with all that was booked on it, and return it.

    Who returns or voids it, or links it, at the same moment waits. Raises
    `ReceiptNotStored`, `EarnsNothing` or `HasAccount`.
    """
    seen = read_stored(session, business_date=business_date, receipt_id=receipt_id)
    if seen.posted.type != SALE or seen.posted.mode != LIVE:
        raise EarnsNothing("Only a live sale can be given to a card")
    driver = driver_of(session)
    driver.execute("select set_config('lock_timeout', '5s', true)")
    driver.execute(_LOCK, (own_identity(seen.posted, seen.till),))
    # Voids of its returns hold the return's identity, not the sale's.
    for child in _children(session, seen):
        driver.execute(_LOCK, (child.identity,))
    stored = read_stored(session, business_date=business_date, receipt_id=receipt_id)
    if stored.account_id is not None:
        raise HasAccount("The receipt belongs to an account already")
    return stored


_LOCK = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"


def book_late(
    session: Session,
    *,
    stored: StoredReceipt,
    account_id: UUID,
    member_id: UUID | None,
    now: datetime,
    actor: str,
    note: str,
    detail: dict[str, Any],
) -> Linked:
    """
    Give a sale that `hold_sale` returned to an account, and book what it earns and what came back of it.

    To whoever rang it up themselves it is given, but it earns nothing.
    """
    posted, till = stored.posted, stored.till
    hold_account(session, account_id=account_id, now=now)
    holding = open_holding(session, account_id=account_id, till=till, now=now)
    before = len(holding.entries)
    programme = programmes(session).on(posted.business_date)
    excluded = _excluded(session, stored, programme)
    added = read_offer_points(stored.offer_points)
    shares = earned_on_receipt(posted, till, programme, excluded, added)
    if _is_own(session, stored, account_id, member_id):
        shares = nothing(posted.lines)
    cause = Cause(posted.business_date, now, stored.receipt_id)
    today = business_day(now, till.timezone)
    holding.earn(shares, cause, timezone=till.timezone, programme=programme)
    earning = holding.entries[before:]
    # What was returned meanwhile takes back what it would have taken had the card been known: not what has ended.
    holding.expire(Cause(today, now))
    sale = BookedSale(
        receipt_id=stored.receipt_id,
        account_id=account_id,
        # What was spent on the sale has its own account and came back to it already.
        standing=Standing(
            {line.line_number: SoldLine(line.quantity, shares[line.line_number], 0) for line in posted.lines}
        ),
        entries=earning,
        holdings={account_id: holding},
    )
    arrivals, reversed_points = _take_back(sale, _children(session, stored), account_id, now)
    record_account(
        session,
        business_date=posted.business_date,
        receipt_id=stored.receipt_id,
        account_id=account_id,
        member_id=member_id,
        points=shares,
        programme_version=programme.version or None,
        excluded_lines=excluded,
    )
    record_arrivals(session, arrivals, now=now)
    book(session, [holding])
    restand_held(session, account_id=account_id, today=today, now=now)
    earned = sum(shares.values())
    told = {**detail, "account_id": str(account_id), "points": earned}
    _put_right(session, stored, note=note, detail=told, actor=actor, now=now)
    return Linked(account_id, member_id, earned, reversed_points)


def _is_own(session: Session, stored: StoredReceipt, account_id: UUID, member_id: UUID | None) -> bool:
    """Return whether the account is that of the operator who rang the sale up."""
    operator = (stored.till.store_id, stored.posted.operator_code or "")
    bound = staff_bindings(session).get(operator, ())
    return any(binding.is_own(account_id, member_id, stored.posted.closed_at) for binding in bound)


def _put_right(
    session: Session, stored: StoredReceipt, *, note: str, detail: dict[str, Any], actor: str, now: datetime
) -> None:
    """Close what waited for a person because the sale had no account, and write who gave it one."""
    posted = stored.posted
    close_flags(
        session,
        business_date=posted.business_date,
        receipt_id=stored.receipt_id,
        codes=CARD_FLAGS,
        note=note,
        actor=actor,
        now=now,
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="receipt.link",
        subject_kind="receipt",
        subject_id=own_identity(posted, stored.till),
        detail=detail,
    )


def _excluded(session: Session, stored: StoredReceipt, programme: Programme) -> list[int]:
    """Return the numbers of the lines that earn nothing by `programme`."""
    if not programme.excluded:
        return []
    known = {article_id for article_id in stored.articles if article_id is not None}
    left_out = excluded_articles(session, article_ids=known, excluded=programme.excluded)
    pairs = zip(stored.posted.lines, stored.articles, strict=True)
    return [line.line_number for line, article_id in pairs if article_id in left_out]


def _account_of(session: Session, holder: CardHolder, stored: StoredReceipt, *, now: datetime) -> UUID:
    state, blocked_at = holder.successor_state, holder.blocked_at
    if state == "stock":
        opened = put_into_use(session, card_number=holder.successor, now=now)
        if opened is not None:
            return opened
        return _account_of(session, holder_of_card(session, holder.successor), stored, now=now)
    if state == "blocked" and blocked_at is not None and stored.posted.closed_at > blocked_at:
        raise CardCannotEarn("The card was blocked before the receipt was closed")
    if state == "expired" or holder.account_id is None:
        raise CardCannotEarn("The card is out of date")
    return holder.account_id


@dataclass(frozen=True, slots=True)
class _Child:
    """A return or void that was booked on the sale, or on a return of it."""

    receipt_id: UUID
    business_date: date
    type: str
    identity: str
    original_receipt_id: UUID
    original_business_date: date
    lines: tuple[tuple[BroughtBack, int], ...]
    """Of a return: what of each line counts, and the spent points that came back with it."""


_CHILDREN = """
    with recursive family as (
        select link.*, link.arrival as turn from receipt_link as link
        where link.original_identity = %(identity)s and link.original_receipt_id = %(receipt_id)s
        union all
        -- A void may have come before the return that it names; it was booked right after that.
        select link.*, greatest(link.arrival, family.turn)
        from family
        join receipt_link as link on link.original_identity = family.identity
        where link.original_receipt_id = family.receipt_id
    )
    select family.receipt_id, family.business_date, family.type, family.identity,
           family.original_receipt_id, family.original_business_date,
           line.line_number, line.original_line_number, line.counted_quantity, line.points_spent
    from family
    left join receipt_line as line
      on line.business_date = family.business_date and line.receipt_id = family.receipt_id
     and family.type = 'return'
    order by family.turn, family.type, family.receipt_id, line.line_number
"""


def _children(session: Session, stored: StoredReceipt) -> list[_Child]:
    """Return what was booked on the sale since, in the order in which it was."""
    values = {"identity": own_identity(stored.posted, stored.till), "receipt_id": stored.receipt_id}
    with driver_of(session).cursor(row_factory=namedtuple_row) as cursor:
        rows: list[Any] = cursor.execute(_CHILDREN, values).fetchall()
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.receipt_id, []).append(row)
    return [
        _Child(
            receipt_id,
            first.business_date,
            first.type,
            first.identity,
            first.original_receipt_id,
            first.original_business_date,
            tuple(
                (
                    BroughtBack(
                        row.line_number, row.original_line_number, row.counted_quantity or Decimal(0)
                    ),
                    row.points_spent,
                )
                for row in lines
                if row.line_number is not None
            ),
        )
        for receipt_id, lines in found.items()
        for first in lines[:1]
    ]


def _take_back(
    sale: BookedSale, children: Sequence[_Child], account_id: UUID, now: datetime
) -> tuple[list[Arrival], int]:
    """Book what came back of the sale meanwhile; returns what that made of the returns, and the points in all."""
    arrivals: list[Arrival] = []
    taken = 0
    for child in children:
        cause = Cause(child.business_date, now, child.receipt_id)
        points: dict[int, LinePoints] = {}
        if child.type == RETURN:
            counting = [brought for brought, _ in child.lines if brought.quantity]
            taken += sale.book_return(child.receipt_id, counting, cause).reversed
            counted = {line.line_number: line.points for line in sale.returns[child.receipt_id].counted}
            points = {
                brought.line_number: LinePoints(counted.get(brought.line_number, 0), spent, brought.quantity)
                for brought, spent in child.lines
            }
        elif child.original_receipt_id == sale.receipt_id:
            voided = sale.book_void(cause)
            taken += voided.reversed if voided else 0
        else:
            restored = sale.book_void_of_return(child.original_receipt_id, cause)
            taken -= restored.earned if restored else 0
        arrivals.append(
            Arrival(
                receipt_id=child.receipt_id,
                business_date=child.business_date,
                original_receipt_id=child.original_receipt_id,
                original_business_date=child.original_business_date,
                account_id=account_id,
                points=points,
            )
        )
    return arrivals, taken

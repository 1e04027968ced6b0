"""The statement of an account: every entry with what explains it, and the balance after it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from core.driver import driver_of
from core.i18n import called
from core.keyset import Ask, Page, read_page
from loyalty.lots import last_day
from loyalty.models import Adjustment, Balance, LedgerEntry, LedgerLeg, Lot, ReceiptClaim, Redemption
from loyalty.receipt_names import ReceiptName, read_receipt_names
from rewards.models import Reward
from sales.models import Store


@dataclass(frozen=True, slots=True)
class LotPiece:
    """What an entry did to one lot: `points` in what is held, `reserved` in what is set aside."""

    lot_id: UUID
    business_date: date
    receipt_id: UUID | None
    available_at: datetime
    expires_at: datetime | None
    points: int
    reserved: int

    @property
    def last_day(self) -> date | None:
        """The last day on which points of the lot can be spent."""
        return last_day(self.expires_at) if self.expires_at else None


@dataclass(frozen=True, slots=True)
class Decided:
    """Who adjusted points and why; `decided_by` is somebody else where two people were needed."""

    adjustment_id: UUID
    reason: str
    note: str
    requested_by: str
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What points were set aside for: a reward where it has a code, otherwise a purchase."""

    redemption_id: UUID
    reward_code: str | None
    store_name: str
    reward_names: Mapping[str, str] | None = None
    """What the reward is called, by language."""

    def reward_name(self, language: str) -> str:
        """Return what the reward is called in `language`, else in English, else its code; "" where there is none."""
        return called(self.reward_names, language, self.reward_code or "")


@dataclass(frozen=True, slots=True)
class StatementLine:
    """
    One entry as its account saw it, with all that explains it.

    `points` is the change of what the account holds, `reserved` of what is set aside;
    `balance` is what it held afterwards, pending points included.
    """

    entry_id: UUID
    reason: str
    business_date: date
    booked_at: datetime
    points: int
    reserved: int
    balance: int
    pieces: tuple[LotPiece, ...] = ()
    receipt: ReceiptName | None = None
    original: ReceiptName | None = None
    """What a return or void takes back."""
    adjustment: Decided | None = None
    redemption: Redeemed | None = None
    claimed_at: datetime | None = None
    """When the receipt was claimed, if it was paid without the card and claimed with its code and amount."""

    @property
    def came_later(self) -> bool:
        """Whether the sale was booked for nobody at first, and got its account afterwards."""
        return (
            self.reason == "earn" and self.receipt is not None and self.booked_at > self.receipt.received_at
        )


def balances(session: Session, account_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the points of some accounts; those without an entry are left out."""
    rows = session.execute(
        select(Balance.account_id, Balance.points).where(Balance.account_id.in_(account_ids))
    )
    return {row.account_id: row.points for row in rows}


def list_statement(session: Session, ask: Ask, *, account_id: UUID) -> Page[StatementLine]:
    """
    Return a page of an account's entries in the order of their booking, each with what explains it.

    Filters: since and until (business dates, both included), reason, lot (an id). The
    balance is after all entries, whether the filters show them or not.
    """
    page = read_page(
        session,
        _entries(ask, account_id),
        ask=ask,
        sorts=("booked_at",),
        key="entry_id",
        filled=("booked_at",),
    )
    lines = _explained(session, page.rows, account_id)
    return Page(tuple(lines), page.following, page.previous)


def _entries(ask: Ask, account_id: UUID) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = select(
        LedgerEntry.entry_id,
        LedgerEntry.reason,
        LedgerEntry.business_date,
        LedgerEntry.booked_at,
        LedgerEntry.receipt_id,
        LedgerEntry.reference,
    ).where(LedgerEntry.account_id == account_id)
    if since := _day(ask.filters.get("since")):
        statement = statement.where(LedgerEntry.business_date >= since)
    if until := _day(ask.filters.get("until")):
        statement = statement.where(LedgerEntry.business_date <= until)
    if reason := ask.filters.get("reason"):
        statement = statement.where(LedgerEntry.reason == reason)
    if "lot" in ask.filters:
        of_lot = select(LedgerLeg.entry_id).where(
            LedgerLeg.account_id == account_id, LedgerLeg.lot_id == _uuid(ask.filters["lot"])
        )
        statement = statement.where(LedgerEntry.entry_id.in_(of_lot))
    return statement


def _explained(session: Session, rows: Sequence[Any], account_id: UUID) -> list[StatementLine]:
    if not rows:
        return []
    entries = [row.entry_id for row in rows]
    balances = _balances_after(session, rows, account_id)
    pieces = _pieces(session, entries)
    receipts, originals = read_receipt_names(
        session, {(row.business_date, row.receipt_id) for row in rows if row.receipt_id}
    )
    references = {row.reference for row in rows if row.reference}
    adjustments, redemptions = _adjustments(session, references), _redemptions(session, references)
    claimed = _claimed(session, receipts)
    return [
        StatementLine(
            entry_id=row.entry_id,
            reason=row.reason,
            business_date=row.business_date,
            booked_at=row.booked_at,
            points=sum(piece.points for piece in pieces.get(row.entry_id, ())),
            reserved=sum(piece.reserved for piece in pieces.get(row.entry_id, ())),
            balance=balances[row.entry_id],
            pieces=tuple(pieces.get(row.entry_id, ())),
            receipt=receipts.get(row.receipt_id),
            original=originals.get(row.receipt_id),
            adjustment=adjustments.get(row.reference),
            redemption=redemptions.get(row.reference),
            claimed_at=claimed.get(row.receipt_id) if row.reason == "earn" else None,
        )
        for row in rows
    ]


# From what is held now back to the earliest entry of the page: the newest page costs next to nothing.
# That the legs are the account's own follows from their entries', but only said does it lead by their index.
_BALANCES = """
    select null::uuid as entry_id, null::timestamptz as booked_at,
           coalesce((select points from balance where account_id = %(account_id)s), 0)
             - coalesce(sum(leg.points), 0) as points
    from ledger_entry as entry join ledger_leg as leg using (entry_id)
    where entry.account_id = %(account_id)s and leg.account_id = %(account_id)s and leg.book = 'points'
      and entry.booked_at >= %(latest)s and (entry.booked_at, entry.entry_id) > (%(latest)s, %(latest_id)s)
    union all
    select entry.entry_id, entry.booked_at, sum(leg.points)
    from ledger_entry as entry join ledger_leg as leg using (entry_id)
    where entry.account_id = %(account_id)s and leg.account_id = %(account_id)s and leg.book = 'points'
      and entry.booked_at >= %(earliest)s and (entry.booked_at, entry.entry_id) >= (%(earliest)s, %(earliest_id)s)
      and entry.booked_at <= %(latest)s and (entry.booked_at, entry.entry_id) <= (%(latest)s, %(latest_id)s)
    group by entry.entry_id
    order by booked_at desc nulls first, entry_id desc nulls first
"""


def _balances_after(session: Session, rows: Sequence[Any], account_id: UUID) -> dict[UUID, int]:
    """Return what the account held after each of `rows`, whatever was left out between them."""
    ordered = sorted(rows, key=lambda row: (row.booked_at, row.entry_id), reverse=True)
    latest, earliest = ordered[0], ordered[-1]
    values = {
        "account_id": account_id,
        "latest": latest.booked_at,
        "latest_id": latest.entry_id,
        "earliest": earliest.booked_at,
        "earliest_id": earliest.entry_id,
    }
    (_none, _never, held), *moved = driver_of(session).execute(_BALANCES, values).fetchall()
    changes = [(booked_at, entry_id, points) for entry_id, booked_at, points in moved]
    balances: dict[UUID, int] = {}
    place = 0
    for row in ordered:
        # Entries that only set points aside have no leg here, or one on each side.
        while place < len(changes) and changes[place][:2] > (row.booked_at, row.entry_id):
            held -= changes[place][2]
            place += 1
        balances[row.entry_id] = int(held)
    return balances


def _pieces(session: Session, entries: Sequence[UUID]) -> dict[UUID, list[LotPiece]]:
    rows = session.execute(
        select(
            LedgerLeg.entry_id,
            Lot.lot_id,
            Lot.business_date,
            Lot.receipt_id,
            Lot.available_at,
            Lot.expires_at,
            func.coalesce(func.sum(LedgerLeg.points).filter(LedgerLeg.book == "points"), 0),
            func.coalesce(func.sum(LedgerLeg.points).filter(LedgerLeg.book == "reserved"), 0),
        )
        .join(Lot, Lot.lot_id == LedgerLeg.lot_id)
        .where(LedgerLeg.entry_id.in_(entries))
        .group_by(LedgerLeg.entry_id, Lot.lot_id)
        .order_by(LedgerLeg.entry_id, func.min(LedgerLeg.leg_number))
    )
    pieces: dict[UUID, list[LotPiece]] = {}
    for entry_id, lot_id, business_date, receipt_id, available_at, expires_at, points, reserved in rows:
        pieces.setdefault(entry_id, []).append(
            LotPiece(lot_id, business_date, receipt_id, available_at, expires_at, int(points), int(reserved))
        )
    return pieces


def _adjustments(session: Session, references: Collection[UUID]) -> dict[UUID | None, Decided]:
    rows = session.execute(
        select(
            Adjustment.adjustment_id,
            Adjustment.reason,
            Adjustment.note,
            Adjustment.requested_by,
            Adjustment.decided_by,
        ).where(Adjustment.adjustment_id.in_(references))
    )
    return {row.adjustment_id: Decided(*row) for row in rows}


def _redemptions(session: Session, references: Collection[UUID]) -> dict[UUID | None, Redeemed]:
    rows = session.execute(
        select(Redemption.redemption_id, Redemption.reward_code, Store.name, Reward.name)
        .join(Store, Store.store_id == Redemption.store_id)
        .outerjoin(Reward, Reward.reward_code == Redemption.reward_code)
        .where(Redemption.redemption_id.in_(references))
    )
    return {row.redemption_id: Redeemed(*row) for row in rows}


def _claimed(session: Session, receipt_ids: Collection[UUID]) -> dict[UUID | None, datetime]:
    rows = session.execute(
        select(ReceiptClaim.receipt_id, ReceiptClaim.claimed_at).where(
            ReceiptClaim.receipt_id.in_(receipt_ids)
        )
    )
    return {row.receipt_id: row.claimed_at for row in rows}


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _uuid(text: str) -> UUID:
    """Return the id that `text` is; nothing has the one that stands for nonsense."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def points_of_receipt(session: Session, *, business_date: date, receipt_id: UUID) -> dict[str, int]:
    """Return what the entries caused by one receipt changed, summed by reason."""
    rows = session.execute(
        select(LedgerEntry.reason, func.sum(LedgerLeg.points))
        .join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.entry_id)
        .where(
            LedgerEntry.business_date == business_date,
            LedgerEntry.receipt_id == receipt_id,
            LedgerLeg.book == "points",
        )
        .group_by(LedgerEntry.reason)
    )
    return {reason: int(points) for reason, points in rows}


def points_of_receipts(
    session: Session, keys: Collection[tuple[date, UUID]], *, account_id: UUID
) -> dict[UUID, int]:
    """Return by how much each of some receipts changed what an account holds; 0 is left out."""
    if not keys:
        return {}
    rows = session.execute(
        select(LedgerEntry.receipt_id, func.sum(LedgerLeg.points))
        .join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.entry_id)
        .where(
            tuple_(LedgerEntry.business_date, LedgerEntry.receipt_id).in_(list(keys)),
            LedgerEntry.account_id == account_id,
            LedgerLeg.account_id == account_id,
            LedgerLeg.book == "points",
        )
        .group_by(LedgerEntry.receipt_id)
    )
    return {receipt_id: int(points) for receipt_id, points in rows if receipt_id and points}

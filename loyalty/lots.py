"""
Lots: points that were earned together, kept by the line that earned them. Pure.

In meaning each line of a receipt is a lot of its own; those of one receipt lie in one
`Lot`, since they become available and end together. What goes below zero goes below zero
in a plain lot: it belongs to no receipt, is available at once and never ends. So
`available` may be negative while points are still pending, and later points make up for
a debt without anything being moved; only points that end pay it first.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from core.ids import uuid7
from core.records import record

NO_LINE = 0
"""Stands for the line where a lot belongs to no receipt's lines."""

NEVER = datetime.max.replace(tzinfo=UTC)
EXPIRING_WITHIN = timedelta(days=60)


@record
class Lot:
    """Points with one origin; `lines` is what is left of them by line number, adding up to what is left."""

    lot_id: UUID
    account_id: UUID
    business_date: date
    receipt_id: UUID | None
    booked_at: datetime
    available_at: datetime
    expires_at: datetime | None
    earned: int
    lines: Mapping[int, int]
    moved_from: UUID | None = None
    """Of a lot that is being made: the lot of another account that lives on in it."""

    @property
    def remaining(self) -> int:
        """What is left; below zero only in a plain lot."""
        return sum(self.lines.values())

    @property
    def plain(self) -> bool:
        """Whether this is the account's lot without receipt, where debts stand."""
        return self.receipt_id is None and not self.earned

    def is_pending(self, now: datetime) -> bool:
        """Whether the points cannot be spent yet."""
        return self.available_at > now

    def is_due(self, now: datetime) -> bool:
        """Whether the points have ended."""
        return self.expires_at is not None and self.expires_at <= now

    def with_added(self, line_number: int, points: int) -> "Lot":
        """Return the lot with `points` more (or less) on one of its lines."""
        return replace(self, lines={**self.lines, line_number: self.lines.get(line_number, 0) + points})


@record
class Piece:
    """Points of one line of one lot."""

    lot_id: UUID
    line_number: int
    points: int


def plain_lot(account_id: UUID, *, now: datetime, business_date: date) -> Lot:
    """Return a new, empty lot that belongs to no receipt."""
    return Lot(
        lot_id=uuid7(),
        account_id=account_id,
        business_date=business_date,
        receipt_id=None,
        booked_at=now,
        available_at=now,
        expires_at=None,
        earned=0,
        lines={NO_LINE: 0},
    )


def by_age(lot: Lot) -> tuple[date, datetime, UUID]:
    """Sort key: the oldest lot is the one of the earliest business date, then booking."""
    return lot.business_date, lot.booked_at, lot.lot_id


def by_end(lot: Lot) -> tuple[datetime, date, datetime, UUID]:
    """Sort key: what ends first, then the oldest; what never ends is last."""
    return lot.expires_at or NEVER, *by_age(lot)


def for_spending(lots: Iterable[Lot], now: datetime) -> list[Lot]:
    """Return the lots that can be spent, in the order in which they are."""
    usable = (lot for lot in lots if not lot.is_pending(now) and not lot.is_due(now))
    return sorted(usable, key=by_end)


def for_taking_back(lots: Iterable[Lot], now: datetime) -> list[Lot]:
    """Return the lots that a return takes from after its own line's: pending ones from the oldest, then as spent."""
    lots = list(lots)
    return [*sorted((lot for lot in lots if lot.is_pending(now)), key=by_age), *for_spending(lots, now)]


def pieces_of(points: int, lots: Iterable[Lot]) -> tuple[list[Piece], int]:
    """Return `points` taken from `lots` in order, line by line, and how many could not be taken."""
    pieces: list[Piece] = []
    missing = points
    for lot in lots:
        for line_number, left in sorted(lot.lines.items()):
            taken = min(missing, max(0, left))
            if taken:
                pieces.append(Piece(lot.lot_id, line_number, taken))
                missing -= taken
        if not missing:
            break
    return pieces, missing


@record
class Position:
    """
    What an account holds at a moment, as tills and people see it.

    `available` may be negative; `reserved` is held for redemptions and in neither
    of the others. `expiring` is (last day, points), what ends within 60 days.
    """

    available: int = 0
    pending: int = 0
    reserved: int = 0
    expiring: tuple[tuple[date, int], ...] = ()

    @property
    def balance(self) -> int:
        """Available and pending together."""
        return self.available + self.pending


def position_of(lots: Iterable[Lot], *, reserved: int, now: datetime) -> Position:
    """
    Return what an account with these lots holds at `now`.

    Points that have ended are not counted, but for those that pay what is below zero.
    """
    available = pending = ended = debt = 0
    ends: dict[datetime, int] = {}
    for lot in lots:
        if lot.is_due(now) and lot.remaining > 0:
            ended += lot.remaining
            continue
        if lot.plain:
            debt = max(debt, -lot.remaining)
        if lot.is_pending(now):
            pending += lot.remaining
        else:
            available += lot.remaining
        if lot.expires_at and lot.remaining and lot.expires_at <= now + EXPIRING_WITHIN:
            ends[lot.expires_at] = ends.get(lot.expires_at, 0) + lot.remaining
    return Position(available + min(ended, debt), pending, reserved, expiring_by_day(ends.items()))


def expiring_by_day(ends: Iterable[tuple[datetime, int]]) -> tuple[tuple[date, int], ...]:
    """Return moments of ending with their points as last days with theirs, in order."""
    days: dict[date, int] = {}
    for moment, points in _positive(ends):
        days[last_day(moment)] = days.get(last_day(moment), 0) + points
    return tuple(sorted(days.items()))


def _positive(ends: Iterable[tuple[datetime, int]]) -> Iterator[tuple[datetime, int]]:
    return ((moment, points) for moment, points in ends if points > 0)


def last_day(expires_at: datetime) -> date:
    """
    Return the last day of points that end at `expires_at`, a midnight somewhere.

    Half a day before that midnight it is the same day in UTC as in the store, in every
    zone from twelve hours west to eleven hours east of Greenwich.
    """
    return (expires_at.astimezone(UTC) - timedelta(hours=12)).date()

"""The books of points: every event is an entry whose legs sum to zero. Pure."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from core.ids import uuid7

Reason = Literal[
    "earn", "reverse", "spend", "return", "reserve", "release", "expire", "adjust", "merge", "restore"
]
Book = Literal["points", "reserved", "issued", "spent", "expired", "adjusted", "merged"]


class Unbalanced(Exception):  # noqa: N818 - a bug of ours, never an answer to anybody
    """The legs of an entry do not sum to zero."""


@dataclass(frozen=True, slots=True)
class Leg:
    """
    One side of an entry.

    The books `points` and `reserved` are the account's and name a lot; a leg that
    concerns one line of the lot's receipt names it too. The others are the chain's; what is
    moved from one account to another passes through `merged`, which is zero over all accounts.
    """

    book: Book
    points: int
    lot_id: UUID | None = None
    line_number: int | None = None

    def reversed(self) -> "Leg":
        """Return the leg that undoes this one."""
        return Leg(self.book, -self.points, self.lot_id, self.line_number)


@dataclass(frozen=True, slots=True)
class Cause:
    """What an entry is booked for: a receipt or another thing that has an id, on its business day."""

    business_date: date
    booked_at: datetime
    receipt_id: UUID | None = None
    reference: UUID | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One booked event of one account, such as the points earned on a receipt."""

    account_id: UUID
    reason: Reason
    cause: Cause
    legs: tuple[Leg, ...]
    entry_id: UUID = field(default_factory=uuid7)

    def __post_init__(self) -> None:
        if sum(leg.points for leg in self.legs):
            raise Unbalanced(f"{self.reason} of {self.account_id}: {self.legs}")

    def total(self, book: Book) -> int:
        """Return what the entry adds to `book`."""
        return sum(leg.points for leg in self.legs if leg.book == book)

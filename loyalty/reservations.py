"""Points held for a purchase or a reward, as they are kept: reserved, then posted, released or expired."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import driver_of
from loyalty.ledger import Cause
from loyalty.lots import NO_LINE, Piece
from rewards.stocks import operations as stock


class Place(Protocol):
    """Where something is booked, a till or a desk: its time zone decides the business day."""

    @property
    def timezone(self) -> str:
        """A name of the IANA time zone database."""


@dataclass(frozen=True, slots=True)
class Zone:
    """No place, but whose days count."""

    timezone: str


class Counter(Place, Protocol):
    """A till or a desk of one store, where points can be spent."""

    @property
    def store_id(self) -> int:
        """Whose stock gifts are taken from."""

    @property
    def till_id(self) -> int | None:
        """The till, None at a desk."""

    @property
    def currency(self) -> str:
        """What points are worth money in."""

    @property
    def actor(self) -> str:
        """How trails name who acts there."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk of a store with somebody behind it."""

    store_id: int
    currency: str
    timezone: str
    actor: str
    till_id: None = None


State = Literal["reserved", "posted", "released", "expired"]


@dataclass(frozen=True, slots=True)
class Redemption:
    """Points held for a purchase or a reward."""

    redemption_id: UUID
    account_id: UUID
    store_id: int
    points: int
    value_amount: int
    reward_code: str | None
    state: State
    expires_at: datetime
    receipt_id: UUID | None
    pickup_code: str | None = None
    """What the customer names who comes for a gift."""

    def lapsed(self, now: datetime) -> bool:
        """Whether it is over although nobody has booked so."""
        return self.state == "reserved" and self.expires_at <= now

    def document(self, now: datetime) -> dict[str, Any]:
        """Return the contract's JSON: what is over is expired, booked or not."""
        document = {
            "redemption_id": str(self.redemption_id),
            "state": "expired" if self.lapsed(now) else self.state,
            "expires_at": self.expires_at.isoformat(),
            "points": self.points,
            "value_amount": self.value_amount,
        }
        return document if self.pickup_code is None else document | {"pickup_code": self.pickup_code}


def held_pieces(session: Session, redemption_id: UUID) -> list[Piece]:
    """Return where the points of a redemption were taken from."""
    rows = driver_of(session).execute(
        """
        select leg.lot_id, leg.line_number, leg.points
        from ledger_entry as entry join ledger_leg as leg using (entry_id)
        where entry.reference = %s and entry.reason = 'reserve' and leg.book = 'reserved'
        order by leg.leg_number
        """,
        (redemption_id,),
    )
    return [Piece(lot_id, line_number or NO_LINE, points) for lot_id, line_number, points in rows.fetchall()]


def change_state(
    session: Session,
    redemption: Redemption,
    state: State,
    *,
    now: datetime,
    business_date: date | None = None,
    receipt_id: UUID | None = None,
) -> None:
    """Note how a redemption ended; the caller holds its account and has read it since."""
    cursor = driver_of(session).execute(
        """
        update redemption set state = %s, resolved_at = %s, business_date = %s, receipt_id = %s
        where redemption_id = %s and state = %s
        """,
        (state, now, business_date, receipt_id, redemption.redemption_id, redemption.state),
    )
    assert cursor.rowcount == 1


def read_redemptions(session: Session, redemption_ids: Collection[UUID]) -> dict[UUID, Redemption]:
    """Return those of the redemptions that exist, of whatever store."""
    rows = driver_of(session).execute(
        """
        select redemption_id, account_id, store_id, points, value_amount, reward_code, state, expires_at, receipt_id,
               pickup_code
        from redemption where redemption_id = any(%s)
        """,
        (list(redemption_ids),),
    )
    found = (Redemption(*row) for row in rows.fetchall())
    return {redemption.redemption_id: redemption for redemption in found}


def let_go_of_gift(session: Session, redemption: Redemption, *, now: datetime, actor: str) -> None:
    """Let others have the gift that a redemption holds, which stays where it lies."""
    if redemption.reward_code is not None:
        stock.release_piece(
            session,
            reward_code=redemption.reward_code,
            store_id=redemption.store_id,
            cause=stock.Cause(now, actor, redemption.redemption_id),
        )


def hand_gift_over(session: Session, redemption: Redemption, cause: stock.Cause) -> None:
    """Note that the gift that a redemption holds has left the store."""
    if redemption.reward_code is not None:
        stock.hand_over_held(
            session, reward_code=redemption.reward_code, store_id=redemption.store_id, cause=cause
        )


def cause_of(redemption: Redemption, till: Place, now: datetime) -> Cause:
    """Return what an entry about a redemption is booked for."""
    return Cause(business_day(now, till.timezone), now, reference=redemption.redemption_id)

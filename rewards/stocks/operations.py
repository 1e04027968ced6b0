"""Gifts in the stores: held, handed over, put back, delivered and counted; the last piece goes to exactly one person."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.errors import Conflict, NotFound, Refused

MOST_PIECES = 1_000_000


class OutOfStock(Conflict):
    """Not so many pieces of the reward can be had in the store."""


class NoSuchStock(NotFound):
    """There is no such reward, or no such store."""


class BadCount(Refused):
    """So many pieces cannot be delivered or counted."""


class CountedMeanwhile(Conflict):
    """The stock is not what it was when it was counted."""


class FewerThanHeld(Conflict):
    """More pieces are held for customers than were counted: some of those reservations must be cancelled first."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What a movement of stock is for, and who made it."""

    now: datetime
    actor: str
    redemption_id: UUID | None = None
    business_date: date | None = None
    receipt_id: UUID | None = None
    offer_code: str | None = None
    note: str | None = None


_MOVE = """
    with moved as (
        update reward_stock set on_hand = on_hand + %(on_hand)s, reserved = reserved + %(reserved)s
        where reward_code = %(reward_code)s and store_id = %(store_id)s and {condition}
        returning 1
    ), noted as (
        insert into stock_movement (reward_code, store_id, kind, on_hand, reserved, moved_at, actor, redemption_id,
                                    business_date, receipt_id, offer_code, note)
        select %(reward_code)s, %(store_id)s, %(kind)s, %(on_hand)s, %(reserved)s, %(now)s, %(actor)s,
               %(redemption_id)s::uuid, %(business_date)s::date, %(receipt_id)s::uuid, %(offer_code)s::text,
               %(note)s::text
        from moved
    )
    select exists (select from moved), exists (select from reward_stock where reward_code = %(reward_code)s)
"""

_TO_BE_HAD = _MOVE.format(condition="reward_stock.on_hand - reward_stock.reserved >= %(pieces)s")

_HELD = _MOVE.format(
    condition="(select sum(held.reserved) from stock_movement as held "
    "where held.redemption_id = %(redemption_id)s and held.reward_code = %(reward_code)s "
    "and held.store_id = %(store_id)s) >= %(pieces)s"
)

_ANYHOW = _MOVE.format(condition="true")


def hold_piece(session: Session, *, reward_code: str, store_id: int, cause: Cause) -> None:
    """
    Hold one piece of a reward for the redemption of `cause`; raises `OutOfStock`.

    A reward without a stock record in any store is no physical thing and never runs out.
    """
    _demand(session, "reserve", reward_code, store_id, cause=cause, on_hand=0, reserved=1, pieces=1)


def take_pieces(session: Session, *, reward_code: str, store_id: int, cause: Cause, pieces: int = 1) -> None:
    """Hand pieces over that nobody holds; raises `OutOfStock`, of things that are no physical ones never."""
    _demand(
        session, "hand_over", reward_code, store_id, cause=cause, on_hand=-pieces, reserved=0, pieces=pieces
    )


def take_what_is_left(
    session: Session, *, reward_code: str, store_id: int, cause: Cause, pieces: int, each: int
) -> int:
    """Hand over as many of `pieces` as are there, in whole lots of `each`; returns how many, 0 when there is no lot."""
    wanted = pieces
    while wanted > 0:
        try:
            take_pieces(session, reward_code=reward_code, store_id=store_id, cause=cause, pieces=wanted)
        except OutOfStock:
            there = gifts_left(session, store_id=store_id, reward_codes=[reward_code])[reward_code] or 0
            wanted = min(wanted - each, there // each * each)
        else:
            return wanted
    return 0


def _demand(session: Session, kind: str, reward_code: str, store_id: int, **change: Any) -> None:
    moved, physical = _move(session, _TO_BE_HAD, kind, reward_code, store_id, **change)
    if physical and not moved:
        raise OutOfStock(f"no {reward_code} is left in this store")


def hand_over_held(session: Session, *, reward_code: str, store_id: int, cause: Cause) -> None:
    """Hand over the piece that the redemption of `cause` holds; of a thing that is no physical one nothing is noted."""
    _move(session, _HELD, "hand_over", reward_code, store_id, cause=cause, on_hand=-1, reserved=-1, pieces=1)


def release_piece(session: Session, *, reward_code: str, store_id: int, cause: Cause) -> None:
    """Let go of the piece that the redemption of `cause` holds, for anybody to have."""
    _move(session, _HELD, "release", reward_code, store_id, cause=cause, on_hand=0, reserved=-1, pieces=1)


def _move(
    session: Session,
    statement: str,
    kind: str,
    reward_code: str,
    store_id: int,
    *,
    cause: Cause,
    on_hand: int,
    reserved: int,
    pieces: int,
) -> tuple[bool, bool]:
    """Return whether it was done, and whether the reward is a physical thing at all."""
    values = {
        "kind": kind,
        "reward_code": reward_code,
        "store_id": store_id,
        "on_hand": on_hand,
        "reserved": reserved,
        "pieces": pieces,
        **_values(cause),
    }
    row = driver_of(session).execute(statement, values).fetchone()
    assert row is not None
    return bool(row[0]), bool(row[1])


def _values(cause: Cause) -> dict[str, Any]:
    return {
        "now": cause.now,
        "actor": cause.actor,
        "redemption_id": cause.redemption_id,
        "business_date": cause.business_date,
        "receipt_id": cause.receipt_id,
        "offer_code": cause.offer_code,
        "note": cause.note,
    }


_GIVEN_WITH = """
    select reward_code, store_id, offer_code, -sum(on_hand)::integer
    from stock_movement
    where receipt_id = %s and kind in ('hand_over', 'put_back')
    group by reward_code, store_id, offer_code
    having sum(on_hand) < 0
    order by reward_code, store_id, offer_code
"""


def put_gifts_back(session: Session, *, receipt_id: UUID, cause: Cause) -> dict[str, int]:
    """
    Put back into stock what was handed over with the receipt `receipt_id` and is not back yet.

    `cause` names that receipt too, and in its note what undid it. Returns the pieces by reward;
    a second time nothing. The caller holds whatever keeps others from undoing the same receipt.
    """
    found = driver_of(session).execute(_GIVEN_WITH, (receipt_id,)).fetchall()
    back: dict[str, int] = {}
    for reward_code, store_id, offer_code, pieces in found:
        why = Cause(
            cause.now,
            cause.actor,
            cause.redemption_id,
            cause.business_date,
            receipt_id,
            offer_code,
            cause.note,
        )
        change = {"on_hand": pieces, "reserved": 0, "pieces": pieces}
        _move(session, _ANYHOW, "put_back", reward_code, store_id, cause=why, **change)
        back[reward_code] = back.get(reward_code, 0) + pieces
    return back


_PUT_BACK = """
    select reward_code, store_id, offer_code, sum(on_hand) filter (where kind = 'put_back' and note = %(note)s)::integer
    from stock_movement
    where receipt_id = %(receipt_id)s and kind in ('hand_over', 'put_back')
    group by reward_code, store_id, offer_code
    having sum(on_hand) = 0 and bool_or(kind = 'put_back' and note = %(note)s)
    order by reward_code, store_id, offer_code
"""


def hand_over_again(session: Session, *, receipt_id: UUID, cause: Cause) -> dict[str, int]:
    """
    Take out of stock again what `put_gifts_back` put back with the note of `cause`, because that was a mistake.

    What somebody else has got meanwhile stays theirs. Returns the pieces by reward.
    """
    values = {"receipt_id": receipt_id, "note": cause.note}
    found = driver_of(session).execute(_PUT_BACK, values).fetchall()
    again: dict[str, int] = {}
    for reward_code, store_id, offer_code, pieces in found:
        why = replace(cause, receipt_id=receipt_id, offer_code=offer_code)
        change = {"on_hand": -pieces, "reserved": 0, "pieces": pieces}
        moved, _ = _move(session, _TO_BE_HAD, "hand_over", reward_code, store_id, cause=why, **change)
        if moved:
            again[reward_code] = again.get(reward_code, 0) + pieces
    return again


def gifts_left(session: Session, *, store_id: int, reward_codes: list[str]) -> dict[str, int | None]:
    """Return how many pieces of each reward can be had in a store; None is as many as one likes: no physical thing."""
    rows = driver_of(session).execute(
        """
        select reward.reward_code,
               case when exists (select from reward_stock as any_store where any_store.reward_code = reward.reward_code)
                    then coalesce(stock.on_hand - stock.reserved, 0) end
        from reward
        left join reward_stock as stock on stock.reward_code = reward.reward_code and stock.store_id = %s
        where reward.reward_code = any(%s)
        """,
        (store_id, reward_codes),
    )
    return dict(rows.fetchall())


def deliver(session: Session, *, reward_code: str, store_id: int, pieces: int, cause: Cause) -> None:
    """
    Note that pieces were delivered to a store, which keeps a stock of the reward from then on.

    Raises `BadCount` and `NoSuchStock`.
    """
    if not 0 < pieces <= MOST_PIECES:
        raise BadCount(f"a delivery has between 1 and {MOST_PIECES} pieces")
    open_stock(session, reward_code=reward_code, store_id=store_id)
    change = {"on_hand": pieces, "reserved": 0, "pieces": pieces}
    _move(session, _ANYHOW, "delivery", reward_code, store_id, cause=cause, **change)


def open_stock(session: Session, *, reward_code: str, store_id: int) -> None:
    """Let a store keep a stock of a reward, empty unless it has one already; raises `NoSuchStock`."""
    row = (
        driver_of(session)
        .execute(
            """
            with opened as (
                insert into reward_stock (reward_code, store_id, on_hand)
                select reward_code, store_id, 0 from reward, store where reward_code = %s and store_id = %s
                on conflict do nothing
            )
            select exists (select from reward, store where reward_code = %s and store_id = %s)
            """,
            (reward_code, store_id, reward_code, store_id),
        )
        .fetchone()
    )
    if row is None or not row[0]:
        raise NoSuchStock(f"there is no reward {reward_code!r}, or no such store")


def count_stock(
    session: Session, *, reward_code: str, store_id: int, counted: int, seen: int, cause: Cause
) -> int:
    """
    Note that `counted` pieces lie in a store where the books said `seen`; returns the difference.

    What is held is among them. Raises `BadCount`, `NoSuchStock`, `CountedMeanwhile` when the books
    say something else by now, and `FewerThanHeld`.
    """
    if not 0 <= counted <= MOST_PIECES:
        raise BadCount(f"between 0 and {MOST_PIECES} pieces can be counted")
    stock = (
        driver_of(session)
        .execute(
            "select on_hand, reserved from reward_stock where reward_code = %s and store_id = %s for update",
            (reward_code, store_id),
        )
        .fetchone()
    )
    if stock is None:
        raise NoSuchStock(f"this store keeps no stock of {reward_code!r}")
    on_hand, reserved = stock
    if on_hand != seen:
        raise CountedMeanwhile(f"the stock changed from {seen} to {on_hand} while it was counted")
    if counted < reserved:
        raise FewerThanHeld(f"{reserved} pieces are held for customers, only {counted} were counted")
    change = {"on_hand": counted - on_hand, "reserved": 0, "pieces": 0}
    _move(session, _ANYHOW, "count", reward_code, store_id, cause=cause, **change)
    return int(counted - on_hand)


def warn_below(session: Session, *, reward_code: str, store_id: int, low_at: int | None) -> None:
    """Let a store be told when `low_at` pieces or fewer can be had; None is never. Raises `BadCount`, `NoSuchStock`."""
    if low_at is not None and not 0 <= low_at <= MOST_PIECES:
        raise BadCount(f"the limit lies between 0 and {MOST_PIECES} pieces")
    changed = driver_of(session).execute(
        "update reward_stock set low_at = %s where reward_code = %s and store_id = %s",
        (low_at, reward_code, store_id),
    )
    if not changed.rowcount:
        raise NoSuchStock(f"this store keeps no stock of {reward_code!r}")

"""Redemptions: points reserved for ten minutes, then posted, released or expired; resolved exactly once."""

from dataclasses import replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import driver_of
from core.errors import Conflict, NotFound, Refused
from core.ids import uuid7
from customers.queries import holder_of_card
from loyalty.accounts import open_holding
from loyalty.opening import hold_account
from loyalty.operations import book
from loyalty.programme.rules import Programme
from loyalty.programme.versions import programmes
from loyalty.reservations import (
    Counter,
    Redemption,
    cause_of,
    change_state,
    hand_gift_over,
    held_pieces,
    let_go_of_gift,
    read_redemptions,
)
from rewards.codes import new_pickup_code
from rewards.queries import price_of_reward
from rewards.stocks import operations as stock
from rewards.stocks.operations import OutOfStock
from rewards.vouchers.reservations import VoucherHold, reserve_voucher
from sales.receipts import TillIdentity


class RedemptionNotFound(NotFound):
    """Nobody ever reserved under this id."""


class OtherStore(Refused):
    """The redemption was made in another store."""


class NotRegistered(Conflict):
    """The card has no member; points can be spent by members only."""


class CardBlocked(Conflict):
    """The card is blocked, replaced or out of date."""


class NotInSteps(Refused):
    """So many points cannot be spent at once: too few, or not in whole steps, whatever the account holds."""


class NotEnoughPoints(Conflict):
    """The account has fewer points to spend than that."""


class AlreadyRedeemed(Conflict):
    """The redemption was posted."""


class AlreadyReleased(Conflict):
    """The redemption was released."""


class RedemptionExpired(Conflict):
    """The time for which the points were held is over."""


def reserve(
    session: Session,
    *,
    till: Counter,
    card_number: str,
    now: datetime,
    points: int | None = None,
    reward_code: str | None = None,
    until: datetime | None = None,
) -> Redemption:
    """
    Hold `points`, or what a reward costs, for as long as the programme of today says; no reservation overdraws.

    A reward is held with a code to pick it up by, and until another moment where one is given.

    Raises `CardNotFound`, `RewardNotFound`, `CardBlocked`, `NotRegistered`,
    `NotInSteps`, `NotEnoughPoints` or `OutOfStock`.
    """
    programme = programmes(session).on(business_day(now, till.timezone))
    if reward_code is None and not programme.allows(points or 0):
        raise NotInSteps(f"points are spent from {programme.minimum} on, in whole steps of {programme.step}")
    account_id = _spending_account(session, card_number, programme)
    cost = price_of_reward(session, reward_code=reward_code) if reward_code is not None else points or 0
    hold_account(session, account_id=account_id, now=now)
    holding = open_holding(session, account_id=account_id, till=till, now=now)
    if not 0 < cost <= holding.spendable:
        raise NotEnoughPoints(f"{max(0, holding.spendable)} points can be spent, not {cost}")
    redemption_id = uuid7()
    if reward_code is not None:
        cause = stock.Cause(now, till.actor, redemption_id)
        _hold_gift(session, till=till, reward_code=reward_code, cause=cause)
    redemption = Redemption(
        redemption_id=redemption_id,
        account_id=account_id,
        store_id=till.store_id,
        points=cost,
        value_amount=0 if reward_code is not None else programme.value_of(cost, till.currency),
        reward_code=reward_code,
        state="reserved",
        expires_at=until or now + programme.held_for,
        receipt_id=None,
        pickup_code=None if reward_code is None else new_pickup_code(),
    )
    holding.reserve(cost, cause_of(redemption, till, now))
    driver_of(session).execute(
        """
        insert into redemption (redemption_id, account_id, card_number, store_id, till_id, points, value_amount,
                                reward_code, state, reserved_at, expires_at, pickup_code, reserved_by)
        values (%s, %s, %s, %s, %s, %s, %s, %s, 'reserved', %s, %s, %s, %s)
        """,
        (
            redemption.redemption_id,
            account_id,
            card_number,
            till.store_id,
            till.till_id,
            cost,
            redemption.value_amount,
            reward_code,
            now,
            redemption.expires_at,
            redemption.pickup_code,
            till.actor,
        ),
    )
    book(session, [holding])
    return redemption


def hold_voucher(session: Session, *, till: TillIdentity, voucher_code: str, now: datetime) -> VoucherHold:
    """
    Hold a voucher for as long as the programme of today says.

    Raises what `rewards.vouchers.reservations.reserve_voucher` does.
    """
    today = business_day(now, till.timezone)
    return reserve_voucher(
        session,
        till=till,
        voucher_code=voucher_code,
        today=today,
        now=now,
        until=now + programmes(session).on(today).held_for,
    )


_LAPSED_GIFTS = """
    select distinct account_id from redemption
    where reward_code = %s and store_id = %s and state = 'reserved' and expires_at <= %s
    order by account_id
"""


def _hold_gift(session: Session, *, till: Counter, reward_code: str, cause: stock.Cause) -> None:
    """Hold a piece; where none is left, take back first what lies aside for people whose time is over."""
    now = cause.now
    try:
        stock.hold_piece(session, reward_code=reward_code, store_id=till.store_id, cause=cause)
    except OutOfStock:
        lapsed = driver_of(session).execute(_LAPSED_GIFTS, (reward_code, till.store_id, now)).fetchall()
        if not lapsed:
            raise
        for (account_id,) in lapsed:
            hold_account(session, account_id=account_id, now=now)
            book(session, [open_holding(session, account_id=account_id, till=till, now=now)])
        stock.hold_piece(session, reward_code=reward_code, store_id=till.store_id, cause=cause)


def find_redemption(session: Session, *, till: Counter, redemption_id: UUID) -> Redemption:
    """Return a redemption of the till's store; raises `RedemptionNotFound` or `OtherStore`."""
    found = read_redemptions(session, [redemption_id]).get(redemption_id)
    if found is None:
        raise RedemptionNotFound(f"there is no redemption {redemption_id}")
    if found.store_id != till.store_id:
        raise OtherStore("the redemption was made in another store")
    return found


def release(session: Session, *, till: Counter, redemption_id: UUID, now: datetime) -> Redemption:
    """
    Give reserved points back to the lots they came from; a second time changes nothing.

    Raises what `find_redemption` does, `AlreadyRedeemed` or `RedemptionExpired`.
    """
    return _resolve(session, till=till, redemption_id=redemption_id, now=now, wanted="released")


def post(session: Session, *, till: Counter, redemption_id: UUID, now: datetime) -> Redemption:
    """
    Spend reserved points without a receipt; a second time changes nothing.

    Raises what `find_redemption` does, `AlreadyReleased` or `RedemptionExpired`.
    """
    return _resolve(session, till=till, redemption_id=redemption_id, now=now, wanted="posted")


def _resolve(
    session: Session,
    *,
    till: Counter,
    redemption_id: UUID,
    now: datetime,
    wanted: Literal["released", "posted"],
) -> Redemption:
    account_id = find_redemption(session, till=till, redemption_id=redemption_id).account_id
    hold_account(session, account_id=account_id, now=now)
    # Read again: somebody may have resolved it before the lock was ours.
    redemption = find_redemption(session, till=till, redemption_id=redemption_id)
    if redemption.state == wanted:
        return redemption
    if redemption.state == "posted":
        raise AlreadyRedeemed("the redemption was posted")
    if redemption.state == "released":
        raise AlreadyReleased("the redemption was released")
    if redemption.state == "expired" or redemption.lapsed(now):
        raise RedemptionExpired(f"the redemption ended at {redemption.expires_at.isoformat()}")
    holding = open_holding(session, account_id=account_id, till=till, now=now, redemptions=[redemption_id])
    held = held_pieces(session, redemption_id)
    cause = cause_of(redemption, till, now)
    if wanted == "released":
        holding.release(held, cause)
        let_go_of_gift(session, redemption, now=now, actor=till.actor)
    else:
        holding.post(held, cause)
        hand_gift_over(session, redemption, stock.Cause(now, till.actor, redemption_id))
    change_state(session, redemption, wanted, now=now)
    book(session, [holding])
    return replace(redemption, state=wanted)


def _spending_account(session: Session, card_number: str, programme: Programme) -> UUID:
    holder = holder_of_card(session, card_number)
    if holder.state in {"blocked", "replaced", "expired"}:
        raise CardBlocked(f"card {card_number} is {holder.state}")
    registered = holder.member_id is not None or programme.unregistered_spend
    if not registered or holder.account_id is None:
        raise NotRegistered(f"card {card_number} has no member")
    if holder.role == "earner":
        # What the card shows as spendable is none, so a till never gets here but by a race.
        raise NotEnoughPoints("the holder of this card earns for the household, and may not spend")
    return holder.account_id

"""Vouchers that a till holds before they are paid with: reserved, then posted, released or expired; resolved once."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.errors import Conflict, NotFound, Refused
from core.ids import uuid7
from rewards.vouchers.issue import IssuedVoucher, OfReceipt, issue_rest
from rewards.vouchers.redeeming import Counter, Presented, odd_flags, presented_vouchers, redeem_once


class VoucherNotFound(NotFound):
    """Nobody ever issued a voucher of this code, or reserved one under this id."""


class VoucherTaken(Conflict):
    """The voucher was redeemed, or another till holds it."""


class VoucherOver(Conflict):
    """The voucher was cancelled, its last day is over, or the time for which it was held is."""


class VoucherReleased(Conflict):
    """The voucher was given back."""


class NotTakenHere(Refused):
    """The voucher is not taken in this store, or it was reserved in another one."""


@dataclass(frozen=True, slots=True)
class VoucherHold:
    """A voucher held for a purchase."""

    redemption_id: UUID
    voucher_code: str
    store_id: int
    value_amount: int
    state: str
    expires_at: datetime
    receipt_id: UUID | None
    batch_code: str = ""

    def lapsed(self, now: datetime) -> bool:
        """Whether it is over although nobody has noted so."""
        return self.state == "reserved" and self.expires_at <= now

    def document(self, now: datetime) -> dict[str, Any]:
        """Return the contract's JSON: what is over is expired, noted or not; a voucher costs no points."""
        return {
            "redemption_id": str(self.redemption_id),
            "state": "expired" if self.lapsed(now) else self.state,
            "expires_at": self.expires_at.isoformat(),
            "points": 0,
            "value_amount": self.value_amount,
        }


_HOLD = """
    with changed as (
        update voucher set state = 'reserved', reserved_until = %(until)s, redemption_id = %(redemption_id)s
        where voucher_code = %(code)s
          and (state = 'issued' or state = 'reserved' and reserved_until <= %(now)s)
          and (valid_until is null or valid_until >= %(today)s)
        returning 1
    ), noted as (
        insert into voucher_event (voucher_code, event, happened_at, actor, store_id, redemption_id)
        select %(code)s, 'reserved', %(now)s, %(actor)s, %(store_id)s, %(redemption_id)s from changed
    )
    select exists (select from changed)
"""


def reserve_voucher(
    session: Session, *, till: Counter, voucher_code: str, today: date, now: datetime, until: datetime
) -> VoucherHold:
    """
    Hold a voucher at a till `until` a moment; of many who want the same one exactly one gets it.

    Whose it is decides the receipt. Raises `VoucherNotFound`, `VoucherTaken`, `VoucherOver` or `NotTakenHere`.
    """
    (found,) = presented_vouchers(
        session, codes=[voucher_code], till=till, account_id=None, today=today, now=now
    )
    _refuse(found)
    hold = VoucherHold(
        uuid7(), found.voucher_code, till.store_id, found.value_amount or 0, "reserved", until, None
    )
    values = {
        "code": found.voucher_code,
        "redemption_id": hold.redemption_id,
        "until": until,
        "now": now,
        "today": today,
        "actor": till.actor,
        "store_id": till.store_id,
    }
    row = driver_of(session).execute(_HOLD, values).fetchone()
    if row is None or not row[0]:
        raise VoucherTaken(f"the voucher {found.voucher_code} is held at a till, or was redeemed")
    # Whose time was over has made way.
    driver_of(session).execute(
        "update voucher_reservation set state = 'expired', resolved_at = %s where voucher_code = %s and state = 'reserved'",
        (now, found.voucher_code),
    )
    driver_of(session).execute(
        """
        insert into voucher_reservation (redemption_id, voucher_code, store_id, till_id, value_amount, state, reserved_at,
                                         expires_at)
        values (%s, %s, %s, %s, %s, 'reserved', %s, %s)
        """,
        (
            hold.redemption_id,
            hold.voucher_code,
            till.store_id,
            till.till_id,
            hold.value_amount,
            now,
            until,
        ),
    )
    return hold


def _refuse(found: Presented) -> None:
    code = found.voucher_code
    match found.reason:
        case "unknown":
            raise VoucherNotFound(f"nobody issued the voucher {code}")
        case "redeemed" | "reserved":
            raise VoucherTaken(f"the voucher {code} is {found.reason}")
        case "cancelled" | "expired":
            raise VoucherOver(f"the voucher {code} is {found.reason}")
        case "other_store" | "currency":
            raise NotTakenHere(f"the voucher {code} is not taken in this store")


def read_holds(session: Session, redemption_ids: list[UUID]) -> dict[UUID, VoucherHold]:
    """Return those of the reservations that exist, of whatever store."""
    rows = driver_of(session).execute(
        """
        select reservation.redemption_id, voucher_code, reservation.store_id, reservation.value_amount, reservation.state,
               reservation.expires_at, reservation.receipt_id, voucher.batch_code
        from voucher_reservation as reservation join voucher using (voucher_code)
        where reservation.redemption_id = any(%s)
        """,
        (redemption_ids,),
    )
    return {row[0]: VoucherHold(*row) for row in rows.fetchall()}


def find_hold(session: Session, *, till: Counter, redemption_id: UUID) -> VoucherHold:
    """Return a reservation of the till's store; raises `VoucherNotFound` or `NotTakenHere`."""
    found = read_holds(session, [redemption_id]).get(redemption_id)
    if found is None:
        raise VoucherNotFound(f"there is no redemption {redemption_id}")
    if found.store_id != till.store_id:
        raise NotTakenHere("the redemption was made in another store")
    return found


_RELEASE = """
    with resolved as (
        update voucher_reservation set state = %(state)s, resolved_at = %(now)s
        where redemption_id = %(redemption_id)s and state = 'reserved'
        returning voucher_code
    ), changed as (
        update voucher set state = 'issued', reserved_until = null, redemption_id = null
        where redemption_id = %(redemption_id)s and state = 'reserved' and voucher_code in (select voucher_code from resolved)
        returning voucher_code
    ), noted as (
        insert into voucher_event (voucher_code, event, happened_at, actor, store_id, redemption_id)
        select voucher_code, 'released', %(now)s, %(actor)s, %(store_id)s, %(redemption_id)s from changed
    )
    select exists (select from resolved)
"""


def release_voucher(session: Session, *, till: Counter, redemption_id: UUID, now: datetime) -> VoucherHold:
    """
    Let go of a held voucher; a second time changes nothing.

    Raises what `find_hold` does, `VoucherTaken` or `VoucherOver`.
    """
    found = find_hold(session, till=till, redemption_id=redemption_id)
    if found.state == "reserved" and not found.lapsed(now):
        give_up(session, redemption_id=redemption_id, state="released", till=till, now=now)
        found = find_hold(session, till=till, redemption_id=redemption_id)
    if found.state == "posted":
        raise VoucherTaken("the redemption was posted")
    if found.state != "released":
        raise VoucherOver(f"the redemption ended at {found.expires_at.isoformat()}")
    return found


def give_up(session: Session, *, redemption_id: UUID, state: str, till: Counter, now: datetime) -> bool:
    """Let a voucher go that is still held, as `state` "released" or "expired"; returns whether it was."""
    values = {
        "redemption_id": redemption_id,
        "state": state,
        "now": now,
        "actor": till.actor,
        "store_id": till.store_id,
    }
    row = driver_of(session).execute(_RELEASE, values).fetchone()
    return bool(row and row[0])


def post_voucher(session: Session, *, till: Counter, redemption_id: UUID, now: datetime) -> VoucherHold:
    """
    Redeem a held voucher without a receipt; a second time changes nothing.

    Raises what `find_hold` does, `VoucherReleased`, `VoucherTaken` or `VoucherOver`.
    """
    found = find_hold(session, till=till, redemption_id=redemption_id)
    if found.state == "reserved" and not found.lapsed(now):
        _redeem_held(session, found, till=till, now=now)
        found = find_hold(session, till=till, redemption_id=redemption_id)
    if found.state == "released":
        raise VoucherReleased("the redemption was released")
    if found.state != "posted":
        raise VoucherOver(f"the redemption ended at {found.expires_at.isoformat()}")
    return found


def _redeem_held(
    session: Session,
    hold: VoucherHold,
    *,
    till: Counter,
    now: datetime,
    account_id: UUID | None = None,
    receipt: OfReceipt | None = None,
    taken: int | None = None,
) -> tuple[Presented, int | None] | None:
    """
    Redeem what a reservation held of its voucher, whatever its day; None when it was redeemed or cancelled before.

    Where its batch does not forfeit rests and `taken` says what it took off, no more is. Returns the voucher as it was
    found, presented by whoever has the account, and the amount that was redeemed, None of a voucher without one.
    """
    while True:
        (found,) = presented_vouchers(
            session, codes=[hold.voucher_code], till=till, account_id=account_id, today=date.min, now=now
        )
        if found.reason in {"redeemed", "cancelled"}:
            return None
        # It may be worth more by now, when the sale that had spent the rest was undone.
        amount = None if found.value_amount is None else min(found.value_amount, hold.value_amount)
        if amount is not None and taken is not None and found.residual != "forfeit":
            amount = min(amount, taken)
        # Somebody else may hold it by now: that reservation makes way, it is not the one that is posted.
        posts = found.redemption_id == hold.redemption_id
        if redeem_once(session, found, amount=amount, till=till, now=now, receipt=receipt, posts=posts):
            return found, amount


@dataclass(frozen=True, slots=True)
class PaidWith:
    """What came of a reservation that a receipt lists: the amount that was redeemed by it, and what is left."""

    redeemed: bool
    flags: list[tuple[str, str]]
    """What is odd about it, as (code, detail)."""
    amount: int = 0
    rest: int = 0
    """What the voucher stays good for; 0 unless its batch keeps rests."""
    issued: IssuedVoucher | None = None
    """The voucher that the rest was issued as, where its batch does that."""


def post_with_receipt(
    session: Session,
    hold: VoucherHold,
    *,
    till: Counter,
    account_id: UUID | None,
    receipt: OfReceipt,
    taken: int | None = None,
) -> PaidWith:
    """
    Redeem the voucher of a reservation that a paid receipt lists, whatever has become of the reservation.

    `account_id` is that of the receipt's card, `taken` what its lines say that the voucher took off; without it
    the voucher is used whole.
    """
    already = [("over_redeemed", f"the voucher {hold.voucher_code} was redeemed already")]
    if hold.state == "posted":
        ours = hold.receipt_id == receipt.receipt_id
        return PaidWith(ours, [] if ours else already, hold.value_amount if ours else 0)
    over = hold.state != "reserved" or hold.lapsed(receipt.now)
    redeemed = _redeem_held(
        session, hold, till=till, now=receipt.now, account_id=account_id, receipt=receipt, taken=taken
    )
    if redeemed is None:
        return PaidWith(False, already)
    found, amount = redeemed
    flags = odd_flags(found)
    if over:
        driver_of(session).execute(
            """
            update voucher_reservation set state = 'posted', resolved_at = %s, business_date = %s, receipt_id = %s
            where redemption_id = %s and state <> 'posted'
            """,
            (receipt.now, receipt.business_date, receipt.receipt_id, hold.redemption_id),
        )
        detail = f"the reservation of the voucher {hold.voucher_code} was over when it was paid with"
        flags.append(("over_redeemed", detail))
    paid, left = amount or 0, (found.value_amount or 0) - (amount or 0)
    if not left or found.residual != "reissue":
        return PaidWith(True, flags, paid, left if found.residual == "keep" else 0)
    issued = issue_rest(
        session, of=hold.voucher_code, rest=left, now=receipt.now, actor=till.actor, receipt=receipt
    )
    return PaidWith(True, flags, paid, issued=issued)

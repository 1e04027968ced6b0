"""Points that a paid receipt says were spent on it: they are, whatever has become of the reservation."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from loyalty.accounts import open_holding
from loyalty.holding import Holding
from loyalty.ledger import Cause
from loyalty.offline.spending import spend_offline
from loyalty.opening import hold_account
from loyalty.programme.rules import Programme
from loyalty.reservations import (
    Redemption,
    change_state,
    hand_gift_over,
    held_pieces,
    read_redemptions,
)
from rewards.stocks import operations as stock
from rewards.stocks.operations import OutOfStock
from rewards.vouchers.issue import IssuedVoucher, OfReceipt
from rewards.vouchers.reservations import VoucherHold, post_with_receipt, read_holds
from sales.receipts import Flag, PostedReceipt, TillIdentity, own_identity


@dataclass(slots=True)
class Spent:
    """How many points were spent on a receipt, what they are worth, and what was odd about it."""

    points: int = 0
    value: int = 0
    voucher_value: int = 0
    """What vouchers were worth that were reserved before: tills state it with the lines, or with the points."""
    flags: list[Flag] = field(default_factory=list)
    rests: list[tuple[str, int]] = field(default_factory=list)
    """Vouchers that were reserved before and are good still, and for how much, in minor units."""
    issued: list[IssuedVoucher] = field(default_factory=list)
    """What was issued for rests of such vouchers."""


def redemptions_named(session: Session, posted: PostedReceipt) -> Mapping[UUID, Redemption]:
    """Return the redemptions on a receipt that exist."""
    wanted = {found for text in posted.redemption_ids if (found := _uuid(text))}
    return read_redemptions(session, wanted) if wanted else {}


def hold_spenders(
    session: Session,
    *,
    posted: PostedReceipt,
    till: TillIdentity,
    own: UUID | None,
    payer: UUID | None,
    now: datetime,
) -> dict[UUID, Holding]:
    """
    Return the accounts that the receipt's redemptions spend from, held; `own` is held already.

    A redemption of another card is spent from its own account, what was spent offline from
    that of the card, `payer`, even when it earns nothing any more. One whose time is over is
    booked so first: what it comes to must not hang on whether somebody has done that before.
    """
    named = redemptions_named(session, posted)
    spared = [found for found in named.values() if not found.lapsed(now)]
    accounts = {redemption.account_id for redemption in named.values()}
    accounts |= {account_id for account_id in (own, payer) if account_id}
    for account_id in sorted(accounts - {own}):
        hold_account(session, account_id=account_id, now=now)
    return {
        account_id: open_holding(
            session,
            account_id=account_id,
            till=till,
            now=now,
            redemptions=[found.redemption_id for found in spared if found.account_id == account_id],
        )
        for account_id in sorted(accounts)
    }


def spend_on_receipt(
    session: Session,
    *,
    posted: PostedReceipt,
    till: TillIdentity,
    payer: UUID | None,
    holdings: Mapping[UUID, Holding],
    cause: Cause,
    programme: Programme,
) -> Spent:
    """Book the redemptions on a paid receipt, each once, and what the till let be spent while it was offline."""
    spent = Spent()
    named = redemptions_named(session, posted)
    # An id may be spelled in many ways; the first of them names it.
    texts = {_uuid(text) or text: text for text in reversed(posted.redemption_ids)}
    vouchers = read_holds(session, [found for found in texts if isinstance(found, UUID)])
    # What the lines say that a batch took off is shared by its vouchers, as it is by those that are named.
    taken = Counter[str]()
    for part in (part for line in posted.lines for part in line.discounts):
        taken[part.offer_code] += part.amount
    for found, text in reversed(texts.items()):
        redemption_id = found if isinstance(found, UUID) else None
        redemption = named.get(redemption_id) if redemption_id else None
        if redemption_id in vouchers:
            _spend_voucher(session, spent, vouchers[redemption_id], till, cause, payer=payer, taken=taken)
        elif redemption is None:
            spent.flags.append(Flag("over_redeemed", f"there is no redemption {text}"))
        elif redemption.state == "posted":
            spent.flags.append(Flag("over_redeemed", f"the redemption {text} was spent already"))
        else:
            holding = holdings[redemption.account_id]
            _spend_redemption(session, spent, redemption, holding=holding, till=till, cause=cause)
    if posted.offline_redemptions:
        points, flags = spend_offline(
            session,
            posted=posted,
            identity=own_identity(posted, till),
            holding=holdings[payer] if payer else None,
            cause=cause,
        )
        spent.points += points
        spent.value += programme.value_of(points, till.currency)
        spent.flags += flags
    return spent


def _spend_redemption(
    session: Session,
    spent: Spent,
    redemption: Redemption,
    *,
    holding: Holding,
    till: TillIdentity,
    cause: Cause,
) -> None:
    if redemption.state == "reserved":
        holding.post(held_pieces(session, redemption.redemption_id), _because_of(cause, redemption))
        hand_gift_over(session, redemption, _stock_cause(cause, redemption, till))
    else:
        spent.flags.append(
            Flag("over_redeemed", f"the redemption was {redemption.state} when it was paid with")
        )
        holding.spend(redemption.points, _because_of(cause, redemption))
        _take_gift(session, spent, redemption, till, cause)
    change_state(
        session,
        redemption,
        "posted",
        now=cause.booked_at,
        business_date=cause.business_date,
        receipt_id=cause.receipt_id,
    )
    spent.points += redemption.points
    spent.value += redemption.value_amount


def _take_gift(
    session: Session, spent: Spent, redemption: Redemption, till: TillIdentity, cause: Cause
) -> None:
    """Take the gift again that had gone back into stock; where there is none left, somebody has to look."""
    if redemption.reward_code is None:
        return
    try:
        stock.take_pieces(
            session,
            reward_code=redemption.reward_code,
            store_id=till.store_id,
            cause=_stock_cause(cause, redemption, till),
        )
    except OutOfStock as none_left:
        spent.flags.append(Flag("over_redeemed", str(none_left)))


def _because_of(cause: Cause, redemption: Redemption) -> Cause:
    return Cause(cause.business_date, cause.booked_at, cause.receipt_id, redemption.redemption_id)


def _spend_voucher(
    session: Session,
    spent: Spent,
    hold: VoucherHold,
    till: TillIdentity,
    cause: Cause,
    *,
    payer: UUID | None,
    taken: Counter[str],
) -> None:
    assert cause.receipt_id is not None
    receipt = OfReceipt(cause.business_date, cause.receipt_id, cause.booked_at)
    stated = taken[hold.batch_code] or None
    paid = post_with_receipt(session, hold, till=till, account_id=payer, receipt=receipt, taken=stated)
    spent.flags += [Flag(code, detail) for code, detail in paid.flags]
    if paid.redeemed:
        spent.voucher_value += hold.value_amount
        taken[hold.batch_code] -= min(paid.amount, taken[hold.batch_code])
    if paid.rest:
        spent.rests.append((hold.voucher_code, paid.rest))
    if paid.issued:
        spent.issued.append(paid.issued)


def _stock_cause(cause: Cause, redemption: Redemption, till: TillIdentity) -> stock.Cause:
    return stock.Cause(
        cause.booked_at,
        till.actor,
        redemption.redemption_id,
        cause.business_date if cause.receipt_id else None,
        cause.receipt_id,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

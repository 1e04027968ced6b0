"""Points that a till let be spent while it was offline: booked whatever has become of them, and looked at afterwards."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.ids import uuid7
from loyalty.holding import Holding
from loyalty.ledger import Cause
from loyalty.offline.allowances import Allowance, Key, NoAllowance, key_named, read_allowance
from loyalty.offline.signing import keys_named
from sales.receipts import CLOCK_TOLERANCE, Flag, OfflineRedemption, PostedReceipt


def spend_offline(
    session: Session,
    *,
    posted: PostedReceipt,
    identity: str,
    holding: Holding | None,
    cause: Cause,
) -> tuple[int, list[Flag]]:
    """
    Book what `posted` says was spent offline on the account of its card, below zero if need be.

    `identity` is the receipt's own, `holding` None when the card has no account, so that nothing can
    be booked. Returns the points booked and what is odd: an allowance that does not hold for
    them, and points that the account did not have.
    """
    points = 0
    flags: list[Flag] = []
    keys = _keys(session, posted)
    for offline in posted.offline_redemptions:
        allowance = _allowance(offline, posted, keys, flags)
        account_id = None if holding is None else holding.account_id
        if allowance is not None:
            flags += _beyond(session, offline, allowance, posted=posted, account_id=account_id)
        reference = uuid7()
        overdrawn = 0
        if holding is None:
            flags.append(Flag("over_redeemed", "points were spent offline, but the card has no account"))
        else:
            overdrawn = offline.points - min(offline.points, max(0, holding.spendable))
            holding.spend(
                offline.points, Cause(cause.business_date, cause.booked_at, cause.receipt_id, reference)
            )
            points += offline.points
        if overdrawn:
            flags.append(
                Flag(
                    "over_redeemed", f"the account had {overdrawn} points too few for what was spent offline"
                )
            )
        _record(
            session,
            (reference, account_id, posted.card_number, posted.business_date, cause.receipt_id, identity),
            (offline.points, overdrawn),
            allowance,
            cause.booked_at,
        )
    return points, flags


def _keys(session: Session, posted: PostedReceipt) -> Mapping[str, Key]:
    named = {key_id for offline in posted.offline_redemptions if (key_id := key_named(offline.allowance))}
    return keys_named(session, named) if named else {}


def _allowance(
    offline: OfflineRedemption, posted: PostedReceipt, keys: Mapping[str, Key], flags: list[Flag]
) -> Allowance | None:
    """Return the allowance if we signed it for the card of the receipt; otherwise it is flagged."""
    key = keys.get(key_named(offline.allowance) or "")
    try:
        return read_allowance(offline.allowance, card_number=posted.card_number, key=key)
    except NoAllowance as refusal:
        flags.append(Flag("over_redeemed", f"the allowance does not hold: {refusal}"))
        return None


def _beyond(
    session: Session,
    offline: OfflineRedemption,
    allowance: Allowance,
    *,
    posted: PostedReceipt,
    account_id: UUID | None,
) -> Iterator[Flag]:
    """Yield how what was spent goes beyond what was allowed: in time, by itself, or with what others spent."""
    if posted.closed_at < allowance.issued_at - CLOCK_TOLERANCE:
        yield Flag("over_redeemed", "the allowance was signed after the receipt was closed")
    elif posted.closed_at >= allowance.expires_at:
        ended = allowance.expires_at.isoformat(timespec="seconds")
        yield Flag("over_redeemed", f"the allowance had ended at {ended}")
    if offline.points > allowance.points:
        yield Flag("over_redeemed", f"the allowance is for {allowance.points} points, not {offline.points}")
    elif account_id is not None:
        used = _used(session, account_id, allowance.issued_at)
        if used + offline.points > allowance.points:
            yield Flag(
                "over_redeemed",
                f"of the {allowance.points} points allowed {used} were spent offline before, "
                f"{offline.points} more are too many",
            )


# What was booked before an allowance was signed had left the balance that it was made from. One signed
# later knew of points that this one did not, so what was spent on its word says nothing here.
_USED = """
    select coalesce(sum(points), 0)::bigint
    from offline_redemption as used
    where account_id = %(account_id)s and booked_at >= %(issued_at)s and issued_at <= %(issued_at)s
      and not exists (
          select from receipt_link as void
          where void.original_identity = used.identity and void.type = 'void'
            and void.original_receipt_id is not null)
"""


def _used(session: Session, account_id: UUID, issued_at: datetime) -> int:
    """Return the points that allowances as old as this one have let be spent since; voided sales spent none."""
    values = {"account_id": account_id, "issued_at": issued_at}
    row = driver_of(session).execute(_USED, values).fetchone()
    assert row is not None
    used: int = row[0]
    return used


_RECORD = """
    insert into offline_redemption (
        redemption_id, account_id, card_number, business_date, receipt_id, identity, points, overdrawn,
        key_id, granted, issued_at, expires_at, booked_at)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def _record(
    session: Session,
    place: tuple[object, ...],
    points: tuple[int, int],
    allowance: Allowance | None,
    booked_at: datetime,
) -> None:
    signed: tuple[object, ...] = (None, None, None, None)
    if allowance is not None:
        signed = (allowance.key_id, allowance.points, allowance.issued_at, allowance.expires_at)
    driver_of(session).execute(_RECORD, (*place, *points, *signed, booked_at))

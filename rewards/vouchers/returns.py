"""Vouchers of sales that are undone: spent ones come back, issued ones that nobody used are cancelled, and the inverse."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of
from rewards.vouchers.issue import OfReceipt


@dataclass(frozen=True, slots=True)
class SpentVoucher:
    """A voucher that a sale was paid with and that has not come back: `amount` is what it took off."""

    voucher_code: str
    batch_code: str
    amount: int | None
    minimum_amount: int


@dataclass(frozen=True, slots=True)
class VouchersOfSale:
    """The vouchers that a sale spent, and those that it issued and nobody has used or cancelled."""

    spent: tuple[SpentVoucher, ...]
    unused: tuple[str, ...]


# A voucher is spent on a sale as often as it was redeemed with it and has not come back since.
_SPENT = """
    select used.voucher_code, voucher.batch_code, used.amount, voucher.minimum_amount
    from (
        select voucher_code, sum(amount)::bigint as amount,
               count(*) filter (where event = 'redeemed') - count(*) filter (where event = 'given_back') as times
        from (
            select voucher_code, event, case event when 'redeemed' then amount else -amount end as amount
            from voucher_event
            where receipt_id = %(sale)s and event in ('redeemed', 'given_back')
        ) as moved
        group by voucher_code
    ) as used
    join voucher using (voucher_code)
    where used.times > 0
    order by used.voucher_code
"""


def vouchers_of_sale(session: Session, receipt_id: UUID) -> VouchersOfSale:
    """Return what of a sale's vouchers can be undone."""
    spent = driver_of(session).execute(_SPENT, {"sale": receipt_id}).fetchall()
    unused = driver_of(session).execute(
        "select voucher_code from voucher where receipt_id = %s and replaces is null and left_amount is not distinct from value_amount"
        " and state in ('issued', 'reserved', 'expired') order by 1",
        (receipt_id,),
    )
    return VouchersOfSale(
        tuple(SpentVoucher(*row) for row in spent), tuple(row[0] for row in unused.fetchall())
    )


# What came back is noted with the sale, so that it is known what of it is still spent; what brought it back, in words.
_GIVE_BACK = """
    with changed as (
        update voucher set state = case state when 'reserved' then state else 'issued' end,
                           left_amount = left_amount + %(amount)s::bigint, redeemed_at = null
        where voucher_code = %(code)s and state in ('redeemed', 'issued', 'reserved', 'expired')
        returning 1
    )
    insert into voucher_event (voucher_code, event, happened_at, actor, amount, business_date, receipt_id, note)
    select %(code)s, 'given_back', %(now)s, %(actor)s, %(amount)s::bigint, %(business_date)s, %(sale)s, %(by)s
    from changed
"""

_CANCEL = """
    with changed as (
        update voucher set state = 'cancelled', reserved_until = null, redemption_id = null
        where {which} and state in ('issued', 'reserved', 'expired')
          and left_amount is not distinct from value_amount
        returning voucher_code
    ), noted as (
        insert into voucher_event (voucher_code, event, happened_at, actor, business_date, receipt_id, note)
        select voucher_code, 'cancelled', %(now)s, %(actor)s, %(business_date)s::date, %(by)s::uuid, %(note)s
        from changed
    )
    select voucher_code from changed order by voucher_code
"""


def give_back_vouchers(
    session: Session,
    *,
    sale: OfReceipt,
    by: UUID,
    actor: str,
    codes: Collection[str] | None = None,
) -> list[str]:
    """
    Give the vouchers back that `sale` spent, those of `codes` or all, because of the receipt `by`.

    They are issued again, worth what they were, until the day that they always had; what was issued
    for their rest is cancelled if nobody used it, and otherwise they stay redeemed. A second time
    nothing happens. Returns the codes that came back. `sale.now` is when it is done.
    """
    back: list[str] = []
    for spent in vouchers_of_sale(session, sale.receipt_id).spent:
        if codes is not None and spent.voucher_code not in codes:
            continue
        if not _cancel_rest(session, spent.voucher_code, sale, by, actor):
            continue
        values = {
            "code": spent.voucher_code,
            "amount": spent.amount,
            "now": sale.now,
            "actor": actor,
            "business_date": sale.business_date,
            "sale": sale.receipt_id,
            "by": str(by),
        }
        if driver_of(session).execute(_GIVE_BACK, values).rowcount:
            back.append(spent.voucher_code)
    return back


def _cancel_rest(session: Session, code: str, sale: OfReceipt, by: UUID, actor: str) -> bool:
    """Cancel what was issued for the rest of a voucher; False when that was used."""
    rest = (
        driver_of(session)
        .execute("select voucher_code from voucher where replaces = %s and state <> 'cancelled'", (code,))
        .fetchone()
    )
    if rest is None:
        return True
    cancelled = _cancelled(session, "voucher_code = %(code)s", sale, by, actor, code=rest[0])
    return bool(cancelled)


def cancel_issued(session: Session, *, sale: OfReceipt, by: UUID, actor: str) -> list[str]:
    """Cancel the vouchers that `sale` issued and nobody has used, because of the receipt `by`; returns their codes."""
    return _cancelled(
        session, "receipt_id = %(undone)s and replaces is null", sale, by, actor, undone=sale.receipt_id
    )


def _cancelled(session: Session, which: str, sale: OfReceipt, by: UUID, actor: str, **more: Any) -> list[str]:
    values = {
        "now": sale.now,
        "actor": actor,
        "business_date": sale.business_date,
        "by": by,
        "note": f"sale {sale.receipt_id} undone",
        **more,
    }
    rows = driver_of(session).execute(_CANCEL.format(which=which), values)
    return [row[0] for row in rows.fetchall()]


_TAKE_AGAIN = """
    with given_back as (
        select voucher_code, amount, business_date, receipt_id
        from voucher_event where event = 'given_back' and receipt_id = %(sale)s and note = %(by)s
    ), changed as (
        update voucher
        set state = case when left_amount - given_back.amount > 0 and batch.residual = 'keep' then 'issued' else 'redeemed' end,
            left_amount = left_amount - given_back.amount,
            redeemed_at = case when left_amount - given_back.amount > 0 and batch.residual = 'keep'
                               then null else %(now)s::timestamptz end
        from given_back, voucher_batch as batch
        where voucher.voucher_code = given_back.voucher_code and batch.batch_code = voucher.batch_code
          and state in ('issued', 'expired') and (given_back.amount is null or left_amount >= given_back.amount)
        returning voucher.voucher_code, given_back.amount, given_back.business_date, given_back.receipt_id
    )
    insert into voucher_event (voucher_code, event, happened_at, actor, amount, business_date, receipt_id, note)
    select voucher_code, 'redeemed', %(now)s, %(actor)s, amount, business_date, receipt_id, 'its return was voided'
    from changed
    returning voucher_code
"""

_RESTORE = """
    with changed as (
        update voucher set state = 'issued'
        where state = 'cancelled' and voucher_code in (
            select voucher_code from voucher_event where event = 'cancelled' and receipt_id = %(by)s)
          and (replaces is null or replaces = any(%(taken)s::text[]))
        returning voucher_code
    )
    insert into voucher_event (voucher_code, event, happened_at, actor, note)
    select voucher_code, 'restored', %(now)s, %(actor)s, %(note)s from changed
"""


def take_again(session: Session, *, sale: OfReceipt, by: UUID, actor: str) -> None:
    """
    Do the inverse of what the return `by` did to the vouchers of `sale`, because it was voided.

    What it gave back is spent again unless somebody has used it meanwhile; what it cancelled is issued again,
    but no rest of a voucher that is not spent again.
    """
    values = {
        "sale": sale.receipt_id,
        "by": str(by),
        "now": sale.now,
        "actor": actor,
    }
    taken = [row[0] for row in driver_of(session).execute(_TAKE_AGAIN, values).fetchall()]
    driver_of(session).execute(
        _RESTORE, {"by": by, "taken": taken, "now": sale.now, "actor": actor, "note": f"return {by} voided"}
    )

"""Vouchers that somebody presents: whether they are good here and now, and redeeming them with a receipt, once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import ask, driver_of
from core.i18n import called
from rewards.codes import typed
from rewards.vouchers.issue import IssuedVoucher, OfReceipt, issue_rest


class Counter(Protocol):
    """Where a voucher is presented."""

    @property
    def store_id(self) -> int:
        """Some vouchers are taken in some stores only."""

    @property
    def till_id(self) -> int | None:
        """The till, which may hold the voucher itself."""

    @property
    def currency(self) -> str:
        """A voucher's value is in one currency."""

    @property
    def actor(self) -> str:
        """How trails name who acts there."""


@dataclass(frozen=True, slots=True)
class Presented:
    """
    A code that was presented, and whether it is good.

    `reason` is None when it is, otherwise the first that applies of "unknown", "redeemed", "cancelled", "expired",
    "reserved", "other_store", "currency" and "other_member". Only an unknown one has no batch.
    """

    voucher_code: str
    batch_code: str | None = None
    value_amount: int | None = None
    minimum_amount: int = 0
    currency: str | None = None
    valid_until: date | None = None
    reason: str | None = "unknown"
    residual: str = "forfeit"
    redemption_id: UUID | None = None
    redeemed_here: bool = False
    """Whether the receipt that was asked about has redeemed it, or a part of it, already."""
    batch_names: Mapping[str, str] = field(default_factory=dict)
    """What its batch is called, by language."""

    def batch_name(self, language: str) -> str:
        """Return what its batch is called in `language`, else in English, else its code."""
        return called(self.batch_names, language, self.batch_code or "")

    @property
    def fit(self) -> bool:
        """Whether it is good here and now."""
        return self.reason is None


_PRESENTED = """
    select asked.code, voucher.batch_code, voucher.left_amount, voucher.minimum_amount, voucher.currency,
           voucher.valid_until, voucher.state, voucher.reserved_until, voucher.redemption_id, held.till_id, voucher.bound,
           coalesce(moved.moved_to, voucher.account_id), batch.store_ids, batch.residual, batch.name,
           exists (
               select from voucher_event as used
               where used.voucher_code = voucher.voucher_code and used.event = 'redeemed'
                 and used.receipt_id = %(receipt_id)s::uuid)
    from unnest(%(codes)s::text[]) with ordinality as asked (code, position)
    left join voucher on voucher.voucher_code = asked.code
    left join voucher_batch as batch on batch.batch_code = voucher.batch_code
    left join balance as moved on moved.account_id = voucher.account_id
    left join voucher_reservation as held on held.redemption_id = voucher.redemption_id
    order by asked.position
"""


def presented_vouchers(
    session: Session,
    *,
    codes: Collection[str],
    till: Counter,
    account_id: UUID | None,
    today: date,
    now: datetime,
    receipt_id: UUID | None = None,
) -> list[Presented]:
    """
    Return what the codes are that a customer with this account, or without any, presents on a store's day `today`.

    Each code once, in their order, in one round trip. What this till holds itself is good here.
    """
    wanted = list(dict.fromkeys(map(typed, codes)))
    if not wanted:
        return []
    rows = ask(session, _PRESENTED, {"codes": wanted, "receipt_id": receipt_id})
    return [_presented(row, till, account_id, today, now) for row in rows.fetchall()]


def _presented(
    row: Sequence[Any], till: Counter, account_id: UUID | None, today: date, now: datetime
) -> Presented:
    code, batch_code, value, minimum, currency, valid_until, state, until, redemption_id = row[:9]
    held_by, bound, owner, store_ids, residual, names, redeemed_here = row[9:]
    if batch_code is None:
        return Presented(code)
    reasons = {
        state: state in {"redeemed", "cancelled", "expired"},
        "expired": valid_until is not None and valid_until < today,
        "reserved": state == "reserved" and until > now and held_by != till.till_id,
        "other_store": bool(store_ids) and till.store_id not in store_ids,
        "currency": currency is not None and currency != till.currency,
        "other_member": bound and owner != account_id,
    }
    return Presented(
        code,
        batch_code,
        value,
        minimum,
        currency,
        valid_until,
        next((reason for reason, holds in reasons.items() if holds), None),
        residual,
        redemption_id,
        redeemed_here,
        names,
    )


@dataclass(slots=True)
class Redeemed:
    """What came of the vouchers on a receipt: flags as (code, detail), what was issued for rests, and what rests on them."""

    codes: list[str] = field(default_factory=list)
    flags: list[tuple[str, str]] = field(default_factory=list)
    issued: list[IssuedVoucher] = field(default_factory=list)
    rests: list[tuple[str, int]] = field(default_factory=list)
    """Codes that stay good for what is left on them, in minor units."""


def redeem_vouchers(
    session: Session,
    *,
    codes: Collection[str],
    used: Mapping[str, int],
    asked: Collection[str],
    till: Counter,
    account_id: UUID | None,
    receipt: OfReceipt,
    today: date,
) -> Redeemed:
    """
    Redeem the vouchers that a paid receipt names, each once; nothing is refused, what is odd is flagged.

    `used` is what the receipt says that the vouchers of a batch took off, `asked` are the batches that the
    offers used on it ask for. A voucher that gave nothing, because neither names its batch or because
    others of its batch took everything off, stays the customer's; without a sum it is used whole. A voucher
    whose time is over, or that is another member's or another store's, is redeemed all the same; one that
    was redeemed or cancelled before is not redeemed again.
    """
    done = Redeemed()
    left = dict(used)
    looked = presented_vouchers(
        session, codes=codes, till=till, account_id=account_id, today=today, now=receipt.now
    )
    # Good ones first, since it is they that a quote took off; else whoever redeems the same ones takes them in one order.
    for one in sorted(looked, key=lambda one: (not one.fit, one.voucher_code)):
        _redeem(session, done, one.voucher_code, left, asked, till, account_id, receipt, today)
    return done


def _redeem(  # noqa: PLR0917
    session: Session,
    done: Redeemed,
    code: str,
    left: dict[str, int],
    asked: Collection[str],
    till: Counter,
    account_id: UUID | None,
    receipt: OfReceipt,
    today: date,
) -> None:
    while True:
        (found,) = presented_vouchers(
            session,
            codes=[code],
            till=till,
            account_id=account_id,
            today=today,
            now=receipt.now,
            receipt_id=receipt.receipt_id,
        )
        if found.redeemed_here:
            return
        if found.batch_code is None:
            done.flags.append(("unknown_offer", f"nobody issued the voucher {code}"))
            return
        if found.reason in {"redeemed", "cancelled"}:
            flag = "over_redeemed" if found.reason == "redeemed" else "offer_not_valid"
            done.flags.append((flag, f"the voucher {code} was {found.reason} before"))
            note_event(session, code, "redeemed_again", till=till, receipt=receipt, note=found.reason)
            return
        if _gave_nothing(found, left, asked):
            return
        amount = _amount(found, left)
        if redeem_once(session, found, amount=amount, till=till, now=receipt.now, receipt=receipt):
            break
    if found.batch_code in left:
        left[found.batch_code] -= amount or 0
    done.flags += odd_flags(found)
    done.codes.append(code)
    rest = 0 if found.value_amount is None else found.value_amount - (amount or 0)
    if rest and found.residual == "keep":
        done.rests.append((code, rest))
    if rest and found.residual == "reissue":
        done.issued.append(
            issue_rest(session, of=code, rest=rest, now=receipt.now, actor=till.actor, receipt=receipt)
        )


_WORDS = {
    "expired": "the voucher {code} was over when it was paid with",
    "reserved": "the voucher {code} was held at another till",
    "other_store": "the voucher {code} is not taken in this store",
    "other_member": "the voucher {code} belongs to another member",
    "currency": "the voucher {code} is in another currency",
}


def odd_flags(found: Presented) -> list[tuple[str, str]]:
    """Return the flag of a voucher that is redeemed although it is not good here and now, as (code, detail)."""
    if found.reason is None:
        return []
    flag = "over_redeemed" if found.reason == "reserved" else "offer_not_valid"
    return [(flag, _WORDS[found.reason].format(code=found.voucher_code))]


def _gave_nothing(found: Presented, left: Mapping[str, int], asked: Collection[str]) -> bool:
    """Whether nothing was taken off for a voucher, and no offer asked for its batch."""
    assert found.batch_code is not None
    if found.value_amount and found.batch_code in left:
        return left[found.batch_code] <= 0
    return found.batch_code not in asked


def _amount(found: Presented, left: Mapping[str, int]) -> int | None:
    """Return what a voucher pays: of what its batch took off, as much as it is worth still."""
    assert found.batch_code is not None
    if found.value_amount is None or found.batch_code not in left:
        return found.value_amount
    return min(found.value_amount, left[found.batch_code])


_REDEEM = """
    with changed as (
        update voucher
        set state = %(state)s, left_amount = left_amount - %(amount)s::bigint, reserved_until = null, redemption_id = null,
            redeemed_at = case when %(state)s = 'redeemed' then %(now)s::timestamptz end
        where voucher_code = %(code)s and state in ('issued', 'reserved', 'expired')
          and left_amount is not distinct from %(was)s::bigint
          and redemption_id is not distinct from %(redemption_id)s::uuid
        returning 1
    ), noted as (
        insert into voucher_event (voucher_code, event, happened_at, actor, amount, store_id, business_date, receipt_id,
                                   redemption_id)
        select %(code)s, 'redeemed', %(now)s, %(actor)s, %(amount)s::bigint, %(store_id)s, %(business_date)s::date,
               %(receipt_id)s::uuid, %(redemption_id)s::uuid
        from changed
    ), resolved as (
        update voucher_reservation
        set state = case when %(posts)s or till_id = %(till_id)s then 'posted'
                         when expires_at <= %(now)s then 'expired' else 'released' end,
            resolved_at = %(now)s, business_date = %(business_date)s, receipt_id = %(receipt_id)s::uuid
        where redemption_id = %(redemption_id)s::uuid and state = 'reserved' and exists (select from changed)
    )
    select exists (select from changed)
"""


def redeem_once(
    session: Session,
    found: Presented,
    *,
    amount: int | None,
    till: Counter,
    now: datetime,
    receipt: OfReceipt | None = None,
    posts: bool = False,
) -> bool:
    """
    Redeem a voucher as it was found; False, and nothing is done, when somebody else was faster.

    Where its batch keeps a rest, and one is left, it stays issued. `posts` says that it is the reservation
    it is held by that is posted; any other than this till's is given up.
    """
    rest = 0 if found.value_amount is None else found.value_amount - (amount or 0)
    values = {
        "code": found.voucher_code,
        "state": "issued" if rest and found.residual == "keep" else "redeemed",
        "amount": amount,
        "was": found.value_amount,
        "redemption_id": found.redemption_id,
        "now": now,
        "posts": posts,
        "actor": till.actor,
        "store_id": till.store_id,
        "till_id": till.till_id,
        "business_date": receipt and receipt.business_date,
        "receipt_id": receipt and receipt.receipt_id,
    }
    row = driver_of(session).execute(_REDEEM, values).fetchone()
    assert row is not None
    return bool(row[0])


def note_event(
    session: Session,
    code: str,
    event: str,
    *,
    till: Counter,
    receipt: OfReceipt,
    note: str | None = None,
) -> None:
    """Note something that happened to a voucher and changed nothing."""
    driver_of(session).execute(
        """
        insert into voucher_event (voucher_code, event, happened_at, actor, store_id, business_date, receipt_id, note)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            code,
            event,
            receipt.now,
            till.actor,
            till.store_id,
            receipt.business_date,
            receipt.receipt_id,
            note,
        ),
    )

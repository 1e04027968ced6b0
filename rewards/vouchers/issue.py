"""Issuing vouchers: codes made by chance, or taken as they come; nothing is issued twice."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.errors import Conflict, Refused
from rewards.codes import new_code, new_ean
from rewards.vouchers.batches import Batch, batch_of

MOST_AT_ONCE: Final = 100_000
MOST_SHORT_CODES: Final = 100_000
"""So many vouchers with an EAN-13 may be open in all: of its 33 bits a guess then finds one in a hundred thousand."""


class CodeTaken(Conflict):
    """A code belongs to a voucher of another batch, or is the number of a card."""


class TooMany(Refused):
    """So many vouchers cannot be issued at once, or not with codes so short."""


@dataclass(frozen=True, slots=True)
class OfReceipt:
    """The receipt that something is done by."""

    business_date: date
    receipt_id: UUID
    now: datetime


@dataclass(frozen=True, slots=True)
class IssuedVoucher:
    """A voucher that was just issued; `valid_until` is its last day."""

    voucher_code: str
    batch_code: str
    value_amount: int | None
    valid_until: date | None

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "voucher_code": self.voucher_code,
            "batch": self.batch_code,
            "value_amount": self.value_amount,
            "valid_until": self.valid_until and self.valid_until.isoformat(),
        }


# Who issues a code that is there already, or that is a card's number, gets no row for it.
_ISSUE = """
    with fresh as (
        insert into voucher (voucher_code, batch_code, account_id, bound, value_amount, left_amount, currency,
                             minimum_amount, valid_until, issued_at, issued_by, business_date, receipt_id, offer_code,
                             replaces)
        select code, %(batch_code)s, %(account_id)s::uuid, %(bound)s, %(value_amount)s::bigint, %(value_amount)s::bigint,
               %(currency)s::text, %(minimum_amount)s, %(valid_until)s::date, %(now)s, %(actor)s,
               %(business_date)s::date, %(receipt_id)s::uuid, %(offer_code)s::text, %(replaces)s::text
        from unnest(%(codes)s::text[]) as code
        where not exists (select from card where card_number = code)
        on conflict do nothing
        returning voucher_code
    ), noted as (
        insert into voucher_event (voucher_code, event, happened_at, actor, amount, business_date, receipt_id, note)
        select voucher_code, 'issued', %(now)s, %(actor)s, %(value_amount)s::bigint, %(business_date)s::date,
               %(receipt_id)s::uuid, %(replaces)s::text
        from fresh
    )
    select voucher_code from fresh
"""


def issue_vouchers(
    session: Session,
    *,
    batch_code: str,
    count: int = 1,
    today: date,
    now: datetime,
    actor: str,
    account_id: UUID | None = None,
    bound: bool = False,
    receipt: OfReceipt | None = None,
    offer_code: str | None = None,
) -> list[IssuedVoucher]:
    """
    Issue `count` vouchers of a batch `today`, the store's day, and return them.

    With an account its cards show them; `bound` ones nobody else may use. Raises `BatchNotFound`, and
    `TooMany`; with a receipt, which is paid already, those for whom no EAN-13 is left get a long code instead.
    """
    batch = batch_of(session, batch_code)
    return _issue(
        session,
        batch,
        count=count,
        value_amount=batch.value_amount,
        valid_until=batch.last_day(today),
        now=now,
        actor=actor,
        account_id=account_id,
        bound=bound,
        receipt=receipt,
        offer_code=offer_code,
    )


def issue_rest(
    session: Session, *, of: str, rest: int, now: datetime, actor: str, receipt: OfReceipt | None
) -> IssuedVoucher:
    """Issue what is left of the voucher `of` as a new one, which ends when it would have ended, for the same member."""
    row = (
        driver_of(session)
        .execute(
            "select batch_code, account_id, bound, valid_until from voucher where voucher_code = %s", (of,)
        )
        .fetchone()
    )
    assert row is not None
    batch_code, account_id, bound, valid_until = row
    (issued,) = _issue(
        session,
        batch_of(session, batch_code),
        count=1,
        value_amount=rest,
        valid_until=valid_until,
        now=now,
        actor=actor,
        account_id=account_id,
        bound=bound,
        receipt=receipt,
        replaces=of,
    )
    return issued


def _issue(
    session: Session,
    batch: Batch,
    *,
    count: int,
    value_amount: int | None,
    valid_until: date | None,
    now: datetime,
    actor: str,
    account_id: UUID | None,
    bound: bool,
    receipt: OfReceipt | None,
    offer_code: str | None = None,
    replaces: str | None = None,
) -> list[IssuedVoucher]:
    if not 0 < count <= MOST_AT_ONCE:
        raise TooMany(f"between 1 and {MOST_AT_ONCE} vouchers are issued at once, not {count}")
    short = 0
    if batch.symbology == "ean13":
        short = _short_ones(session, count, refuses=receipt is None)
    values = {
        **_of_batch(batch, value_amount=value_amount, valid_until=valid_until, now=now, actor=actor),
        "account_id": account_id,
        "bound": bound,
        "business_date": receipt and receipt.business_date,
        "receipt_id": receipt and receipt.receipt_id,
        "offer_code": offer_code,
        "replaces": replaces,
    }
    codes = _fresh(session, values, short, lambda: new_ean(batch.ean_prefix))
    codes += _fresh(session, values, count - short, new_code)
    return [IssuedVoucher(code, batch.batch_code, value_amount, valid_until) for code in codes]


def _fresh(session: Session, values: dict[str, Any], count: int, made: Callable[[], str]) -> list[str]:
    """Issue `count` vouchers with codes that are made until they are new, and return the codes."""
    codes: list[str] = []
    while len(codes) < count:
        wanted = {made() for _ in range(count - len(codes))}
        rows = driver_of(session).execute(_ISSUE, values | {"codes": sorted(wanted)})
        codes += [row[0] for row in rows.fetchall()]
    return codes


def _of_batch(
    batch: Batch, *, value_amount: int | None, valid_until: date | None, now: datetime, actor: str
) -> dict[str, Any]:
    return {
        "batch_code": batch.batch_code,
        "value_amount": value_amount,
        "currency": batch.currency,
        "minimum_amount": batch.minimum_amount,
        "valid_until": valid_until,
        "now": now,
        "actor": actor,
    }


def _short_ones(session: Session, count: int, *, refuses: bool) -> int:
    """Return how many of `count` vouchers can have an EAN-13; `refuses` says that fewer raise `TooMany`."""
    row = (
        driver_of(session)
        .execute(
            "select count(*) from voucher where length(voucher_code) = 13 and state in ('issued', 'reserved')"
        )
        .fetchone()
    )
    assert row is not None
    left: int = max(0, MOST_SHORT_CODES - row[0])
    if refuses and count > left:
        raise TooMany(
            f"no more than {MOST_SHORT_CODES} vouchers with an EAN-13 can be open, or a guess would find one: "
            "print this batch as Code 128 or QR"
        )
    return min(count, left)


def take_codes(
    session: Session, *, batch_code: str, codes: Collection[str], today: date, actor: str, now: datetime
) -> int:
    """
    Issue vouchers of a batch with codes that come from elsewhere, public ones; returns how many are new.

    Those that the batch has already stay as they are. Raises `BatchNotFound`, and `CodeTaken` for a code of
    another batch or a card.
    """
    batch = batch_of(session, batch_code)
    wanted: Sequence[str] = sorted(set(codes))
    if not wanted:
        return 0
    values = {
        **_of_batch(
            batch, value_amount=batch.value_amount, valid_until=batch.last_day(today), now=now, actor=actor
        ),
        **dict.fromkeys(("account_id", "business_date", "receipt_id", "offer_code", "replaces"), None),
        "bound": False,
        "codes": wanted,
    }
    fresh = driver_of(session).execute(_ISSUE, values).fetchall()
    known = (
        driver_of(session)
        .execute(
            "select voucher_code from voucher where voucher_code = any(%s) and batch_code = %s",
            (wanted, batch_code),
        )
        .fetchall()
    )
    taken = set(wanted) - {row[0] for row in known}
    if taken:
        raise CodeTaken(f"{min(taken)} is a voucher of another batch, or a card")
    return len(fresh)


# Who is given a code that is there already, or that is a card's number, gets no row for it.
_ISSUE_EACH = """
    with fresh as (
        insert into voucher (voucher_code, batch_code, account_id, bound, value_amount, left_amount, currency,
                             minimum_amount, valid_until, issued_at, issued_by)
        select code, %(batch_code)s, account_id, true, %(value_amount)s::bigint, %(value_amount)s::bigint,
               %(currency)s::text, %(minimum_amount)s, %(valid_until)s::date, %(now)s, %(actor)s
        from unnest(%(codes)s::text[], %(accounts)s::uuid[]) as given (code, account_id)
        where not exists (select from card where card_number = code)
        on conflict do nothing
        returning voucher_code
    ), noted as (
        insert into voucher_event (voucher_code, event, happened_at, actor, amount)
        select voucher_code, 'issued', %(now)s, %(actor)s, %(value_amount)s::bigint from fresh
    )
    select voucher_code from fresh
"""


def issue_to_each(
    session: Session, *, batch_code: str, account_ids: Sequence[UUID], today: date, now: datetime, actor: str
) -> list[IssuedVoucher]:
    """
    Issue one voucher of a batch to each of `account_ids`, bound to it, and return them in that order.

    `today` is the day from which its days count. Where no EAN-13 is left, codes are long. Raises `BatchNotFound`.
    """
    batch = batch_of(session, batch_code)
    values = _of_batch(
        batch,
        value_amount=batch.value_amount,
        valid_until=batch.last_day(today),
        now=now,
        actor=actor,
    )
    short = 0
    if batch.symbology == "ean13" and account_ids:
        short = _short_ones(session, len(account_ids), refuses=False)
    codes: dict[int, str] = {}
    while len(codes) < len(account_ids):
        wanted: dict[str, int] = {}
        for place in range(len(account_ids)):
            if place not in codes:
                code = new_ean(batch.ean_prefix) if place < short else new_code()
                wanted.setdefault(code, place)
        rows = driver_of(session).execute(
            _ISSUE_EACH,
            values | {"codes": list(wanted), "accounts": [account_ids[place] for place in wanted.values()]},
        )
        codes |= {wanted[row[0]]: row[0] for row in rows.fetchall()}
    return [
        IssuedVoucher(codes[place], batch.batch_code, batch.value_amount, values["valid_until"])
        for place in range(len(account_ids))
    ]

"""Batches of vouchers: what they are worth, how long, where they are taken, and what becomes of a rest."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import NotFound, Refused
from core.i18n import called
from rewards.offer_decisions import hold_book, let_tills_see
from rewards.offer_models import OfferVersion
from rewards.vouchers.models import VoucherBatch
from sales.models import Store

RESIDUALS: Final = ("forfeit", "keep", "reissue")
SYMBOLOGIES: Final = ("code128", "ean13", "qr")
LONGEST_DAYS: Final = 36_500
LARGEST_AMOUNT: Final = 10**12


class BatchNotFound(NotFound):
    """There is no batch of this code."""


class BadBatch(Refused):
    """What a batch is to be breaks a rule; `field` names which of its parts."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Batch:
    """
    What the vouchers of a batch are.

    Without `value_amount` they are a key to offers, without `valid_days` they never end, without
    `store_ids` they are taken everywhere. `residual` says what becomes of the rest when one pays
    less than its value: it is forfeit, kept on the voucher, or issued anew.
    """

    batch_code: str
    names: Mapping[str, str] = field(default_factory=dict)
    value_amount: int | None = None
    currency: str | None = None
    minimum_amount: int = 0
    valid_days: int | None = None
    residual: str = "forfeit"
    symbology: str = "code128"
    ean_prefix: str = "27"
    store_ids: tuple[int, ...] = ()

    def name(self, language: str) -> str:
        """Return what it is called in `language`, else in English, else its code."""
        return called(self.names, language, self.batch_code)

    def last_day(self, issued_on: date) -> date | None:
        """Return the last day of a voucher issued on a day; None when it never ends."""
        return None if self.valid_days is None else issued_on + timedelta(days=self.valid_days)

    def document(self) -> dict[str, Any]:
        """Return it as the offers format writes it, without codes."""
        return {
            "batch": self.batch_code,
            "value_amount": self.value_amount,
            "currency": self.currency,
            "minimum_amount": self.minimum_amount,
            "valid_days": self.valid_days,
            "codes": [],
        }


def put_batch(session: Session, batch: Batch, *, actor: str, now: datetime) -> bool:
    """
    Let a batch be as `batch` says, for vouchers issued from now on; returns whether that changed anything.

    Raises `BadBatch`.
    """
    _check(session, batch)
    hold_book(session)
    before = batches(session, [batch.batch_code], lock=True).get(batch.batch_code)
    if before == batch:
        return False
    if batch.value_amount is not None and _takes_something_off(session, batch.batch_code):
        # A receipt states both under this code: nobody could tell what the voucher took off.
        raise BadBatch("batch_code", f"{batch.batch_code} is the code of an offer that takes something off")
    values = {
        "name": dict(batch.names),
        "store_ids": list(batch.store_ids),
        **{
            part.name: getattr(batch, part.name)
            for part in fields(batch)
            if part.name not in {"names", "store_ids", "batch_code"}
        },
    }
    session.execute(
        insert(VoucherBatch)
        .values(batch_code=batch.batch_code, created_at=now, created_by=actor, **values)
        .on_conflict_do_update(index_elements=[VoucherBatch.batch_code], set_=values)
    )
    if batch.names != (before.names if before else {}):
        # The live offers are kept with what they call the batches that they ask for.
        let_tills_see(session, actor=actor, now=now)
    record_event(
        session,
        now=now,
        actor=actor,
        action="voucher_batch.create" if before is None else "voucher_batch.change",
        subject_kind="voucher_batch",
        subject_id=batch.batch_code,
        detail={"before": before and _detail(before), "after": _detail(batch)},
    )
    return True


def imported_batch(
    session: Session,
    *,
    batch_code: str,
    value_amount: int | None,
    currency: str | None,
    minimum_amount: int,
    valid_days: int | None,
    actor: str,
    now: datetime,
) -> bool:
    """Do as `put_batch` does with what the offers format says of a batch; the rest of a known one stays."""
    known = batches(session, [batch_code]).get(batch_code) or Batch(batch_code)
    wish = replace(
        known,
        value_amount=value_amount,
        currency=currency,
        minimum_amount=minimum_amount,
        valid_days=valid_days,
        residual=known.residual if value_amount else "forfeit",
    )
    return put_batch(session, wish, actor=actor, now=now)


def batches(
    session: Session, codes: Collection[str] | None = None, *, lock: bool = False
) -> dict[str, Batch]:
    """Return the batches of these codes that exist, all of them if none are given, by code."""
    question = select(VoucherBatch).order_by(VoucherBatch.batch_code)
    if codes is not None:
        question = question.where(VoucherBatch.batch_code.in_(codes))
    if lock:
        question = question.with_for_update()
    return {
        row.batch_code: _batch(row)
        for row in session.scalars(question.execution_options(populate_existing=True))
    }


def batch_of(session: Session, batch_code: str) -> Batch:
    """Return a batch; raises `BatchNotFound`."""
    found = batches(session, [batch_code]).get(batch_code)
    if found is None:
        raise BatchNotFound(f"there is no batch of vouchers {batch_code!r}")
    return found


def _batch(row: VoucherBatch) -> Batch:
    return Batch(
        batch_code=row.batch_code,
        names=dict(row.name),
        value_amount=row.value_amount,
        currency=row.currency,
        minimum_amount=row.minimum_amount,
        valid_days=row.valid_days,
        residual=row.residual,
        symbology=row.symbology,
        ean_prefix=row.ean_prefix,
        store_ids=tuple(row.store_ids),
    )


def _takes_something_off(session: Session, code: str) -> bool:
    """Return whether an offer of this code takes something off, in a version that is live or a draft."""
    kinds = OfferVersion.document["benefit"]["kind"].astext
    return bool(
        session.scalar(
            select(OfferVersion.version)
            .where(OfferVersion.offer_code == code, OfferVersion.state.in_(["live", "draft"]))
            .where(kinds.in_(["percent", "amount", "fixed_price", "nth"]))
            .limit(1)
        )
    )


def _detail(batch: Batch) -> dict[str, Any]:
    return {
        part.name: list(value)
        if isinstance(value, tuple)
        else dict(value)
        if isinstance(value, Mapping)
        else value
        for part in fields(batch)
        for value in (getattr(batch, part.name),)
    }


def _check(session: Session, batch: Batch) -> None:
    rules = (
        (
            "batch_code",
            re.fullmatch(r"[A-Z0-9_-]{1,32}", batch.batch_code),
            "a code has up to 32 signs of A-Z, 0-9, _ and -",
        ),
        (
            "value_amount",
            batch.value_amount is None or 0 <= batch.value_amount <= LARGEST_AMOUNT,
            "the value is no amount",
        ),
        ("minimum_amount", 0 <= batch.minimum_amount <= LARGEST_AMOUNT, "the minimum is no amount"),
        (
            "currency",
            batch.currency is None or re.fullmatch("[A-Z]{3}", batch.currency),
            "a currency is three letters of ISO 4217",
        ),
        (
            "currency",
            batch.currency or not (batch.minimum_amount or batch.value_amount is not None),
            "amounts need their currency",
        ),
        (
            "valid_days",
            batch.valid_days is None or 0 <= batch.valid_days <= LONGEST_DAYS,
            f"the days lie between 0 and {LONGEST_DAYS}",
        ),
        ("residual", batch.residual in RESIDUALS, f"a rest is one of {', '.join(RESIDUALS)}"),
        (
            "residual",
            batch.residual == "forfeit" or batch.value_amount,
            "only vouchers worth something leave a rest",
        ),
        (
            "symbology",
            batch.symbology in SYMBOLOGIES,
            f"a code is printed as one of {', '.join(SYMBOLOGIES)}",
        ),
        ("ean_prefix", re.fullmatch("2[0-9]", batch.ean_prefix), "in-house numbers begin with 20 to 29"),
    )
    for part, kept, words in rules:
        if not kept:
            raise BadBatch(part, words)
    known = set(session.scalars(select(Store.store_id).where(Store.store_id.in_(batch.store_ids))))
    if known != set(batch.store_ids):
        raise BadBatch("store_ids", "a store that there is not")

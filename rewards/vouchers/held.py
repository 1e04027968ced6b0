"""The vouchers of an account as its holder reads them: those that can be used still, and what became of others."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.money import Money
from rewards.vouchers.queries import UsableVoucher

_VOUCHERS = """
    select voucher.voucher_code, voucher.batch_code, batch.name, voucher.left_amount, voucher.minimum_amount,
           voucher.valid_until, batch.symbology, voucher.currency, voucher.state, voucher.issued_at,
           array(select store.name from store where store.store_id = any(batch.store_ids) order by store.name)
    from voucher
    join voucher_batch as batch using (batch_code)
    where voucher.account_id = any(array(
        select %(account_id)s::uuid union all select account_id from balance where moved_to = %(account_id)s))
    order by voucher.valid_until nulls last, voucher.issued_at desc, voucher.voucher_code
    limit 200
"""


@dataclass(frozen=True, slots=True)
class HeldVoucher:
    """A voucher of an account; `usable` says that it can be spent today, `stores` where, if not everywhere."""

    voucher: UsableVoucher
    currency: str | None
    state: str
    issued_at: datetime
    stores: tuple[str, ...]
    usable: bool

    @property
    def value(self) -> Money | None:
        """What is left of it; None of one that opens an offer."""
        amount = self.voucher.value_amount
        return None if amount is None or self.currency is None else Money(amount, self.currency)

    @property
    def minimum(self) -> Money | None:
        """The least purchase; None where there is none."""
        amount = self.voucher.minimum_amount
        return Money(amount, self.currency) if amount and self.currency else None


def vouchers_of_account(session: Session, *, account_id: UUID, today: date) -> list[HeldVoucher]:
    """Return the vouchers of an account, those that end first at the top, at most two hundred."""
    rows = driver_of(session).execute(_VOUCHERS, {"account_id": account_id}).fetchall()
    return [
        HeldVoucher(
            UsableVoucher(*row[:7]),
            currency=row[7],
            state=row[8],
            issued_at=row[9],
            stores=tuple(row[10]),
            usable=row[8] in {"issued", "reserved"} and (row[5] is None or row[5] >= today),
        )
        for row in rows
    ]

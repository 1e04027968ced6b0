"""Reads about vouchers: those that a card's holder can use, and what happened to one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.i18n import called

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class UsableVoucher:
    """A voucher that its member can use here and now; its name by language."""

    voucher_code: str
    batch_code: str
    names: Mapping[str, str]
    value_amount: int | None
    minimum_amount: int
    valid_until: date | None
    symbology: str

    def name(self, language: str) -> str:
        """Return what it is called in `language`, else in English, else its batch."""
        return called(self.names, language, self.batch_code)

    def document(self, language: str) -> dict[str, Any]:
        """Return it as a card shows it."""
        return {
            "voucher_code": self.voucher_code,
            "batch": self.batch_code,
            "name": self.name(language),
            "value_amount": self.value_amount,
            "minimum_amount": self.minimum_amount,
            "valid_until": self.valid_until and self.valid_until.isoformat(),
            "symbology": self.symbology,
        }


USABLE = f"""
    select jsonb_agg(jsonb_build_array(
        found.voucher_code, found.batch_code, found.name, found.left_amount, found.minimum_amount,
        found.valid_until, found.symbology) order by found.valid_until nulls last, found.voucher_code)
    from (
        select voucher.voucher_code, voucher.batch_code, batch.name, voucher.left_amount, voucher.minimum_amount,
               voucher.valid_until, batch.symbology
        from voucher
        join voucher_batch as batch using (batch_code)
        where voucher.account_id = any(array(
                select {{account}} union all select account_id from balance where moved_to = {{account}}))
          and (voucher.state = 'issued' or voucher.state = 'reserved' and voucher.reserved_until <= %(now)s)
          and (voucher.valid_until is null or voucher.valid_until >= %(today)s)
          and (batch.store_ids = '{{{{}}}}' or %(store_id)s = any(batch.store_ids))
          and (voucher.currency is null or voucher.currency = %(currency)s)
        order by voucher.valid_until nulls last, voucher.voucher_code
        limit {MOST_SHOWN}
    ) as found
"""
"""
The vouchers of an `account` that are good at a till, those that end first, for `vouchers_in`; a part of larger questions.
"""


def vouchers_in(rows: Sequence[Sequence[Any]] | None) -> tuple[UsableVoucher, ...]:
    """Return the vouchers that `USABLE` found, at most fifty."""
    read = ([*row[:5], row[5] and date.fromisoformat(row[5]), *row[6:]] for row in rows or ())
    return tuple(UsableVoucher(*row) for row in read)

"""Vouchers of a member's copy: issued once per copy and batch, however often the copy is made."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from catalogs.operations import OpenEdition
from catalogs.pages import PrintedVoucher
from catalogs.runs.recipients import Recipient
from core.driver import driver_of
from core.money import Money
from rewards.vouchers.batches import Batch, batches
from rewards.vouchers.changes import cancel_vouchers
from rewards.vouchers.issue import issue_to_each

ACTOR: Final = "catalogs"
SAMPLE_CODE: Final = "SAMPLE-0000-0000"
SAMPLE_EAN: Final = "2700000000000"


@dataclass(frozen=True, slots=True)
class CopyVoucher:
    """A voucher of a copy: its code, and the batch that says what it is worth."""

    voucher_code: str
    batch: Batch
    valid_until: date | None

    def printed(self, language: str, valid_from: date) -> PrintedVoucher:
        """Return it as a copy in `language` shows it."""
        batch = self.batch
        currency = batch.currency or ""
        return PrintedVoucher(
            voucher_code=self.voucher_code,
            # A code of the house's own says nothing to a customer; what is worth money says that.
            name=batch.name(language) if batch.names or batch.value_amount is None else "",
            value=None if batch.value_amount is None else Money(batch.value_amount, currency),
            minimum=Money(batch.minimum_amount, currency) if batch.minimum_amount else None,
            valid_until=self.valid_until,
            symbology=batch.symbology,
            valid_from=valid_from,
        )


def sample_vouchers(
    session: Session,
    readers: Sequence[Recipient],
    *,
    editions: Mapping[UUID, OpenEdition],
    currencies: Mapping[int, str],
) -> dict[UUID, tuple[CopyVoucher, ...]]:
    """Return vouchers for copies that are only looked at: their codes were never issued, and open nothing."""
    known = batches(session, {code for edition in editions.values() for code in edition.plan.voucher_batches})
    return {
        reader.member_id: tuple(
            CopyVoucher(
                SAMPLE_EAN if known[code].symbology == "ean13" else SAMPLE_CODE,
                known[code],
                known[code].last_day(editions[reader.edition_id].valid_from),
            )
            for code in editions[reader.edition_id].plan.voucher_batches
            if code in known and _fits(known[code], reader, currencies)
        )
        for reader in readers
    }


def vouchers_of_copies(
    session: Session,
    readers: Sequence[Recipient],
    *,
    editions: Mapping[UUID, OpenEdition],
    currencies: Mapping[int, str],
    now: datetime,
) -> dict[UUID, tuple[CopyVoucher, ...]]:
    """
    Return the vouchers that stand in the copies of `readers`, by member, issued now unless they are already.

    A batch whose amounts are in another currency than the member's store, or whose vouchers are not
    taken there, has none for that copy. The days of validity count from the catalog's first day.
    """
    wanted = {code for edition in editions.values() for code in edition.plan.voucher_batches}
    if not wanted or not readers:
        return {}
    known_batches = batches(session, wanted)
    issued = _known(session, readers)
    for edition in editions.values():
        for code in edition.plan.voucher_batches:
            missing = [
                reader
                for reader in readers
                if reader.edition_id == edition.edition_id
                and (reader.member_id, edition.edition_id, code) not in issued
                and _fits(known_batches[code], reader, currencies)
            ]
            issued |= _issue(session, missing, edition, code, now=now)
    found: dict[UUID, tuple[CopyVoucher, ...]] = {}
    for reader in readers:
        found[reader.member_id] = tuple(
            CopyVoucher(issued[key][0], known_batches[code], issued[key][1])
            for code in editions[reader.edition_id].plan.voucher_batches
            if (key := (reader.member_id, reader.edition_id, code)) in issued
        )
    return found


_Key = tuple[UUID, UUID, str]


def _known(session: Session, readers: Sequence[Recipient]) -> dict[_Key, tuple[str, date | None]]:
    rows = driver_of(session).execute(
        """
        select mine.member_id, mine.edition_id, mine.batch_code, mine.voucher_code, voucher.valid_until
        from catalog_voucher as mine join voucher using (voucher_code)
        where mine.edition_id = any(%s) and mine.member_id = any(%s)
        """,
        (
            list({reader.edition_id for reader in readers}),
            [reader.member_id for reader in readers],
        ),
    )
    return {
        (member_id, edition_id, batch): (code, until) for member_id, edition_id, batch, code, until in rows
    }


def _issue(
    session: Session, readers: Sequence[Recipient], edition: OpenEdition, batch_code: str, *, now: datetime
) -> dict[_Key, tuple[str, date | None]]:
    if not readers:
        return {}
    fresh = issue_to_each(
        session,
        batch_code=batch_code,
        account_ids=[reader.account_id for reader in readers],
        today=edition.valid_from,
        now=now,
        actor=ACTOR,
    )
    # Unique per copy and batch: who issued them at the same time would fail here, with all that it issued.
    driver_of(session).execute(
        """
        insert into catalog_voucher (edition_id, member_id, batch_code, voucher_code)
        select %s, member_id, %s, voucher_code
        from unnest(%s::uuid[], %s::text[]) as fresh (member_id, voucher_code)
        """,
        (
            edition.edition_id,
            batch_code,
            [reader.member_id for reader in readers],
            [voucher.voucher_code for voucher in fresh],
        ),
    )
    return {
        (reader.member_id, edition.edition_id, batch_code): (voucher.voucher_code, voucher.valid_until)
        for reader, voucher in zip(readers, fresh, strict=True)
    }


def _fits(batch: Batch, reader: Recipient, currencies: Mapping[int, str]) -> bool:
    return (batch.currency is None or batch.currency == currencies.get(reader.store_id)) and (
        not batch.store_ids or reader.store_id in batch.store_ids
    )


def cancel_vouchers_of(
    session: Session,
    *,
    edition_ids: Collection[UUID],
    member_ids: Collection[UUID],
    reason: str,
    now: datetime,
) -> int:
    """Cancel the unused vouchers of copies that never leave the house; returns how many."""
    rows = driver_of(session).execute(
        "select voucher_code from catalog_voucher where edition_id = any(%s) and member_id = any(%s)",
        (list(edition_ids), list(member_ids)),
    )
    codes = [row[0] for row in rows.fetchall()]
    if not codes:
        return 0
    return len(cancel_vouchers(session, codes=codes, reason=reason, actor=ACTOR, now=now))


def voucher_states(session: Session, *, catalog_run_id: UUID) -> dict[str, dict[str, int]]:
    """Return by batch how many vouchers of a run are in which state."""
    rows = driver_of(session).execute(
        """
        select mine.batch_code, voucher.state, count(*)
        from catalog_voucher as mine join voucher using (voucher_code) join edition using (edition_id)
        where edition.catalog_run_id = %s group by 1, 2 order by 1, 2
        """,
        (catalog_run_id,),
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for batch_code, state, count in rows:
        found[batch_code][state] = count
    return dict(found)

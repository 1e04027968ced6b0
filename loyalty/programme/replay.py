"""What sales should have earned under the versions they were booked under, worked out again and held against the books."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.driver import driver_of
from core.verification import EXAMPLES, Findings
from loyalty.earning import earned_on_receipt, nothing
from loyalty.offer_points import read_offer_points
from loyalty.programme.rules import Programme
from loyalty.programme.versions import read_programmes
from sales.models import Receipt
from sales.receipts import LIVE, SALE, PostedLine, PostedReceipt, Tender, TillIdentity, Totals
from sales.staff_cards import Binding, staff_bindings

RECENT_DAYS = 3
"""Business days, back from the last one with a receipt, that the nightly check works out again."""
ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Differing:
    """A sale that the books say something else of than the rules it was booked under."""

    identity: str
    version: int
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.identity} (version {self.version}): {self.what} {self.found}, by its rules {self.expected}"


@dataclass(slots=True)
class Replay:
    """What was worked out again: sales and points by version, and every sale that differs."""

    receipts: int = 0
    points: int = 0
    versions: Counter[int] = field(default_factory=Counter)
    """Sales by the version that they were booked under; 0 is the contract's own programme."""
    differing: list[Differing] = field(default_factory=list)


_SALES = """
    select receipt.business_date, receipt.receipt_id, receipt.receipt_number, receipt.closed_at, receipt.currency,
           receipt.points_amount, receipt.tenders, receipt.programme_version, receipt.excluded_lines,
           receipt.offer_points,
           receipt.account_id is not null as owned, store.store_id, store.store_code,
           store.currency as store_currency, store.timezone, till.till_id, till.till_code,
           line.numbers, line.totals, line.rates, line.points,
           lot.earned, lot.available_at, lot.expires_at, coalesce(booked.points, 0) as booked,
           receipt.operator_code
    from receipt
    join store using (store_id)
    join till using (till_id)
    left join lateral (
        select array_agg(line_number order by line_number) as numbers,
               array_agg(total_amount order by line_number) as totals,
               array_agg(tax_rate order by line_number) as rates,
               array_agg(points order by line_number) as points
        from receipt_line
        where business_date = receipt.business_date and receipt_id = receipt.receipt_id
    ) as line on true
    -- Lots of joined accounts live on in others, which say nothing new.
    left join lot on lot.receipt_id = receipt.receipt_id and lot.business_date = receipt.business_date
     and lot.moved_from is null
    left join lateral (
        select -sum(leg.points) as points
        from ledger_entry as entry join ledger_leg as leg using (entry_id)
        where entry.business_date = receipt.business_date and entry.receipt_id = receipt.receipt_id
          and entry.reason = 'earn' and leg.book = 'issued'
    ) as booked on true
    where receipt.business_date >= %(since)s and receipt.business_date < %(until)s
      and receipt.type = 'sale' and receipt.mode = 'live'
"""


def replay(session: Session, *, since: date, until: date) -> Replay:
    """
    Work out what the live sales of the half-open period should have earned, and compare it with the books.

    By the version and the lines left out that are stored with each, so that neither later versions nor
    a changed article matter: the points of every line, the entry that booked them, and when their lot
    begins and ends.
    """
    versions = read_programmes(session)
    staff = staff_bindings(session)
    done = Replay()
    for row in _sales(session, since, until):
        programme = versions.numbered(row.programme_version)
        done.receipts += 1
        done.points += int(row.booked)
        done.versions[programme.version] += 1
        done.differing += _differences(row, programme, withheld=_withheld(row, staff))
    return done


def _sales(session: Session, since: date, until: date) -> Iterator[Any]:
    with driver_of(session).cursor("replay", row_factory=namedtuple_row) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(_SALES, {"since": since, "until": until})
        yield from cursor


def _withheld(row: Any, staff: Mapping[tuple[int, str], Sequence[Binding]]) -> bool:
    """
    Return whether a sale that earned nothing may have been rung by the card's own holder, who earns nothing.

    Whose a card is may have changed since: that its operator had one then has to suffice.
    """
    bindings = staff.get((row.store_id, row.operator_code or ""), ())
    return not any(row.points or ()) and any(
        one.since <= row.closed_at and (one.until is None or row.closed_at < one.until) for one in bindings
    )


def _differences(row: Any, programme: Programme, *, withheld: bool) -> Iterator[Differing]:
    till = TillIdentity(
        row.till_id, row.store_id, row.store_code, row.till_code, row.store_currency, row.timezone
    )
    posted = _posted(row)
    found = dict(zip(row.numbers or (), row.points or (), strict=True))
    expected = dict(nothing(posted.lines))
    if row.owned and not withheld:
        added = read_offer_points(row.offer_points)
        expected = dict(earned_on_receipt(posted, till, programme, row.excluded_lines or (), added))
    points = sum(expected.values())
    lot: tuple[int, datetime | None, datetime | None] = (0, None, None)
    if points:
        day = posted.business_date
        lot = points, programme.available_at(day, row.timezone), programme.expires_at(day, row.timezone)
    pairs = (
        ("points by line", expected, found),
        ("points booked", points, int(row.booked)),
        ("lot", lot, (row.earned or 0, row.available_at, row.expires_at)),
    )
    for what, by_rules, in_books in pairs:
        if by_rules != in_books:
            identity = f"{row.store_code}/{row.till_code}/{row.business_date}/{row.receipt_number}"
            yield Differing(identity, programme.version, what, str(by_rules), str(in_books))


def _posted(row: Any) -> PostedReceipt:
    columns: Sequence[Sequence[Any]] = (row.numbers or (), row.totals or (), row.rates or ())
    return PostedReceipt(
        type=SALE,
        mode=LIVE,
        business_date=row.business_date,
        receipt_number=row.receipt_number,
        closed_at=row.closed_at,
        currency=row.currency,
        lines=tuple(
            PostedLine(number, Decimal(1), total, total, rate)
            for number, total, rate in zip(*columns, strict=True)
        ),
        tenders=tuple(Tender(tender["type"], tender["amount"]) for tender in row.tenders or ()),
        totals=Totals(points_amount=row.points_amount),
    )


@dataclass(frozen=True, slots=True)
class ReplayCheck:
    """Works the most recent sales out again."""

    code: str = "L5"
    promise: str = "Recent sales earned what the rules they were booked under say"

    def look(self, session: Session) -> Findings:
        """Return which of the sales of the last business days differ."""
        # A till whose clock runs years ahead must not hide the days that matter.
        recent = Receipt.business_date <= func.current_date() + 1
        last = session.scalar(select(func.max(Receipt.business_date)).where(recent))
        if last is None:
            return Findings(0)
        found = replay(session, since=last - timedelta(days=RECENT_DAYS - 1), until=last + timedelta(days=1))
        return Findings(len(found.differing), tuple(map(str, found.differing[:EXAMPLES])))

"""What a return would do, found out by doing it and taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import driver_of
from core.ids import uuid7
from core.money import half_up
from loyalty.checkout import Outcome, settle
from loyalty.earning import POINTS_TENDER
from loyalty.returns.refunds import MoneyBack, brought_by_line, share_money, share_refund
from loyalty.returns.sold_under_offers import SaleWithOffers, read_sale_with_offers
from rewards.kept_units import less_otherwise
from sales.queries import stored_answer
from sales.receipts import RETURN, Original, PostedLine, PostedReceipt, TillIdentity, Totals


@dataclass(frozen=True, slots=True)
class Wanted:
    """So much of a line of the sale is to come back."""

    original_line_number: int
    quantity: Decimal


@dataclass(slots=True)
class _Sold:
    """A line of the sale, apart from offers: what was paid, before points, for that of it which is still out."""

    paid: int
    kept: Decimal
    quantity: Decimal
    unit_price: int
    otherwise: int
    """What was taken off the whole line, by whomever."""

    @classmethod
    def of(cls, amount: int, quantity: Decimal, unit_price: int, returned: Sequence[Decimal]) -> Self:
        """Return what is left of a line sold for `amount`, after what was `returned` of it, in order."""
        sold = cls(amount, quantity, quantity, unit_price, half_up(quantity * unit_price) - amount)
        for back in returned:
            sold.refund(back)
        return sold

    def refund(self, quantity: Decimal) -> int:
        """
        Take `quantity` more back and return the amount for it: what was paid less what the rest costs.

        Never against the line's sign; all returns together make exactly the line's.
        """
        self.kept -= quantity
        due = self.paid - less_otherwise(
            half_up(self.kept * self.unit_price),
            otherwise=self.otherwise,
            kept=self.kept,
            sold=self.quantity,
            unit_price=self.unit_price,
        )
        due = max(0, due) if self.unit_price > 0 else due
        self.paid -= due
        return due


@dataclass(slots=True)
class _PaidWithPoints:
    """What points paid of a sale: how many, for how much, and how many of them have come back."""

    points: int
    value: int
    returned: int

    def value_back(self, points: int) -> int:
        """Return what `points` more are worth; all returns together make exactly what was paid with points."""
        if not points:
            return 0
        before = half_up(Decimal(self.value * self.returned) / self.points)
        self.returned += points
        return half_up(Decimal(self.value * self.returned) / self.points) - before


@dataclass(slots=True)
class _Quoted:
    """What comes back of a line: its amount before points, and what of that comes back in points."""

    original_line_number: int
    quantity: Decimal
    amount: int
    by_points: int
    points: int
    points_spent: int

    @property
    def refund(self) -> int:
        """The money for it."""
        return self.amount - self.by_points

    def document(self) -> dict[str, Any]:
        """Return it as the contract has it."""
        return {
            "original_line_number": self.original_line_number,
            "quantity": _plain(self.quantity),
            "refund_amount": self.refund,
            "points_reversed": self.points,
            "points_returned": self.points_spent,
        }


def quote_return(
    session: Session,
    *,
    till: TillIdentity,
    original: Original,
    lines: Sequence[Wanted],
    now: datetime,
) -> dict[str, Any]:
    """
    Return what a return of `lines` would do at `now`, as the body of the contract; nothing of it is kept.

    Refunds are money: what is given back in points is left out, at the value it had when it
    was spent. Where the rest of the sale costs more by itself than it did on it, since an offer
    is not fulfilled any more, the refund is lower by that, and `broken_offers` says by which (X-3).
    Raises `ReceiptNotFound`.
    """
    sale = stored_answer(
        session,
        store_code=original.store_code,
        till_code=original.till_code,
        business_date=original.business_date,
        receipt_number=original.receipt_number,
    )
    answer, counted = _rehearse(session, _posted(till, original, lines, now), till, now)
    sold = _sold(session, sale.receipt_id, original)
    paid = _paid_with_points(session, sale.receipt_id, original)
    quoted = [
        _line(wanted, sold.get(wanted.original_line_number), counted.get(number, (Decimal(0), 0, 0)), paid)
        for number, wanted in enumerate(lines, start=1)
    ]
    under_offers = read_sale_with_offers(
        session,
        business_date=original.business_date,
        receipt_id=sale.receipt_id,
        identity=original.identity,
    )
    told = {} if under_offers is None else _under_offers(quoted, under_offers, paid)
    return {
        "lines": [line.document() for line in quoted],
        "totals": {"refund_amount": sum(line.refund for line in quoted)},
        "points": {
            "reversed": answer["points"]["reversed"],
            "returned": answer["points"]["returned"],
            "balance_after": answer["points"]["balance"],
        },
        "flags": [
            {**flag, "line_number": lines[flag["line_number"] - 1].original_line_number}
            for flag in answer["flags"]
            if flag["code"] == "over_returned" and "line_number" in flag
        ],
        **told,
    }


def _rehearse(
    session: Session, posted: PostedReceipt, till: TillIdentity, now: datetime
) -> tuple[dict[str, Any], dict[int, tuple[Decimal, int, int]]]:
    """Book `posted`, take it back, and return its answer and what its lines amounted to."""
    rehearsal = session.begin_nested()
    settled = settle(session, till=till, posted=posted, now=now)
    assert isinstance(settled, Outcome)
    counted = _counted(session, posted.business_date, UUID(settled.answer["receipt_id"]))
    rehearsal.rollback()
    return settled.answer, counted


def _under_offers(quoted: Sequence[_Quoted], sale: SaleWithOffers, paid: _PaidWithPoints) -> dict[str, Any]:
    """
    Let `quoted` be refunded what was paid less what the rest costs by itself under the offers of the sale.

    Returns what the till is told of it: by how much which offer makes the refund another than what was paid for the lines.
    """
    ordered = sorted(quoted, key=lambda line: line.original_line_number)
    nets, by_points = [line.amount for line in ordered], [line.by_points for line in ordered]
    money, history = MoneyBack(), _PaidWithPoints(paid.points, paid.value, 0)
    for earlier, points in sale.earlier:
        money.add(earlier, history.value_back(points))
    due = sale.outstanding.bring_back(
        brought_by_line((line.original_line_number, line.quantity) for line in quoted if line.quantity)
    )
    shares = nets if due.amount == sum(nets) else share_refund(due.amount, nets)
    parts = share_money(money.add(due.amount, sum(by_points)), shares, by_points)
    for line, share, part in zip(ordered, shares, parts, strict=True):
        line.amount, line.by_points = share, share - part
    return {
        "paid_amount": sum(nets),
        "broken_offers": [
            {
                "offer_code": loss.offer_code,
                "offer_version": sale.versions.get(loss.offer_code),
                "reason": sale.names.get(loss.offer_code, loss.offer_code),
                "amount": loss.amount,
            }
            for loss in due.losses
        ],
    }


def _posted(till: TillIdentity, original: Original, lines: Sequence[Wanted], now: datetime) -> PostedReceipt:
    return PostedReceipt(
        type=RETURN,
        business_date=business_day(now, till.timezone),
        receipt_number=uuid7().hex,
        closed_at=now,
        currency=till.currency,
        lines=tuple(
            PostedLine(
                line_number=number,
                quantity=wanted.quantity,
                unit_price=0,
                total_amount=0,
                original_line_number=wanted.original_line_number,
            )
            for number, wanted in enumerate(lines, start=1)
        ),
        totals=Totals(payable_amount=0),
        original=original,
    )


def _line(
    wanted: Wanted, sold: _Sold | None, counted: tuple[Decimal, int, int], paid: _PaidWithPoints
) -> _Quoted:
    quantity, points, points_spent = counted
    return _Quoted(
        original_line_number=wanted.original_line_number,
        quantity=quantity,
        amount=sold.refund(quantity) if sold and quantity else 0,
        by_points=paid.value_back(points_spent),
        points=points,
        points_spent=points_spent,
    )


def _counted(session: Session, business_date: date, receipt_id: UUID) -> dict[int, tuple[Decimal, int, int]]:
    """Return by line what the rehearsed return amounts to: quantity, points taken back and given back."""
    rows = driver_of(session).execute(
        """
        select line_number, counted_quantity, points, points_spent from receipt_line
        where business_date = %s and receipt_id = %s and counted_quantity is not null
        """,
        (business_date, receipt_id),
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows.fetchall()}


_SOLD = """
    with step as (
        select line.original_line_number, link.arrival, sum(line.counted_quantity) as quantity
        from receipt_link as link
        join receipt_line as line using (business_date, receipt_id)
        where link.original_identity = %(identity)s and link.original_receipt_id is not null and link.type = 'return'
          and line.counted_quantity is not null
          and not exists (select from receipt_link as void
                          where void.original_identity = link.identity and void.original_receipt_id is not null
                            and void.type = 'void')
        group by line.original_line_number, link.arrival
    ), returned as (
        select original_line_number, array_agg(quantity order by arrival) as quantities from step group by 1
    )
    select line.line_number, line.total_amount, line.quantity, line.unit_price, coalesce(returned.quantities, '{}')
    from receipt_line as line
    left join returned on returned.original_line_number = line.line_number
    where line.business_date = %(business_date)s and line.receipt_id = %(receipt_id)s
"""


def _sold(session: Session, receipt_id: UUID, original: Original) -> dict[int, _Sold]:
    values = {
        "identity": original.identity,
        "business_date": original.business_date,
        "receipt_id": receipt_id,
    }
    rows = driver_of(session).execute(_SOLD, values).fetchall()
    return {row[0]: _Sold.of(*row[1:]) for row in rows}


_PAID = f"""
    select coalesce((
               select sum(line.points_spent) from receipt_line as line
               where line.business_date = %(business_date)s and line.receipt_id = %(receipt_id)s), 0),
           receipt.points_amount + case when receipt.programme_version is null then 0 else coalesce((
               select sum((tender ->> 'amount')::bigint)
               from programme_version as version, jsonb_array_elements(receipt.tenders) as tender
               where version.version = receipt.programme_version and version.rules ->> 'points_as' = 'tender'
                 and tender ->> 'type' = '{POINTS_TENDER}'), 0) end,
           coalesce((
               select sum(back.points_spent) from receipt_link as link
               join receipt_line as back using (business_date, receipt_id)
               where link.original_identity = %(identity)s and link.original_receipt_id is not null
                 and link.type = 'return'
                 and not exists (select from receipt_link as void
                                 where void.original_identity = link.identity
                                   and void.original_receipt_id is not null and void.type = 'void')), 0)
    from receipt
    where receipt.business_date = %(business_date)s and receipt.receipt_id = %(receipt_id)s
"""


def _paid_with_points(session: Session, receipt_id: UUID, original: Original) -> _PaidWithPoints:
    """Return what points paid of a sale, as it was stated and booked then."""
    values = {
        "identity": original.identity,
        "business_date": original.business_date,
        "receipt_id": receipt_id,
    }
    row = driver_of(session).execute(_PAID, values).fetchone()
    assert row is not None
    return _PaidWithPoints(int(row[0]), int(row[1]), int(row[2]))


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")

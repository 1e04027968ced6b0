"""Quotes: what a basket was said to come to, and where what was paid departs from it. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.records import record
from loyalty.earning import POINTS_TENDER
from loyalty.quotes.promises import NOTHING_PROMISED, Promise
from sales.receipts import PostedLine, PostedReceipt

HONOURED_FOR = timedelta(minutes=10)


@record
class QuotedLine:
    """A line as it was quoted; amounts in minor units."""

    quantity: Decimal
    unit_price: int
    gross_amount: int
    discount_amount: int

    @property
    def net_amount(self) -> int:
        """What the line comes to before points."""
        return self.gross_amount - self.discount_amount


@record
class Quote:
    """What a till was told; `lines` by line number."""

    quote_id: UUID
    valid_until: datetime
    card_number: str | None
    currency: str
    lines: Mapping[int, QuotedLine]
    points_amount: int
    payable_amount: int
    points_to_earn: int
    promise: Promise = NOTHING_PROMISED
    """What was promised of offers."""
    used: bool = False
    """Whether another receipt relied on it before: what it promised is given once."""

    def is_of(self, posted: PostedReceipt) -> bool:
        """Return whether `posted` is of the very basket that was quoted, and for whom; prices paid aside."""
        paid = {line.line_number: (line.quantity, line.unit_price) for line in posted.lines}
        quoted = {number: (line.quantity, line.unit_price) for number, line in self.lines.items()}
        return self.card_number == posted.card_number and self.currency == posted.currency and paid == quoted

    def honours(self, closed_at: datetime) -> bool:
        """
        Return whether a sale closed at `closed_at` can rely on the quote.

        It is the moment of paying that counts: a receipt may come long after it. Only one can.
        """
        return not self.used and closed_at <= self.valid_until


@record
class Difference:
    """One thing that was quoted and paid differently; None where it was only in one of the two."""

    field: str
    quoted: int | str | None
    paid: int | str | None
    line_number: int | None = None

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "field": self.field,
            "line_number": self.line_number,
            "quoted": self.quoted,
            "paid": self.paid,
        }


def differences(posted: PostedReceipt, quote: Quote, *, earned: int) -> list[Difference]:
    """
    Return where a paid sale that `earned` so many points departs from its quote.

    Rounding the bill for cash is no difference, nor is stating the points quoted as a tender in place of a discount.
    """
    return [*_of_whole(posted, quote, earned), *_of_lines(posted, quote)]


def _of_whole(posted: PostedReceipt, quote: Quote, earned: int) -> Iterator[Difference]:
    totals = posted.totals
    by_tender = _tendered(posted, quote)
    pairs: tuple[tuple[str, int | str | None, int | str | None], ...] = (
        ("card_number", quote.card_number, posted.card_number),
        ("currency", quote.currency, posted.currency),
        ("points_amount", quote.points_amount, totals.points_amount + by_tender),
        (
            "payable_amount",
            quote.payable_amount,
            (totals.payable_amount or 0) - totals.rounding_amount - by_tender,
        ),
        ("points_earned", quote.points_to_earn, earned),
    )
    for field, quoted, paid in pairs:
        if quoted != paid:
            yield Difference(field, quoted, paid)


def _tendered(posted: PostedReceipt, quote: Quote) -> int:
    """Return the part of the quoted points that a till states as a tender; 0 where it states another sum so."""
    missing = quote.points_amount - posted.totals.points_amount
    if missing <= 0:
        return 0
    by_tender = sum(tender.amount for tender in posted.tenders if tender.type == POINTS_TENDER)
    return by_tender if by_tender == missing else 0


def _of_lines(posted: PostedReceipt, quote: Quote) -> Iterator[Difference]:
    paid = {line.line_number: line for line in posted.lines}
    for number in sorted({*quote.lines, *paid}):
        line, bought = quote.lines.get(number), paid.get(number)
        if line is None or bought is None:
            quoted = None if line is None else line.net_amount
            yield Difference("total_amount", quoted, None if bought is None else bought.total_amount, number)
        else:
            yield from _of_line(number, line, bought)


def _of_line(number: int, line: QuotedLine, bought: PostedLine) -> Iterator[Difference]:
    if line.quantity != bought.quantity:
        yield Difference("quantity", _plain(line.quantity), _plain(bought.quantity), number)
    for field, quoted, paid in (
        ("unit_price", line.unit_price, bought.unit_price),
        ("discount_amount", line.discount_amount, bought.discount_amount),
        ("total_amount", line.net_amount, bought.total_amount),
    ):
        if quoted != paid:
            yield Difference(field, quoted, paid, number)


def _plain(quantity: Decimal) -> str:
    return format(quantity.normalize(), "f")

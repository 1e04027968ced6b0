"""Baskets that are not paid yet: what lies on the counter, as a till states it. Pure."""

from datetime import date, datetime
from decimal import Decimal

from core.money import half_up
from core.records import record
from sales.receipts import SALE, PostedLine, PostedReceipt, Totals

LARGEST_GROSS = 10**14
"""In minor units, of either sign: what a till may charge at most for a line."""


@record
class BasketLine:
    """One line; the unit price is in minor units, tax included, and negative for deposits."""

    line_number: int
    quantity: Decimal
    unit_price: int
    gtin: str | None = None
    sku: str | None = None
    name: str | None = None
    unit: str | None = None
    tax_rate: Decimal | None = None

    @property
    def gross_amount(self) -> int:
        """Quantity times unit price in minor units, halves rounded away from zero."""
        return self.unit_price if self.quantity == 1 else half_up(self.quantity * self.unit_price)


@record
class Basket:
    """Lines to be paid, whose card they would be paid with, and how many points the customer would spend."""

    currency: str
    lines: tuple[BasketLine, ...]
    card_number: str | None = None
    card_entry_mode: str | None = None
    at: datetime | None = None
    """When it would be paid; now, when the till does not say."""
    voucher_codes: tuple[str, ...] = ()
    points_to_spend: int = 0

    def listed_lines(self) -> tuple[PostedLine, ...]:
        """Return the lines of a receipt for this basket at list prices."""
        return tuple([
            PostedLine(
                line_number=line.line_number,
                quantity=line.quantity,
                unit_price=line.unit_price,
                total_amount=line.gross_amount,
                tax_rate=line.tax_rate,
                gtin=line.gtin,
                sku=line.sku,
                name=line.name,
                unit=line.unit,
            )
            for line in self.lines
        ])  # fmt: skip

    def as_sale(
        self, *, closed_at: datetime, business_date: date, lines: tuple[PostedLine, ...], totals: Totals
    ) -> PostedReceipt:
        """Return the receipt that a till would post for this basket, with these lines and totals, without a number or tenders."""
        return PostedReceipt(
            type=SALE,
            business_date=business_date,
            receipt_number="",
            closed_at=closed_at,
            currency=self.currency,
            card_number=self.card_number,
            card_entry_mode=self.card_entry_mode,
            lines=lines,
            voucher_codes=self.voucher_codes,
            totals=totals,
        )

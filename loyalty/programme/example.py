"""What a version makes of a sample basket, worked out by the very code that books receipts. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.numbers import get_currency_precision

from loyalty.earning import earned_shares, earning_base, share_over_lines, tax_in, taxable
from loyalty.programme.rules import Programme
from sales.receipts import PostedLine

SAMPLE = (
    (Decimal("399.90"), Decimal(12)),
    (Decimal("129.00"), Decimal(21)),
    (Decimal("249.00"), Decimal(21)),
)
"""Amounts in the major unit with their tax rates; the last is of a kind that earns nothing, if there is one."""
SAMPLE_POINTS = 500
"""What the sample's customer has to spend."""


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """A line of the sample: amounts in minor units, the tax that is due on it, and its points."""

    amount: int
    tax_rate: Decimal
    by_points: int
    tax: int
    excluded: bool
    points: int


@dataclass(frozen=True, slots=True)
class Example:
    """The sample basket under one version; amounts in minor units of `currency`."""

    currency: str
    lines: tuple[ExampleLine, ...]
    bill: int
    spent: int
    by_points: int
    tax: int
    base: int
    earned: int
    spendable_from: date
    last_day: date | None

    @property
    def paid(self) -> int:
        """What is left to pay with money."""
        return self.bill - self.by_points


def example(programme: Programme, currency: str, day: date) -> Example:
    """Return what the sample basket comes to on `day`, its customer spending as many points as may be."""
    lines = _lines(currency)
    excluded = {lines[-1].line_number} if programme.excluded else set()
    bill = sum(line.total_amount for line in lines)
    spent = programme.spendable_on(bill, SAMPLE_POINTS, currency)
    value = programme.value_of(spent, currency)
    by_points = share_over_lines(value, lines)
    shares = earned_shares(lines, value, currency, programme, excluded)
    tax = {
        line.line_number: tax_in(taxable(line.total_amount, by_points[line.line_number], programme), line)
        for line in lines
    }
    return Example(
        currency=currency,
        lines=tuple(
            ExampleLine(
                amount=line.total_amount,
                tax_rate=line.tax_rate or Decimal(0),
                by_points=by_points[line.line_number],
                tax=tax[line.line_number],
                excluded=line.line_number in excluded,
                points=shares[line.line_number],
            )
            for line in lines
        ),
        bill=bill,
        spent=spent,
        by_points=value,
        tax=sum(tax.values()),
        base=earning_base(lines, value, programme, excluded).amount,
        earned=sum(shares.values()),
        spendable_from=programme.pending_until(day),
        last_day=programme.last_day(day),
    )


def _lines(currency: str) -> list[PostedLine]:
    precision = get_currency_precision(currency)
    return [
        PostedLine(number, Decimal(1), minor, minor, rate)
        for number, (amount, rate) in enumerate(SAMPLE, 1)
        for minor in (int(amount.scaleb(precision)),)
    ]

"""
What the chain owes its members: outstanding points times value times expected redemption. Pure.

Expected redemption is the ledger's own history: of the points whose fate is decided, because
their lot has ended, how many were spent. Points that end sooner are spent less often than
fresh ones, so it is told by the months that are left:

    rate(m) = spent with at most m months left / (the same + expired)

over all lots that have ended, months counted by the calendar. The denominator is what was
still outstanding m months before its end. This is the development (chain-ladder) method of
insurers for breakage, in its simplest form: one cohort of all lots, nothing smoothed, nothing
assumed. What was returned or taken by a person counts as neither. The interval is that of a
ratio of two sums over accounts drawn at random (Cochran, Sampling Techniques, 1977, 6.3).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import sqrt
from typing import Final

from core.money import half_up

FEWEST_ACCOUNTS: Final = 30
"""Accounts whose points must have ended before a rate is estimated: fewer are no sample to speak of."""
_SURE: Final = 1.96
_WHOLE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of points with so many months left: spent in that month, or (0) expired at the end."""

    months_left: int
    spent: int
    expired: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What the expected redemption rests on.

    `accounts` had points that ended, `lots` so many; `low` and `high` bound the overall rate
    with 95 % confidence. Without enough accounts there are no rates, and all is expected.
    """

    accounts: int = 0
    lots: int = 0
    spent: int = 0
    expired: int = 0
    low: float | None = None
    high: float | None = None
    fates: tuple[Fate, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether the history is long enough to tell a rate."""
        return self.accounts >= FEWEST_ACCOUNTS and self.spent + self.expired > 0

    @property
    def overall(self) -> Decimal:
        """Share of all ended points that were spent; 1 when the history is too short."""
        return _rate(self.spent, self.expired) if self.enough else _WHOLE

    def rate(self, months_left: int | None) -> Decimal:
        """Return the share of points with so many months left that will be spent; None stands for no end."""
        if not self.enough or months_left is None:
            return self.overall
        # What was given back later than it was spent can outweigh the last months.
        spent = max(0, sum(fate.spent for fate in self.fates if fate.months_left <= max(0, months_left)))
        expired = sum(fate.expired for fate in self.fates)
        return _rate(spent, expired) if spent + expired else self.overall


def _rate(spent: int, expired: int) -> Decimal:
    """Return the share as it is shown and multiplied with, in four digits."""
    return (Decimal(spent) / Decimal(spent + expired)).quantize(Decimal("0.0001"))


def ratio_interval(
    *, accounts: int, spent: int, decided: int, spent_squared: int, product: int, decided_squared: int
) -> tuple[float, float] | None:
    """
    Return the 95 % interval of spent/decided from the sums of squares and products over `accounts`.

    None where there are too few accounts to say.
    """
    if accounts < FEWEST_ACCOUNTS or not decided:
        return None
    rate = spent / decided
    residual = spent_squared - 2 * rate * product + rate * rate * decided_squared
    error = sqrt(max(0.0, residual) * accounts / (accounts - 1)) / decided
    return max(0.0, rate - _SURE * error), min(1.0, rate + _SURE * error)


@dataclass(frozen=True, slots=True)
class Part:
    """Outstanding points of one store (None: of no store) and last month (None: they never end)."""

    store_id: int | None
    currency: str
    month: date | None
    points: int


@dataclass(frozen=True, slots=True)
class Line:
    """A part with its worth: nominal, and what is expected to be asked for, in minor units."""

    store_id: int | None
    currency: str
    month: date | None
    points: int
    value_amount: int
    expected_amount: int


@dataclass(frozen=True, slots=True)
class Liability:
    """The whole report: its lines, and the history it was estimated from."""

    lines: tuple[Line, ...]
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def points(self) -> int:
        """All that is outstanding: exactly what the ledger's accounts hold and have reserved."""
        return sum(line.points for line in self.lines)


def months_between(first: date, last: date) -> int:
    """Return how many months of the calendar lie between two days; 0 within one month."""
    return (last.year - first.year) * 12 + last.month - first.month


def assess(
    parts: Iterable[Part], evidence: Evidence, *, today: date, point_values: Mapping[str, int]
) -> Liability:
    """
    Return what outstanding `parts` are worth and what of that is expected to be asked for.

    `point_values` are minor units by currency. Debts lower what is owed in full: nobody
    forgets to earn them back.
    """
    return Liability(tuple(_line(part, evidence, today, point_values) for part in parts), evidence)


def _line(part: Part, evidence: Evidence, today: date, point_values: Mapping[str, int]) -> Line:
    value = part.points * point_values[part.currency]
    left = None if part.month is None else months_between(today, part.month)
    expected = half_up(value * evidence.rate(left)) if part.points > 0 else value
    return Line(part.store_id, part.currency, part.month, part.points, value, expected)


def sums_by_month(lines: Sequence[Line], currency: str) -> list[Line]:
    """Return the lines of one currency added up by month, in order, what never ends last."""
    months: dict[date | None, list[Line]] = {}
    for line in lines:
        if line.currency == currency:
            months.setdefault(line.month, []).append(line)
    return [
        Line(
            None,
            currency,
            month,
            sum(line.points for line in months[month]),
            sum(line.value_amount for line in months[month]),
            sum(line.expected_amount for line in months[month]),
        )
        for month in sorted(months, key=lambda month: month or date.max)
    ]

"""The programme's rules: what a purchase earns, when points can be spent, when they end, what they are worth."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from babel.numbers import get_currency_precision

from core.clock import day_start, month_end


@dataclass(frozen=True, slots=True)
class Programme:
    """
    One version of the rules.

    A point is earned for each whole major unit of the currency and is worth
    `point_value` minor units when it is spent.
    """

    pending_days: int = 14
    expiry_months: int = 24
    point_value: int = 10

    def pending_until(self, business_date: date) -> date:
        """Return the store's day on which points of `business_date` can first be spent."""
        return business_date + timedelta(days=self.pending_days)

    def available_at(self, business_date: date, timezone: str) -> datetime:
        """Return the moment from which points of `business_date` can be spent."""
        return day_start(self.pending_until(business_date), timezone)

    def last_day(self, business_date: date) -> date:
        """Return the last day on which points of `business_date` can be spent."""
        return month_end(business_date, self.expiry_months)

    def expires_at(self, business_date: date, timezone: str) -> datetime:
        """Return the moment at which points of `business_date` end: the end of their last day."""
        return day_start(self.last_day(business_date) + timedelta(days=1), timezone)

    def points_for(self, base: int, currency: str) -> int:
        """Return the points that `base` minor units earn, rounded down."""
        return max(0, base) // _minor_units(currency)

    def value_of(self, points: int) -> int:
        """Return what `points` are worth when spent, in minor units."""
        return points * self.point_value


DEFAULT = Programme()
"""What holds when nothing else is configured."""


@lru_cache(maxsize=256)
def _minor_units(currency: str) -> int:
    """Return how many minor units make a major one: 100 for CZK, 1 for JPY."""
    return int(10 ** get_currency_precision(currency))

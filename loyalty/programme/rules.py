"""The programme's rules: what a purchase earns, when points can be spent, when they end, what they are worth. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal

from babel.numbers import get_currency_precision

from core.clock import day_start, month_end

MONTH_END: Final = "month_end"
DAY: Final = "day"
YEAR_END: Final = "year_end"
NEVER: Final = "never"
Ending = Literal["month_end", "day", "year_end", "never"]

DISCOUNT: Final = "discount"
TENDER: Final = "tender"
Payment = Literal["discount", "tender"]

LARGEST_EARNING = 10**16
"""What a receipt of nonsensical amounts earns at most, so that the books can hold it."""


@dataclass(frozen=True, slots=True)
class CurrencyRule:
    """In one currency: `points` are earned for `per` minor units, and one is worth `point_value` when spent."""

    points: int
    per: int
    point_value: int


@dataclass(frozen=True, slots=True)
class Excluded:
    """Articles that earn nothing: by department, category, or one by one by SKU."""

    departments: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    articles: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything is excluded at all."""
        return bool(self.departments or self.categories or self.articles)


NOTHING_EXCLUDED: Final = Excluded()


@dataclass(frozen=True, slots=True)
class Programme:
    """
    One version of the rules; as it comes, the till contract's: what holds when nothing else is configured.

    Immutable in every sense: a change of the rules is another version.
    """

    version: int = 0
    """The number it is stored under with every receipt; 0 is the contract's own."""
    currencies: Mapping[str, CurrencyRule] = field(default_factory=dict)
    """In other currencies a point is earned for each whole major unit and worth ten minor ones."""
    net_of_tax: bool = False
    """Whether the tax that is due on a sale earns nothing."""
    earn_on_points: bool = False
    """Whether the part of a bill that is paid with points earns as well."""
    excluded: Excluded = NOTHING_EXCLUDED
    pending_days: int = 14
    ending: Ending = MONTH_END
    ending_months: int = 24
    points_as: Payment = DISCOUNT
    """Points are a discount, which lowers the amount that tax is due on, or a means of payment, which does not."""
    minimum: int = 1
    step: int = 1
    share_percent: int = 100
    """How much of a bill can be paid with points."""
    hold_minutes: int = 10
    unregistered_spend: bool = False
    """Whether points can be spent with a card that has no member yet."""

    def rule(self, currency: str) -> CurrencyRule:
        """Return what is earned and what a point is worth in `currency`."""
        return self.currencies.get(currency) or CurrencyRule(1, _minor_units(currency), 10)

    def pending_until(self, business_date: date) -> date:
        """Return the store's day on which points of `business_date` can first be spent."""
        return business_date + timedelta(days=self.pending_days)

    def available_at(self, business_date: date, timezone: str) -> datetime:
        """Return the moment from which points of `business_date` can be spent."""
        return day_start(self.pending_until(business_date), timezone)

    def last_day(self, business_date: date) -> date | None:
        """Return the last day on which points of `business_date` can be spent; None when they never end."""
        if self.ending == NEVER:
            return None
        end = month_end(business_date, self.ending_months)
        if self.ending == YEAR_END:
            return end.replace(month=12, day=31)
        if self.ending == DAY:
            return end.replace(day=min(end.day, business_date.day))
        return end

    def expires_at(self, business_date: date, timezone: str) -> datetime | None:
        """Return the moment at which points of `business_date` end, the end of their last day; None for never."""
        last = self.last_day(business_date)
        return None if last is None else day_start(last + timedelta(days=1), timezone)

    def points_for(self, base: int | Fraction, currency: str) -> int:
        """Return the points that `base` minor units earn, rounded down once."""
        rule = self.rule(currency)
        return min(LARGEST_EARNING, max(0, base) * rule.points // rule.per)

    def value_of(self, points: int, currency: str) -> int:
        """Return what `points` are worth when spent, in minor units of `currency`."""
        return points * self.rule(currency).point_value

    def allows(self, points: int) -> bool:
        """Return whether so many points can be spent at once: no fewer than the minimum, in whole steps."""
        return points >= self.minimum and points % self.step == 0

    def spendable(self, available: int) -> int:
        """Return how many of `available` points can be spent on a bill that is high enough; never below zero."""
        most = max(0, available) // self.step * self.step
        return most if most >= self.minimum else 0

    def spendable_on(self, payable: int, available: int, currency: str) -> int:
        """Return how many of `available` points can be spent on a bill of `payable` minor units."""
        share = max(0, payable) * self.share_percent // 100
        return self.spendable(min(available, share // self.rule(currency).point_value))

    def exceeds_share(self, value: int, payable: int) -> bool:
        """Return whether points worth `value` are more than the part of a bill that they may pay."""
        return self.share_percent < 100 and value * 100 > max(0, payable) * self.share_percent

    @property
    def held_for(self) -> timedelta:
        """How long a reservation lasts."""
        return timedelta(minutes=self.hold_minutes)


DEFAULT = Programme()
"""What holds when nothing else is configured."""


@dataclass(frozen=True, slots=True)
class Approved:
    """A version that was approved, to hold from the start of `valid_from` in every store."""

    valid_from: date
    approved_at: datetime
    programme: Programme


class Programmes:
    """
    Every version that was ever approved, and which of them holds on a day.

    On each day it is the one of the latest start; of two with one start, the one that was
    approved last, for which the other was given up before it ever held. Before the first
    of all the contract's own rules hold.
    """

    def __init__(self, approved: Iterable[Approved] = ()) -> None:
        ordered = sorted(approved, key=lambda one: (one.valid_from, one.approved_at, one.programme.version))
        self.approved = tuple(ordered)
        self._starts = [one.valid_from for one in ordered]
        self._numbered = {one.programme.version: one.programme for one in ordered}

    def on(self, business_date: date) -> Programme:
        """Return the rules that hold on `business_date`."""
        place = bisect_right(self._starts, business_date)
        return self.approved[place - 1].programme if place else DEFAULT

    def numbered(self, version: int | None) -> Programme:
        """Return the version that is stored under this number with a receipt; None is the contract's own."""
        return self._numbered[version] if version else DEFAULT

    def until(self, version: int) -> date | None:
        """Return the day on which a later version takes over from this one; None when none does."""
        start = next(one.valid_from for one in self.approved if one.programme.version == version)
        return next((later for later in self._starts if later > start), None)

    def ever_holds(self, version: int) -> bool:
        """Return whether there is a day on which this approved version holds."""
        start = next(one.valid_from for one in self.approved if one.programme.version == version)
        return self.on(start).version == version


@lru_cache(maxsize=256)
def _minor_units(currency: str) -> int:
    """Return how many minor units make a major one: 100 for CZK, 1 for JPY."""
    return int(10 ** get_currency_precision(currency))

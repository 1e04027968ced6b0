"""Tiers: what qualifies for them, over which periods, and which version of them holds when. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final, Literal

from core.i18n import called

SPEND: Final = "spend"
VISITS: Final = "visits"
POINTS: Final = "points"
Measure = Literal["spend", "visits", "points"]

CALENDAR_YEAR: Final = "calendar_year"
ROLLING: Final = "rolling"
ANNIVERSARY: Final = "anniversary"
Period = Literal["calendar_year", "rolling", "anniversary"]

DAY: Final = timedelta(days=1)
NO_TIER: Final = -1
"""The rank of who has no tier; the lowest tier has rank 0."""


def years_later(day: date, years: int) -> date:
    """Return the same day in another year; for 29 February the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


@dataclass(frozen=True, slots=True)
class Tier:
    """A level of standing: held by who qualifies with at least `threshold`; `names` by language."""

    code: str
    names: Mapping[str, str]
    threshold: int

    def name(self, language: str) -> str:
        """Return the name in `language`, in English where there is none, at last the code."""
        return called(self.names, language, self.code)


@dataclass(frozen=True, slots=True)
class Scheme:
    """
    One version of the tiers, the lowest first; without any tier there are none.

    Thresholds are points, visits (days with a purchase), or of spend minor units of the first of
    `currencies`, which says what a minor unit of each is worth in it: others do not count.
    """

    tiers: tuple[Tier, ...] = ()
    measure: Measure = POINTS
    period: Period = CALENDAR_YEAR
    currencies: Mapping[str, Decimal] = field(default_factory=dict)
    grace_days: int = 0
    """How long a tier is kept after the end of a period that did not qualify for it."""
    warning_days: int = 30
    """How long before that end the member is warned."""
    version: int = 0

    def rank(self, code: str | None) -> int:
        """Return the place of a tier from 0 up; `NO_TIER` for none, and for one that there is no more."""
        return next((place for place, tier in enumerate(self.tiers) if tier.code == code), NO_TIER)

    def code(self, rank: int) -> str | None:
        """Return the code of the tier of a rank; None for `NO_TIER`."""
        return None if rank < 0 else self.tiers[rank].code

    def reached(self, qualifying: Decimal | int) -> int:
        """Return the rank of the highest tier that so much qualifies for."""
        return bisect_right([tier.threshold for tier in self.tiers], qualifying) - 1

    def higher(self, one: str | None, other: str | None) -> str | None:
        """Return the better of two tiers."""
        return one if self.rank(one) >= self.rank(other) else other

    def window_start(self, joined_on: date, day: date) -> date:
        """Return the first of the days that count on `day`."""
        if self.period == CALENDAR_YEAR:
            return day.replace(month=1, day=1)
        if self.period == ROLLING:
            return years_later(day, -1) + DAY
        years = day.year - joined_on.year
        this_year = years_later(joined_on, years)
        return this_year if this_year <= day else years_later(joined_on, years - 1)

    def period_end(self, joined_on: date, day: date) -> date:
        """Return the day after the period that begins on `day`, or that `day` lies in."""
        if self.period == CALENDAR_YEAR:
            return date(day.year + 1, 1, 1)
        if self.period == ROLLING:
            return years_later(day, 1)
        this_year = years_later(joined_on, day.year - joined_on.year)
        return this_year if this_year > day else years_later(joined_on, day.year - joined_on.year + 1)

    def worth(self, spend: int, currency: str) -> Decimal:
        """Return what an amount of `currency` counts for, in minor units of the scheme's own."""
        return spend * self.currencies.get(currency, Decimal(0))

    def missing(self, rank: int, qualifying: Decimal, currency: str | None = None) -> int | None:
        """
        Return what is missing for the tier above `rank`: points, visits, or minor units of `currency`; None at the top.

        In a currency that does not count it is said in the scheme's own.
        """
        if rank + 1 >= len(self.tiers):
            return None
        left = max(Decimal(0), self.tiers[rank + 1].threshold - max(Decimal(0), qualifying))
        rate = self.currencies.get(currency or "", Decimal(1)) if self.measure == SPEND else Decimal(1)
        return int((left / rate).to_integral_value(ROUND_CEILING))


NO_TIERS: Final = Scheme()
"""What holds when nothing is configured."""


@dataclass(frozen=True, slots=True)
class ApprovedScheme:
    """A version that was approved, to hold from the start of `valid_from`."""

    valid_from: date
    approved_at: datetime
    scheme: Scheme


class Schemes:
    """Every version that was ever approved, and which of them holds on a day: chosen as programmes are."""

    def __init__(self, approved: Iterable[ApprovedScheme] = ()) -> None:
        ordered = sorted(approved, key=lambda one: (one.valid_from, one.approved_at, one.scheme.version))
        # Of two with one start the one that was approved last holds.
        self.approved = tuple({one.valid_from: one for one in ordered}.values())
        self._starts = [one.valid_from for one in self.approved]

    def __bool__(self) -> bool:
        """Whether there is any version at all."""
        return bool(self.approved)

    def on(self, day: date) -> Scheme:
        """Return the tiers that hold on `day`."""
        place = bisect_right(self._starts, day)
        return self.approved[place - 1].scheme if place else NO_TIERS

    def next_start(self, day: date) -> date | None:
        """Return the first day after `day` on which another version takes over."""
        place = bisect_right(self._starts, day)
        return self._starts[place] if place < len(self._starts) else None

    @property
    def counted_from(self) -> date | None:
        """The first day whose purchases can matter for any tier; None when there is none."""
        return years_later(self._starts[0], -1) if self._starts else None

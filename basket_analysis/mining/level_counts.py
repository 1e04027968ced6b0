"""The counts of one level: patched by the days that changed, or counted wholly anew."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from basket_analysis.baskets import BasketTable
from basket_analysis.mining.pair_counts import size_counts
from basket_analysis.mining.projections import count_by_stratum
from basket_analysis.mining.strata import STRATA
from basket_analysis.mining.tallies import NOTHING, Tally, added, pack, tally_of, unpack
from basket_analysis.reading import Level
from core.driver import driver_of

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

EPOCH: Final = date(2000, 1, 1)

TRACKED_PART: Final = 2
"""Pairs are kept of items that reach this part of the least count, so that one may grow before all is counted anew."""

_SAVE_DAY = """
    insert into counted_day_level (business_date, level, counts) values (%s, %s, %s)
    on conflict (business_date, level) do update set counts = excluded.counts
"""

_SAVE_WINDOW = """
    insert into counted_window (level, first_day, following_day, settings, tracked, counts, recounted_at)
    values (%(level)s, %(first)s, %(following)s, %(settings)s, %(tracked)s, %(counts)s, %(now)s)
    on conflict (level) do update
    set first_day = excluded.first_day, following_day = excluded.following_day, settings = excluded.settings,
        tracked = excluded.tracked, counts = excluded.counts,
        recounted_at = excluded.recounted_at
"""

_MOVE_WINDOW = """
    update counted_window set first_day = %s, following_day = %s, counts = %s where level = %s
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """
    How the days of [first_day, following_day) stand, asked before their baskets are read.

    `fingerprints` are of the days with receipts; `refiled` are articles filed elsewhere than when their days were
    counted.
    """

    first_day: date
    following_day: date
    fingerprints: Mapping[date, str]
    refiled: frozenset[int]


@dataclass(frozen=True, slots=True)
class Changes:
    """Days to be counted, those among them that were counted before, and days whose counts leave the window."""

    dirty: frozenset[date]
    stale: frozenset[date]
    gone: frozenset[date]


class LevelCounter:
    """
    Keeps the counts of one level.

    `table` are the window's baskets, in order of `days` (each basket's, since 2000-01-01); code c is called
    numbers[c] in tallies. After `patch` or `recount`, `tally` is the sum of the window's days.
    """

    def __init__(
        self,
        level: Level,
        table: BasketTable,
        *,
        numbers: Int64s,
        days: Int32s,
        least: int,
        max_basket: int,
    ) -> None:
        self.level = level
        self.table = table
        self.numbers = numbers
        self.least = least
        self.tally: Tally = NOTHING
        self._days = days
        self._settings = {"max_basket": max_basket}

    def patch(self, session: Session, standing: Standing, changes: Changes) -> str | None:
        """Take away the days that changed or left, add those that changed or came; return why that will not do."""
        driver = driver_of(session)
        kept = driver.execute(
            "select settings, tracked, counts from counted_window where level = %s", (self.level,)
        ).fetchone()
        if kept is None:
            return "nothing was kept"
        settings, tracked, counts = kept
        if settings != self._settings:
            return "the cap of baskets changed"
        flags = np.isin(self.numbers, np.frombuffer(tracked, "<i8"))
        grown = int(((self.table.item_counts >= self.least) & ~flags).sum())
        if grown:
            return f"{grown} items became frequent"
        away = driver.execute(
            "select counts from counted_day_level where level = %s and business_date = any(%s)",
            (self.level, [*changes.stale, *changes.gone]),
        ).fetchall()
        new = dict(self._by_day(changes.dirty, flags))
        self.tally = added([unpack(counts), *(-unpack(row[0]) for row in away), *new.values()])
        if not self._agrees():
            return "the sum disagreed with the baskets"
        self._save_days(session, new.items())
        values = (standing.first_day, standing.following_day, pack(self.tally), self.level)
        driver.execute(_MOVE_WINDOW, values)
        return None

    def recount(self, session: Session, standing: Standing, *, now: datetime) -> None:
        """Count all days, each by itself and together."""
        flags = self.table.item_counts >= max(1, self.least // TRACKED_PART)
        driver = driver_of(session)
        driver.execute("delete from counted_day_level where level = %s", (self.level,))
        self._save_days(session, self._by_day(standing.fingerprints, flags))
        self.tally = tally_of(self.table, self.numbers, flags)
        driver.execute(
            _SAVE_WINDOW,
            {
                "level": self.level,
                "first": standing.first_day,
                "following": standing.following_day,
                "settings": json.dumps(self._settings),
                "tracked": self.numbers[flags].astype("<i8").tobytes(),
                "counts": pack(self.tally),
                "now": now,
            },
        )

    def _by_day(self, days: Iterable[date], flags: Flags) -> Iterator[tuple[date, Tally]]:
        """Yield each of `days` with its tally."""
        for day in sorted(days):
            number = (day - EPOCH) // timedelta(days=1)
            first, end = np.searchsorted(self._days, [number, number + 1]).tolist()
            yield day, tally_of(self.table, self.numbers, flags, first=first, end=end)

    def _save_days(self, session: Session, tallies: Iterable[tuple[date, Tally]]) -> None:
        driver = driver_of(session)
        for day, tally in tallies:
            driver.execute(_SAVE_DAY, (day, self.level, pack(tally)))

    def _agrees(self) -> bool:
        """Return whether the sum counts as many baskets of each size, and of each item, as there are."""
        sizes = size_counts(self.tally, self.numbers)
        strata = np.zeros((len(self.table.items), STRATA), np.int32)
        count_by_stratum(self.table.offsets, self.table.codes, self.table.strata, strata)
        singles = int(self.tally.counts[(self.tally.lower < 0) & (self.tally.higher >= 0)].sum())
        return (
            np.array_equal(sizes.baskets, self.table.stratum_sizes)
            and np.array_equal(sizes.items, strata)
            and singles == len(self.table.codes)
            and bool((self.tally.counts > 0).all())
        )

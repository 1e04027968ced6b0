"""Baskets of known households in their order of time: what the protocol of groups is measured on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from basket_analysis.assortment.store_baskets import moments_of, weeks_of
from basket_analysis.basket_files import BasketRows
from basket_analysis.baskets import BasketTable, tabulate
from basket_analysis.groups.fading import fade
from basket_analysis.reading import SoldLines

Int32s = NDArray[np.int32]


@dataclass(frozen=True)
class DatedBaskets:
    """
    Pairs (basket, item) of baskets whose household is known.

    `basket` and `item` are per pair; `household`, `week` (0 is the oldest) and `parity` (whether it is an even or odd
    one of its household's) per basket. `items` and `households` are in the order of code points.
    """

    items: tuple[str, ...]
    households: tuple[str, ...]
    basket: Int32s
    item: Int32s
    household: Int32s
    week: Int32s
    parity: Int32s
    weeks: int

    def table(
        self, *, first: int, end: int, parity: int | None = None, of: NDArray[np.bool_] | None = None
    ) -> BasketTable:
        """Return the baskets of the weeks `first` to before `end`, even or odd ones, of some households or of all, faded towards its edges."""
        kept = (self.week >= first) & (self.week < end)
        if parity is not None:
            kept &= self.parity == parity
        if of is not None:
            kept &= of[self.household]
        pairs = kept[self.basket]
        place = np.cumsum(kept).astype(np.int32) - np.int32(1)
        baskets = place[self.basket[pairs]]
        return tabulate(
            baskets=baskets,
            items=self.item[pairs],
            names=self.items,
            basket_count=int(kept.sum()),
            owners=self.household[kept][baskets],
            households=self.households,
            weights=fade(self.week[kept], first=first, last=end - 1),
        )


def dated_baskets(rows: BasketRows) -> DatedBaskets:
    """Return the baskets of a file whose household and time are known; raises UnreadableFile for a time that is none."""
    moments = moments_of(rows)
    households = rows.others.get("household_id")
    owners = np.full(len(rows.baskets), -1, np.int32) if households is None else households.codes
    kept = (owners >= 0) & ~np.isnat(moments)
    _used, baskets = np.unique(rows.baskets[kept], return_inverse=True)
    count = int(baskets.max()) + 1 if len(baskets) else 0
    household = np.full(count, np.iinfo(np.int32).max, np.int32)
    np.minimum.at(household, baskets, owners[kept])
    earliest = np.full(count, np.iinfo(np.int64).max, np.int64)
    np.minimum.at(earliest, baskets, moments[kept].astype("datetime64[us]").astype(np.int64))
    smallest = np.full(count, np.iinfo(np.int32).max, np.int32)
    np.minimum.at(smallest, baskets, rows.items.codes[kept])
    week, weeks = weeks_of(earliest.astype("datetime64[us]"))
    return DatedBaskets(
        items=rows.items.texts,
        households=households.texts if households else (),
        basket=baskets.astype(np.int32),
        item=rows.items.codes[kept],
        household=household,
        week=week,
        parity=_parity(household, earliest, smallest),
        weeks=weeks,
    )


def sold_baskets(sold: SoldLines) -> DatedBaskets:
    """Return the baskets of known members out of a database, of categories; receipts of a day count in their order."""
    categories = [article.category for article in sold.articles]
    names = sorted({category for category in categories if category is not None})
    code_of = {name: code for code, name in enumerate(names)}
    item = np.array(
        [-1 if category is None else code_of[category] for category in categories] or [-1], np.int32
    )[sold.article]
    kept = (item >= 0) & (sold.member >= 0)[sold.basket]
    used, basket = np.unique(sold.basket[kept], return_inverse=True)
    day, household = sold.day[used], sold.member[used]
    newest = int(day.max()) if len(day) else 0
    weeks = (newest - int(day.min())) // 7 + 1 if len(day) else 0
    return DatedBaskets(
        items=tuple(names),
        households=tuple(str(number).zfill(9) for number in range(len(sold.members))),
        basket=basket.astype(np.int32),
        item=item[kept],
        household=household,
        week=(weeks - 1 - (newest - day) // 7).astype(np.int32),
        parity=_parity(household, day.astype(np.int64), np.arange(len(used), dtype=np.int32)),
        weeks=weeks,
    )


def _parity(household: Int32s, moments: NDArray[np.int64], smallest: Int32s) -> Int32s:
    """Return whether each basket is an even or odd one of its household's, in the order of time."""
    order = np.lexsort((smallest, moments, household))
    owners = household[order]
    starts = np.r_[True, owners[1:] != owners[:-1]] if len(owners) else np.zeros(0, np.bool_)
    position = np.arange(len(owners))
    since = position - np.maximum.accumulate(np.where(starts, position, 0)) if len(owners) else position
    parity = np.empty(len(owners), np.int32)
    parity[order] = since % 2
    return parity

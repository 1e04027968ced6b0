"""The basket table: who bought what together, as integers in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from basket_analysis.mining.compiled import compiled
from basket_analysis.mining.projections import count_items
from basket_analysis.mining.strata import stratum_of, stratum_sizes

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

NON_MERCHANDISE_DEPARTMENTS = frozenset(
    {
        "FUEL",
        "COUPON",
        "MISCELLANEOUS",
        "POSTAL CENTER",
        "CNTRL/STORE SUP",
        "PROD-WHS SALES",
        "PHOTO & VIDEO",
        "GM MERCH EXP",
        "ELECT &PLUMBING",
    }
)
NON_MERCHANDISE_CATEGORIES = frozenset({"COUPON/MISC ITEMS"})
"""What a till rings up besides goods on a shelf; it is left out before mining."""


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit on the items of one basket, and what it cost."""

    max_basket: int
    baskets_cut: int
    pairs_dropped: int


@dataclass(frozen=True)
class BasketTable:
    """
    Baskets of distinct items.

    Basket b holds codes[offsets[b]:offsets[b + 1]], rising; code c is items[c], in the order of
    code points. `strata` is the size stratum of each basket as it was bought, before any cap.
    `owners` is each basket's index into `households`, -1 when nobody is known. `weights` say how much each basket
    says of what households are like, where not all say the same.
    """

    items: tuple[str, ...]
    offsets: Int64s
    codes: Int32s
    strata: Int32s
    households: tuple[str, ...]
    owners: Int32s
    duplicates: int
    cap: Cap | None
    weights: Floats | None = None

    def __len__(self) -> int:
        """Return the number of baskets."""
        return len(self.strata)

    @cached_property
    def stratum_sizes(self) -> Int64s:
        """Baskets per stratum."""
        return stratum_sizes(self.strata)

    @cached_property
    def item_counts(self) -> Int64s:
        """Baskets per item."""
        counts = np.zeros(len(self.items), np.int64)
        count_items(self.codes, counts)
        return counts


def tabulate(
    *,
    baskets: Int32s,
    items: Int32s,
    names: Sequence[str],
    basket_count: int,
    owners: Int32s | None = None,
    households: Sequence[str] = (),
    max_basket: int | None = None,
    days: Int32s | None = None,
    weights: Floats | None = None,
) -> BasketTable:
    """
    Return the table of rows (basket, item), in whatever order; a pair counts once.

    `baskets` are 0..basket_count - 1, each with at least one row; `items` index `names`, which
    must be in the order of code points. `owners` gives each row's household or -1; of several
    households in one basket the first by code point has it.

    Of a basket longer than `max_basket` those items stay that most baskets hold: they are
    the ones that can be frequent. Its stratum stays that of its full size. Given each basket's
    day, which never falls, only those of the same day are asked, so that a day's baskets do not
    depend on other days. `weights` are the baskets', if any.
    """
    offsets, codes, duplicates = _group(baskets, items, basket_count, len(names))
    strata = stratum_of(np.diff(offsets))
    cap = None
    if max_basket is not None:
        offsets, codes, cap = _cut(offsets, codes, len(names), max_basket, days)
    owner_of = np.full(basket_count, -1, np.int32)
    if owners is not None:
        _first_owner(baskets, owners, owner_of)
    return BasketTable(
        items=tuple(names),
        offsets=offsets,
        codes=codes,
        strata=strata,
        households=tuple(households),
        owners=owner_of,
        duplicates=int(duplicates),
        cap=cap,
        weights=weights,
    )


def _cut(
    offsets: Int64s, codes: Int32s, items: int, max_basket: int, days: Int32s | None
) -> tuple[Int64s, Int32s, Cap]:
    sizes = np.diff(offsets)
    kept = np.ones(len(codes), np.bool_)
    long = np.flatnonzero(sizes > max_basket)
    day_of = np.zeros(len(sizes), np.int32) if days is None else days
    for day in np.unique(day_of[long]).tolist():
        since, until = np.searchsorted(day_of, [day, day + 1])
        place = _places(codes[offsets[since] : offsets[until]], items)
        for basket in long[day_of[long] == day].tolist():
            first, last = offsets[basket], offsets[basket + 1]
            kept[first + np.argsort(place[codes[first:last]], kind="stable")[max_basket:]] = False
    shorter = np.concatenate([[0], np.cumsum(np.minimum(sizes, max_basket))]).astype(np.int64)
    return shorter, codes[kept], Cap(max_basket, len(long), int((~kept).sum()))


def _places(codes: Int32s, items: int) -> Int64s:
    """Return the place of each item among all, the one that comes most often first."""
    counts = np.bincount(codes, minlength=items)
    place = np.empty(items, np.int64)
    place[np.lexsort((np.arange(items), -counts))] = np.arange(items)
    return place


@compiled
def _group(baskets: Int32s, items: Int32s, basket_count: int, item_count: int) -> tuple[Int64s, Int32s, int]:
    """Sort rows by basket and item by counting twice, and drop repeated pairs."""
    by_item = np.zeros(item_count + 1, np.int64)
    by_basket = np.zeros(basket_count + 1, np.int64)
    for row in range(len(baskets)):
        by_item[items[row] + 1] += 1
        by_basket[baskets[row] + 1] += 1
    for item in range(item_count):
        by_item[item + 1] += by_item[item]
    for basket in range(basket_count):
        by_basket[basket + 1] += by_basket[basket]
    holders = np.empty(len(baskets), np.int32)
    fill = by_item[:item_count].copy()
    for row in range(len(baskets)):
        holders[fill[items[row]]] = baskets[row]
        fill[items[row]] += 1
    codes = np.empty(len(baskets), np.int32)
    put = by_basket[:basket_count].copy()
    for item in range(item_count):
        for at in range(by_item[item], by_item[item + 1]):
            basket = holders[at]
            if put[basket] == by_basket[basket] or codes[put[basket] - 1] != item:
                codes[put[basket]] = item
                put[basket] += 1
    offsets = np.zeros(basket_count + 1, np.int64)
    used = 0
    for basket in range(basket_count):
        for at in range(by_basket[basket], put[basket]):
            codes[used] = codes[at]
            used += 1
        offsets[basket + 1] = used
    return offsets, codes[:used].copy(), len(baskets) - used


@compiled
def _first_owner(baskets: Int32s, owners: Int32s, owner_of: Int32s) -> None:
    for row in range(len(baskets)):
        owner = owners[row]
        if owner >= 0 and (owner_of[baskets[row]] < 0 or owner < owner_of[baskets[row]]):
            owner_of[baskets[row]] = owner

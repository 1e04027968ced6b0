"""A store against the other stores: whose baskets it gets, which categories they spend on, and what moved lately."""

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from basket_analysis.significance import FalseDiscovery
from basket_analysis.store_sales import Floats, Int32s, Int64s, SalesTable

Z80 = 1.2815515655446004
"""Half the width of an 80 % interval of the normal distribution, in standard errors."""

LATELY = 4
"""Weeks that are held against as many before them."""


@dataclass(frozen=True, slots=True)
class GroupShare:
    """
    How many of a store's baskets members of one group make, with an 80 % interval.

    `elsewhere` is the share in the other stores; `z` says how sure the difference is, households
    taken as a whole. `revenue` is in minor units a week.
    """

    group: int
    households: int
    baskets: int
    revenue: int
    share: float
    low: float
    high: float
    elsewhere: float
    z: float


@dataclass(frozen=True, slots=True)
class CategoryFigures:
    """
    What a store sells of a category, and what it would with the spending per basket of the other stores.

    Money in minor units a week; `gap` is what it sells above (below: negative) the others, with an 80 %
    interval; `q` the false-discovery rate of its being no gap at all. `lately` and `before` are the
    households that bought it in the last four weeks and the four before, here and elsewhere (None
    where too few), `moved_q` the rate of the store's moving otherwise than the others being chance.
    """

    category: int
    revenue: int
    baskets: int
    households: int
    expected: int
    gap: int
    low: int
    high: int
    q: float
    lately: int | None
    before: int | None
    lately_elsewhere: int
    before_elsewhere: int
    moved_q: float | None


class _Move(TypedDict):
    """How many households bought a category in two stretches of weeks."""

    lately: int | None
    before: int | None
    lately_elsewhere: int
    before_elsewhere: int
    moved_q: float | None


class StoreComparison:
    """
    Compares every store with all others that have its currency.

    Baskets of one household are not independent, so every interval is taken over households. Nothing is
    said of fewer than `min_people` households.
    """

    def __init__(self, *, min_people: int = 10) -> None:
        self.min_people = min_people

    def fit(
        self, table: SalesTable, *, category_of: Int32s, group_of: Int32s, currency_of: Int32s
    ) -> "StoreComparison":
        """Learn from `table`; a category per article, a group per household (-1: none), a currency per store."""
        self._table, self._group_of = table, group_of
        self._peers = currency_of[:, None] == currency_of[None, :]
        people = int(table.household.max(initial=0)) + 1
        shoppers, self._shopper = np.unique(
            table.store.astype(np.int64) * people + table.household, return_inverse=True
        )
        self._store_of, self._household_of = np.divmod(shoppers, people)
        self._visits = np.bincount(self._shopper, minlength=len(shoppers)).astype(np.int64)
        self._spent = np.bincount(self._shopper, weights=table.totals, minlength=len(shoppers))
        self._baskets = np.bincount(self._store_of, weights=self._visits, minlength=table.stores)
        self._categories(category_of)
        return self

    def groups(self, store: int) -> list[GroupShare]:
        """Return the groups of a store's shoppers, the most frequent first."""
        table, own = self._table, self._store_of == store
        others = self._peers[store][self._store_of] & ~own
        found = []
        for group in np.unique(self._group_of[self._household_of[own]]).tolist():
            member = self._group_of[self._household_of] == group
            households = int(np.count_nonzero(own & member))
            if group < 0 or households < self.min_people:
                continue
            share, error = _share(self._visits, member, own)
            elsewhere, other_error = _share(self._visits, member, others) if others.any() else (share, 0.0)
            spread = float(np.hypot(error, other_error))
            found.append(
                GroupShare(
                    group=group,
                    households=households,
                    baskets=int(self._visits[own & member].sum()),
                    revenue=round(float(self._spent[own & member].sum()) / table.weeks),
                    share=share,
                    low=max(0.0, share - Z80 * error),
                    high=min(1.0, share + Z80 * error),
                    elsewhere=elsewhere,
                    z=(share - elsewhere) / spread if spread > 0 else 0.0,
                )
            )
        return sorted(found, key=lambda one: (-one.share, one.group))

    def households(self, store: int) -> int:
        """Return how many known households shopped in a store."""
        return int(np.count_nonzero(self._store_of == store))

    def revenue(self, store: int) -> int:
        """Return what known households spent in a store a week, in minor units."""
        return round(float(self._spent[self._store_of == store].sum()) / self._table.weeks)

    def categories(self, store: int) -> list[CategoryFigures]:
        """Return the categories that a store sells to enough households, the largest gap below the others first."""
        own = np.flatnonzero(self._cell_store == store)
        peers = self._peers[store].copy()
        peers[store] = False
        baskets = self._baskets[store]
        visits = np.where(self._store_of == store, self._visits, 0)
        shown: list[tuple[int, Int64s]] = []
        for category in np.unique(self._cell_category[own]).tolist():
            cells = own[self._cell_category[own] == category]
            if len(cells) >= self.min_people:
                shown.append((category, cells))
        # Without others to be held against, what is sold is what is expected.
        held = peers if peers.any() else np.arange(self._table.stores) == store
        per_basket = self._revenue[held].sum(axis=0) / max(float(self._baskets[held].sum()), 1.0)
        rates = [float(per_basket[category]) for category, _cells in shown]
        errors = [
            self._error(cells, visits, rate) for (_category, cells), rate in zip(shown, rates, strict=True)
        ]
        gaps = [
            float(self._revenue[store, category]) - rate * baskets
            for (category, _cells), rate in zip(shown, rates, strict=True)
        ]
        q = _q(np.array([gap / error if error > 0 else 0.0 for gap, error in zip(gaps, errors, strict=True)]))
        moves = self._moves(store, peers, [category for category, _cells in shown])
        weeks = self._table.weeks
        found = [
            CategoryFigures(
                category=category,
                revenue=round(float(self._revenue[store, category]) / weeks),
                baskets=int(self._cell_baskets[cells].sum()),
                households=len(cells),
                expected=round(rate * baskets / weeks),
                gap=round(gap / weeks),
                low=round((gap - Z80 * error) / weeks),
                high=round((gap + Z80 * error) / weeks),
                q=float(q[at]),
                **moves[at],
            )
            for at, ((category, cells), rate, gap, error) in enumerate(
                zip(shown, rates, gaps, errors, strict=True)
            )
        ]
        return sorted(found, key=lambda one: (one.gap, one.category))

    def _categories(self, category_of: Int32s) -> None:
        """Add up value and baskets by shopper and category, and households by category in two stretches of weeks."""
        table = self._table
        category = category_of[table.article]
        known = category >= 0
        width = int(category_of.max(initial=-1)) + 1
        cells, place = np.unique(
            self._shopper[table.basket[known]].astype(np.int64) * max(width, 1) + category[known],
            return_inverse=True,
        )
        shopper, self._cell_category = np.divmod(cells, max(width, 1))
        self._cell_shopper, self._cell_store = shopper, self._store_of[shopper]
        self._cell_value = np.bincount(place, weights=table.value[known], minlength=len(cells))
        pairs = np.unique(place.astype(np.int64) * max(1, len(table.store)) + table.basket[known])
        self._cell_baskets = np.bincount(pairs // max(1, len(table.store)), minlength=len(cells))
        self._revenue = _grid(self._cell_store, self._cell_category, self._cell_value, table.stores, width)
        self._active, self._buyers = [], []
        for first in (table.weeks - LATELY, table.weeks - 2 * LATELY):
            during = (table.week >= first) & (table.week < first + LATELY)
            shoppers = np.unique(self._shopper[during])
            self._active.append(np.bincount(self._store_of[shoppers], minlength=table.stores))
            bought = np.unique(place[during[table.basket[known]]])
            self._buyers.append(
                _grid(self._cell_store[bought], self._cell_category[bought], None, table.stores, width)
            )

    def _error(self, cells: Int64s, visits: Int64s, rate: float) -> float:
        """Return the standard error over households of a category's revenue beyond `rate` per basket."""
        rest = -rate * visits.astype(np.float64)
        rest[self._cell_shopper[cells]] += self._cell_value[cells]
        return float(np.sqrt((rest**2).sum()))

    def _moves(self, store: int, peers: NDArray[np.bool_], categories: list[int]) -> list[_Move]:
        """Return how many households bought each category lately and before, and whether that is the store's own."""
        lately, before = (grid[store, categories] for grid in self._buyers)
        lately_there, before_there = (grid[peers][:, categories].sum(axis=0) for grid in self._buyers)
        active, active_before = (counts[store] for counts in self._active)
        there, there_before = (counts[peers].sum() for counts in self._active)
        enough = (
            (np.minimum(lately, before) >= self.min_people)
            & (np.minimum(lately_there, before_there) >= self.min_people)
            & (min(active, active_before, there, there_before) > 0)
        )
        z = np.zeros(len(categories))
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.log((lately / active) / (before / active_before))
            moved -= np.log((lately_there / there) / (before_there / there_before))
            spread = np.sqrt(1 / lately + 1 / before + 1 / lately_there + 1 / before_there)
            z[enough] = (moved / spread)[enough]
        q = np.ones(len(categories))
        q[enough] = _q(z[enough])
        return [
            _Move(
                lately=int(lately[at]) if enough[at] else None,
                before=int(before[at]) if enough[at] else None,
                lately_elsewhere=int(lately_there[at]),
                before_elsewhere=int(before_there[at]),
                moved_q=float(q[at]) if enough[at] else None,
            )
            for at in range(len(categories))
        ]


def _share(visits: Int64s, member: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share of the baskets of `chosen` shoppers that are `member`'s, and its error over households."""
    of = float(visits[chosen].sum())
    if not of:
        return 0.0, 0.0
    share = float(visits[chosen & member].sum()) / of
    rest = visits[chosen] * (member[chosen] - share)
    return share, float(np.sqrt((rest**2).sum())) / of


def _grid(rows: Any, columns: Any, weights: Any, height: int, width: int) -> NDArray[np.float64]:
    flat = np.bincount(rows * max(width, 1) + columns, weights=weights, minlength=height * max(width, 1))
    grid: NDArray[np.float64] = flat.astype(np.float64).reshape(height, max(width, 1))
    return grid


def _q(z: Floats) -> Floats:
    from scipy.special import ndtr  # noqa: PLC0415 - slow to import, needed by the night only

    tails: Floats = 2 * ndtr(-np.abs(z))
    return FalseDiscovery(np.sort(tails)).q(tails)

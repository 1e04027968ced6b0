"""A store against the other stores: whose baskets it gets, which categories they spend on, and what moved lately."""

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from basket_analysis.assortment.store_sales import Floats, Int32s, SalesTable
from basket_analysis.distinct import distinct
from basket_analysis.mining.significance import FalseDiscovery

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
        self._table = table
        people = int(table.household.max(initial=0)) + 1
        # Shoppers, a household in a store each, and with them all that is kept by shopper, stand store by store.
        shoppers, shopper = np.unique(
            table.store.astype(np.int64) * people + table.household, return_inverse=True
        )
        self._shopper = shopper.astype(np.int32)
        self._store_of = (shoppers // people).astype(np.int32)
        self._visits = np.bincount(self._shopper, minlength=len(shoppers)).astype(np.int32)
        spent = np.bincount(self._shopper, weights=table.totals, minlength=len(shoppers))
        self._households = np.bincount(self._store_of, minlength=table.stores)
        # Too few shoppers are nobody's measure.
        self._peers = (currency_of[:, None] == currency_of) & (self._households >= self.min_people)
        np.fill_diagonal(self._peers, val=False)
        self._groups(group_of[shoppers % people], spent)
        self._categories(category_of)
        return self

    def groups(self, store: int) -> list[GroupShare]:
        """
        Return the groups of a store's shoppers, the most frequent first.

        Where those left out are too few together, the smallest group told is left out with them: otherwise the
        store's households less those of its groups would tell of them.
        """
        visits, squares = self._group_visits, self._group_squares
        peers = self._peers[store]
        share, error = _shares(visits[store], squares[store])
        elsewhere, other_error = share, np.zeros(len(share))
        if peers.any():
            elsewhere, other_error = _shares(visits[peers].sum(axis=0), squares[peers].sum(axis=0))
        spread = np.hypot(error, other_error)
        # The first column is of those without a group.
        found = [
            GroupShare(
                group=at - 1,
                households=int(self._group_households[store, at]),
                baskets=int(visits[store, at]),
                revenue=round(float(self._group_spent[store, at]) / self._table.weeks),
                share=float(share[at]),
                low=max(0.0, float(share[at] - Z80 * error[at])),
                high=min(1.0, float(share[at] + Z80 * error[at])),
                elsewhere=float(elsewhere[at]),
                z=float((share[at] - elsewhere[at]) / spread[at]) if spread[at] > 0 else 0.0,
            )
            for at in self._told(store)
        ]
        return sorted(found, key=lambda one: (-one.share, one.group))

    def _told(self, store: int) -> list[int]:
        """Return the columns of the groups that may be told, so that enough people are left out, or nobody."""
        people = self._group_households[store]
        told = sorted(
            np.flatnonzero(people[1:] >= self.min_people) + 1, key=lambda column: (-people[column], column)
        )
        while told and 0 < people.sum() - people[told].sum() < self.min_people:
            told.pop()
        return [int(column) for column in told]

    def households(self, store: int) -> int:
        """Return how many known households shopped in a store."""
        return int(self._households[store])

    def revenue(self, store: int) -> int:
        """Return what known households spent in a store a week, in minor units."""
        return round(float(self._group_spent[store].sum()) / self._table.weeks)

    def categories(self, store: int) -> list[CategoryFigures]:
        """Return the categories that a store sells to enough households, the largest gap below the others first."""
        all_baskets, weeks = self._group_visits.sum(axis=1), self._table.weeks
        peers = self._peers[store]
        # Without others to be held against, what is sold is what is expected.
        held = peers if peers.any() else np.arange(self._table.stores) == store
        rates = self._revenue[held].sum(axis=0) / max(float(all_baskets[held].sum()), 1.0)
        cells = slice(*np.searchsorted(self._cell_store, [store, store + 1]))
        households = np.bincount(self._cell_category[cells], minlength=len(rates))
        baskets = np.bincount(
            self._cell_category[cells], weights=self._cell_baskets[cells], minlength=len(rates)
        )
        shown = np.flatnonzero(households >= self.min_people).tolist()
        errors = self._errors(store, cells, rates)
        expected = rates * all_baskets[store]
        gaps = self._revenue[store] - expected
        z = np.divide(gaps, errors, out=np.zeros(len(gaps)), where=errors > 0)
        found = [
            CategoryFigures(
                category=category,
                revenue=round(float(self._revenue[store, category]) / weeks),
                baskets=int(baskets[category]),
                households=int(households[category]),
                expected=round(float(expected[category]) / weeks),
                gap=round(float(gaps[category]) / weeks),
                low=round(float(gaps[category] - Z80 * errors[category]) / weeks),
                high=round(float(gaps[category] + Z80 * errors[category]) / weeks),
                q=float(q),
                **move,
            )
            for category, q, move in zip(shown, _q(z[shown]), self._moves(store, peers, shown), strict=True)
        ]
        return sorted(found, key=lambda one: (one.gap, one.category))

    def _groups(self, group: Int32s, spent: Any) -> None:
        """Add up shoppers, baskets, their squares and value by store and group, those without one in the first column."""
        stores, width, column = self._table.stores, int(group.max(initial=-1)) + 2, group + 1
        visits = self._visits.astype(np.float64)
        self._group_households, self._group_visits, self._group_squares, self._group_spent = (
            _grid(self._store_of, column, weights, stores, width)
            for weights in (None, visits, visits**2, spent)
        )

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
        self._cell_category = (cells % max(width, 1)).astype(np.int32)
        self._cell_shopper = (cells // max(width, 1)).astype(np.int32)
        self._cell_store = self._store_of[self._cell_shopper]
        self._cell_value = np.bincount(place, weights=table.value[known], minlength=len(cells))
        pairs = distinct(place.astype(np.int64) * max(1, len(table.store)) + table.basket[known])
        self._cell_baskets = np.bincount(pairs // max(1, len(table.store)), minlength=len(cells))
        self._revenue = _grid(self._cell_store, self._cell_category, self._cell_value, table.stores, width)
        self._active, self._buyers = [], []
        for first in (table.weeks - LATELY, table.weeks - 2 * LATELY):
            during = (table.week >= first) & (table.week < first + LATELY)
            shoppers = distinct(self._shopper[during])
            self._active.append(np.bincount(self._store_of[shoppers], minlength=table.stores))
            bought = distinct(place[during[table.basket[known]]])
            self._buyers.append(
                _grid(self._cell_store[bought], self._cell_category[bought], None, table.stores, width)
            )

    def _errors(self, store: int, cells: slice, rates: Floats) -> Floats:
        """
        Return the standard error over households of each category's revenue beyond its rate per basket.

        A household that did not buy the category is as far below the rate as its baskets let expect, so its
        square is that of its baskets times the rate's; only those that did are looked at one by one.
        """
        category = self._cell_category[cells]
        visits = self._visits[self._cell_shopper[cells]].astype(np.float64)
        beyond = self._cell_value[cells] - rates[category] * visits
        of_buyers = np.bincount(category, weights=beyond**2, minlength=len(rates))
        others = self._group_squares[store].sum() - np.bincount(
            category, weights=visits**2, minlength=len(rates)
        )
        errors: Floats = np.sqrt(of_buyers + rates**2 * others)
        return errors

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


def _shares(visits: Floats, squares: Floats) -> tuple[Floats, Floats]:
    """Return each group's share of all `visits`, and its error over shoppers, whose squares are added up by group."""
    of = max(float(visits.sum()), 1.0)
    share = visits / of
    rest = (1 - share) ** 2 * squares + share**2 * (squares.sum() - squares)
    return share, np.sqrt(rest) / of


def _grid(rows: Any, columns: Any, weights: Any, height: int, width: int) -> NDArray[np.float64]:
    flat = np.bincount(
        rows.astype(np.int64) * max(width, 1) + columns, weights=weights, minlength=height * max(width, 1)
    )
    grid: NDArray[np.float64] = flat.astype(np.float64).reshape(height, max(width, 1))
    return grid


def _q(z: Floats) -> Floats:
    from scipy.special import ndtr  # noqa: PLC0415 - slow to import, needed by the night only

    tails: Floats = 2 * ndtr(-np.abs(z))
    return FalseDiscovery(np.sort(tails)).q(tails)

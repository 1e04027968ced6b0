"""Listing candidates: which items of the chain a store that never sold them would sell, learnt from its own past."""

from dataclasses import dataclass

import numpy as np

from basket_analysis.assortment.listing_features import WITHOUT_PAST, StoreSignals, evenly, first_sold
from basket_analysis.assortment.listing_values import QUARTER, ListingValues, Stretch, Worth
from basket_analysis.assortment.store_baskets import Floats, Int32s, Int64s, StoreBaskets
from basket_analysis.distinct import distinct

SHORTEST_PAST = 6
"""Weeks that a file needs at least for anything to be learnt from them."""

MOST_ROWS = 2_000_000
"""Pairs of store and item that are learnt from at most; beyond them fewer stores are looked at."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that a store has never sold; `worth` is None where the file says no times or no values."""

    store: str
    item: str
    rank: int
    worth: Worth | None
    households: int


class ListingRanker:
    """
    Ranks, for every store with enough baskets, the items of the chain that it has never sold.

    The first two thirds of the weeks tell what was known, the last third which of the items unknown to a
    store it then sold; a logistic regression learns from that how much each of the `SIGNALS` means, and
    ranks by the signals of the whole window. Files without times, or with too short a past, are ranked by
    the `WITHOUT_PAST` signals in equal parts. After `fit`, `weights_` has the weight of each signal in
    standard deviations, and `learnt_` says whether they were learnt. `groups` gives each household's shopper
    group, -1 for none, as one more signal.
    """

    def __init__(
        self, *, min_store_baskets: int = 500, min_item_baskets: int = 50, groups: Int32s | None = None
    ) -> None:
        self.min_store_baskets = min_store_baskets
        self.min_item_baskets = min_item_baskets
        self.groups = groups

    def fit(self, table: StoreBaskets) -> "ListingRanker":
        """Learn from all of `table`."""
        self._table = table
        self._signals = self._read(table, 1.0)
        learnt = self._learn(table)
        self.learnt_ = learnt is not None
        fallback = np.array([float(name in WITHOUT_PAST) for name in self._signals.names])
        self.weights_ = fallback if learnt is None else learnt
        self._values = ListingValues(table) if table.weeks is not None and table.value is not None else None
        self._buyers = _buyers(table)
        return self

    @property
    def stores_(self) -> list[str]:
        """The stores that are ranked for."""
        return [self._table.stores[store] for store in self._signals.stores]

    def rank(self, store: str, *, top: int, stretch: Stretch = QUARTER) -> list[Candidate]:
        """Return the `top` candidates for a store, best first; equal ones in the order of code points; their worth is a mean over `stretch`."""
        number = self._table.stores.index(store)
        candidates = np.flatnonzero(self._signals.candidates(number))
        if not len(candidates):
            return []
        signals = self._signals.of(number)[candidates]
        scores = self._scaled(signals) @ self.weights_
        best = np.argsort(-scores, kind="stable")[:top]
        items = self._signals.items[candidates[best]]
        worths = self._values.of(number, items, stretch) if self._values else [None] * len(items)
        return [
            Candidate(store, self._table.items[item], rank, worth, int(self._buyers[item]))
            for rank, (item, worth) in enumerate(zip(items.tolist(), worths, strict=True), start=1)
        ]

    def _scaled(self, signals: Floats) -> Floats:
        if self.learnt_:
            return np.asarray(self._scaler.transform(signals))
        spread = signals.std(axis=0)
        return np.asarray((signals - signals.mean(axis=0)) / np.where(spread > 0, spread, 1.0))

    def _read(self, table: StoreBaskets, part: float) -> StoreSignals:
        """Return the signals of a window that is `part` as long as the whole one."""
        return StoreSignals(
            table,
            min_store_baskets=self.min_store_baskets * part,
            min_item_baskets=self.min_item_baskets * part,
            groups=self.groups,
        )

    def _learn(self, table: StoreBaskets) -> Floats | None:
        """Return the weights that would have ranked the last third of the weeks best; None without a past."""
        if table.weeks is None or table.weeks < SHORTEST_PAST:
            return None
        end = round(table.weeks * 2 / 3)
        before = self._read(table.between(0, end), end / table.weeks)
        later = table.between(end, table.weeks)
        stores = [int(store) for store in before.stores]
        at_most = max(1, MOST_ROWS // max(1, len(before.items)))
        signals, sold = [], []
        for store in evenly(stores, at_most) if stores else []:
            candidates = before.candidates(store)
            signals.append(before.of(store)[candidates])
            sold.append(first_sold(later, store, before.items[candidates]))
        if not sold or len(np.unique(np.concatenate(sold))) < 2:
            return None
        # Only who ranks pays for loading it.
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
        from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

        rows = np.concatenate(signals)
        self._scaler = StandardScaler().fit(rows)
        model = LogisticRegression(max_iter=500).fit(self._scaler.transform(rows), np.concatenate(sold))
        return np.asarray(model.coef_[0], dtype=np.float64)


def _buyers(table: StoreBaskets) -> Int64s:
    """Return how many households of the chain bought each item."""
    owners = table.household[table.basket].astype(np.int64)
    known = owners >= 0
    pairs = distinct(owners[known] * len(table.items) + table.item[known])
    return np.bincount(pairs % max(1, len(table.items)), minlength=len(table.items)).astype(np.int64)

"""What speaks for an item in a store that does not sell it: the signals that listing candidates are ranked by."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from basket_analysis.assortment.store_baskets import Floats, Int32s, Int64s, StoreBaskets, counted

SIGNALS = (
    "stores",
    "recent_stores",
    "popularity",
    "latest_popularity",
    "traffic",
    "households",
    "alike",
    "neighbours",
    "type_covered",
    "category_covered",
)
"""The columns of `StoreSignals.of`, in order."""

WITHOUT_PAST = ("stores", "alike", "neighbours")
"""The signals that rank, in equal parts, where nothing can be learnt from the past."""

NEIGHBOURS = 30
RIDGE = 0.3
"""Share of the kernel's mean diagonal that is added to it: how far a store's own range is drawn to the chain's."""


class StoreSignals:
    """
    The signals of one window of baskets, for stores and the items that enough baskets hold.

    A store tells the others something when it has at least a fifth of the baskets that a store needs to be
    ranked for. `stores` and `items` index the table's. With `groups`, each household's shopper group and -1
    for none, there is one more signal: how often the groups that come here buy the item elsewhere.
    """

    def __init__(
        self,
        table: StoreBaskets,
        *,
        min_store_baskets: float,
        min_item_baskets: float,
        groups: Int32s | None = None,
    ) -> None:
        self.table = table
        self.names = SIGNALS if groups is None else (*SIGNALS, "groups")
        self._groups = groups
        self._by_group: Floats | None = None
        self.stores = np.flatnonzero(table.per_store >= max(1.0, min_store_baskets))
        self.items = np.flatnonzero(table.per_item >= max(1.0, min_item_baskets))
        self._telling = np.flatnonzero(table.per_store >= max(1.0, min_store_baskets / 5))
        self._place = {int(store): place for place, store in enumerate(self._telling)}
        self._sold = table.by_store[self._telling][:, self.items].tocsr()

    def candidates(self, store: int) -> NDArray[np.bool_]:
        """Return which of `items` the store has never sold."""
        sold = np.zeros(len(self.items), np.bool_)
        sold[self._sold[self._place[store]].indices] = True
        return ~sold

    def of(self, store: int) -> Floats:
        """Return the signals of all `items` for one of `stores`, one column for each of `names`."""
        constant = self._of_items
        place = self._place[store]
        columns = {
            **constant,
            "traffic": np.full(len(self.items), np.log1p(self._recent.per_store[store])),
            "households": np.log(self._expected(store) + 1e-3),
            "alike": np.asarray(self._kernel[place] @ self._weighted).ravel(),
            "neighbours": self._share_of_neighbours(place),
            "type_covered": self._covered(store, self.table.type_of),
            "category_covered": self._covered(store, self.table.category_of),
        }
        if self._groups is not None:
            columns["groups"] = np.log(self._of_groups(self._groups)[store] + 1e-3)
        return np.column_stack([columns[name] for name in self.names])

    @cached_property
    def _recent(self) -> StoreBaskets:
        return self._last(5)

    def _last(self, part: int) -> StoreBaskets:
        """Return the last `part`-th of the window; all of it where the file says no times."""
        weeks = self.table.weeks
        return self.table if weeks is None else self.table.between(weeks - max(1, round(weeks / part)), weeks)

    @cached_property
    def _of_items(self) -> dict[str, Floats]:
        latest = self._last(10)
        return {
            "stores": np.log(np.diff(self.table.by_store.tocsc().indptr)[self.items] + 1e-3),
            "recent_stores": np.log(np.diff(self._recent.by_store.tocsc().indptr)[self.items] + 1e-3),
            "popularity": np.log(self.table.per_item[self.items] + 1e-3),
            "latest_popularity": np.log(latest.per_item[self.items] + 1e-3),
        }

    @cached_property
    def _weighted(self) -> Any:
        """What each telling store sells: log of baskets, an item in few stores weighing more."""
        weights = self._sold.copy()
        weights.data = np.log1p(weights.data)
        rarity = np.maximum(np.log(len(self.table.stores)) - self._of_items["stores"], 0.1)
        return weights.multiply(rarity[None, :]).tocsr()

    @cached_property
    def _gram(self) -> Floats:
        return np.asarray((self._weighted @ self._weighted.T).todense(), dtype=np.float64)

    @cached_property
    def _kernel(self) -> Floats:
        """
        Kernel ridge between stores: how the range of each is made up from the ranges of all.

        The dual form of EASE (Steck 2019) without its zero diagonal, which candidates never meet: K (K + λI)⁻¹.
        """
        ridge = RIDGE * np.trace(self._gram) / max(1, len(self._gram)) + 1e-9
        return np.linalg.solve(self._gram + ridge * np.eye(len(self._gram)), self._gram).T

    def _share_of_neighbours(self, place: int) -> Floats:
        """Return the share of the most similar stores that sell each item, by their likeness."""
        lengths = np.sqrt(np.maximum(np.diag(self._gram), 1e-12))
        likeness = self._gram[place] / lengths / lengths[place]
        likeness[place] = 0.0
        nearest = np.argsort(-likeness, kind="stable")[:NEIGHBOURS]
        weights = likeness[nearest]
        if not weights.sum() > 0:
            return np.zeros(len(self.items))
        return np.asarray((self._sold[nearest] > 0).T @ (weights / weights.sum())).ravel()

    @cached_property
    def _habits(self) -> tuple[Any, Any]:
        """Visits per household and store, and the share of each household's baskets that hold an item."""
        table = self.table
        known = table.household >= 0
        shape = (max(1, table.households), len(table.stores))
        visits = counted(table.household[known], table.store[known], shape)
        owners = table.household[table.basket]
        held = owners >= 0
        bought = counted(owners[held], table.item[held], (shape[0], len(table.items)))[:, self.items].tocsr()
        totals = np.maximum(np.asarray(visits.sum(axis=1)).ravel(), 1)
        bought.data = bought.data / np.repeat(totals, np.diff(bought.indptr))
        return visits.T.tocsr(), bought

    def _expected(self, store: int) -> Floats:
        """Return how many baskets here would hold each item if its households bought as they do elsewhere."""
        visits, bought = self._habits
        return np.asarray((visits[store] @ bought).todense()).ravel()

    def _of_groups(self, groups: Int32s) -> Floats:
        """Return how many baskets of each store would hold each item if its groups bought as they do in the chain."""
        if self._by_group is None:
            table = self.table
            kinds = int(groups.max(initial=-1)) + 2
            of = groups[table.household] + 1 if len(groups) else np.zeros(len(table.store), np.int32)
            of = np.where(table.household >= 0, of, 0)
            visits = counted(of, table.store, (kinds, len(table.stores))).toarray()
            bought = counted(of[table.basket], table.item, (kinds, len(table.items)))[:, self.items].toarray()
            rates = bought / np.maximum(visits.sum(axis=1, keepdims=True), 1)
            self._by_group = np.asarray(visits.T @ rates, dtype=np.float64)
        return self._by_group

    def _covered(self, store: int, kind_of: NDArray[np.int32]) -> Floats:
        """Return for each item which share of the items of its kind the store sells; 0 without a kind."""
        kinds = kind_of[self.items]
        known = kinds >= 0
        if not known.any():
            return np.zeros(len(self.items))
        size = int(kinds.max()) + 1
        sells = known & ~self.candidates(store)
        share = np.bincount(kinds[sells], minlength=size) / np.maximum(
            np.bincount(kinds[known], minlength=size), 1
        )
        return np.where(known, share[np.maximum(kinds, 0)], 0.0)


def first_sold(later: StoreBaskets, store: int, items: Int64s) -> NDArray[np.bool_]:
    """Return which of `items` the store sold in the baskets that came `later`."""
    sold = np.zeros(len(later.items), np.bool_)
    sold[later.by_store[store].indices] = True
    return sold[items]


def evenly(stores: Sequence[int], at_most: int) -> list[int]:
    """Return `at_most` of `stores`, evenly spread over them."""
    chosen = np.unique(np.linspace(0, len(stores) - 1, min(at_most, len(stores))).round().astype(int))
    return [stores[place] for place in chosen]

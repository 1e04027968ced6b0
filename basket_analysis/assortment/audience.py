"""Who a store's customers are: the groups it serves more than the chain does, and the households it lives on."""

from typing import Any

import numpy as np

from basket_analysis.assortment.store_sales import Floats, Int32s, Int64s, SalesTable
from basket_analysis.assortment.substitutes import offsets
from basket_analysis.distinct import distinct

BEST_SHARE = 0.2
"""The households of a store that spend most there, so large a share of them, are its best buyers."""

STANDS_OUT = 1.1
"""A group is over-represented in a store at this much of its share in the chain."""

GROUPS_NAMED = 3


class Audience:
    """The households of every store; counts of fewer than `min_people` are never given away."""

    def __init__(self, table: SalesTable, groups: Int32s | None, *, min_people: int) -> None:
        self._table = table
        self._min_people = min_people
        known = groups is not None and (groups >= 0).any()
        self._groups = groups if known else None
        households = int(table.household.max(initial=-1)) + 1
        keys = table.store.astype(np.int64) * max(1, households) + table.household
        pairs, place = np.unique(keys, return_inverse=True)
        self._store, self._household = pairs // max(1, households), pairs % max(1, households)
        self._of_store = offsets(self._store, table.stores)
        self._spent = np.bincount(place, weights=table.totals, minlength=len(pairs)).astype(np.float64)
        self._mix = self._mixes(groups) if known and groups is not None else None
        self._best: dict[int, Int64s] = {}
        order = distinct(table.article.astype(np.int64) * max(1, households) + table.household[table.basket])
        self._buyer = order % max(1, households)
        self._of_article = offsets(order // max(1, households), len(table.type_of))

    def households(self, store: int) -> Int64s:
        """Return the households that shop in `store`, in order."""
        people: Int64s = self._household[self._of_store[store] : self._of_store[store + 1]]
        return people

    def buyers(self, article: int) -> Int64s:
        """Return the chain's households that buy `article`, in order."""
        people: Int64s = self._buyer[self._of_article[article] : self._of_article[article + 1]]
        return people

    def buyers_of_each(self) -> Int64s:
        """Return how many households of the chain buy each article."""
        return np.diff(self._of_article)

    def best(self, store: int) -> Int64s:
        """Return the households that spend most in `store`, in order."""
        if store not in self._best:
            here = slice(self._of_store[store], self._of_store[store + 1])
            people, spent = self._household[here], self._spent[here]
            most = np.argsort(-spent, kind="stable")[: max(1, round(len(people) * BEST_SHARE))]
            self._best[store] = np.sort(people[most])
        return self._best[store]

    def group(self, article: int) -> int | None:
        """Return the shopper group in which the article has the largest share of buyers, if it stands out."""
        if self._groups is None:
            return None
        sizes = np.bincount(self._groups[self._groups >= 0])
        own = self._of_groups(self.buyers(article), len(sizes))
        shares = np.where(own >= self._min_people, own / np.maximum(sizes, 1), 0.0)
        best = int(shares.argmax())
        return best if shares[best] > 1.2 * own.sum() / sizes.sum() else None

    def served(self, store: int, buyers: Int64s) -> list[list[Any]]:
        """
        Return the groups that are over-represented in `store` among `buyers`: index, how many, and how much more.

        How much more is the group's share of the store's households over its share of the chain's.
        """
        if self._groups is None or self._mix is None:
            return []
        counts = self._of_groups(buyers, self._mix.shape[1])
        found = [
            [group, int(counts[group]), round(float(self._mix[store, group]), 2)]
            for group in np.argsort(-counts, kind="stable").tolist()
            if counts[group] >= self._min_people and self._mix[store, group] >= STANDS_OUT
        ]
        return found[:GROUPS_NAMED]

    def _of_groups(self, people: Int64s, size: int) -> Int64s:
        assert self._groups is not None
        groups = self._groups[people]
        return np.bincount(groups[groups >= 0], minlength=size).astype(np.int64)

    def _mixes(self, groups: Int32s) -> Floats:
        """Return by store and group the group's share of the store's households over that of the chain's."""
        size = int(groups.max()) + 1
        of = groups[self._household]
        counts = np.zeros((self._table.stores, size))
        np.add.at(counts, (self._store[of >= 0], of[of >= 0]), 1)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        sizes = np.bincount(groups[groups >= 0], minlength=size)
        return np.asarray(shares / np.maximum(sizes / max(1, sizes.sum()), 1e-9))

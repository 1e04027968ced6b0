"""
Where a store's shoppers combine otherwise than the chain's.

Of a rule A → C that the chain's baskets keep, a_s of a store's baskets of size stratum s hold A, and O of
its baskets hold both. If A led to C here as often as in all other stores, among baskets of like size,

    e = Σ_s a_s · c'_s / a'_s          (a', c' counted over the other stores)

of them would. The baskets of one household are not independent, so the variance of O - e is taken over
households: S = Σ_h (O_h - e_h)², never less than e, that of independent baskets, and enlarged by
1 + e / O' for the error of what the others do. The probabilities of all rules tested in a store are
held against each other as Benjamini and Hochberg (1995) do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from basket_analysis.assortment.store_sales import Floats, Int32s, Int64s, SalesTable
from basket_analysis.distinct import distinct
from basket_analysis.mining.significance import FalseDiscovery
from basket_analysis.mining.strata import STRATA, stratum_of


@dataclass(frozen=True, slots=True)
class DeviationSettings:
    """
    What a deviation must show: enough baskets seen or expected, enough people here and elsewhere, a clear difference.

    A share between `1 / min_ratio` and `min_ratio` times what was expected is no news, however sure.
    """

    min_baskets: int = 15
    min_others: int = 50
    min_people: int = 10
    min_ratio: float = 1.25
    max_q: float = 0.1
    per_store: int = 20


@dataclass(frozen=True, slots=True)
class Deviation:
    """
    A rule that a store's baskets follow more or less often than others of like size do elsewhere.

    `rule` numbers the rules given to `fit`. Of `of_baskets` baskets with the antecedent `baskets` held
    both, of `households` households, where `expected` were expected.
    """

    rule: int
    baskets: int
    of_baskets: int
    expected: float
    households: int
    others: int
    z: float
    q: float


class StoreRules:
    """
    Compares every store with all others together, rule by rule.

    After `fit`, `tested_` has how many rules each store could be tested for, `deviations_` the
    deviations of each, the surest first.
    """

    def __init__(self, settings: DeviationSettings | None = None) -> None:
        self.settings = settings or DeviationSettings()

    def fit(self, table: SalesTable, item_of: Int32s, rules: Sequence[tuple[int, int]]) -> "StoreRules":
        """Learn from `table`; `item_of` gives each article's item or -1, `rules` are pairs of items."""
        self._table = table
        self._index(item_of)
        shape = (len(rules), table.stores)
        counts: dict[str, NDArray[np.float64]] = {
            name: np.zeros(shape)
            for name in ("baskets", "of", "expected", "households", "others", "elsewhere", "z")
        }
        for number, (first, second) in enumerate(rules):
            for name, values in self._compare(first, second).items():
                counts[name][number] = values
        self.tested_: Mapping[int, int] = {}
        self.deviations_: Mapping[int, list[Deviation]] = {}
        tested, found = {}, {}
        for store in range(table.stores):
            found[store], tested[store] = self._of_store({name: of[:, store] for name, of in counts.items()})
        self.tested_, self.deviations_ = tested, found
        return self

    def _index(self, item_of: Int32s) -> None:
        """Keep the baskets that hold each item, every basket's stratum, and its household in its store."""
        table = self._table
        items = int(item_of.max(initial=-1)) + 1
        known = item_of[table.article] >= 0
        cells = distinct(
            item_of[table.article[known]].astype(np.int64) * max(1, len(table.store)) + table.basket[known]
        )
        item, self._holders = np.divmod(cells, max(1, len(table.store)))
        self._starts = np.searchsorted(item, np.arange(items + 1))
        self._strata = stratum_of(np.bincount(self._holders, minlength=len(table.store)))
        shoppers, self._shopper = np.unique(
            table.store.astype(np.int64) * (int(table.household.max(initial=0)) + 1) + table.household,
            return_inverse=True,
        )
        self._store_of_shopper, self._household = np.divmod(shoppers, int(table.household.max(initial=0)) + 1)

    def _compare(self, first: int, second: int) -> dict[str, Floats]:
        """Return what each store shows of one rule."""
        stores, of = self._table.stores, self._with(first)
        holds = np.isin(of, self._with(second), assume_unique=True)
        cell = self._table.store[of].astype(np.int64) * STRATA + self._strata[of]
        having = np.bincount(cell, minlength=stores * STRATA).reshape(stores, STRATA)
        both = np.bincount(cell[holds], minlength=stores * STRATA).reshape(stores, STRATA)
        share = (both.sum(axis=0) - both) / np.maximum(having.sum(axis=0) - having, 1)
        seen, expected = both.sum(axis=1), (having * share).sum(axis=1)
        others = both.sum() - seen
        size = len(self._store_of_shopper)
        rest = np.bincount(self._shopper[of], weights=holds - share.ravel()[cell], minlength=size)
        took = np.bincount(self._shopper[of[holds]], minlength=size) > 0
        variance = np.maximum(
            np.bincount(self._store_of_shopper, weights=rest**2, minlength=stores), expected
        ) * (1 + expected / np.maximum(others, 1))
        return {
            "baskets": seen.astype(np.float64),
            "of": having.sum(axis=1).astype(np.float64),
            "expected": expected,
            "households": np.bincount(self._store_of_shopper[took], minlength=stores).astype(np.float64),
            "others": others.astype(np.float64),
            "elsewhere": self._elsewhere(np.flatnonzero(took)),
            "z": (seen - expected) / np.sqrt(np.maximum(variance, 1e-12)),
        }

    def _elsewhere(self, shoppers: Int64s) -> Floats:
        """Return how many households of `shoppers` are any in other stores than each."""
        _, place, times = np.unique(self._household[shoppers], return_inverse=True, return_counts=True)
        only_here = self._store_of_shopper[shoppers[times[place] == 1]]
        return len(times) - np.bincount(only_here, minlength=self._table.stores).astype(np.float64)

    def _of_store(self, counts: dict[str, Floats]) -> tuple[list[Deviation], int]:
        """Return one store's deviations and how many rules had enough baskets to be tested."""
        least = self.settings
        tested = np.flatnonzero(
            (np.maximum(counts["baskets"], counts["expected"]) >= least.min_baskets)
            & (counts["others"] >= least.min_others)
            & (counts["elsewhere"] >= least.min_people)
        )
        z = counts["z"][tested]
        q = _false_discoveries(z)
        ratio = counts["baskets"][tested] / np.maximum(counts["expected"][tested], 1e-9)
        clear = (ratio >= least.min_ratio) | (ratio <= 1 / least.min_ratio)
        shown = clear & (q <= least.max_q) & (counts["households"][tested] >= least.min_people)
        order = np.flatnonzero(shown)
        order = order[np.lexsort((tested[order], -np.abs(z[order])))][: least.per_store]
        found = [
            Deviation(
                rule=rule,
                baskets=int(counts["baskets"][rule]),
                of_baskets=int(counts["of"][rule]),
                expected=float(counts["expected"][rule]),
                households=int(counts["households"][rule]),
                others=int(counts["others"][rule]),
                z=float(z[at]),
                q=float(q[at]),
            )
            for at, rule in zip(order.tolist(), tested[order].tolist(), strict=True)
        ]
        return found, len(tested)

    def _with(self, item: int) -> Int64s:
        """Return the baskets that hold an item, rising."""
        if item + 1 >= len(self._starts):
            return np.empty(0, np.int64)
        return self._holders[self._starts[item] : self._starts[item + 1]]


def _false_discoveries(z: Floats) -> Floats:
    from scipy.special import ndtr  # noqa: PLC0415 - slow to import, needed by the night only

    tails: Floats = 2 * ndtr(-np.abs(z))
    return FalseDiscovery(np.sort(tails)).q(tails)

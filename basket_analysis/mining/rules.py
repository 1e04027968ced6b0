"""Association rules: every split of every frequent itemset, with its measures."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.mining.itemsets import Int64s, Itemsets
from basket_analysis.mining.significance import (
    FalseDiscovery,
    Floats,
    PairCounter,
    all_pairs,
    expect,
    pairs_of,
    upper_tail,
    z_scores,
)
from core.errors import Refused

MAX_SPLITS = 400_000_000
"""Splits are counted before any is looked at: a set of n items has 2^n - 2."""

SPLITS_AT_ONCE = 1 << 19

_SEED = 20_260_401
_SPLIT = np.dtype(
    [
        ("set", np.int32),
        ("antecedent", np.int32),
        ("consequent", np.int32),
        ("adjusted_lift", np.float64),
        ("z", np.float64),
        ("tail", np.float64),
    ]
)


class TooManyRules(Refused):
    """The itemsets could be split in more ways than anybody could read."""


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Rules antecedent → consequent, as numbers of itemsets, in the order of their whole sets.

    Counts are whole numbers of baskets; the measures follow from them, as in Hahsler's
    "A probabilistic comparison of commonly used interest measures for association rules".
    """

    itemsets: Itemsets
    sets: NDArray[np.int32]
    antecedents: NDArray[np.int32]
    consequents: NDArray[np.int32]
    adjusted_lift: Floats
    z: Floats
    q: Floats

    def __len__(self) -> int:
        """Return the number of rules."""
        return len(self.sets)

    @property
    def counts(self) -> Int64s:
        """Baskets that hold the whole set."""
        return self.itemsets.counts[self.sets]

    @property
    def antecedent_counts(self) -> Int64s:
        """Baskets that hold the antecedent."""
        return self.itemsets.counts[self.antecedents]

    @property
    def consequent_counts(self) -> Int64s:
        """Baskets that hold the consequent."""
        return self.itemsets.counts[self.consequents]

    @property
    def support(self) -> Floats:
        """Share of all baskets that hold the whole set."""
        return self.counts / self.itemsets.baskets

    @property
    def confidence(self) -> Floats:
        """Share of the antecedent's baskets that hold the consequent as well."""
        return self.counts / self.antecedent_counts

    @property
    def lift(self) -> Floats:
        """Support over what it were if the sides were independent."""
        return (self.counts * self.itemsets.baskets) / (self.antecedent_counts * self.consequent_counts)

    @property
    def leverage(self) -> Floats:
        """Support less what it were if the sides were independent."""
        chance = self.antecedent_counts * self.consequent_counts
        return (self.counts * self.itemsets.baskets - chance) / float(self.itemsets.baskets) ** 2

    @property
    def conviction(self) -> Floats:
        """How much more often the rule would fail if the sides were independent; infinite when it never fails."""
        failures = self.antecedent_counts - self.counts
        chance = (self.itemsets.baskets - self.consequent_counts) * self.antecedent_counts
        conviction = np.full(len(self), np.inf)
        np.divide(chance, failures * self.itemsets.baskets, out=conviction, where=failures > 0)
        return conviction

    def __getitem__(self, chosen: slice | NDArray[np.bool_] | Int64s) -> "Rules":
        """Return some of the rules."""
        return Rules(
            itemsets=self.itemsets,
            sets=self.sets[chosen],
            antecedents=self.antecedents[chosen],
            consequents=self.consequents[chosen],
            adjusted_lift=self.adjusted_lift[chosen],
            z=self.z[chosen],
            q=self.q[chosen],
        )


def derive_rules(
    table: BasketTable,
    itemsets: Itemsets,
    min_confidence: Fraction,
    *,
    max_splits: int = MAX_SPLITS,
    count_pairs: PairCounter | None = None,
) -> Rules:
    """
    Return every split of every itemset with count(set) / count(antecedent) ≥ `min_confidence`, exactly.

    `itemsets` were mined from `table` by stratum. False discoveries are controlled over all
    pairs of frequent items for pairs, and over all splits of all longer sets for those.
    `count_pairs` counts all pairs of frequent items where that was done before. Raises TooManyRules.
    """
    splits = sum(len(level) * (2**length - 2) for length, level in enumerate(itemsets.levels, 1))
    if splits > max_splits:
        raise TooManyRules(
            f"the itemsets have {splits:,} splits, more than {max_splits:,}: raise the support or limit the length"
        )
    least = _least_counts(itemsets.counts, min_confidence)
    confident: list[NDArray[np.void]] = [np.empty(0, _SPLIT)]
    tails: list[Floats] = [np.empty(0)]
    for length, block in _splits(itemsets, table.stratum_sizes):
        if length > 2:
            # Both directions of a split are equally likely, so one of them ranks like both.
            tails.append(block["tail"][:, : block.shape[1] // 2].ravel())
        confident.append(block[itemsets.counts[block["set"]] >= least[block["antecedent"]]])
    rules = np.concatenate(confident)
    confident.clear()
    return Rules(
        itemsets=itemsets,
        sets=rules["set"],
        antecedents=rules["antecedent"],
        consequents=rules["consequent"],
        adjusted_lift=rules["adjusted_lift"],
        z=rules["z"],
        q=_q_values(table, itemsets, rules, np.sort(np.concatenate(tails)), count_pairs),
    )


def _least_counts(counts: Int64s, min_confidence: Fraction) -> Int64s:
    """Return, by itemset, the least count of a set that makes a rule with this antecedent confident enough."""
    distinct, where = np.unique(counts, return_inverse=True)
    least = np.array([ceil(min_confidence * count) for count in distinct.tolist()], np.int64)
    return least[where]


def _q_values(
    table: BasketTable,
    itemsets: Itemsets,
    rules: NDArray[np.void],
    tails: Floats,
    count_pairs: PairCounter | None,
) -> Floats:
    if not len(rules):
        return np.empty(0)
    singles, pairs = itemsets.levels[:2]
    count = count_pairs or pairs_of(table, singles.items[:, 0].astype(np.int64))
    of_pairs = all_pairs(table.stratum_sizes, singles.strata, count)
    of_longer = FalseDiscovery(tails)
    is_pair = rules["set"] < len(singles) + len(pairs)
    q = np.empty(len(rules))
    q[is_pair] = of_pairs.q(rules["tail"][is_pair])
    q[~is_pair] = of_longer.q(rules["tail"][~is_pair])
    return q


def _splits(itemsets: Itemsets, sizes: Int64s) -> Iterator[tuple[int, NDArray[np.void]]]:
    """Yield lengths with blocks of splits: a row for each set, a column for each half that may be antecedent."""
    numbering = Numbering(itemsets)
    first = 0
    for length, level in enumerate(itemsets.levels, 1):
        halves = (1 << (length - 1)) - 1
        step = max(1, SPLITS_AT_ONCE // max(2 * halves, 1))
        for start in range(0, len(level) if halves else 0, step):
            items = level.items[start : start + step]
            block = np.empty((len(items), halves), _SPLIT)
            block["set"] = np.arange(first + start, first + start + len(items))[:, None]
            block["antecedent"], block["consequent"] = numbering.split(items)
            _score(itemsets, sizes, block.ravel())
            turned = block[:, ::-1].copy()
            turned["antecedent"] = block["consequent"][:, ::-1]
            turned["consequent"] = block["antecedent"][:, ::-1]
            yield length, np.concatenate([block, turned], axis=1)
        first += len(level)


def _score(itemsets: Itemsets, sizes: Int64s, splits: NDArray[np.void]) -> None:
    """Fill in what chance would have done, in place."""
    counts = itemsets.counts[splits["set"]]
    expectation = expect(itemsets.strata, splits["antecedent"], splits["consequent"], sizes)
    splits["adjusted_lift"] = counts / expectation.mean
    splits["z"] = z_scores(counts, expectation)
    splits["tail"] = upper_tail(splits["z"], expectation)


class Numbering:
    """
    Finds the number of an itemset by a key that adds up over its items.

    The keys of all frequent sets are checked to differ, and every part of a frequent set is
    frequent, so what is found for such a part is right.
    """

    def __init__(self, itemsets: Itemsets) -> None:
        generator = np.random.default_rng(_SEED)
        items = max((int(level.items.max()) + 1 for level in itemsets.levels[:1]), default=0)
        while True:
            self._item_keys = generator.integers(0, 2**64, items, np.uint64)
            keys = np.concatenate(
                [self.keys(level.items) for level in itemsets.levels] or [np.empty(0, np.uint64)]
            )
            self._order = np.argsort(keys, kind="stable").astype(np.int32)
            self._sorted = keys[self._order]
            if not (self._sorted[1:] == self._sorted[:-1]).any():
                return

    def keys(self, rows: NDArray[np.int32]) -> NDArray[np.uint64]:
        """Return the key of each row of codes."""
        keys: NDArray[np.uint64] = self._item_keys[rows].sum(axis=1, dtype=np.uint64)
        return keys

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return the numbers of the frequent sets with these keys."""
        return self._order[np.searchsorted(self._sorted, keys)]

    def split(self, items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """
        Return the numbers of both halves of each split of each row of `items`.

        Column m - 1 puts the items whose bit is set in m into the first half. The last
        item is never in it; so each split comes once.
        """
        length = items.shape[1]
        masks = np.arange(1, 1 << (length - 1))
        chosen = (masks >> np.arange(length)[:, None] & 1).astype(np.uint64)
        keys = self._item_keys[items]
        first = keys @ chosen
        second = keys.sum(axis=1, dtype=np.uint64)[:, None] - first
        return self.find(first), self.find(second)

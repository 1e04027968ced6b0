"""How strongly items are tied: what kept pairs weigh, the window's edges counting little."""

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.groups.theme_rules import KeptRules
from basket_analysis.mining.compiled import compiled
from basket_analysis.mining.itemsets import Int32s, Int64s
from basket_analysis.mining.strata import STRATA

Floats = NDArray[np.float64]
Weights = dict[tuple[int, int], float]


def tie_weights(table: BasketTable, kept: KeptRules) -> Weights:
    """
    Return log(adjusted lift) · √count of each kept pair (lower code, higher code), of baskets by their weight.

    A pair that weighed baskets do not hold more often than chance is none.
    """
    rules = kept.rules
    of_two = rules.itemsets.lengths(rules.sets) == 2
    if not of_two.any():
        return {}
    pairs = np.unique(rules.itemsets.rows(rules.sets[of_two], 2), axis=0)
    lower, higher = pairs.T
    items = np.unique(np.concatenate([lower, higher]))
    ranks = np.full(len(table.items), -1, np.int32)
    ranks[items] = np.arange(len(items), dtype=np.int32)
    weights = np.ones(len(table)) if table.weights is None else table.weights
    one, other = ranks[lower], ranks[higher]
    # The pairs stand by their lower item, so those of one item are a slice: room for pairs, not for items².
    pointers = np.searchsorted(one, np.arange(len(items) + 1)).astype(np.int64)
    shared = np.zeros(len(pairs))
    held = np.zeros((len(items), STRATA))
    _weigh(table.offsets, table.codes, table.strata, ranks, weights, pointers, other, shared, held)
    sizes = np.bincount(table.strata, weights=weights, minlength=STRATA)
    expected = (held[one] * held[other] / np.maximum(sizes, 1e-9)).sum(axis=1)
    lift = shared / np.maximum(expected, 1e-9)
    return {
        pair: float(np.log(lift[number]) * np.sqrt(shared[number]))
        for number, pair in enumerate(map(tuple, pairs.tolist()))
        if lift[number] > 1
    }


@compiled
def _weigh(  # noqa: PLR0917 - numba takes arrays, not objects
    offsets: Int64s,
    codes: Int32s,
    strata: Int32s,
    ranks: Int32s,
    weights: Floats,
    pointers: Int64s,
    others: Int32s,
    shared: Floats,
    held: Floats,
) -> None:
    """
    Add each basket's weight to its items, by stratum, and to those pairs that it holds.

    The pairs of rank r with a higher one are others[pointers[r]:pointers[r + 1]].
    """
    last = np.full(len(held), -1, np.int64)
    for basket in range(len(offsets) - 1):
        for at in range(offsets[basket], offsets[basket + 1]):
            rank = ranks[codes[at]]
            if rank >= 0:
                last[rank] = basket
                held[rank, strata[basket]] += weights[basket]
        for at in range(offsets[basket], offsets[basket + 1]):
            rank = ranks[codes[at]]
            if rank >= 0:
                for pair in range(pointers[rank], pointers[rank + 1]):
                    if last[others[pair]] == basket:
                        shared[pair] += weights[basket]

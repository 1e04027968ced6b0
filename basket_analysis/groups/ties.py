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
    lengths = kept.rules.itemsets.lengths(kept.rules.antecedents)
    pairs = sorted(
        (min(one[0], other[0]), max(one[0], other[0]))
        for one, other in (kept.items_of(number) for number in np.flatnonzero(lengths == 1).tolist())
    )
    if not pairs:
        return {}
    lower, higher = np.array(pairs, np.int64).T
    items = np.unique(np.concatenate([lower, higher]))
    ranks = np.full(len(table.items), -1, np.int32)
    ranks[items] = np.arange(len(items), dtype=np.int32)
    weights = np.ones(len(table)) if table.weights is None else table.weights
    shared = np.zeros((len(items), len(items)))
    held = np.zeros((len(items), STRATA))
    _weigh(table.offsets, table.codes, table.strata, ranks, weights, shared, held)
    sizes = np.bincount(table.strata, weights=weights, minlength=STRATA)
    one, other = ranks[lower], ranks[higher]
    expected = (held[one] * held[other] / np.maximum(sizes, 1e-9)).sum(axis=1)
    counts = shared[one, other]
    lift = counts / np.maximum(expected, 1e-9)
    return {
        pair: float(np.log(lift[number]) * np.sqrt(counts[number]))
        for number, pair in enumerate(pairs)
        if lift[number] > 1
    }


@compiled
def _weigh(  # noqa: PLR0917 - numba takes arrays, not objects
    offsets: Int64s,
    codes: Int32s,
    strata: Int32s,
    ranks: Int32s,
    weights: Floats,
    shared: Floats,
    held: Floats,
) -> None:
    """Add each basket's weight to its items, by stratum, and to its pairs of items, the lower rank first."""
    kept = np.empty(1024, np.int32)
    for basket in range(len(offsets) - 1):
        if offsets[basket + 1] - offsets[basket] > len(kept):
            kept = np.empty(2 * (offsets[basket + 1] - offsets[basket]), np.int32)
        known = 0
        for at in range(offsets[basket], offsets[basket + 1]):
            if ranks[codes[at]] >= 0:
                kept[known] = ranks[codes[at]]
                held[kept[known], strata[basket]] += weights[basket]
                known += 1
        for one in range(known):
            for other in range(one + 1, known):
                shared[kept[one], kept[other]] += weights[basket]

"""
Pairs that are bought instead of each other: of one kind, by the same households, seldom in one basket.

Adjusted lift well below 1 among baskets of like size says that one is taken or the other; that many households buy both, at
different times, says that it is the same need, and not two kinds of people (Raeder and Chawla 2010).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from basket_analysis.assortment.substitutes import APART
from basket_analysis.baskets import BasketTable
from basket_analysis.groups.theme_rules import Evidence, least_households
from basket_analysis.mining.itemsets import Int64s
from basket_analysis.mining.pair_counts import PairCounts
from basket_analysis.mining.significance import FalseDiscovery, Floats, expect, upper_tail, z_scores

PAIRS_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class SubstituteRules:
    """
    Pairs of codes of a table, the rarer item first, as parallel arrays.

    `counts` are baskets that hold both, `expected` what chance among baskets of like size would make of them, `households` who
    bought both at any time, `q` the Benjamini-Hochberg value of so few or fewer, over all pairs of one kind.
    """

    pairs: Int64s
    counts: Int64s
    expected: Floats
    z: Floats
    q: Floats
    households: Int64s

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.pairs)


def find_substitutes(
    table: BasketTable, pairs: PairCounts, kind_of: Mapping[str, str | None], evidence: Evidence
) -> SubstituteRules:
    """
    Return the pairs of frequent items of one kind, as `kind_of` files them, that are bought instead of each other.

    Chance must expect as many baskets with both as a rule needs to be kept, their adjusted lift be below APART, q and
    households as `evidence` asks. What never lies in one basket is left out: that is more often an article that got another
    number than one that replaces another. The surest come first.
    """
    ranks = _of_one_kind(table, pairs, kind_of)
    one, other = pairs.codes[ranks[:, 0]], pairs.codes[ranks[:, 1]]
    expectation = expect(pairs.sizes.items, one, other, pairs.sizes.baskets)
    counts = _counts(pairs, ranks)
    z = z_scores(counts, expectation)
    tails = upper_tail(-z, expectation)
    q = FalseDiscovery(np.sort(tails)).q(tails)
    found = np.flatnonzero(
        (expectation.mean >= evidence.min_count)
        & (counts > 0)
        & (counts < APART * expectation.mean)
        & (q <= evidence.max_q)
    )
    buyers = _buyers_of_both(table, one[found], other[found])
    enough = buyers >= max(1, least_households(table, evidence))
    found, buyers = found[enough], buyers[enough]
    order = np.lexsort((other[found], one[found], z[found]))
    found, buyers = found[order], buyers[order]
    both = np.stack([one[found], other[found]], axis=1).astype(np.int64)
    rarer = np.argsort(table.item_counts[both], axis=1, kind="stable")
    return SubstituteRules(
        pairs=np.take_along_axis(both, rarer, axis=1),
        counts=counts[found],
        expected=expectation.mean[found],
        z=z[found],
        q=q[found],
        households=buyers,
    )


def _of_one_kind(table: BasketTable, pairs: PairCounts, kind_of: Mapping[str, str | None]) -> Int64s:
    """Return the ranks of all pairs of frequent items of one kind, the lower first."""
    by_kind: dict[str, list[int]] = {}
    for rank, code in enumerate(pairs.codes.tolist()):
        kind = kind_of.get(table.items[code])
        if kind is not None:
            by_kind.setdefault(kind, []).append(rank)
    found = [
        np.array(ranks, np.int64)[np.stack(np.triu_indices(len(ranks), 1), axis=1)]
        for ranks in by_kind.values()
    ]
    return np.concatenate(found) if found else np.empty((0, 2), np.int64)


def _counts(pairs: PairCounts, ranks: Int64s) -> Int64s:
    """Return how many baskets hold both of each pair of ranks; pairs that no basket holds have no key."""
    if not len(pairs.keys):
        return np.zeros(len(ranks), np.int64)
    keys = ranks[:, 0] * len(pairs.codes) + ranks[:, 1]
    place = np.minimum(np.searchsorted(pairs.keys, keys), len(pairs.keys) - 1)
    counts = pairs.strata.sum(axis=1, dtype=np.int64)[place]
    return np.where(pairs.keys[place] == keys, counts, 0)


def _buyers_of_both(table: BasketTable, one: Int64s, other: Int64s) -> Int64s:
    """Return how many households bought both items of each pair at any time."""
    from scipy.sparse import csc_matrix  # noqa: PLC0415 - slow to import

    owners = np.repeat(table.owners, np.diff(table.offsets))
    known = owners >= 0
    shape = (len(table.households), len(table.items))
    bought: Any = csc_matrix(
        (np.ones(int(known.sum()), np.int32), (owners[known], table.codes[known])), shape
    )
    bought.sum_duplicates()
    bought.data[:] = 1
    blocks = range(0, len(one), PAIRS_AT_ONCE)
    found = [
        np.asarray(
            bought[:, one[at : at + PAIRS_AT_ONCE]]
            .multiply(bought[:, other[at : at + PAIRS_AT_ONCE]])
            .sum(axis=0)
        ).ravel()
        for at in blocks
    ]
    return np.concatenate([*found, np.empty(0, np.int64)]).astype(np.int64)


def substitute_rows(table: BasketTable, found: SubstituteRules, level: str) -> Iterator[dict[str, Any]]:
    """Yield the rows that are kept of substitutes: measured as other rules are, `q` saying how surely they are seldom together."""
    baskets = len(table)
    for number, (one, other) in enumerate(found.pairs.tolist()):
        count, with_one, with_other = (
            int(found.counts[number]),
            int(table.item_counts[one]),
            int(table.item_counts[other]),
        )
        yield {
            "level": level,
            "antecedent": [table.items[one]],
            "consequent": [table.items[other]],
            "count": count,
            "antecedent_count": with_one,
            "consequent_count": with_other,
            "households": int(found.households[number]),
            "support": count / baskets,
            "confidence": count / with_one,
            "lift": count * baskets / (with_one * with_other),
            "leverage": (count * baskets - with_one * with_other) / float(baskets) ** 2,
            "conviction": (baskets - with_other) * with_one / ((with_one - count) * baskets)
            if count < with_one
            else float("inf"),
            "adjusted_lift": count / float(found.expected[number]),
            "z": float(found.z[number]),
            "q": float(found.q[number]),
            "improvement": None,
            "group_id": None,
        }

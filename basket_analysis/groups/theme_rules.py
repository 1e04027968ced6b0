"""The rules that are real: filtered by evidence, by chance and by what shorter rules already say."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.mining.compiled import compiled
from basket_analysis.mining.itemsets import FastMiner, Int32s, Int64s, Itemsets, minimum_count
from basket_analysis.mining.rules import Numbering, Rules, derive_rules
from basket_analysis.mining.significance import Floats, PairCounter

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What a rule must show to be kept.

    `min_support` and `min_households` are shares, never meaning fewer than the counts beside
    them. `max_length` is the longest itemset looked at.
    """

    min_support: Fraction = Fraction(2, 1000)
    min_count: int = 20
    min_household_share: Fraction = Fraction(1, 100)
    min_households: int = 20
    min_adjusted_lift: float = 1.2
    max_q: float = 0.01
    max_length: int = 3


@dataclass(frozen=True, slots=True)
class KeptRules:
    """
    Rules with one consequent that passed, and the distinct households behind each of them.

    `improvement` is by how much the confidence exceeds the best of every shorter antecedent, the empty one
    included (Bayardo, Agrawal and Gunopulos 1999).
    """

    rules: Rules
    households: Int64s
    improvement: Floats

    def __len__(self) -> int:
        """Return the number of rules."""
        return len(self.rules)

    def items_of(self, number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the codes of the antecedent and the consequent of one rule."""
        rules = self.rules
        return rules.itemsets.codes(int(rules.antecedents[number])), rules.itemsets.codes(
            int(rules.consequents[number])
        )


def keep_rules(table: BasketTable, evidence: Evidence) -> KeptRules:
    """
    Return the rules of `table` that show enough evidence, in the order of their itemsets.

    Each has one item as consequent; of A → B and B → A the surer is kept. A set is kept only
    if every way to split it shows the evidence (productive, as Webb calls it in "Self-sufficient
    itemsets", 2010), and a longer rule only if it is surer than each that leaves out a part of
    its antecedent.
    """
    least = least_count(evidence, len(table))
    few = len(table) < least
    # Of too few baskets no rule is kept, and every set in one huge basket would be frequent.
    miner = FastMiner(
        Fraction(1) if few else Fraction(least, len(table)),
        max_length=1 if few else evidence.max_length,
        by_stratum=True,
    )
    itemsets = miner.fit(table).itemsets_
    return choose_rules(table, itemsets, evidence)


def least_count(evidence: Evidence, baskets: int) -> int:
    """Return in how many of `baskets` a set must lie."""
    return max(evidence.min_count, minimum_count(evidence.min_support, baskets))


def choose_rules(
    table: BasketTable, itemsets: Itemsets, evidence: Evidence, *, count_pairs: PairCounter | None = None
) -> KeptRules:
    """Return what `keep_rules` promises of `itemsets`, which are all frequent ones; `count_pairs` as `derive_rules` wants it."""
    if len(table) < least_count(evidence, len(table)) or len(itemsets.levels) < 2:
        empty = np.empty(0, np.int32)
        floats = np.empty(0)
        nothing = Rules(itemsets, empty, empty, empty, floats, floats, floats)
        return KeptRules(nothing, np.empty(0, np.int64), floats)
    rules = derive_rules(table, itemsets, Fraction(0), count_pairs=count_pairs)
    real = (rules.adjusted_lift >= evidence.min_adjusted_lift) & (rules.q <= evidence.max_q)
    rules = rules[_productive(rules, real)]
    rules = rules[rules.consequents < len(itemsets.levels[0])]
    rules = rules[_surer_direction(rules)]
    better, improvement = _improvement(rules)
    rules, improvement = rules[better], improvement[better]
    households = count_households(table, itemsets, rules.sets)
    enough = households >= least_households(table, evidence)
    return KeptRules(rules[enough], households[enough], improvement[enough])


def least_households(table: BasketTable, evidence: Evidence) -> int:
    """Return how many households a rule needs; baskets of nobody known cannot show any."""
    known = len(table.households)
    return max(evidence.min_households, minimum_count(evidence.min_household_share, known)) if known else 0


def _productive(rules: Rules, real: Flags) -> Flags:
    """Return which of `rules`, all splits of all sets, belong to sets whose splits are all `real`."""
    unreal = np.zeros(len(rules.itemsets), np.bool_)
    unreal[rules.sets[~real]] = True
    productive: Flags = ~unreal[rules.sets]
    return productive


def _surer_direction(rules: Rules) -> Flags:
    """Return which rules are not a pair whose other direction has the rarer antecedent."""
    pairs = rules.antecedents < len(rules.itemsets.levels[0])
    weaker = (rules.antecedent_counts > rules.consequent_counts) | (
        (rules.antecedent_counts == rules.consequent_counts) & (rules.antecedents > rules.consequents)
    )
    surer: Flags = ~(pairs & weaker)
    return surer


def _improvement(rules: Rules) -> tuple[Flags, Floats]:
    """
    Return which rules have positive improvement, confidence above that of every shorter antecedent, and by how much.

    Whether is told by whole numbers: count(A, c) · count(A') > count(A', c) · count(A) for every A' within A, the
    empty one included.
    """
    itemsets = rules.itemsets
    better: Flags = rules.counts * itemsets.baskets > rules.consequent_counts * rules.antecedent_counts
    best = rules.consequent_counts / max(itemsets.baskets, 1)
    numbering = Numbering(itemsets)
    lengths = itemsets.lengths(rules.antecedents)
    consequents = numbering.keys(itemsets.rows(rules.consequents, 1))
    for length in range(2, int(lengths.max(initial=0)) + 1):
        chosen = np.flatnonzero(lengths == length)
        antecedents = itemsets.rows(rules.antecedents[chosen], length)
        for mask in range(1, (1 << length) - 1):
            part = numbering.keys(antecedents[:, [column for column in range(length) if mask >> column & 1]])
            shorter = itemsets.counts[numbering.find(part + consequents[chosen])]
            of = itemsets.counts[numbering.find(part)]
            better[chosen] &= rules.counts[chosen] * of > shorter * rules.antecedent_counts[chosen]
            best[chosen] = np.maximum(best[chosen], shorter / of)
    return better, rules.confidence - best


def count_households(table: BasketTable, itemsets: Itemsets, numbers: NDArray[np.integer]) -> Int64s:
    """Return how many households bought each of the itemsets `numbers` in one basket."""
    baskets = np.repeat(np.arange(len(table), dtype=np.int32), np.diff(table.offsets))
    order = np.argsort(table.codes, kind="stable")
    holders = baskets[order]
    pointers = np.concatenate([[0], np.cumsum(table.item_counts)]).astype(np.int64)
    households = np.zeros(len(numbers), np.int64)
    lengths = itemsets.lengths(numbers)
    marked = np.zeros(len(table), np.bool_)
    for length in np.unique(lengths).tolist():
        chosen = np.flatnonzero(lengths == length)
        rows = itemsets.rows(numbers[chosen], length)
        # The most bought item of each set comes last, and sets with the same one follow each other.
        rows = np.take_along_axis(rows, np.argsort(table.item_counts[rows], axis=1, kind="stable"), axis=1)
        order = np.argsort(rows[:, -1], kind="stable")
        rows = np.ascontiguousarray(rows[order])
        commons, starts = np.unique(rows[:, -1], return_index=True)
        counted = np.zeros(len(chosen), np.int64)
        seen = np.full(len(table.households), -1, np.int64)
        for common, first, end in zip(commons, starts, [*starts[1:], len(rows)], strict=True):
            theirs = holders[pointers[common] : pointers[common + 1]]
            marked[theirs] = True
            _count_households(pointers, holders, table.owners, rows, first, end, marked, seen, counted)
            marked[theirs] = False
        households[chosen[order]] = counted
    return households


@compiled
def _count_households(  # noqa: PLR0917 - numba takes arrays, not objects
    pointers: Int64s,
    holders: Int32s,
    owners: Int32s,
    rows: Int32s,
    first: int,
    end: int,
    marked: Flags,
    seen: Int64s,
    counted: Int64s,
) -> None:
    """
    Walk the holders of the items of the rows from `first` to before `end` side by side, the last item's being `marked`.

    `seen` is which row saw a household last.
    """
    others = max(1, rows.shape[1] - 1)
    at = np.zeros(others, np.int64)
    for row in range(first, end):
        for column in range(others):
            at[column] = pointers[rows[row, column]]
        running = True
        while running and at[0] < pointers[rows[row, 0] + 1]:
            basket = holders[at[0]]
            shared = marked[basket]
            for column in range(1, others):
                stop = pointers[rows[row, column] + 1]
                while shared and at[column] < stop and holders[at[column]] < basket:
                    at[column] += 1
                running = running and at[column] < stop
                shared = shared and running and holders[at[column]] == basket
            if shared and owners[basket] >= 0 and seen[owners[basket]] != row:
                seen[owners[basket]] = row
                counted[row] += 1
            at[0] += 1

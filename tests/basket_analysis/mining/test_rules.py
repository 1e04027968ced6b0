from fractions import Fraction
from itertools import combinations
from math import comb, inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from basket_analysis.mining.itemsets import FastMiner
from basket_analysis.mining.rules import TooManyRules, derive_rules
from basket_analysis.mining.strata import STRATA
from tests.basket_analysis.baskets_made import table_of

BREAKFAST = [
    ["milk", "tea"],
    ["milk", "tea", "bread"],
    ["milk", "tea", "bread", "jam"],
    ["milk"],
    ["tea"],
    ["bread", "jam"],
    ["bread"],
    ["milk", "bread"],
    ["jam"],
    ["tea", "bread"],
]
some_baskets = st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), min_size=1, max_size=30)


def rules_of(baskets, support="0", confidence="0"):
    table = table_of(baskets)
    itemsets = FastMiner(Fraction(support), by_stratum=True).fit(table).itemsets_
    return table, derive_rules(table, itemsets, Fraction(confidence))


def named(table, rules):
    """Return each rule's numbers by the names of its sides."""

    def names(number):
        return tuple(table.items[code] for code in rules.itemsets.codes(int(number)))

    columns = ("counts", "support", "confidence", "lift", "leverage", "conviction", "adjusted_lift", "z", "q")
    return {
        (names(antecedent), names(consequent)): {column: getattr(rules, column)[number] for column in columns}
        for number, (antecedent, consequent) in enumerate(
            zip(rules.antecedents, rules.consequents, strict=True)
        )
    }


def expected(table, antecedent, consequent):
    """Return E and V of a split from the baskets themselves."""
    codes = {name: code for code, name in enumerate(table.items)}
    held = [
        set(table.codes[a:b].tolist()) for a, b in zip(table.offsets[:-1], table.offsets[1:], strict=True)
    ]
    mean = variance = 0.0
    for stratum in range(STRATA):
        here = [basket for basket, own in zip(held, table.strata, strict=True) if own == stratum]
        if here:
            shares = [
                sum({codes[name] for name in side} <= basket for basket in here) / len(here)
                for side in (antecedent, consequent)
            ]
            both = shares[0] * shares[1]
            mean += len(here) * both
            variance += len(here) * both * (1 - both)
    return mean, variance


def q_values(tails):
    """Benjamini and Hochberg's step-up, written as in their paper."""
    order = sorted(range(len(tails)), key=lambda number: tails[number])
    q, least = [0.0] * len(tails), 1.0
    for rank in range(len(tails), 0, -1):
        least = min(least, tails[order[rank - 1]] * len(tails) / rank)
        q[order[rank - 1]] = least
    return q


def tail(count, mean, variance):
    return norm.sf((count - mean) / sqrt(variance)) if variance > 1e-12 else 1.0


class TestDeriveRules:
    def test_gives_the_measures_of_a_worked_example(self):
        """Milk is in 5 of 10 baskets, tea in 5, both in 3."""
        rule = named(*rules_of(BREAKFAST))[("milk",), ("tea",)]
        assert rule["counts"] == 3
        assert rule["support"] == pytest.approx(0.3)
        assert rule["confidence"] == pytest.approx(0.6)
        assert rule["lift"] == pytest.approx(1.2)
        assert rule["leverage"] == pytest.approx(0.05)
        assert rule["conviction"] == pytest.approx(1.25)

    def test_expects_what_chance_does_within_sizes(self):
        """Of 4 baskets of one item, one holds milk, one tea; of 4 of two, milk 2, tea 2; of 3 and of 4, all do."""
        rule = named(*rules_of(BREAKFAST))[("milk",), ("tea",)]
        mean = 4 * (1 / 4) * (1 / 4) + 4 * (2 / 4) * (2 / 4) + 1 + 1
        variance = 4 * (1 / 16) * (15 / 16) + 4 * (1 / 4) * (3 / 4)
        assert rule["adjusted_lift"] == pytest.approx(3 / mean)
        assert rule["z"] == pytest.approx((3 - mean) / sqrt(variance))

    def test_never_fails_with_infinite_conviction(self):
        rules = named(*rules_of(BREAKFAST))
        assert rules[("jam", "tea"), ("bread",)]["conviction"] == inf
        assert rules[("jam", "tea"), ("bread",)]["confidence"] == 1

    @given(baskets=some_baskets)
    def test_yields_every_split_of_every_set_once(self, baskets):
        _table, rules = rules_of(baskets)
        sets = [row for level in rules.itemsets.levels[1:] for row in level.items.tolist()]
        splits = [
            (part, tuple(code for code in row if code not in part))
            for row in sets
            for length in range(1, len(row))
            for part in combinations(row, length)
        ]
        found = [
            (rules.itemsets.codes(int(one)), rules.itemsets.codes(int(other)))
            for one, other in zip(rules.antecedents, rules.consequents, strict=True)
        ]
        assert sorted(found) == sorted(splits)
        assert np.all(np.diff(rules.sets) >= 0)

    @given(baskets=some_baskets, support=st.sampled_from(["0", "0.1", "0.3"]))
    def test_agrees_with_the_definitions(self, baskets, support):
        table, rules = rules_of(baskets, support)
        for (antecedent, consequent), rule in named(table, rules).items():
            mean, variance = expected(table, antecedent, consequent)
            assert rule["adjusted_lift"] == pytest.approx(rule["counts"] / mean)
            z = (rule["counts"] - mean) / sqrt(variance) if variance > 1e-12 else 0
            assert rule["z"] == pytest.approx(z, abs=1e-9)

    @given(baskets=some_baskets, support=st.sampled_from(["0", "0.1", "0.3"]))
    def test_controls_false_findings_among_pairs_of_frequent_items(self, baskets, support):
        table, rules = rules_of(baskets, support)
        frequent = (
            [table.items[row[0]] for row in rules.itemsets.levels[0].items.tolist()]
            if len(rules.itemsets)
            else []
        )
        held = [set(basket) for basket in baskets]
        pairs = list(combinations(frequent, 2))
        tails = [
            tail(sum({one, other} <= basket for basket in held), *expected(table, (one,), (other,)))
            for one, other in pairs
        ]
        q = dict(zip(pairs, q_values(tails), strict=True))
        for (antecedent, consequent), rule in named(table, rules).items():
            if len(antecedent) == len(consequent) == 1:
                assert rule["q"] == pytest.approx(q[tuple(sorted(antecedent + consequent))], abs=1e-9)

    @given(baskets=some_baskets)
    def test_controls_false_findings_among_all_splits_of_longer_sets(self, baskets):
        table, rules = rules_of(baskets)
        longer = {
            sides: rule for sides, rule in named(table, rules).items() if len(sides[0]) + len(sides[1]) > 2
        }
        tails = [tail(rule["counts"], *expected(table, *sides)) for sides, rule in longer.items()]
        for rule, q in zip(longer.values(), q_values(tails), strict=True):
            assert rule["q"] == pytest.approx(q, abs=1e-9)

    def test_keeps_a_rule_exactly_at_the_confidence_as_written(self):
        """3 of 10 is a confidence of 0.3, though no float is."""
        baskets = [["a", "b"]] * 3 + [["a"]] * 7
        sides = {(("a",), ("b",)), (("b",), ("a",))}
        assert set(named(*rules_of(baskets, confidence="0.3"))) == sides
        assert set(named(*rules_of(baskets, confidence="0.30000000000000000000000001"))) == {(("b",), ("a",))}

    def test_has_none_without_pairs(self):
        for baskets in ([], [["a"], ["b"]]):
            assert len(rules_of(baskets)[1]) == 0

    def test_counts_the_splits_before_it_starts(self):
        table = table_of([[f"i{number:02}" for number in range(16)]])
        itemsets = FastMiner(Fraction(0), by_stratum=True).fit(table).itemsets_
        splits = sum(comb(16, length) * (2**length - 2) for length in range(2, 17))
        with pytest.raises(TooManyRules, match=f"{splits:,}"):
            derive_rules(table, itemsets, Fraction(0), max_splits=splits - 1)

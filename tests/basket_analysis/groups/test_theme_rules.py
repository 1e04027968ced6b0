from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from basket_analysis.groups.theme_rules import Evidence, count_households, keep_rules
from basket_analysis.mining.itemsets import FastMiner
from tests.basket_analysis.baskets_made import table_of

EVIDENCE = Evidence(
    min_support=Fraction(1, 100), min_count=5, min_household_share=Fraction(0), min_households=3
)


def kept(table, evidence=EVIDENCE):
    """Return the kept rules by name with the number of households behind each."""
    rules = keep_rules(table, evidence)
    return {
        tuple(tuple(table.items[code] for code in side) for side in rules.items_of(number)): int(
            rules.households[number]
        )
        for number in range(len(rules))
    }


def noise(generator, baskets, items=12, size=3):
    return [{f"n{number}" for number in generator.integers(items, size=size)} for _ in range(baskets)]


class TestKeepRules:
    def test_keeps_a_pair_that_is_more_than_chance_in_its_surer_direction(self):
        generator = np.random.default_rng(1)
        baskets = [*noise(generator, 400), *([{"tea", "lemon", "n1"}] * 30), *([{"tea", "n2", "n3"}] * 20)]
        households = [f"h{number % 40}" for number in range(len(baskets))]
        table = table_of(baskets, households)
        rules = kept(table)
        assert rules[("lemon",), ("tea",)] == len({households[number] for number in range(400, 430)})
        assert (("tea",), ("lemon",)) not in rules

    def test_keeps_nothing_that_big_baskets_explain(self):
        """Items independent of one another among baskets of one size, but more of everything in large ones."""
        generator = np.random.default_rng(2)
        items = [f"i{number}" for number in range(20)]
        baskets = [set(generator.choice(items, size=size, replace=False)) for size in [1, 2, 8, 12] * 500]
        table = table_of(baskets, [f"h{number % 99}" for number in range(len(baskets))])
        itemsets = FastMiner(Fraction(1, 100), max_length=2).fit(table).itemsets_
        shares = itemsets.levels[0].counts / len(table)
        lifts = [
            count / len(table) / (shares[one] * shares[other])
            for (one, other), count in zip(
                itemsets.levels[1].items.tolist(), itemsets.levels[1].counts.tolist(), strict=True
            )
        ]
        assert min(lifts) > 1.2
        assert kept(table) == {}

    def test_wants_enough_households(self):
        generator = np.random.default_rng(3)
        baskets = [*noise(generator, 400), *([{"tea", "lemon"}] * 30)]
        few = [f"h{number % 40}" for number in range(400)] + ["h1", "h2"] * 15
        assert (("lemon",), ("tea",)) not in kept(table_of(baskets, few))
        assert (("lemon",), ("tea",)) in kept(table_of(baskets, [*few[:400], *["h1", "h2", "h3"] * 10]))

    def test_asks_for_no_households_where_none_are_known(self):
        generator = np.random.default_rng(3)
        assert kept(table_of([*noise(generator, 400), *([{"tea", "lemon"}] * 30)]))[("lemon",), ("tea",)] == 0

    def test_looks_at_no_sets_where_there_are_too_few_baskets_for_any(self):
        huge = {f"n{number}" for number in range(2_000)}
        assert kept(table_of([huge] * 4, ["h1", "h2", "h3", "h4"])) == {}

    def test_keeps_a_longer_rule_only_if_it_says_more_than_its_parts(self):
        """Bread goes with butter whatever else; only tea and lemon together call for honey."""
        generator = np.random.default_rng(4)
        baskets = []
        for _ in range(4_000):
            drawn = generator.random(4) < (0.3, 0.3, 0.3, 0.1)
            basket = {f"n{number}" for number in generator.integers(12, size=2)}
            basket |= {"bread", "butter"} if drawn[0] else set()
            basket |= {"tea"} if drawn[1] else set()
            basket |= {"lemon"} if drawn[2] else set()
            basket |= {"honey"} if drawn[3] or (drawn[1] and drawn[2]) else set()
            baskets.append(basket)
        rules = kept(table_of(baskets, [f"h{number % 50}" for number in range(len(baskets))]))
        longer = {frozenset(one + other) for one, other in rules if len(one) > 1}
        assert (("bread",), ("butter",)) in rules or (("butter",), ("bread",)) in rules
        assert longer == {frozenset({"tea", "lemon", "honey"})}

    def test_says_by_how_much_a_rule_betters_every_shorter_one(self):
        generator = np.random.default_rng(6)
        baskets = []
        for _ in range(4_000):
            drawn = generator.random(4) < (0.3, 0.3, 0.3, 0.1)
            basket = {f"n{number}" for number in generator.integers(12, size=2)}
            basket |= {"bread", "butter"} if drawn[0] else set()
            basket |= {"tea"} if drawn[1] else set()
            basket |= {"lemon"} if drawn[2] else set()
            basket |= {"honey"} if drawn[3] or (drawn[1] and drawn[2]) else set()
            baskets.append(basket)
        rules = keep_rules(table_of(baskets), Evidence())
        assert {len(rules.items_of(number)[0]) for number in range(len(rules))} == {1, 2}
        items = table_of(baskets).items
        for number in range(len(rules)):
            antecedent, (consequent,) = rules.items_of(number)
            names, wanted = {items[code] for code in antecedent}, items[consequent]
            confidences = {}
            for length in range(len(names) + 1):
                for part in combinations(sorted(names), length):
                    holders = [basket for basket in baskets if set(part) <= basket]
                    confidences[part] = sum(wanted in basket for basket in holders) / len(holders)
            whole = confidences.pop(tuple(sorted(names)))
            assert rules.improvement[number] == pytest.approx(whole - max(confidences.values()))
            assert rules.improvement[number] > 0

    @pytest.mark.parametrize("baskets", [[], [{"a"}], [{"a", "b"}] * 3])
    def test_is_quiet_on_quiet_nights(self, baskets):
        assert len(keep_rules(table_of(baskets), Evidence())) == 0


class TestCountHouseholds:
    def test_counts_each_household_once(self):
        generator = np.random.default_rng(5)
        baskets = [{"abcdefgh"[number] for number in generator.integers(8, size=5)} for _ in range(300)]
        households = [None if number % 7 == 0 else f"h{generator.integers(25)}" for number in range(300)]
        table = table_of(baskets, households)
        itemsets = FastMiner(Fraction(0)).fit(table).itemsets_
        counted = count_households(table, itemsets, np.arange(len(itemsets)))
        for number in range(len(itemsets)):
            names = {table.items[code] for code in itemsets.codes(number)}
            buyers = {
                household
                for basket, household in zip(baskets, households, strict=True)
                if household and names <= basket
            }
            assert counted[number] == len(buyers)
        assert {len(itemsets.codes(number)) for number in range(len(itemsets))} == {1, 2, 3, 4, 5}
        assert len(list(combinations("abcdefgh", 2))) == len(itemsets.levels[1])

import numpy as np
import pytest

from basket_analysis.groups.theme_rules import Evidence
from basket_analysis.mining.pair_counts import pair_counts
from basket_analysis.mining.substitute_rules import find_substitutes, substitute_rows
from basket_analysis.mining.tallies import tally_of
from tests.basket_analysis.baskets_made import table_of

KINDS = {"butter": "fat", "margarine": "fat", "lard": "fat", "bread": "bakery", "rolls": "bakery"}


def a_shop():
    """
    Return a table in which forty households buy butter or margarine, seldom both, and bread with each.

    Rolls lie in the basket with bread as often as chance has it; lard has buyers of its own.
    """
    made, buyers = [], []
    for number in range(1_600):
        household, fat = number % 40, ("butter", "margarine")[number // 40 % 2]
        basket = ["butter", "margarine"] if number % 161 == 1 else [fat, "bread"]
        basket += ["rolls"] if number % 3 else []
        made.append(basket if number % 8 else ["lard", "milk", "rolls"])
        buyers.append(f"h{household}" if number % 8 else f"lard{household}")
    return table_of(made, buyers)


def found_in(table, evidence=None):
    numbers = np.arange(len(table.items), dtype=np.int64)
    tally = tally_of(table, numbers, np.ones(len(table.items), np.bool_))
    evidence = evidence or Evidence(max_length=2)
    return find_substitutes(table, pair_counts(tally, numbers, 20), KINDS, evidence)


class TestFindSubstitutes:
    def test_finds_what_the_same_households_buy_at_other_times(self):
        table = a_shop()
        rows = list(substitute_rows(table, found_in(table), "type"))
        assert [sorted([*row["antecedent"], *row["consequent"]]) for row in rows] == [["butter", "margarine"]]
        (row,) = rows
        assert (row["count"], row["households"]) == (9, 35)
        assert 0 < row["adjusted_lift"] < 0.1
        assert row["z"] < -10
        assert row["q"] < 0.01
        assert row["group_id"] is None

    def test_counts_what_lies_in_one_basket(self):
        table = a_shop()
        found = found_in(table)
        one, other = found.pairs[0]
        held = [set(table.codes[a:b]) for a, b in zip(table.offsets[:-1], table.offsets[1:], strict=True)]
        assert found.counts[0] == sum({one, other} <= basket for basket in held)
        assert found.expected[0] == pytest.approx(
            sum(
                sizes * shares
                for sizes, shares in (
                    (
                        size,
                        np.mean([one in b for b in held if len(b) == length])
                        * np.mean([other in b for b in held if len(b) == length]),
                    )
                    for length in (2, 3)
                    for size in [sum(len(b) == length for b in held)]
                )
            )
        )

    def test_finds_nothing_that_two_kinds_of_people_buy(self):
        """Lard and butter lie in no basket together, and in no household either."""
        pairs = {tuple(sorted(pair)) for pair in found_in(a_shop()).pairs.tolist()}
        table = a_shop()
        lard = table.items.index("lard")
        assert not any(lard in pair for pair in pairs)

    def test_passes_over_what_never_lies_in_one_basket(self):
        """An article that got another number looks like that."""
        made = [[("butter", "margarine")[number > 800], "bread"] for number in range(1_600)]
        assert len(found_in(table_of(made, [f"h{number % 40}" for number in range(1_600)]))) == 0

    def test_finds_nothing_among_too_few(self):
        assert len(found_in(a_shop(), Evidence(max_length=2, min_households=36))) == 0
        assert len(found_in(table_of([], []))) == 0

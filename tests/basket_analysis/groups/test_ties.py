import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from basket_analysis.groups.theme_rules import Evidence, KeptRules, keep_rules
from basket_analysis.groups.ties import tie_weights
from basket_analysis.mining.itemsets import Itemsets, Level
from basket_analysis.mining.rules import Rules
from tests.basket_analysis.baskets_made import shoppers, table_of


@pytest.fixture(scope="module")
def table():
    made, buyers, _ = shoppers(np.random.default_rng(3), households=80)
    return table_of(made, buyers)


class TestTieWeights:
    def test_are_those_of_the_rules_where_all_baskets_say_the_same(self, table):
        kept = keep_rules(table, Evidence())
        ties = tie_weights(table, kept)
        rules = kept.rules
        expected = {
            tuple(sorted((*kept.items_of(number)[0], *kept.items_of(number)[1]))): float(
                np.log(rules.adjusted_lift[number]) * np.sqrt(rules.counts[number])
            )
            for number in range(len(kept))
            if len(kept.items_of(number)[0]) == 1
        }
        assert expected
        assert ties == pytest.approx(expected)

    def test_go_by_what_baskets_weigh(self, table):
        """A basket that weighs two counts as two baskets."""
        kept = keep_rules(table, Evidence())
        twice = np.random.default_rng(1).integers(1, 3, len(table)).astype(float)
        drawn = np.repeat(np.arange(len(table)), twice.astype(int))
        sizes = np.diff(table.offsets)
        codes = [
            table.codes[table.offsets[basket] : table.offsets[basket] + sizes[basket]] for basket in drawn
        ]
        many = replace(
            table,
            offsets=np.concatenate([[0], np.cumsum(sizes[drawn])]),
            codes=np.concatenate(codes),
            strata=table.strata[drawn],
            owners=table.owners[drawn],
        )
        assert tie_weights(replace(table, weights=twice), kept) == pytest.approx(tie_weights(many, kept))

    def test_pairs_in_any_order_of_the_rules_are_each_counted_once(self, table):
        kept = keep_rules(table, Evidence())
        backwards = KeptRules(kept.rules[np.arange(len(kept))[::-1]], kept.households, kept.improvement)
        assert tie_weights(table, backwards) == tie_weights(table, kept)

    def test_take_room_for_pairs_and_not_for_all_that_items_could_form(self):
        """Of 50,000 articles all pairs would be 20 GB."""
        articles = 50_000
        table = table_of([[f"{one:05}", f"{other:05}"] for one, other in pairwise(range(articles))])
        kept = neighbours(table)
        tracemalloc.start()
        try:
            ties = tie_weights(table, kept)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(ties) == articles - 1
        # An item is in two baskets of all, both of the same size, and each pair in one.
        lift = 1 / (2 * 2 / (articles - 1))
        assert ties[7, 8] == pytest.approx(np.log(lift))
        assert peak < 200e6


def neighbours(table):
    """Return rules between each item of `table` and the next one, as if all had been kept."""
    items = len(table.items)
    nothing = np.empty((items, 0), np.int32)
    singles = Level(np.arange(items, dtype=np.int32)[:, None], table.item_counts, nothing)
    codes = np.array(list(pairwise(range(items))), np.int32)
    pairs = Level(codes, np.ones(len(codes), np.int64), nothing[1:])
    measures = np.ones(len(codes))
    rules = Rules(
        itemsets=Itemsets((singles, pairs), len(table), 1),
        sets=np.arange(items, items + len(codes), dtype=np.int32),
        antecedents=codes[:, 0],
        consequents=codes[:, 1],
        adjusted_lift=measures,
        z=measures,
        q=measures,
    )
    return KeptRules(rules, np.ones(len(codes), np.int64), measures)

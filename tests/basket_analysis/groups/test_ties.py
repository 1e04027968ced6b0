from dataclasses import replace

import numpy as np
import pytest

from basket_analysis.groups.theme_rules import Evidence, keep_rules
from basket_analysis.groups.ties import tie_weights
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

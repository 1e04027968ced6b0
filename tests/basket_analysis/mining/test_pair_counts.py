from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from basket_analysis.groups.theme_rules import Evidence, choose_rules, keep_rules
from basket_analysis.mining.itemsets import FastMiner
from basket_analysis.mining.pair_counts import pair_counts, size_counts
from basket_analysis.mining.significance import pairs_of
from basket_analysis.mining.tallies import NOTHING, tally_of
from tests.basket_analysis.baskets_made import shoppers, table_of

baskets_of_ten = st.lists(st.sets(st.sampled_from("abcdefghij"), min_size=1), min_size=1, max_size=40)


def counted(table, least, seed=5):
    numbers = np.random.default_rng(seed).permutation(1000)[: len(table.items)].astype(np.int64)
    tally = tally_of(table, numbers, table.item_counts >= least)
    return pair_counts(tally, numbers, least)


class TestPairCounts:
    @given(baskets=baskets_of_ten, least=st.integers(1, 12))
    @settings(max_examples=80)
    def test_has_the_itemsets_that_the_miner_finds(self, baskets, least):
        table = table_of(baskets)
        pairs = counted(table, least).itemsets
        if least > len(table):
            assert len(pairs) == 0
            return
        miner = FastMiner(Fraction(least, len(table)), max_length=2, by_stratum=True)
        found = miner.fit(table).itemsets_
        assert len(pairs.levels) == len(found.levels)
        for one, other in zip(pairs.levels, found.levels, strict=True):
            assert one.items.tolist() == other.items.tolist()
            assert one.counts.tolist() == other.counts.tolist()
            assert one.strata.tolist() == other.strata.tolist()

    @given(baskets=baskets_of_ten, first=st.integers(0, 3))
    @settings(max_examples=30)
    def test_counts_rows_of_pairs_as_the_baskets_do(self, baskets, first):
        table = table_of(baskets)
        pairs = counted(table, 2)
        rows = max(0, len(pairs.codes) - first)
        by_counts, by_baskets = np.zeros((2, rows, len(pairs.codes)), np.int32)
        pairs.count(first, by_counts)
        pairs_of(table, pairs.codes)(first, by_baskets)
        assert by_counts.tolist() == by_baskets.tolist()

    def test_leads_to_the_rules_that_the_baskets_lead_to(self):
        made, buyers, _ = shoppers(np.random.default_rng(6), households=150)
        table = table_of(made, buyers)
        evidence = Evidence(max_length=2)
        pairs = counted(table, 20)
        from_counts = choose_rules(
            table, counted(table, pairs.least).itemsets, evidence, count_pairs=pairs.count
        )
        assert pairs.least == 20
        from_baskets = keep_rules(table, evidence)
        assert len(from_baskets) > 20
        assert [from_counts.items_of(number) for number in range(len(from_counts))] == [
            from_baskets.items_of(number) for number in range(len(from_baskets))
        ]
        for name in ("counts", "adjusted_lift", "z", "q"):
            assert getattr(from_counts.rules, name).tolist() == getattr(from_baskets.rules, name).tolist()
        assert from_counts.households.tolist() == from_baskets.households.tolist()
        assert from_counts.improvement.tolist() == from_baskets.improvement.tolist()


class TestSizeCounts:
    def test_is_quiet_where_nothing_was_counted(self):
        assert len(size_counts(NOTHING, np.empty(0, np.int64))) == 0
        assert pair_counts(NOTHING, np.empty(0, np.int64), 20).itemsets.levels == ()

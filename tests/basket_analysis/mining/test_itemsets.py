from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basket_analysis.mining.itemsets import FastMiner, ReferenceMiner, TooManyItemsets, minimum_count
from basket_analysis.mining.strata import STRATA, stratum_of
from tests.basket_analysis.baskets_made import table_of

baskets_of_ten = st.lists(st.sets(st.sampled_from("abcdefghij"), min_size=1), min_size=1, max_size=40)


def by_hand(table, min_count, max_length=None):
    """Count every subset of every basket, with its counts per stratum."""
    counts = {}
    for basket in range(len(table)):
        codes = table.codes[table.offsets[basket] : table.offsets[basket + 1]].tolist()
        for length in range(1, (max_length or len(codes)) + 1):
            for part in combinations(codes, length):
                counts.setdefault(part, np.zeros(STRATA, int))[table.strata[basket]] += 1
    return {part: tuple(strata) for part, strata in counts.items() if strata.sum() >= min_count}


def found(itemsets):
    return {
        tuple(row): tuple(strata)
        for level in itemsets.levels
        for row, strata in zip(level.items.tolist(), level.strata.tolist(), strict=True)
    }


def rows(itemsets):
    return [(level.items.tolist(), level.counts.tolist()) for level in itemsets.levels]


class TestMinimumCount:
    @pytest.mark.parametrize(
        ("share", "baskets", "count"),
        [
            ("0", 10, 1),
            ("0.1", 10, 1),
            ("0.3", 10, 3),
            ("0.31", 10, 4),
            ("0.07", 100, 7),
            ("1", 7, 7),
            ("0.001", 3, 1),
        ],
    )
    def test_is_the_share_rounded_up_but_never_nothing(self, share, baskets, count):
        assert minimum_count(Fraction(share), baskets) == count

    def test_takes_the_share_as_written(self):
        """As a float, 0.07 times 100 is a little more than 7."""
        assert 0.07 * 100 > 7
        assert minimum_count(Fraction("0.07"), 100) == 7


class TestFastMiner:
    @given(
        baskets=baskets_of_ten,
        share=st.fractions(0, 1, max_denominator=12),
        max_length=st.none() | st.integers(1, 5),
    )
    @settings(max_examples=150)
    def test_counts_as_one_does_by_hand(self, baskets, share, max_length):
        table = table_of(baskets)
        miner = FastMiner(share, max_length=max_length, by_stratum=True).fit(table)
        assert found(miner.itemsets_) == by_hand(table, miner.itemsets_.min_count, max_length)
        assert all((level.strata.sum(axis=1) == level.counts).all() for level in miner.itemsets_.levels)

    @given(baskets=baskets_of_ten, share=st.fractions(0, 1, max_denominator=12))
    @settings(max_examples=60)
    def test_finds_the_same_without_strata(self, baskets, share):
        table = table_of(baskets)
        plain = FastMiner(share).fit(table).itemsets_
        assert rows(plain) == rows(FastMiner(share, by_stratum=True).fit(table).itemsets_)

    def test_agrees_in_big_baskets_and_many(self):
        generator = np.random.default_rng(11)
        table = table_of(
            [
                {f"i{item:02}" for item in generator.zipf(1.5, size) % 60}
                for size in generator.integers(1, 40, 900)
            ]
        )
        fast = FastMiner(Fraction(5, 100), by_stratum=True).fit(table).itemsets_
        reference = ReferenceMiner(Fraction(5, 100), by_stratum=True).fit(table).itemsets_
        assert len(fast) > 200
        assert len(fast.levels) > 3
        assert found(fast) == found(reference)

    @given(baskets=baskets_of_ten, seed=st.integers(0, 99))
    @settings(max_examples=60)
    def test_does_not_depend_on_the_order_of_baskets(self, baskets, seed):
        shuffled = [baskets[number] for number in np.random.default_rng(seed).permutation(len(baskets))]
        one, other = (FastMiner(Fraction(1, 5)).fit(table_of(each)).itemsets_ for each in (baskets, shuffled))
        assert rows(one) == rows(other)

    def test_orders_sets_by_length_and_then_by_code_point(self):
        itemsets = FastMiner(Fraction(0)).fit(table_of([["b", "a", "É", "Z"]])).itemsets_
        assert table_of([["b", "a", "É", "Z"]]).items == ("Z", "a", "b", "É")
        assert itemsets.levels[1].items.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]

    def test_numbers_sets_through_the_levels(self):
        itemsets = FastMiner(Fraction(0)).fit(table_of([["a", "b", "c"]])).itemsets_
        assert [itemsets.codes(number) for number in range(len(itemsets))] == [
            (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2),
        ]  # fmt: skip
        assert itemsets.lengths(np.arange(7)).tolist() == [1, 1, 1, 2, 2, 2, 3]

    @pytest.mark.parametrize("miner", [FastMiner, ReferenceMiner])
    def test_gives_up_before_memory_does(self, miner):
        with pytest.raises(TooManyItemsets, match="1,000,000"):
            miner(Fraction(0), max_itemsets=1_000_000).fit(
                table_of([[f"i{item:04}" for item in range(2_000)]])
            )

    def test_gives_up_exactly_past_the_limit(self):
        table = table_of([["a", "b", "c", "d"]])
        assert len(FastMiner(Fraction(0), max_itemsets=15).fit(table).itemsets_) == 15
        for limit in (1, 3, 4, 9, 10, 13, 14):
            with pytest.raises(TooManyItemsets):
                FastMiner(Fraction(0), max_itemsets=limit).fit(table)

    def test_finds_nothing_in_nothing(self):
        itemsets = FastMiner(Fraction(1, 100), by_stratum=True).fit(table_of([])).itemsets_
        assert (len(itemsets), itemsets.levels, len(itemsets.counts)) == (0, (), 0)

    def test_finds_nothing_where_nothing_is_frequent(self):
        itemsets = FastMiner(Fraction(1, 2)).fit(table_of([["a"], ["b"], ["c"]])).itemsets_
        assert len(itemsets) == 0


class TestReferenceMiner:
    @given(
        baskets=baskets_of_ten,
        share=st.fractions(Fraction(1, 12), 1, max_denominator=12),
        max_length=st.none() | st.integers(1, 4),
    )
    @settings(max_examples=40)
    def test_agrees_with_the_fast_one(self, baskets, share, max_length):
        table = table_of(baskets)
        reference, fast = (
            miner(share, max_length=max_length, by_stratum=True).fit(table).itemsets_
            for miner in (ReferenceMiner, FastMiner)
        )
        assert found(reference) == found(fast)
        assert rows(reference) == rows(fast)

    def test_loses_nothing_exactly_on_the_threshold(self):
        """3 of 10 baskets at a support of 0.3, which no float holds."""
        table = table_of([["a", "b"]] * 3 + [["c"]] * 7)
        assert [len(level) for level in ReferenceMiner(Fraction("0.3")).fit(table).itemsets_.levels] == [3, 1]

    def test_is_quiet_on_quiet_nights(self):
        assert len(ReferenceMiner(Fraction(1, 2)).fit(table_of([])).itemsets_) == 0
        assert len(ReferenceMiner(Fraction(1, 2)).fit(table_of([["a"], ["b"], ["c"]])).itemsets_) == 0


class TestStrata:
    def test_are_those_of_the_method(self):
        sizes = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 14, 15, 20, 21, 30, 31, 45, 46, 10_000])
        assert stratum_of(sizes).tolist() == [0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11]

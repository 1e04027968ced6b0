from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basket_analysis.mining.strata import stratum_of
from basket_analysis.mining.tallies import HIGHEST_ITEM, NOTHING, Tally, added, pack, tally_of, unpack
from tests.basket_analysis.baskets_made import table_of

baskets_of_ten = st.lists(st.sets(st.sampled_from("abcdefghij"), min_size=1), max_size=30)
NUMBERS = {name: 3 + 7 * place for place, name in enumerate("hjabicdefg")}


def numbers_of(table):
    return np.array([NUMBERS[item] for item in table.items], np.int64)


def tally(baskets, tracked="abcdefghij"):
    table = table_of(baskets)
    return tally_of(table, numbers_of(table), np.array([item in tracked for item in table.items], bool))


def found(counted):
    return {
        (int(low), int(high), int(stratum)): int(count)
        for low, high, stratum, count in zip(
            counted.lower, counted.higher, counted.strata, counted.counts, strict=True
        )
    }


def by_hand(baskets, tracked="abcdefghij"):
    counts = {}
    for basket in baskets:
        (stratum,) = stratum_of(np.array([len(basket)])).tolist()
        keys = [(-1, -1), *((-1, NUMBERS[item]) for item in basket)]
        keys += combinations(sorted(NUMBERS[item] for item in basket if item in tracked), 2)
        for key in keys:
            counts[*key, stratum] = counts.get((*key, stratum), 0) + 1
    return counts


class TestTallyOf:
    @given(baskets=baskets_of_ten, tracked=st.sets(st.sampled_from("abcdefghij")))
    @settings(max_examples=60)
    def test_counts_as_one_does_by_hand(self, baskets, tracked):
        assert found(tally(baskets, tracked)) == by_hand(baskets, tracked)

    def test_finds_room_for_many_keys(self):
        baskets = [{f"i{(basket * 7 + item) % 300:03}" for item in range(40)} for basket in range(300)]
        table = table_of(baskets)
        counted = tally_of(table, np.arange(300), np.ones(300, bool))
        assert (np.diff(counted.keys) > 0).all()
        assert counted.counts.sum() == 300 * (1 + 40 + 40 * 39 // 2)

    def test_holds_the_highest_item(self):
        table = table_of([["a", "b"]])
        counted = tally_of(table, np.array([HIGHEST_ITEM, 0]), np.ones(2, bool))
        assert (0, HIGHEST_ITEM, 1) in found(counted)


class TestTally:
    @given(days=st.lists(baskets_of_ten, max_size=6))
    @settings(max_examples=60)
    def test_of_days_adds_up_to_that_of_their_baskets(self, days):
        together = [basket for day in days for basket in day]
        assert added([tally(day) for day in days]).same_as(tally(together))

    @given(stays=baskets_of_ten, leaves=baskets_of_ten, comes=baskets_of_ten)
    @settings(max_examples=60)
    def test_of_a_window_moves_on_by_what_leaves_and_comes(self, stays, leaves, comes):
        moved = added([tally([*leaves, *stays]), -tally(leaves), tally(comes)])
        assert moved.same_as(tally([*stays, *comes]))

    def test_of_nothing_is_nothing(self):
        assert added([]).same_as(NOTHING)
        assert (tally(["ab"]) + -tally(["ab"])).same_as(NOTHING)

    @given(baskets=baskets_of_ten)
    @settings(max_examples=40)
    def test_comes_back_from_bytes(self, baskets):
        assert unpack(pack(tally(baskets))).same_as(tally(baskets))

    def test_comes_back_with_counts_below_zero_and_large_keys(self):
        odd = Tally(np.array([5, 1 << 62], np.int64), np.array([-3, 1 << 40], np.int64))
        assert unpack(pack(odd)).same_as(odd)

    def test_is_not_read_from_other_bytes(self):
        with pytest.raises(ValueError, match="no tally"):
            unpack(b"something else")

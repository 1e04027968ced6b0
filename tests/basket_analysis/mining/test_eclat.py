import numpy as np
import pytest

from basket_analysis.mining.eclat import Search, grow_tree
from basket_analysis.mining.strata import STRATA
from tests.basket_analysis.baskets_made import table_of


def sets_of(tree):
    sets = []
    for node in range(len(tree.items)):
        items, above = [], node
        while above >= 0:
            items.append(int(tree.items[above]))
            above = tree.parents[above]
        sets.append((tuple(sorted(items)), int(tree.counts[node]), tuple(tree.strata[node].tolist())))
    return sorted(sets)


class TestGrowTree:
    @pytest.mark.parametrize("strata", [0, STRATA])
    @pytest.mark.parametrize("bought_per_pair", [0, 1 << 30])
    @pytest.mark.parametrize("words", [0, 1, 7, 40, 1 << 23])
    def test_finds_the_same_on_every_way(self, words, bought_per_pair, strata):
        generator = np.random.default_rng(5)
        table = table_of([set(generator.zipf(1.4, size) % 40) for size in generator.integers(1, 25, 600)])

        def grow(bitmap_words, bought_per_pair, max_length=1 << 30):
            search = Search(
                min_count=12,
                max_length=max_length,
                room=1 << 20,
                strata=strata,
                bitmap_words=bitmap_words,
                bought_per_pair=bought_per_pair,
            )
            return sets_of(
                grow_tree(table.offsets, table.codes, table.strata, items=len(table.items), search=search)
            )

        everything = grow(1 << 23, 16)
        assert len(everything) == len(set(everything)) > 500
        assert grow(words, bought_per_pair) == everything
        for length in (2, 3):
            shorter = [each for each in everything if len(each[0]) <= length]
            assert grow(words, bought_per_pair, length) == shorter

    def test_says_when_there_is_no_room_on_every_way(self):
        table = table_of([set(range(12))] * 3)
        for words, pays in ((0, 0), (4, 0), (1 << 23, 0), (0, 16), (4, 16), (1 << 23, 16)):
            for room in (11, 20, 500, 4_094):
                search = Search(
                    min_count=1, max_length=99, room=room, strata=0, bitmap_words=words, bought_per_pair=pays
                )
                tree = grow_tree(table.offsets, table.codes, table.strata, items=12, search=search)
                assert not tree.complete
            search = Search(
                min_count=1, max_length=99, room=4_095, strata=0, bitmap_words=words, bought_per_pair=pays
            )
            tree = grow_tree(table.offsets, table.codes, table.strata, items=12, search=search)
            assert tree.complete
            assert len(tree.items) == 4_095

import numpy as np
import pytest

from basket_analysis.eclat import Search, grow_tree
from basket_analysis.strata import STRATA
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
    @pytest.mark.parametrize("words", [0, 1, 7, 40])
    def test_finds_the_same_when_bitmaps_do_not_fit(self, words, strata):
        generator = np.random.default_rng(5)
        table = table_of([set(generator.zipf(1.4, size) % 40) for size in generator.integers(1, 25, 600)])

        def grow(bitmap_words):
            search = Search(
                min_count=12, max_length=1 << 30, room=1 << 20, strata=strata, bitmap_words=bitmap_words
            )
            return sets_of(
                grow_tree(table.offsets, table.codes, table.strata, items=len(table.items), search=search)
            )

        everything = grow(1 << 23)
        assert len(everything) == len(set(everything)) > 500
        assert grow(words) == everything

    def test_says_when_there_is_no_room_on_every_way(self):
        table = table_of([set(range(12))] * 3)
        for words in (0, 4, 1 << 23):
            for room in (11, 20, 500, 4_094):
                search = Search(min_count=1, max_length=1 << 30, room=room, strata=0, bitmap_words=words)
                tree = grow_tree(table.offsets, table.codes, table.strata, items=12, search=search)
                assert not tree.complete
            search = Search(min_count=1, max_length=1 << 30, room=4_095, strata=0, bitmap_words=words)
            tree = grow_tree(table.offsets, table.codes, table.strata, items=12, search=search)
            assert tree.complete
            assert len(tree.items) == 4_095

"""What copies did, held against chance, and what may be said of few people."""

import random

import pytest

from catalogs.runs.results import (
    Shown,
    cells_of,
    difference_of_means,
    difference_of_shares,
    effect_of,
    items_of,
    told,
)


class TestDifferenceOfShares:
    def test_gives_newcombes_own_examples(self):
        """Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10."""
        for (hits, of, other, other_of), (low, high) in (
            ((56, 70, 48, 80), (0.0524, 0.3339)),
            ((9, 10, 3, 10), (0.1705, 0.8090)),
            ((10, 10, 0, 20), (0.6791, 1.0)),
        ):
            found = difference_of_shares(hits, of, other, other_of)
            assert found.low == pytest.approx(low, abs=5e-5)
            assert found.high == pytest.approx(high, abs=5e-5)

    def test_holds_the_truth_as_often_as_it_says(self):
        chance = random.Random(7)
        held = 0
        for _ in range(1_000):
            one = sum(chance.random() < 0.12 for _ in range(300))
            other = sum(chance.random() < 0.08 for _ in range(60))
            found = difference_of_shares(one, 300, other, 60)
            held += found.low <= 0.04 <= found.high
        assert 0.93 < held / 1_000 < 0.98


class TestDifferenceOfMeans:
    def test_is_that_of_means_with_the_spread_of_both(self):
        found = difference_of_means([10, 20, 30], [5, 5, 5])
        assert (found.with_copy, found.without, found.difference) == (20, 5, 15)
        assert found.high - found.difference == pytest.approx(1.959964 * (100 / 3) ** 0.5)
        assert found.certain


class TestEffectOf:
    def test_says_nothing_of_few(self):
        few = effect_of([(True, 100)] * 200, [(False, 0)] * 29, currency="CZK")
        assert few.share is None
        assert few.spending is None
        assert "too few" in few.words()

    def test_compares_those_with_a_copy_with_those_held_out(self):
        found = effect_of(
            [(True, 100)] * 60 + [(False, 0)] * 140, [(True, 100)] * 3 + [(False, 0)] * 57, currency="CZK"
        )
        assert found.share.with_copy == 0.3
        assert found.share.without == 0.05
        assert found.share.certain
        assert "more" in found.words()


class TestTold:
    def test_keeps_one_to_nine_buyers_to_itself(self):
        assert told(50, 9, 900) == (None, None, None)
        assert told(50, 10, 900) == (10, 0.2, 900)
        assert told(50, 0, 0) == (0, 0.0, 0)


class TestCellsOf:
    def test_puts_all_that_stood_at_a_place_together(self):
        shown = [Shown(2, 1, 7, 8, 4, 400), Shown(2, 1, 8, 8, 6, 600), Shown(2, 2, 9, 9, 9, 900)]
        (cell,) = cells_of(shown)
        assert (cell.page, cell.place, cell.copies, cell.buyers, cell.minor, cell.articles) == (
            2,
            1,
            16,
            10,
            1000,
            2,
        )


class TestItemsOf:
    def test_lists_the_best_first_and_nothing_that_few_bought(self):
        shown = [Shown(2, 1, 7, 100, 10, 1), Shown(3, 1, 8, 50, 10, 1), Shown(4, 1, 9, 50, 9, 1)]
        assert [item.article_id for item in items_of(shown)] == [8, 7]

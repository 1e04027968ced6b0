"""How much of the range is seen."""

import numpy as np

from basket_analysis.offers.relevance_range import AUDIENCE, PLACES, SHARE, SHOWN, show_more_items

MEMBERS, LENGTH, ITEMS = 60, 60, 100


def made():
    """Return lists that agree on the first places and differ in what follows."""
    chance = np.random.default_rng(2)
    items = np.empty((MEMBERS, LENGTH), np.int32)
    for member in range(MEMBERS):
        items[member, :SHOWN] = np.arange(SHOWN)
        items[member, SHOWN:] = SHOWN + chance.permutation(ITEMS - SHOWN)[: LENGTH - SHOWN]
    scores = np.tile(np.linspace(1, 0, LENGTH, dtype=np.float32), (MEMBERS, 1))
    return items, scores


class TestShowMoreItems:
    def test_shows_more_of_the_range_for_few_places_of_a_list(self):
        items, scores = made()
        before = items.copy()
        show_more_items(items, scores, ITEMS)
        seen = np.bincount(items[:, :SHOWN].ravel(), minlength=ITEMS)
        assert (seen > 0).sum() > SHOWN
        assert (seen >= AUDIENCE).sum() <= SHARE * ITEMS
        np.testing.assert_array_equal(items[:, : SHOWN - PLACES], before[:, : SHOWN - PLACES])

    def test_loses_nothing(self):
        items, scores = made()
        before = np.sort(items, axis=1)
        show_more_items(items, scores, ITEMS)
        np.testing.assert_array_equal(np.sort(items, axis=1), before)

    def test_leaves_short_lists_as_they_are(self):
        items, scores = (values[:, :SHOWN].copy() for values in made())
        before = items.copy()
        show_more_items(items, scores, ITEMS)
        np.testing.assert_array_equal(items, before)

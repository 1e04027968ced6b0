"""Ties as arrays, against those that tills are told."""

import numpy as np
import pytest

from basket_analysis.mining.basket_rules import BasketRules, FiledArticle, PairRule
from basket_analysis.offers.popularity import Popularity

ARTICLES = range(0, 60, 2)


@pytest.fixture
def rules():
    chance = np.random.default_rng(5)

    def some(count, highest):
        pairs = chance.integers(0, highest, (count, 2)).tolist()
        return [PairRule(one, other, 0.8 + 4 * chance.random()) for one, other in pairs if one != other]

    filed = [FiledArticle(number, number % 11 - 1, number % 5 - 1) for number in range(40)]
    return BasketRules(articles=some(40, 70), types=some(20, 10), categories=some(6, 4), filed=filed)


class TestTies:
    @pytest.mark.parametrize("basket", [[], [4], [2, 3, 30, 55], [7, 9, 11, 999]])
    def test_are_as_strong_as_tills_are_told(self, rules, basket):
        popular = Popularity(dict.fromkeys(ARTICLES, 1), members=9, category_of={})
        told = rules.going_with(basket, among=ARTICLES)
        expected = [told.get(article, (0.0, -1))[0] for article in ARTICLES]
        assert popular.ties(rules, basket).tolist() == expected

    def test_of_no_articles_are_none(self, rules):
        assert Popularity({}, members=0, category_of={}).ties(rules, [4]).tolist() == []


class TestPlaces:
    def test_of_unknown_articles_say_nothing(self):
        popular = Popularity({5: 1, 3: 2}, members=4, category_of={3: "TEA"})
        assert popular.articles.tolist() == [3, 5]
        assert popular.shares.tolist() == [0.5, 0.25]
        assert popular.spread({5: 3.0, 9: 7.0}).tolist() == [1.0, 3.0]
        assert popular.of([1, 3, 99]).tolist() == [True, False]
        assert popular.of_categories(["TEA", "WINE"]).tolist() == [True, False]

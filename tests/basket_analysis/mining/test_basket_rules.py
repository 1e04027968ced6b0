"""What goes with a basket: levels, the article it comes from, what is left out."""

from math import log

import pytest

from basket_analysis.mining.basket_rules import BasketRules, FiledArticle, PairRule

BREAD, BUTTER, HAM, HONEY, STRANGER = 1, 2, 3, 4, 99
BAKERY, DAIRY, MEAT = 0, 1, 2
RULES = BasketRules(
    articles=[PairRule(BREAD, BUTTER, 5.0)],
    types=[PairRule(BAKERY, DAIRY, 2.0), PairRule(BAKERY, MEAT, 3.0)],
    categories=[PairRule(0, 1, 1.5), PairRule(0, 2, 0.4)],
    filed=[
        FiledArticle(BREAD, BAKERY, 0),
        FiledArticle(BUTTER, DAIRY, 1),
        FiledArticle(HAM, MEAT, -1),
        FiledArticle(HONEY, -1, 1),
    ],
)
ALL = (BREAD, BUTTER, HAM, HONEY, STRANGER)


class TestGoingWith:
    def test_takes_the_strongest_tie_of_all_levels(self):
        assert RULES.going_with([BREAD], among=ALL) == {
            BUTTER: (pytest.approx(log(5.0)), BREAD),
            HAM: (pytest.approx(log(3.0)), BREAD),
            HONEY: (pytest.approx(log(1.5)), BREAD),
        }

    def test_goes_both_ways(self):
        assert RULES.going_with([HAM], among=ALL) == {BREAD: (pytest.approx(log(3.0)), HAM)}

    def test_names_the_article_that_the_strongest_tie_comes_from(self):
        found = RULES.going_with([HONEY, BUTTER], among=[BREAD])
        assert found == {BREAD: (pytest.approx(log(5.0)), BUTTER)}

    def test_never_answers_what_is_in_the_basket(self):
        assert RULES.going_with([BREAD, BUTTER], among=[BREAD, BUTTER]) == {}

    def test_answers_only_among_the_candidates(self):
        assert set(RULES.going_with([BREAD], among=[HAM])) == {HAM}

    def test_knows_nothing_of_strangers(self):
        assert RULES.going_with([STRANGER], among=ALL) == {}
        assert RULES.going_with([], among=ALL) == {}

    def test_leaves_out_what_is_bought_instead(self):
        rules = BasketRules(
            types=[PairRule(0, 1, 0.4)], filed=[FiledArticle(1, 0, -1), FiledArticle(2, 1, -1)]
        )
        assert len(rules) == 0
        assert rules.going_with([1], among=[2]) == {}

    def test_without_rules_ties_nothing(self):
        assert BasketRules().going_with([BREAD], among=ALL) == {}


class TestLength:
    def test_counts_each_pair_once(self):
        assert len(RULES) == 4

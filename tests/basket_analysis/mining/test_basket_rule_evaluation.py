"""Held-out rules of baskets, in a town whose trips are tied."""

from datetime import timedelta

import pytest

from basket_analysis.mining.basket_rule_evaluation import evaluate_basket_rules, rules_of
from basket_analysis.reading import read_sold_lines
from tests.basket_analysis.town_made import DAY, build_town


@pytest.fixture
def halves(sessions):
    """The baskets of the town before its last five weeks, and those of these."""
    middle = DAY - timedelta(weeks=5)
    with sessions.begin() as session:
        build_town(session)
        return (
            read_sold_lines(session, first_day=DAY - timedelta(weeks=20), following_day=middle),
            read_sold_lines(session, first_day=middle, following_day=DAY + timedelta(days=1)),
        )


class TestEvaluateBasketRules:
    def test_finds_what_is_hidden_better_by_the_rest_of_the_basket_than_of_another(self, halves):
        rows = {row.method: row.share for row in evaluate_basket_rules(*halves)}
        assert rows["popularity and rules"] > rows["popularity and rules of another basket"]
        assert rows["popularity and rules"] > rows["popularity"]

    def test_has_no_rows_without_later_baskets(self, sessions, halves):
        with sessions.begin() as session:
            nothing = read_sold_lines(
                session, first_day=DAY + timedelta(days=9), following_day=DAY + timedelta(days=10)
            )
        assert evaluate_basket_rules(halves[0], nothing) == []


class TestRulesOf:
    def test_tie_the_articles_of_a_trip(self, halves):
        before, _ = halves
        place = {article.sku: number for number, article in enumerate(before.articles)}
        going = rules_of(before).going_with([place["COFFEE"]], among=list(place.values()))
        assert {before.articles[number].sku for number in going} == {"ROLLS", "BUTTER", "JAM"}

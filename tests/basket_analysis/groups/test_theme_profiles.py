from math import sqrt

import numpy as np
import pytest

from basket_analysis.groups.theme_profiles import LEAST_VARIANCE, PRIOR_BASKETS, Habits, learn_profiles
from tests.basket_analysis.baskets_made import shoppers, table_of


class TestHabits:
    def test_hold_what_is_bought_against_chance_among_baskets_of_its_size(self):
        """Ten baskets of two items, five of them with tea, that stands in every fifth basket of that size."""
        table = table_of([["lemon", "tea"]] * 5 + [["a", "b"]] * 20, ["h"] * 10 + [None] * 15)
        habits = Habits(table, ["tea"])
        assert habits.rates[0, 1] == pytest.approx(5 / 25)
        expected = (5 - 10 * 0.2) / sqrt(10 * 0.2 * 0.8 + LEAST_VARIANCE)
        assert habits.scores(np.ones((1, 1)))[0, 0] == pytest.approx(expected)
        assert habits.baskets.tolist() == [10]

    def test_say_how_many_times_as_often_as_by_chance_followers_buy_an_item(self):
        table = table_of([["tea"]] * 400 + [["a"]] * 1_600, ["h"] * 1_000 + ["other"] * 1_000)
        follows = np.array([[1.0, 0.5], [0.0, 0.5]])
        expected = [(400 + PRIOR_BASKETS) / (200 + PRIOR_BASKETS), 1.0]
        assert Habits(table, ["tea"]).lifts(follows)[:, 0] == pytest.approx(expected)

    def test_do_not_mind_items_that_nobody_bought(self):
        habits = Habits(table_of([["a"]], ["h"]), ["tea", "a"])
        assert habits.counts.toarray().tolist() == [[0, 1]]


class TestLearnProfiles:
    def test_learn_what_the_followers_buy_besides(self):
        made, buyers, truth = shoppers(np.random.default_rng(5), households=200)
        # Who follows theme 0 buys honey in every third basket too, which no rule ties to it.
        generator = np.random.default_rng(9)
        made = [
            [*basket, "honey"] if truth[buyer] == 0 and generator.random() < 0.3 else basket
            for basket, buyer in zip(made, buyers, strict=True)
        ]
        table = table_of(made, buyers)
        themes = [[f"theme{theme}-{number}" for number in range(5)] for theme in range(4)]
        profiles = learn_profiles(table, themes, min_baskets=10)
        honey = profiles.weights[:, profiles.items.index("honey")]
        assert honey.argmax() == 0
        assert honey[0] > 0.1
        assert (honey[1:] < 0).all()
        assert np.sqrt((profiles.weights**2).sum(axis=1)) == pytest.approx(np.ones(4))

    def test_let_everybody_speak_alike_however_often_they_come(self):
        """One household of a thousand baskets that follows the theme buys honey, and twenty others do not."""
        made = (
            [["tea", "lemon", "honey"]] * 1_000 + [["tea", "lemon", "salt"]] * 400 + [["x", "y", "z"]] * 800
        )
        buyers = (
            ["often"] * 1_000
            + [f"h{number % 20}" for number in range(400)]
            + [f"o{n % 40}" for n in range(800)]
        )
        profiles = learn_profiles(table_of(made, buyers), [["tea", "lemon"], ["x", "y"]], min_baskets=10)
        weights = dict(zip(profiles.items, profiles.weights[0].tolist(), strict=True))
        assert weights["salt"] > weights["honey"]

    def test_keep_a_theme_that_nobody_follows(self):
        profiles = learn_profiles(table_of([["a", "b"]] * 3, ["h"] * 3), [["a", "b"], ["x"]], min_baskets=10)
        assert profiles.items == ("a", "b", "x")
        assert profiles.weights.ravel() == pytest.approx([sqrt(0.5), sqrt(0.5), 0, 0, 0, 1])

    def test_are_none_without_themes(self):
        assert learn_profiles(table_of([["a"]], ["h"]), [], min_baskets=1).items == ()

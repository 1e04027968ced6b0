from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from basket_analysis.groups.scoring import HouseholdScorer
from basket_analysis.groups.theme_profiles import LEAST_VARIANCE, Profiles
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE, Theme, Themes
from basket_analysis.mining.strata import STRATA
from tests.basket_analysis.baskets_made import table_of


def theme(name, *items):
    return Theme(name, name, items, ())


TEA = theme("tea", "lemon", "tea")
PETS = theme("pets", "cat food", "litter")
ITEMS = ("cat food", "lemon", "litter", "tea")


def themes(*found, rates=0.1, min_baskets=3):
    """Return themes whose followers buy their own two items and nothing else."""
    weights = np.array([[(item in theme.items) / sqrt(2) for item in ITEMS] for theme in found])
    profiles = Profiles(ITEMS, weights.reshape(len(found), len(ITEMS)), np.full((len(ITEMS), STRATA), rates))
    return Themes(found, profiles, 0, 0, min_baskets, 3)


def score(bought, baskets):
    """Return the z of two items of one theme in `bought` of so many baskets, one in ten by chance."""
    return sqrt(2) * (bought - baskets * 0.1) / sqrt(baskets * 0.1 * 0.9 + LEAST_VARIANCE)


class TestHouseholdScorer:
    def baskets(self, **counts):
        """Return a table in which household h has so many baskets with tea, with pet food, and with neither."""
        baskets, households = [], []
        for household, (tea, pets, other) in counts.items():
            made = [["lemon", "tea"]] * tea + [["cat food", "litter"]] * pets + [["x", "y"]] * other
            baskets += made
            households += [household] * len(made)
        return table_of(baskets, households)

    def places(self, table, previous=None, **options):
        scorer = HouseholdScorer(themes(TEA, PETS, **options), previous=previous).fit(table)
        return {place.household: place for place in scorer.places_}

    def test_puts_everybody_into_exactly_one_group(self):
        places = self.places(self.baskets(tea=(8, 1, 3), pets=(0, 9, 3), plain=(1, 1, 10), seldom=(2, 0, 0)))
        assert {household: place.group for household, place in places.items()} == {
            "tea": "tea", "pets": "pets", "plain": NO_THEME, "seldom": TOO_LITTLE,
        }  # fmt: skip
        assert list(places) == sorted(places)

    def test_says_how_strongly_and_what_comes_second(self):
        place = self.places(self.baskets(tea=(8, 1, 3)))["tea"]
        assert place.strength == pytest.approx(score(8, 12))
        assert (place.second_group, place.baskets) == ("pets", 12)
        assert place.second_strength == pytest.approx(score(1, 12))

    def test_says_nothing_of_those_who_are_new(self):
        place = self.places(self.baskets(seldom=(2, 0, 0)))["seldom"]
        assert (place.group, place.strength, place.second_group, place.second_strength) == (
            TOO_LITTLE, None, None, None,
        )  # fmt: skip

    def test_says_how_near_the_best_theme_is_to_those_without(self):
        place = self.places(self.baskets(plain=(1, 0, 10)))["plain"]
        assert (place.group, place.second_group) == (NO_THEME, "pets")
        assert place.strength < 2.25

    def test_keeps_a_member_until_another_theme_is_clearly_better(self):
        table = self.baskets(even=(6, 7, 3), clear=(6, 9, 3))
        assert self.places(table)["even"].group == "pets"
        places = self.places(table, {"even": "tea", "clear": "tea"})
        assert (places["even"].group, places["even"].second_group) == ("tea", "pets")
        assert places["even"].strength < places["even"].second_strength
        assert places["clear"].group == "pets"

    def test_keeps_a_member_whose_own_theme_fades_a_little(self):
        table = self.baskets(fading=(4, 0, 16), faded=(2, 0, 18))
        scores = {household: place.strength for household, place in self.places(table).items()}
        assert 0.75 < scores["fading"] < 2.25
        assert scores["faded"] < 0.75
        assert self.places(table)["fading"].group == NO_THEME
        places = self.places(table, {"fading": "tea", "faded": "tea"})
        assert (places["fading"].group, places["faded"].group) == ("tea", NO_THEME)

    def test_lets_in_who_was_in_none_only_when_a_theme_fits_clearly(self):
        table = self.baskets(just=(4, 0, 13), clear=(8, 0, 9))
        strengths = {household: place.strength for household, place in self.places(table).items()}
        assert 2.25 < strengths["just"] < 2.75 < strengths["clear"]
        assert {place.group for place in self.places(table).values()} == {"tea"}
        places = self.places(table, {"just": NO_THEME, "clear": NO_THEME})
        assert (places["just"].group, places["clear"].group) == (NO_THEME, "tea")
        assert self.places(table, {"just": TOO_LITTLE})["just"].group == "tea"

    def test_forgets_groups_that_are_gone(self):
        table = self.baskets(tea=(8, 1, 3))
        assert self.places(table, {"tea": "garden"})["tea"].group == "tea"

    def test_learns_rates_from_a_table_that_is_large_enough(self):
        few, many = self.baskets(tea=(30, 0, 70)), self.baskets(tea=(6_000, 0, 14_000))
        assert self.places(few, rates=0.9)["tea"].strength < -5
        assert self.places(many, rates=0.9)["tea"].strength == pytest.approx(0)

    def test_knows_no_theme_where_there_are_none(self):
        scorer = HouseholdScorer(themes()).fit(self.baskets(tea=(8, 1, 3)))
        assert [(place.group, place.strength) for place in scorer.places_] == [(NO_THEME, None)]

    def test_gives_the_same_for_any_order_of_baskets(self):
        generator = np.random.default_rng(6)
        baskets = [["lemon", "tea"], ["cat food", "litter"], ["x"], ["lemon", "sugar", "tea", "x"]] * 50
        households = [f"h{number}" for number in generator.integers(9, size=200)]
        order = generator.permutation(200)
        one = HouseholdScorer(themes(TEA, PETS)).fit(table_of(baskets, households)).places_
        shuffled = table_of([baskets[number] for number in order], [households[number] for number in order])
        assert HouseholdScorer(themes(TEA, PETS)).fit(shuffled).places_ == one

    def test_has_one_group_for_themes_that_were_merged_as_strong_as_the_stronger(self):
        table = self.baskets(tea=(8, 1, 3), pets=(0, 9, 3), plain=(1, 1, 10))
        apart = themes(TEA, PETS)
        alone = {place.household: place for place in HouseholdScorer(apart).fit(table).places_}
        merged = replace(apart, merged={"pets": "tea"})
        scorer = HouseholdScorer(merged, previous={"pets": "pets"}).fit(table)
        places = {place.household: place for place in scorer.places_}
        assert {household: place.group for household, place in places.items()} == {
            "pets": "tea", "plain": NO_THEME, "tea": "tea",
        }  # fmt: skip
        assert places["pets"].strength == alone["pets"].strength
        assert places["pets"].second_group is None
        (whole,) = merged.groups
        assert (whole.id, set(whole.items)) == ("tea", set(ITEMS))

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from basket_analysis.groups.grouping import ThemeFinder, carry_identities
from basket_analysis.groups.scoring import HouseholdScorer
from basket_analysis.groups.theme_profiles import NOTHING_LEARNT
from basket_analysis.groups.themes import Theme, Themes
from tests.basket_analysis.baskets_made import shoppers, table_of


@pytest.fixture(scope="module")
def shopping():
    made, buyers, truth = shoppers(np.random.default_rng(12), households=150)
    return made, buyers, truth


@pytest.fixture(scope="module")
def found(shopping):
    made, buyers, _ = shopping
    return ThemeFinder().fit(table_of(made, buyers)).themes_


def named(*themes, next_number=9):
    """Return themes of which only ids and items matter."""
    known = tuple(Theme(theme_id, "", tuple(items), ()) for theme_id, items in themes)
    return Themes(known, NOTHING_LEARNT, 0, 0, 10, next_number)


class TestThemeFinder:
    def test_finds_the_themes_that_baskets_are_made_of(self, found):
        assert {frozenset(theme.items) for theme in found.themes} == {
            frozenset(f"theme{theme}-{number}" for number in range(5)) for theme in range(4)
        }
        assert [theme.id for theme in found.themes] == ["t1", "t2", "t3", "t4"]

    def test_gives_each_theme_its_rules_pairs_first(self, found):
        for theme in found.themes:
            assert {item for rule in theme.rules for item in rule.items} == set(theme.items)
            lengths = [len(rule.items) > 2 for rule in theme.rules]
            assert lengths == sorted(lengths)

    def test_lets_households_follow_their_theme(self, shopping, found):
        made, buyers, truth = shopping
        places = HouseholdScorer(found).fit(table_of(made, buyers)).places_
        theme_of = {theme.id: int(theme.items[0][5]) for theme in found.themes}
        right = Counter(theme_of.get(place.group) == truth[place.household] for place in places)
        assert right[True] >= 0.95 * len(truth)

    def test_depends_on_the_baskets_alone(self, shopping, found):
        made, buyers, _ = shopping
        order = np.random.default_rng(1).permutation(len(made))
        again = ThemeFinder().fit(
            table_of([made[number] for number in order], [buyers[number] for number in order])
        )
        assert again.themes_.themes == found.themes
        assert again.themes_.profiles.weights.tolist() == found.profiles.weights.tolist()
        assert again.themes_.profiles.rates.tolist() == found.profiles.rates.tolist()

    def test_carries_identities_over(self, shopping, found):
        made, buyers, _ = shopping
        before = replace(
            found,
            themes=tuple(
                replace(theme, id=theme_id)
                for theme_id, theme in zip(("t7", "t3", "t12", "t5"), found.themes, strict=True)
            ),
            next_number=13,
        )
        again = ThemeFinder().fit(table_of(made, buyers), before).themes_
        assert {theme.id: theme.items for theme in again.themes} == {
            theme.id: theme.items for theme in before.themes
        }
        assert again.next_number == 13

    def test_finds_nothing_in_chance(self):
        generator = np.random.default_rng(3)
        baskets = [[f"i{number}" for number in set(generator.integers(30, size=6))] for _ in range(3_000)]
        themes = ThemeFinder().fit(table_of(baskets, [f"h{number % 100}" for number in range(3_000)])).themes_
        assert len(themes) == 0

    @pytest.mark.parametrize("baskets", [[], [["a"]], [["a", "b"]] * 3])
    def test_is_quiet_on_quiet_nights(self, baskets):
        themes = ThemeFinder().fit(table_of(baskets, ["h"] * len(baskets)), named(("t1", "abc"))).themes_
        assert (themes.themes, themes.profiles.weights.shape, themes.next_number) == ((), (0, 0), 9)


class TestCarryIdentities:
    def test_numbers_the_first_themes_from_one(self):
        assert carry_identities([("a", "b", "c"), ("d", "e", "f")], None) == (["t1", "t2"], 3)

    def test_keeps_the_id_of_a_theme_that_kept_half_of_its_items(self):
        before = named(("t4", "abcd"), ("t6", "wxyz"))
        assert carry_identities([tuple("wxpq"), tuple("abcde")], before) == (["t6", "t4"], 9)

    def test_gives_a_new_id_when_less_is_left(self):
        before = named(("t4", "abcd"))
        assert carry_identities([tuple("apqr")], before) == (["t9"], 10)
        assert carry_identities([tuple("abpqrst")], before) == (["t9"], 10)

    def test_never_gives_an_old_id_to_two_themes(self):
        before = named(("t4", "abcdef"))
        ids, following = carry_identities([tuple("abc"), tuple("def")], before)
        assert (sorted(ids), following) == (["t4", "t9"], 10)

    def test_never_uses_a_number_again(self):
        before = named(("t4", "abcd"), next_number=20)
        assert carry_identities([tuple("pqr")], before) == (["t20"], 21)

    def test_matches_so_that_most_is_shared_in_all(self):
        before = named(("t1", "abcd"), ("t2", "abxy"))
        assert carry_identities([tuple("abxc"), tuple("abcd")], before)[0] == ["t2", "t1"]

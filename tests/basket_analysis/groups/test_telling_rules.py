import tracemalloc
from dataclasses import replace

import numpy as np

from basket_analysis.groups.grouping import ThemeFinder
from basket_analysis.groups.scoring import HouseholdScorer
from basket_analysis.groups.telling_rules import SURE, order_rules
from basket_analysis.groups.theme_profiles import Profiles
from basket_analysis.groups.themes import Theme, ThemeRule
from basket_analysis.mining.strata import STRATA
from tests.basket_analysis.baskets_made import shoppers, table_of


class TestOrderRules:
    def test_puts_first_what_fires_most_among_followers_against_baskets_of_their_sizes(self):
        made, buyers, _ = shoppers(np.random.default_rng(6), households=120)
        table = table_of(made, buyers)
        themes = ThemeFinder().fit(table).themes_
        group = {place.household: place.group for place in HouseholdScorer(themes).fit(table).places_}
        for theme in themes.themes:
            told = []
            for rule in theme.rules:
                if len(rule.items) == 2:
                    holds = [set(rule.items) <= set(basket) for basket in made]
                    mine = [group[buyer] == theme.id for buyer in buyers]
                    fired = sum(held and own for held, own in zip(holds, mine, strict=True))
                    told.append(
                        (fired - SURE * fired**0.5) / max(1.0, self._chance(table.strata, holds, mine))
                    )
            assert told == sorted(told, reverse=True)

    @staticmethod
    def _chance(strata, holds, mine):
        strata, holds, mine = np.asarray(strata), np.asarray(holds), np.asarray(mine)
        return sum(
            holds[strata == stratum].mean() * mine[strata == stratum].sum() for stratum in np.unique(strata)
        )

    def test_holds_little_of_a_theme_of_many_items(self):
        many = [f"item{number:03}" for number in range(600)]
        table = table_of([many[start::60] for start in range(60)], ["h"] * 60)
        found = ThemeFinder().fit(table).themes_
        rule = ThemeRule((many[60],), (many[0],), 1, 2.0, 3.0, 0.01, 1)
        theme = Theme("t1", "Many", tuple(many), (rule,))
        profiles = Profiles(tuple(many), np.full((1, 600), 0.04), np.full((600, STRATA), 0.01))
        themes = replace(found, themes=(theme,), profiles=profiles)
        assert order_rules(themes, table).themes == (theme,)
        tracemalloc.start()
        order_rules(themes, table)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 16 * len(many) ** 2

    def test_leaves_themes_without_rules_alone(self):
        table = table_of([["a", "b"]] * 3, ["h"] * 3)
        none = replace(ThemeFinder().fit(table).themes_, themes=())
        assert order_rules(none, table) == none

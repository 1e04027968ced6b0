from dataclasses import replace

import numpy as np

from basket_analysis.grouping import ThemeFinder
from basket_analysis.scoring import HouseholdScorer
from basket_analysis.telling_rules import SURE, order_rules
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

    def test_leaves_themes_without_rules_alone(self):
        table = table_of([["a", "b"]] * 3, ["h"] * 3)
        none = replace(ThemeFinder().fit(table).themes_, themes=())
        assert order_rules(none, table) == none

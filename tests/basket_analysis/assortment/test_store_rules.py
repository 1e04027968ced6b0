"""Where a store's shoppers combine otherwise: what is planted is found, what is chance is not said."""

import numpy as np

from basket_analysis.assortment.store_rules import StoreRules
from tests.basket_analysis.stores_made import ARTICLES, STORES, alike, chance, made

ITEMS = np.arange(ARTICLES, dtype=np.int32)
RULES = [(first, second) for first in range(4) for second in range(4, 8)]


def follows(share_of_store):
    """Return baskets in which 0 leads to 4 as often as the store's share says, and the rest is even."""

    def basket(draw, store):
        held = set(np.flatnonzero(draw.random(ARTICLES) < 0.35).tolist()) - {4}
        if draw.random() < (share_of_store[store] if 0 in held else 0.2):
            held.add(4)
        return dict.fromkeys(held or {7}, 100)

    return basket


def fitted(share_of_store, **more):
    rows = alike(chance(), basket=follows(share_of_store), **more)
    return StoreRules().fit(made(rows), ITEMS, RULES)


class TestARuleThatAStoreFollowsLess:
    def test_is_found_there_and_nowhere_else(self):
        found = fitted([0.15, 0.6, 0.6, 0.6]).deviations_
        assert [RULES[one.rule] for one in found[0]][:1] == [(0, 4)]
        one = found[0][0]
        assert (one.z < -4, one.q <= 0.01, one.expected > 2 * one.baskets) == (True, True, True)
        # Held against a mean that this store lowers, the others follow it a little more often.
        assert all(
            one.z > 0 for store in range(1, STORES) for one in found[store] if RULES[one.rule] == (0, 4)
        )

    def test_states_counts_that_a_recount_gives(self):
        rows = alike(chance(), basket=follows([0.15, 0.6, 0.6, 0.6]))
        one = StoreRules().fit(made(rows), ITEMS, RULES).deviations_[0][0]
        here = [row for row in rows if row[0] == 0 and 0 in row[3]]
        both = [row for row in here if 4 in row[3]]
        assert (one.of_baskets, one.baskets) == (len(here), len(both))
        assert one.households == len({row[1] for row in both})
        assert one.others == sum(row[0] != 0 and {0, 4} <= set(row[3]) for row in rows)

    def test_is_not_said_where_fewer_than_ten_people_follow_it(self):
        found = fitted([0.15, 0.6, 0.6, 0.6], households=9, visits=100)
        assert found.tested_[0] == len(RULES)
        assert not any(found.deviations_.values())


class TestARuleThatFewerThanTenPeopleFollowElsewhere:
    def rules_tested(self, people):
        """Return how many rules store 0 is tested for where `people` others, known in two stores, follow one."""
        rows = [row for row in alike(chance(), basket=follows([0.15] * STORES)) if row[0] == 0]
        rows += [
            (1 + visit % 2, 60 + visit % people, visit % 16, {0: 100, 4: 100}) for visit in range(40 * people)
        ]
        # A shopper of store 0 that follows it elsewhere too is one of the people elsewhere.
        rows += [(1, 0, 0, {0: 100, 4: 100})]
        return StoreRules().fit(made(rows), ITEMS, [(0, 4)]).tested_[0]

    def test_is_not_tested(self):
        assert (self.rules_tested(8), self.rules_tested(9)) == (0, 1)


class TestStoresThatShopAlike:
    def test_deviate_in_nothing(self):
        found = fitted([0.4] * STORES)
        assert found.tested_ == dict.fromkeys(range(STORES), len(RULES))
        assert sum(map(len, found.deviations_.values())) <= 1

    def test_do_not_deviate_because_one_household_has_its_own_way(self):
        rows = alike(chance(), basket=follows([0.4] * STORES))
        rows += [(0, 0, visit % 16, {0: 100, 4: 100, 5: 100}) for visit in range(90)]
        found = StoreRules().fit(made(rows), ITEMS, RULES).deviations_[0]
        assert (0, 4) not in [RULES[one.rule] for one in found]


class TestWithoutEnough:
    def test_nothing_is_tested(self):
        rows = [(0, 0, 0, {0: 100, 4: 100}), (1, 1, 0, {1: 100})]
        found = StoreRules().fit(made(rows, stores=2), ITEMS, RULES)
        assert (found.tested_, found.deviations_) == ({0: 0, 1: 0}, {0: [], 1: []})

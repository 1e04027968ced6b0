"""Stores against each other: groups, categories and what moved, over households and never of fewer than ten."""

import numpy as np

from basket_analysis.assortment.store_comparison import Z80, StoreComparison
from tests.basket_analysis.stores_made import ARTICLES, HOUSEHOLDS, STORES, alike, chance, made

CATEGORY = np.arange(ARTICLES, dtype=np.int32)


def even(draw, _store):
    return dict.fromkeys(np.flatnonzero(draw.random(ARTICLES) < 0.35).tolist() or [7], 100)


def compared(rows, *, group_of=None, currency_of=None):
    people = max(row[1] for row in rows) + 1
    return StoreComparison().fit(
        made(rows),
        category_of=CATEGORY,
        group_of=np.zeros(people, np.int32) if group_of is None else group_of,
        currency_of=np.zeros(STORES, np.int32) if currency_of is None else currency_of,
    )


def random_town():
    """Return rows of households that shop in several stores, groups that some have none of, and the currencies."""
    draw = chance()
    rows = [
        (
            store,
            int(draw.integers(12) if store == 3 else draw.integers(120)),
            int(draw.integers(16)),
            {
                int(one): int(draw.integers(1, 900))
                for one in draw.choice(ARTICLES, draw.integers(1, 5), False)
            },
        )
        for store, many in enumerate((400, 300, 200, 160))
        for _ in range(many)
    ]
    return rows, draw.integers(-1, 3, 120).astype(np.int32), np.array([0, 0, 0, 0], np.int32)


def by_household(rows, stores, *, of):
    """Return what `of` says of each basket, added up by (store, household) of `stores`."""
    found = {}
    for row in rows:
        if row[0] in stores:
            found[row[:2]] = found.get(row[:2], 0) + of(row)
    return found


def plain_error(visits, members, share):
    """Return the error of a share of baskets over households, one by one."""
    rest = [many * ((household in members) - share) for (_store, household), many in visits.items()]
    return sum(one**2 for one in rest) ** 0.5 / sum(visits.values())


class TestAgainstARecountHouseholdByHousehold:
    def setup_method(self):
        self.rows, self.group_of, currency_of = random_town()
        self.found = compared(self.rows, group_of=self.group_of, currency_of=currency_of)

    def test_categories_have_the_same_gaps_and_errors(self):
        for store in range(STORES):
            here = by_household(self.rows, {store}, of=lambda row: 1)
            others = [row for row in self.rows if row[0] != store]
            said = self.found.categories(store)
            assert len(said) == ARTICLES
            for one in said:
                rate = sum(row[3].get(one.category, 0) for row in others) / len(others)
                spent = by_household(self.rows, {store}, of=lambda row, one=one: row[3].get(one.category, 0))
                rest = [spent[key] - rate * visits for key, visits in here.items()]
                error = sum(beyond**2 for beyond in rest) ** 0.5
                assert one.gap == round(sum(rest) / 16)
                assert one.low == round((sum(rest) - Z80 * error) / 16)
                assert one.high == round((sum(rest) + Z80 * error) / 16)
                assert one.households == sum(value > 0 for value in spent.values())

    def test_groups_have_the_same_shares_and_errors(self):
        for store in range(STORES - 1):
            here = by_household(self.rows, {store}, of=lambda row: 1)
            there = by_household(self.rows, set(range(STORES)) - {store}, of=lambda row: 1)
            said = self.found.groups(store)
            assert len(said) == 3
            for one in said:
                members = set(np.flatnonzero(self.group_of == one.group).tolist())
                mine = sum(many for key, many in here.items() if key[1] in members)
                share = mine / sum(here.values())
                elsewhere = sum(many for key, many in there.items() if key[1] in members) / sum(
                    there.values()
                )
                errors = [plain_error(here, members, share), plain_error(there, members, elsewhere)]
                assert (one.baskets, one.households) == (mine, sum(key[1] in members for key in here))
                np.testing.assert_allclose(
                    [one.share, one.elsewhere, one.low, one.high, one.z],
                    [
                        share,
                        elsewhere,
                        share - Z80 * errors[0],
                        share + Z80 * errors[0],
                        (share - elsewhere) / np.hypot(*errors),
                    ],
                )


class TestAStoreOfFewerThanTenHouseholds:
    def test_is_no_measure_for_the_others(self):
        rows = [row for row in alike(chance(), basket=even) if row[0] == 0]
        rows += [(1, 60 + visit % 9, visit % 16, {0: 50_000}) for visit in range(600)]
        found = compared(rows)
        assert all((one.gap, one.q) == (0, 1) for one in found.categories(0))
        assert [(one.share, one.elsewhere, one.z) for one in found.groups(0)] == [(1, 1, 0)]


class TestGroups:
    def test_have_the_share_of_baskets_that_their_members_made(self):
        group_of = np.array([number % 2 for number in range(STORES * HOUSEHOLDS)], np.int32)
        group_of[:30] = 0
        first, second = compared(alike(chance(), basket=even), group_of=group_of).groups(0)
        assert (first.group, first.households, second.households) == (0, 40, 10)
        assert (first.share, second.share) == (0.8, 0.2)
        assert (first.elsewhere, second.elsewhere) == (0.5, 0.5)
        assert first.low < 0.8 < first.high
        assert first.z > 2 > -2 > second.z

    def test_of_fewer_than_ten_households_are_not_said(self):
        group_of = np.zeros(STORES * HOUSEHOLDS, np.int32)
        group_of[:10] = np.repeat([1, 2], 5)
        found = compared(alike(chance(), basket=even), group_of=group_of)
        assert [one.group for one in found.groups(0)] == [0]

    def test_do_not_tell_of_nine_households_by_what_is_left_of_all(self):
        """Fifty households of which forty and one are in groups that are told are nine in those that are not."""
        group_of = np.full(STORES * HOUSEHOLDS, 3, np.int32)
        group_of[10:40] = 0
        group_of[:9] = 1
        found = compared(alike(chance(), basket=even), group_of=group_of)
        told = found.groups(0)
        assert [(one.group, one.households) for one in told] == [(0, 30)]
        assert found.households(0) - sum(one.households for one in told) == 20

    def test_tell_of_households_without_a_group_neither(self):
        group_of = np.zeros(STORES * HOUSEHOLDS, np.int32)
        group_of[:9] = -1
        assert compared(alike(chance(), basket=even), group_of=group_of).groups(0) == []


class TestCategories:
    def test_that_sell_less_than_elsewhere_stand_first_and_sure(self):
        rows = alike(chance(), basket=lambda draw, store: even(draw, store) | {0: 20 if store == 0 else 100})
        first = compared(rows).categories(0)[0]
        assert (first.category, first.q < 0.01) == (0, True)
        assert first.expected - first.revenue == -first.gap
        assert first.low <= first.gap <= first.high < 0

    def test_add_up_to_the_lines_sold(self):
        rows = alike(chance(), basket=even)
        found = {one.category: one for one in compared(rows).categories(2)}
        sold = [row for row in rows if row[0] == 2 and 3 in row[3]]
        assert found[3].revenue == round(sum(row[3][3] for row in sold) / 16)
        assert (found[3].baskets, found[3].households) == (len(sold), len({row[1] for row in sold}))

    def test_differ_in_nothing_among_stores_that_sell_alike(self):
        found = compared(alike(chance(), basket=even))
        assert sum(one.q <= 0.05 for store in range(STORES) for one in found.categories(store)) <= 1

    def test_are_held_only_against_stores_of_the_same_currency(self):
        rows = alike(
            chance(), basket=lambda draw, store: dict.fromkeys(even(draw, 0), 1000 if store > 1 else 100)
        )
        found = compared(rows, currency_of=np.array([0, 0, 1, 1], np.int32)).categories(0)
        assert all(one.expected < 3 * one.revenue for one in found)

    def test_that_fewer_than_ten_households_buy_are_not_said(self):
        rows = [row for row in alike(chance(), basket=even) if 0 not in row[3] or row[0] != 0]
        rows += [(0, household, 0, {0: 100}) for household in range(9)]
        assert 0 not in [one.category for one in compared(rows).categories(0)]

    def test_that_moved_here_alone_are_found(self):
        def gone(row):
            return row[0] == 0 and row[2] >= 12 and row[1] % 4

        rows = alike(chance(), basket=even)
        rows = [
            (*row[:3], {k: v for k, v in row[3].items() if k != 1} or {7: 100}) if gone(row) else row
            for row in rows
        ]
        found = {one.category: one for one in compared(rows).categories(0)}
        assert [category for category, one in found.items() if (one.moved_q or 1) <= 0.1] == [1]
        assert found[1].lately < found[1].before

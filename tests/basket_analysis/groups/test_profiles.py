"""What a group buys against everybody: by baskets of like size, and never of fewer than ten people."""

import numpy as np
import pytest

from basket_analysis.baskets import tabulate
from basket_analysis.groups.profiles import Visits, profile_groups, tellable

ITEMS = ("bread", "caviar", "milk", "soap", "tea", "wine")
CODE = {item: code for code, item in enumerate(ITEMS)}
DAYS = 20


def shopping(trips, members):
    """Return table and visits of `trips`: (member, day, store, value, items)."""
    rows = [(number, CODE[item], trip[0]) for number, trip in enumerate(trips) for item in trip[4]]
    baskets, items, owners = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    table = tabulate(
        baskets=baskets,
        items=items,
        names=ITEMS,
        basket_count=len(trips),
        owners=owners,
        households=[str(number) for number in range(members)],
    )
    member, day, store, value = (np.array([trip[place] for trip in trips]) for place in range(4))
    visits = Visits(
        member.astype(np.int32),
        store.astype(np.int32),
        day.astype(np.int32),
        value.astype(np.int64),
        np.array([len(trip[4]) for trip in trips], np.int32),
    )
    return table, visits


@pytest.fixture
def profiles():
    """Twenty bakers with large baskets at store 7, twenty drinkers with small ones at store 8, five with caviar."""
    trips = []
    for member in range(45):
        for day in range(DAYS):
            if member < 20:
                trips.append((member, 9000 + day * 2, 0, 3000, ("bread", "milk", "soap", "tea")))
            elif member < 40:
                trips.append((member, 9000 + day * 5, 1, 1000, ("wine",) if day % 4 else ("bread", "wine")))
            else:
                trips.append((member, 9000 + day, 0, 9900, ("caviar",)))
    table, visits = shopping(trips, 45)
    group_of = np.array([0] * 20 + [1] * 20 + [2] * 5, np.int32)
    return profile_groups(
        table, visits, group_of, ("bakers", "drinkers", "rich"), stores=(7, 8), currencies=("CZK", "EUR")
    )


class TestProfile:
    def test_counts_members_baskets_value_and_rhythm(self, profiles):
        bakers, drinkers = profiles["bakers"], profiles["drinkers"]
        assert (bakers["members"], bakers["baskets"], bakers["articles"]) == (20, 400, 4.0)
        assert bakers["per_basket"] == {"CZK": 3000.0}
        assert drinkers["per_basket"] == {"EUR": 1000.0}
        assert (bakers["gap"], drinkers["gap"]) == (2.0, 5.0)
        assert profiles["all"]["members"] == 45
        assert profiles["all"]["baskets"] == 45 * DAYS

    def test_judges_a_category_among_baskets_of_like_size(self, profiles):
        # Nobody else has baskets of four, so whatever bakers buy is what such baskets hold.
        assert profiles["bakers"]["over"] == []
        over = {row["item"]: row for row in profiles["drinkers"]["over"]}
        assert set(over) == {"wine"}
        assert over["wine"]["members"] == 20
        assert over["wine"]["baskets"] == 400
        # Among the baskets of one item, 300 of 400 hold wine, and all of those of two do.
        assert over["wine"]["expected"] == pytest.approx(300 * 300 / 400 + 100, abs=0.1)

    def test_knows_the_stores_where_a_group_is_at_home(self, profiles):
        assert [store["store_id"] for store in profiles["drinkers"]["stores"]] == [8]
        assert profiles["drinkers"]["stores"][0]["members"] == 20
        # With the share of all members who shop at store 7 it would tell of the five others there.
        assert profiles["bakers"]["stores"] == []

    def test_tells_nothing_of_fewer_than_ten_people_but_that_they_are_few(self, profiles):
        assert profiles["rich"] == {"members": 5}
        assert "caviar" not in str({name: found for name, found in profiles.items() if name != "rich"})

    def test_tells_no_habits_of_a_large_group_of_which_few_bought(self):
        trips = [(member, 9000 + day, 0, 9900, ("caviar",)) for member in range(3) for day in range(DAYS)]
        table, visits = shopping(trips, 50)
        found = profile_groups(
            table, visits, np.zeros(50, np.int32), ("new",), stores=(7,), currencies=("CZK",)
        )
        assert found == {
            "new": {"members": 50, "over": [], "under": [], "stores": []},
            "all": {"members": 50},
        }

    def test_tells_no_number_that_the_size_of_the_group_turns_into_a_few(self):
        # Of thirty members 26 buy wine, and 26 shop at store 8: what is told must not tell of the other four.
        trips = [
            (member, 9000 + day, int(member < 26), 500, ("wine",) if member < 26 else ("tea",))
            for member in range(30)
            for day in range(DAYS)
        ]
        trips += [(member, 9000 + day, 0, 500, ("bread",)) for member in range(30, 80) for day in range(DAYS)]
        table, visits = shopping(trips, 80)
        group_of = np.array([0] * 30 + [1] * 50, np.int32)
        found = profile_groups(
            table, visits, group_of, ("drinkers", "rest"), stores=(7, 8), currencies=("CZK", "CZK")
        )
        wine = next(row for row in found["drinkers"]["over"] if row["item"] == "wine")
        assert (wine["members"], wine["baskets"]) == (None, 26 * DAYS)
        assert found["drinkers"]["stores"] == []
        assert found["rest"]["over"][0]["members"] == 50

    def test_tells_no_rhythm_that_shows_how_few_did_not_shop(self):
        trips = [(member, 9000 + day, 0, 500, ("tea",)) for member in range(20) for day in range(DAYS)]
        table, visits = shopping(trips, 23)
        found = profile_groups(
            table, visits, np.zeros(23, np.int32), ("new",), stores=(7,), currencies=("CZK",)
        )
        assert found["new"]["per_month"] == found["all"]["per_month"] == round(400 / 23 / DAYS * 30.44, 2)

    def test_of_nothing_is_nothing(self):
        table, visits = shopping([(0, 1, 0, 1, ("tea",))], 1)
        found = profile_groups(table, visits, np.array([-1], np.int32), (), stores=(1,), currencies=("CZK",))
        assert found["all"]["members"] == 0


class TestTellable:
    @pytest.mark.parametrize(
        ("people", "members", "told"),
        [
            ([[12], [15]], [40, 40], [[True], [True]]),
            ([[12], [9]], [40, 40], [[False], [False]]),  # all 21 less the 12 would be the 9
            ([[12], [9], [8]], [40, 40, 40], [[True], [False], [False]]),
            ([[12], [35]], [40, 40], [[False], [False]]),  # 47 less 12 are 35, and 5 of 40 do not
            ([[12], [35], [14]], [40, 40, 40], [[False], [False], [True]]),
            ([[40], [12]], [40, 40], [[True], [True]]),
            ([[12], [15], [3]], [40, 40, 40], [[False], [True], [False]]),
            ([[0], [30]], [40, 40], [[False], [True]]),
        ],
    )
    def test_leaves_nothing_to_compute(self, people, members, told):
        found = tellable(np.array(people), np.ones((len(people), 1), np.bool_), np.array(members))
        assert found.tolist() == told

    def test_keeps_to_what_is_listed(self):
        people, listed = np.array([[12, 30], [20, 20]]), np.array([[True, False], [False, True]])
        assert tellable(people, listed, np.array([60, 60])).tolist() == listed.tolist()

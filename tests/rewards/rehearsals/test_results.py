"""Who gains in a rehearsal: told of ten people or more, never of fewer."""

import random

from hypothesis import given
from hypothesis import strategies as st

from rewards.rehearsals.results import FEWEST, bands, winners
from rewards.rehearsals.sums import OfferSums, People


def sums(*people: tuple[str | None, int]) -> OfferSums:
    """What people of these groups gained, a basket each."""
    found = OfferSums(People())
    for number, (group, gain) in enumerate(people):
        found.takers.add(found.people.number(f"account-{number}", group), gain)
    return found


class TestWinners:
    def test_are_not_told_below_ten(self):
        told = winners(sums(*[("A", 500)] * 9))
        assert told == {"accounts": None, "fewest": 10, "groups": [], "bands": []}

    def test_are_those_who_gained_something(self):
        assert winners(sums(*[("A", 500)] * 9, *[("A", 0)] * 5))["accounts"] is None

    def test_are_told_by_group_the_one_that_gains_most_first(self):
        told = winners(sums(*[("A", 100)] * 10, *[("B", 300)] * 12, *[(None, 200)] * 20))
        assert [(row["group_id"], row["accounts"], row["gain"]) for row in told["groups"]] == [
            (None, 20, 4000),
            ("B", 12, 3600),
            ("A", 10, 1000),
        ]

    def test_of_a_small_group_are_put_with_those_of_none(self):
        told = winners(sums(*[("A", 100)] * 10, *[("B", 300)] * 4, *[(None, 200)] * 7))
        assert [(row["group_id"], row["accounts"]) for row in told["groups"]] == [(None, 11), ("A", 10)]

    def test_of_a_small_rest_are_left_out(self):
        told = winners(sums(*[("A", 100)] * 30, *[("B", 300)] * 4))
        assert [(row["group_id"], row["accounts"]) for row in told["groups"]] == [("A", 30)]

    def test_name_the_best_tenth_only_when_it_is_ten_people(self):
        assert winners(sums(*[("A", 100)] * 99))["best_tenth"] is None
        assert winners(sums(*[("A", 100)] * 90, *[("A", 900)] * 10))["best_tenth"] == {
            "accounts": 10,
            "gain": 9000,
        }

    @given(st.lists(st.tuples(st.sampled_from(["A", "B", "C", None]), st.integers(0, 100_000)), max_size=60))
    def test_never_show_fewer_than_ten(self, people: list[tuple[str | None, int]]):
        told = winners(sums(*people))
        shown = [row["accounts"] for row in (*told["groups"], *told["bands"])]
        assert all(count >= FEWEST for count in shown)
        if told["accounts"] is not None:
            assert told["accounts"] == sum(gain > 0 for _, gain in people)


class TestBands:
    @given(st.lists(st.integers(1, 10**9), min_size=10, max_size=80))
    def test_hold_everybody_once_and_ten_at_least(self, gains: list[int]):
        gains.sort()
        found = bands(gains)
        assert sum(band["accounts"] for band in found) == len(gains)
        assert sum(band["gain"] for band in found) == sum(gains)
        assert all(band["accounts"] >= FEWEST for band in found)
        assert [band["from"] for band in found[1:]] == [band["to"] for band in found[:-1]]
        assert found[0]["from"] == 0
        assert found[-1]["to"] > gains[-1]


class TestSums:
    def test_come_back_from_json_as_they_were(self):
        chance = random.Random(7)
        whole = sums(*[(chance.choice("AB"), chance.randint(1, 900)) for _ in range(40)])
        again = OfferSums(People())
        again.take(whole.document())
        assert again.document() == whole.document()

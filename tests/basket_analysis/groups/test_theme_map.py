"""The map of the themes: nothing on top of another, the tied close together, the same every time."""

from itertools import combinations
from math import hypot

from basket_analysis.groups.theme_map import Tie, draw_map, strongest

THEMES = {
    "t1": [f"a{number}" for number in range(30)],
    "t2": [f"b{number}" for number in range(12)],
    "t3": ["c0", "c1", "c2"],
}


def tie(number, first, second, *, count=100, times=3.0):
    return Tie(number, first, second, count, 50, times, None)


def ring(letter, size, start):
    return [tie(start + n, f"{letter}{n}", f"{letter}{(n + 1) % size}") for n in range(size)]


TIES = [*ring("a", 30, 0), *ring("b", 12, 100), tie(200, "a0", "c0"), tie(201, "a1", "elsewhere")]


class TestMap:
    def test_gives_each_theme_an_island_of_its_own(self):
        drawn = draw_map(THEMES, {}, TIES)
        for one, other in combinations(drawn.islands, 2):
            assert hypot(one.x - other.x, one.y - other.y) > one.radius + other.radius
        centre = {island.group_id: island for island in drawn.islands}
        for place in drawn.places:
            island = centre[place.group_id]
            assert hypot(place.x - island.x, place.y - island.y) < island.radius * 1.35

    def test_keeps_items_apart_and_the_tied_closer_than_the_others(self):
        spots = {place.item: (place.x, place.y) for place in draw_map(THEMES, {}, TIES).places}
        between = {
            frozenset(pair): hypot(*(a - b for a, b in zip(spots[pair[0]], spots[pair[1]], strict=True)))
            for pair in combinations(THEMES["t1"], 2)
        }
        assert min(between.values()) > 0.4
        tied = [between[frozenset((one.first, one.second))] for one in TIES[:30]]
        assert sum(tied) / len(tied) < 0.6 * sum(between.values()) / len(between)

    def test_is_the_same_for_the_same_rules_in_any_order(self):
        assert draw_map(THEMES, {}, TIES) == draw_map(THEMES, {}, TIES[::-1])

    def test_leaves_out_ties_to_what_is_in_no_theme(self):
        assert {one.rule_number for one in draw_map(THEMES, {}, TIES).ties} == {
            t.rule_number for t in TIES
        } - {201}

    def test_of_nothing_is_empty(self):
        assert draw_map({}, {}, []).places == ()
        assert len(draw_map({"t1": ["alone"]}, {}, []).places) == 1


class TestStrongest:
    def test_keeps_each_item_its_heaviest_ties(self):
        hub = sorted(
            [tie(n, "hub", f"x{n}", count=100 + n) for n in range(6)] + [tie(9, "x0", "x1", count=500)],
            key=lambda one: -one.weight,
        )
        kept = strongest(hub, each=1)
        assert {one.rule_number for one in kept} == {9, 5, 4, 3, 2}

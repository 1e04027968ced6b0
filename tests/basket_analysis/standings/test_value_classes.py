import numpy as np
import pytest

from basket_analysis.standings.phases import FADING, GROWING, LOST, NEW, PEAK, Visits
from basket_analysis.standings.value_classes import (
    LOW,
    POTENTIAL,
    STEADY,
    VIP,
    Money,
    Told,
    class_values,
    expected_year,
    rank,
)

TODAY = 727


def expected(*histories: list[int], amount: int = 1_000, active: list[float] | None = None) -> list[int]:
    sizes = [len(history) for history in histories]
    visits = Visits(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.array([day for history in histories for day in history], np.int32),
        np.full(len(histories), -1, np.int32),
    )
    return expected_year(
        visits,
        Money(
            np.repeat(np.arange(len(sizes)), sizes).astype(np.int32),
            visits.day,
            np.full(sum(sizes), amount, np.int64),
        ),
        watched=np.array([TODAY - min(history, default=0) + 1.0 for history in histories]),
        active=np.array(active or [1.0] * len(histories)),
        reference=TODAY,
    ).tolist()


class TestFinancialValue:
    def test_is_a_year_of_what_a_regular_shopper_brings(self):
        weekly = list(range(0, 728, 7))
        assert expected(weekly)[0] == pytest.approx(52 * 1_000, rel=0.05)

    def test_counts_newer_visits_more(self):
        early, late = list(range(0, 364, 7)), [0, *range(370, 728, 7)]
        first, second = expected(early, late)
        assert second > 2 * first

    def test_is_less_for_who_has_probably_left(self):
        weekly = list(range(0, 728, 7))
        here, gone = expected(weekly, weekly, active=[1.0, 0.1])
        assert gone == pytest.approx(here / 10, abs=1)

    def test_does_not_take_a_first_visit_for_a_habit(self):
        """Who came yesterday for the first time came once a day so far."""
        newcomer, *_ = expected([TODAY - 1], *[list(range(day, 728, 14)) for day in range(10)])
        assert newcomer < 100 * 1_000

    def test_is_nothing_without_a_visit_or_when_all_came_back(self):
        assert expected([], list(range(0, 728, 7)))[0] == 0
        assert expected(list(range(0, 728, 7)), amount=-5)[0] == 0
        assert expected([], []) == [0, 0]


class TestInformationalValue:
    def test_is_the_sum_of_what_is_told_up_to_a_hundred(self):
        counts = np.array([0, 1, 2, 99], np.int32)
        assert Told(counts, counts, counts, counts).points().sum(axis=0).tolist() == [0, 23, 46, 100]


class TestRank:
    def test_is_the_share_that_is_lower(self):
        assert rank(np.array([5, 1, 5, 9], np.int64)).tolist() == [0.25, 0.0, 0.25, 0.75]
        assert len(rank(np.zeros(0, np.int64))) == 0


def classed(ranks: float, phase: int = PEAK, told: int = 0, reached: int = 0, previous: int = -1) -> int:
    def one(value: float, kind: type) -> np.ndarray:
        return np.array([value], kind)

    classes = class_values(
        one(ranks, np.float64),
        one(phase, np.int8),
        one(told, np.int32),
        one(reached, np.int32),
        one(previous, np.int8),
    )
    return int(classes[0])


class TestClasses:
    @pytest.mark.parametrize(
        ("given", "expected_class"),
        [
            ({"ranks": 0.95}, VIP),
            ({"ranks": 0.85}, STEADY),
            ({"ranks": 0.85, "reached": 2}, VIP),
            ({"ranks": 0.85, "reached": 1}, POTENTIAL),
            ({"ranks": 0.5, "phase": GROWING}, POTENTIAL),
            ({"ranks": 0.5, "phase": NEW}, POTENTIAL),
            ({"ranks": 0.5, "told": 70}, POTENTIAL),
            ({"ranks": 0.5, "phase": FADING}, STEADY),
            ({"ranks": 0.2, "told": 100, "reached": 5}, LOW),
            ({"ranks": 0.95, "phase": LOST}, LOW),
        ],
    )
    def test_follow_from_the_three_values(self, given: dict[str, float], expected_class: int):
        assert classed(**given) == expected_class

    def test_are_kept_while_the_rank_is_hardly_worse(self):
        assert classed(0.88, previous=VIP) == VIP
        assert classed(0.88, previous=STEADY) == STEADY
        assert classed(0.86, previous=VIP) == STEADY
        assert classed(0.38, previous=STEADY) == STEADY
        assert classed(0.38, previous=LOW) == LOW

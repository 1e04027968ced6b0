from dataclasses import dataclass

import numpy as np
import pytest

from basket_analysis.standings.phases import (
    LOST_TO,
    PHASES,
    Habits,
    Judged,
    Visits,
    judge_phases,
    learn_habits,
    trading_clock,
)

DAYS = 728
EVEN = np.arange(DAYS, dtype=np.float64)
"""A clock of a chain that trades alike every day."""


def every(gap: int, *, until: int = DAYS, start: int = 0) -> list[int]:
    return list(range(start, until, gap))


def visits_of(*histories: list[int], joined: list[int] | None = None) -> Visits:
    sizes = [len(history) for history in histories]
    return Visits(
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        day=np.array([day for history in histories for day in history], np.int32),
        began=np.array(joined or [-1] * len(histories), np.int32),
    )


@dataclass
class Seen:
    phase: str
    since: int
    judged: Judged


def judge(history: list[int], *, on: int = DAYS - 1, joined: int = -1, clock: np.ndarray = EVEN) -> Seen:
    past = [day for day in history if day <= on]
    judged = judge_phases(visits_of(past, joined=[joined]), clock, Habits(), reference=on)
    return Seen(PHASES[judged.phase[0]], int(judged.since[0]), judged)


WEEKLY, MONTHLY = every(7, until=600), every(30, until=601)


class TestOwnRhythm:
    def test_tells_a_weekly_from_a_monthly_shopper_at_the_same_silence(self):
        silent_for_50 = WEEKLY[-1] + 50
        assert judge(WEEKLY, on=silent_for_50).phase == "lost"
        assert judge(MONTHLY, on=MONTHLY[-1] + 50).phase == "peak"

    def test_takes_a_weekly_shopper_as_fading_before_lost(self):
        phases = [judge(WEEKLY, on=WEEKLY[-1] + silence).phase for silence in range(70)]
        assert [phase for at, phase in enumerate(phases) if at == 0 or phase != phases[at - 1]] == [
            "peak",
            "fading",
            "lost",
        ]

    def test_loses_a_monthly_shopper_in_the_end(self):
        assert judge(MONTHLY, on=727).phase in {"fading", "lost"}
        assert judge(every(30, until=400)).phase == "lost"

    def test_loses_everybody_after_a_year(self):
        seen = judge([0, 170, 340], on=340 + int(LOST_TO) + 1)
        assert seen.phase == "lost"

    def test_does_not_call_a_fortnight_of_holiday_a_pause(self):
        assert judge(WEEKLY, on=WEEKLY[-1] + 14).phase == "peak"

    def test_waits_longer_for_who_comes_irregularly(self):
        random = np.random.default_rng(7)
        days = np.cumsum(np.exp(random.normal(np.log(10), 1.1, 60))).astype(int)
        wild = judge(sorted({int(day) for day in days if day < 500}), on=500)
        even = judge(every(10, until=500), on=500)
        assert wild.judged.lost[0] > 2 * even.judged.lost[0]

    def test_is_believed_less_after_few_visits(self):
        few, many = judge([0, 7, 14], on=14), judge(every(7, until=200), on=196)
        assert few.judged.long[0] > many.judged.long[0]


class TestSilenceOfAll:
    def test_loses_nobody_while_receipts_do_not_arrive(self):
        counts = np.full(DAYS, 1_000, np.int64)
        counts[601:] = 0
        clock = trading_clock(counts)
        assert judge(WEEKLY, on=700, clock=clock).phase == "peak"
        assert judge(WEEKLY, on=700).phase == "lost"

    def test_counts_closed_holidays_as_hardly_any_time(self):
        counts = np.full(DAYS, 1_000, np.int64)
        counts[601:640] = 100
        clock = trading_clock(counts)
        assert clock[640] - clock[600] < 10
        assert judge(WEEKLY, on=640, clock=clock).phase == "peak"

    def test_runs_no_faster_when_everybody_comes(self):
        counts = np.full(DAYS, 1_000, np.int64)
        counts[340:365] = 9_000
        assert np.diff(trading_clock(counts)).max() == 1.0

    def test_leaves_the_past_as_it_was(self):
        counts = np.random.default_rng(3).integers(50, 150, DAYS)
        assert np.array_equal(trading_clock(counts)[:500], trading_clock(counts[:500]))

    def test_does_not_begin_before_the_first_receipt_and_goes_on_after_a_long_silence(self):
        counts = np.full(DAYS, 1_000, np.int64)
        counts[:300] = 0
        counts[400:600] = 0
        clock = trading_clock(counts)
        assert clock[299] == 0
        assert clock[399] > 90
        assert clock[-1] - clock[600] > 120

    def test_is_nothing_without_days(self):
        assert len(trading_clock(np.zeros(0, np.int64))) == 0


class TestNewcomers:
    def test_are_new_for_eight_weeks_and_until_the_fifth_visit(self):
        weekly = every(7, start=100, until=400)
        assert judge(weekly, joined=100, on=150).phase == "new"
        assert judge(weekly, joined=100, on=170).phase == "peak"
        monthly = every(30, start=100, until=400)
        assert judge(monthly, joined=100, on=170).phase == "new"
        assert judge(monthly, joined=100, on=225).phase == "peak"

    def test_are_new_since_the_first_visit(self):
        assert judge([120, 127], joined=100, on=130).since == 120

    def test_are_new_before_they_bought_anything_and_not_for_ever(self):
        assert judge([], joined=700, on=710).phase == "new"
        assert judge([], joined=100, on=727).phase == "lost"

    def test_fade_like_everybody(self):
        assert judge([100, 104, 108], joined=100, on=300).phase in {"fading", "lost"}


class TestReturns:
    def test_win_back_who_was_lost(self):
        seen = judge([*WEEKLY, 690], on=695)
        assert (seen.phase, seen.since) == ("won_back", 690)

    def test_are_over_after_eight_weeks_of_coming(self):
        history = [*every(7, until=300), *every(7, start=420, until=700)]
        assert judge(history, on=450).phase == "won_back"
        assert judge(history, on=500).phase == "peak"

    def test_can_end_in_being_lost_again(self):
        history = [*every(7, until=300), 420, 427]
        assert judge(history, on=520).phase == "lost"

    def test_leave_the_rhythm_as_it_was(self):
        """The pause in which somebody was lost is not how they shop."""
        before, after = judge(every(7, until=300), on=299), judge([*every(7, until=300), 420], on=420)
        assert after.judged.usual[0] == pytest.approx(before.judged.usual[0])

    def test_of_those_who_came_before_our_time_count(self):
        assert judge([650, 655], joined=-1, on=660).phase == "won_back"
        assert judge([650, 655], joined=640, on=660).phase == "new"

    def test_from_fading_take_two_visits_in_rhythm(self):
        fading = [*WEEKLY, WEEKLY[-1] + 30]
        assert judge(fading, on=fading[-1] + 2).phase == "fading"
        assert judge([*fading, fading[-1] + 7, fading[-1] + 14], on=fading[-1] + 15).phase == "peak"


class TestTrends:
    def test_see_who_comes_more_often(self):
        history = [*every(14, until=420), *every(7, start=427, until=560)]
        seen = judge(history, on=490)
        assert seen.phase == "growing"
        assert seen.judged.recent[0] < seen.judged.earlier[0]

    def test_see_who_comes_ever_more_seldom(self):
        history = [*every(5, until=400), *every(10, start=405, until=560)]
        assert judge(history, on=500).phase == "fading"

    def test_end_when_the_new_rhythm_has_become_the_usual_one(self):
        history = [*every(14, until=280), *every(7, start=287)]
        assert judge(history, on=727).phase == "peak"

    def test_do_not_see_what_chance_makes(self):
        """Of a thousand who never change, hardly any grow or fade at one time."""
        random = np.random.default_rng(11)
        histories = []
        for _ in range(1_000):
            days = np.cumsum(np.exp(random.normal(np.log(9), 0.5, 90)))
            histories.append(sorted({int(day) for day in days if day < DAYS}))
        judged = judge_phases(visits_of(*histories), EVEN, Habits(2.2, 0.25, 2.0), reference=DAYS - 1)
        shares = np.bincount(judged.phase, minlength=6) / 1_000
        assert shares[PHASES.index("peak")] > 0.85
        assert shares[PHASES.index("growing")] < 0.05
        assert shares[PHASES.index("lost")] < 0.02


class TestNights:
    def test_move_nobody_without_a_visit_but_forward(self):
        """Day by day, a phase changes with a visit, or when the silence grows long."""
        random = np.random.default_rng(5)
        days = np.cumsum(np.exp(random.normal(np.log(9), 0.9, 70))).astype(int)
        history = sorted({int(day) for day in days if day < DAYS})
        before = "peak"
        for on in range(history[0], DAYS):
            phase = judge(history, on=on).phase
            if phase != before and on not in history:
                assert phase in {"fading", "lost"}
            before = phase

    def test_that_were_missed_make_no_difference(self):
        history = [*every(7, until=300), *every(7, start=420, until=560)]
        assert judge(history, on=559).since == 483
        assert {judge(history, on=on).since for on in range(490, 560)} == {483}

    def test_find_the_day_on_which_a_limit_was_passed(self):
        seen = judge(WEEKLY, on=700)
        assert judge(WEEKLY, on=seen.since).phase == "lost"
        assert judge(WEEKLY, on=seen.since - 1).phase == "fading"


class TestHabits:
    def test_are_learnt_from_those_who_come_often_enough(self):
        random = np.random.default_rng(2)
        histories = []
        for _ in range(400):
            usual = np.exp(random.normal(np.log(14), 0.5))
            days = np.cumsum(np.exp(random.normal(np.log(usual), 0.6, 120)))
            histories.append(sorted({int(day) for day in days if day < DAYS}))
        habits = learn_habits(visits_of(*histories), EVEN)
        assert habits.mean == pytest.approx(np.log(14), abs=0.2)
        assert habits.variance == pytest.approx(0.36, abs=0.12)
        assert habits.leaving < 0.01

    def test_are_a_guess_where_hardly_anybody_shops(self):
        assert learn_habits(visits_of([1, 2, 3]), EVEN) == Habits()

    def test_say_how_sure_it_is_that_somebody_has_left(self):
        fresh, silent = judge(WEEKLY, on=600), judge(WEEKLY, on=720)
        assert fresh.judged.active[0] > 0.95
        assert silent.judged.active[0] < 0.3

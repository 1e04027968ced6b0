"""
Where in their life with the chain members are, judged by each one's own rhythm. Pure.

A pause between two visits is long or not for *this* member: its logarithm is compared with the
member's own pauses, which few visits leave uncertain, so that they are mixed with what is usual in the
chain (normal model with unknown mean and variance, conjugate prior; the next pause is Student's t).
Pauses are counted as the chain trades: in a week in which everybody stays away, little time passes.

The phase is a function of the history alone. It moves with a visit, or when the silence passes a limit of the
member's own, so it is the same whichever nights were run, and it does not flutter.
Sources and reasons: docs/adr/0034.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.mining.compiled import compiled
from customers.models import PHASES

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

NEW, GROWING, PEAK, FADING, LOST, WON_BACK = range(len(PHASES))

LONG_AT, LOST_AT = 0.975, 0.9975
"""A pause is long when one in forty of the member's own would be longer, and too long when one in four hundred would be."""
LONG_FROM, LONG_TO = 14.0, 180.0
LOST_FROM, LOST_TO = 42.0, 365.0
"""No pause is long within two weeks, nobody is lost within six: people go on holiday. After a year anybody is."""

NEW_DAYS, NEW_VISITS, NEW_TO = 56.0, 4, 182.0
"""New is who came for the first time within eight weeks, or four times at most; after half a year nobody is."""
BACK_DAYS, BACK_VISITS = 56.0, 4
"""So long, and for so many visits, who was lost and came is won back."""
REGULAR_VISITS = 2
"""So many visits in the own rhythm end a fading that a long pause began."""

RHYTHM_GAPS, RHYTHM_DAYS = 24, 182.0
RECENT_GAPS, RECENT_DAYS = 6, 56.0
EARLIER_GAPS, EARLIER_DAYS, FEWEST_EARLIER = 12, 112.0, 6
"""Windows reach back over so many pauses and so many days, whichever is more."""

GROWS_AT, GROWS_STILL = np.log(1.3), np.log(1.15)
FADES_AT, FADES_STILL = np.log(1.5), np.log(1.25)
SURE_AT, SURE_STILL = 2.33, 1.0
"""Growing is a rhythm 1.3 times as fast as before, fading by rhythm 1.5 times as slow; it takes less to stay."""

FREEDOM = 6.0
"""The chain's habits count for the spread of pauses like so many pauses of the member's own."""
SHORTEST = 0.5
EXACT = 1e-9
FEWEST_FOR_HABITS, FEWEST_MEMBERS = 5, 30
_KNOWN = 240


@dataclass(frozen=True, slots=True)
class Habits:
    """
    What is usual in the chain: logarithms of pauses in days.

    `mean` of the members' typical pause, `variance` around a member's own, `weight` of the
    mean in pauses, and `leaving`: the share of visits after which nobody came back in time.
    """

    mean: float = 2.6391
    variance: float = 0.5
    weight: float = 1.0
    leaving: float = 0.01


@dataclass(frozen=True, slots=True)
class Visits:
    """
    On which days members came, as parallel arrays.

    Member m's days are day[offsets[m]:offsets[m + 1]], rising and distinct, as indexes into the clock.
    `began` is the day of joining; -1 for who joined before the time that is looked at.
    """

    offsets: Int64s
    day: Int32s
    began: Int32s

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.began)


@dataclass(frozen=True, slots=True)
class Judged:
    """
    What was found per member: phase as an index into PHASES and the day since which it holds.

    Pauses and `silence` are in trading days; `recent` and `earlier` are NaN while there is too little to compare.
    `active` is the probability that the member has not left.
    """

    phase: Codes
    since: Int32s
    visits: Int32s
    silence: Floats
    usual: Floats
    long: Floats
    lost: Floats
    recent: Floats
    earlier: Floats
    active: Floats


def trading_clock(visits_per_day: Int64s) -> Floats:
    """
    Return the trading time at each day, in days; it never runs faster than the calendar.

    A day counts as the visits of the week that it ends, over their median in those weeks of the half year before
    that had any, one at most. A closed week, a holiday of all, or receipts that did not arrive let hardly any time pass.
    """
    days = len(visits_per_day)
    sums = np.concatenate([[0], np.cumsum(visits_per_day)]).astype(np.float64)
    end = np.arange(1, days + 1)
    start = np.maximum(end - 7, 0)
    week = (sums[end] - sums[start]) / np.maximum(end - start, 1) * 7
    weight = np.ones(days)
    for day in range(days):
        past = week[max(0, day - 181) : day + 1]
        weight[day] = min(1.0, week[day] / np.median(past[past > 0])) if week[day] > 0 else 0.0
    return np.concatenate([[0.0], np.cumsum(weight[1:])]) if days else weight


def learn_habits(visits: Visits, clock: Floats) -> Habits:
    """Return what is usual among members with at least five pauses; a default where they are fewer than thirty."""
    counts, means, variances = _moments(visits.offsets, clock[visits.day])
    known = counts >= FEWEST_FOR_HABITS
    if int(known.sum()) < FEWEST_MEMBERS:
        return Habits()
    # A chain's own spread, and how much of the difference between members is more than chance.
    weights = counts[known] - 1
    variance = max(0.05, float(np.average(variances[known], weights=weights)))
    between = float(np.var(means[known])) - variance * float(np.mean(1 / counts[known]))
    first = Habits(float(np.median(means[known])), variance, variance / max(0.05, between))
    walked = _walk_all(visits, clock, clock[-1], first)
    pauses = float(np.maximum(np.diff(visits.offsets) - 1, 0).sum())
    left = float(walked.returned.sum() + (walked.phase == LOST).sum())
    return Habits(
        round(first.mean, 6),
        round(first.variance, 6),
        round(first.weight, 6),
        round(min(0.2, max(0.0005, left / max(1.0, pauses))), 6),
    )


def judge_phases(visits: Visits, clock: Floats, habits: Habits, *, reference: int) -> Judged:
    """Return where members are at the end of day `reference`, an index into the clock; later visits are not to be given."""
    now = float(clock[reference])
    walked = _walk_all(visits, clock, now, habits)
    since = np.clip(np.searchsorted(clock[: reference + 1], walked.since - 1e-9), 0, reference)
    silence = now - walked.last
    spread = np.sqrt(walked.spread)
    return Judged(
        phase=walked.phase,
        since=since.astype(np.int32),
        visits=np.diff(visits.offsets).astype(np.int32),
        silence=silence,
        usual=np.exp(walked.mean),
        long=np.exp(walked.long),
        lost=np.exp(walked.lost),
        recent=np.exp(walked.recent),
        earlier=np.exp(walked.earlier),
        active=_active(
            silence, walked.mean, spread, FREEDOM + walked.gaps.astype(np.float64), habits.leaving
        ),
    )


def _active(silence: Floats, mean: Floats, spread: Floats, freedom: Floats, leaving: float) -> Floats:
    """Return P(not left | silence): the chance of so long a pause against that of having left with the last visit."""
    from scipy.special import stdtr  # noqa: PLC0415 - slow to import

    stays = stdtr(freedom, -(np.log(np.maximum(silence, SHORTEST)) - mean) / spread) * (1 - leaving)
    return np.asarray(stays / (stays + leaving), np.float64)


@dataclass(frozen=True, slots=True)
class _Walked:
    phase: Codes
    since: Floats
    last: Floats
    gaps: Int64s
    returned: Int64s
    mean: Floats
    spread: Floats
    long: Floats
    lost: Floats
    recent: Floats
    earlier: Floats


def _walk_all(visits: Visits, clock: Floats, now: float, habits: Habits) -> _Walked:
    from scipy.special import stdtrit  # noqa: PLC0415 - slow to import

    freedom = FREEDOM + np.arange(_KNOWN + 1)
    quantiles = np.stack([stdtrit(freedom, LONG_AT), stdtrit(freedom, LOST_AT)])
    members = len(visits)
    phase, whole = np.empty(members, np.int8), np.empty((2, members), np.int64)
    found = np.empty((8, members))
    joined = np.where(visits.began < 0, -1.0, clock[np.maximum(visits.began, 0)])
    prior = np.array([habits.mean, habits.variance, habits.weight])
    _walk(visits.offsets, clock[visits.day], joined, now, prior, quantiles, phase, whole, found)
    return _Walked(phase, found[0], found[1], whole[0], whole[1], *found[2:])


@compiled
def _moments(offsets: Int64s, times: Floats) -> tuple[Int64s, Floats, Floats]:
    """Return per member how many pauses they made, and mean and variance of their logarithms."""
    members = len(offsets) - 1
    counts = np.zeros(members, np.int64)
    means, variances = np.zeros(members), np.zeros(members)
    for member in range(members):
        total, squares = 0.0, 0.0
        first, last = offsets[member], offsets[member + 1]
        for visit in range(first + 1, last):
            pause = np.log(max(SHORTEST, times[visit] - times[visit - 1]))
            total += pause
            squares += pause * pause
        count = last - first - 1
        if count > 0:
            counts[member] = count
            means[member] = total / count
        if count > 1:
            variances[member] = max(0.0, (squares - total * total / count) / (count - 1))
    return counts, means, variances


@compiled
def _limits(  # noqa: PLR0917 - numba takes arrays, not objects
    sums: Floats, squares: Floats, first: int, last: int, prior: Floats, quantiles: Floats
) -> tuple[float, float, float, float]:
    """Return mean, predictive variance, and the long and lost limits, all in logarithms, from the pauses first..last - 1."""
    count = last - first
    total, square = sums[last] - sums[first], squares[last] - squares[first]
    mean = (prior[2] * prior[0] + total) / (prior[2] + count)
    spread = FREEDOM * prior[1]
    if count > 0:
        own = total / count
        spread += max(0.0, square - total * own)
        spread += prior[2] * count / (prior[2] + count) * (own - prior[0]) ** 2
    variance = spread / (FREEDOM + count) * (1 + 1 / (prior[2] + count))
    known = min(count, quantiles.shape[1] - 1)
    deviation = np.sqrt(variance)
    longest = min(max(mean + quantiles[0, known] * deviation, np.log(LONG_FROM)), np.log(LONG_TO))
    lost = min(max(mean + quantiles[1, known] * deviation, np.log(LOST_FROM)), np.log(LOST_TO))
    return mean, variance, longest, max(lost, longest)


@compiled
def _walk(  # noqa: PLR0917 - numba takes arrays, not objects
    offsets: Int64s,
    times: Floats,
    joined: Floats,
    now: float,
    prior: Floats,
    quantiles: Floats,
    phases: Codes,
    whole: Int64s,
    found: Floats,
) -> None:
    """Go through each member's visits in order, and then through the silence since; the results are written into the last three."""
    most = 0
    for member in range(len(offsets) - 1):
        most = max(most, offsets[member + 1] - offsets[member])
    room, seen = np.zeros((3, most + 1)), np.zeros((5, most + 2))
    for member in range(len(offsets) - 1):
        own = times[offsets[member] : offsets[member + 1]]
        gaps, returned, mean, variance, recent, earlier = _measure(own, prior, quantiles, room, seen)
        phase, since, latest = _live(own, joined[member], now, seen)
        phases[member] = phase
        whole[0, member], whole[1, member] = gaps, returned
        found[0, member], found[1, member] = since, latest
        found[2, member], found[3, member] = mean, variance
        found[4, member], found[5, member] = seen[1, len(own)], seen[2, len(own)]
        found[6, member], found[7, member] = recent, earlier


@compiled
def _measure(
    times: Floats, prior: Floats, quantiles: Floats, room: Floats, seen: Floats
) -> tuple[int, int, float, float, float, float]:
    """
    Write into `seen`, per visit: the pause before it, what would have been long and too long, and the trend at it.

    All are logarithms; the limits after the last visit come at the end. A pause that was too long is no part of the rhythm.
    """
    sums, squares, ends = room[0], room[1], room[2]
    count, rhythm, back, returned = 0, 0, 0, 0
    recent, earlier, sure = np.nan, np.nan, 0.0
    mean, variance, longest, lost = _limits(sums, squares, 0, 0, prior, quantiles)
    for visit in range(len(times)):
        seen[1, visit], seen[2, visit] = longest, lost
        pause = np.log(max(SHORTEST, times[visit] - times[max(0, visit - 1)]))
        seen[0, visit] = pause
        if pause > lost + EXACT and visit > 0:
            returned += 1
            back, recent, earlier, sure = count, np.nan, np.nan, 0.0
        elif visit > 0:
            sums[count + 1], squares[count + 1] = sums[count] + pause, squares[count] + pause * pause
            ends[count + 1] = times[visit]
            count += 1
            while count - rhythm > RHYTHM_GAPS and ends[rhythm + 1] < times[visit] - RHYTHM_DAYS:
                rhythm += 1
            mean, variance, longest, lost = _limits(sums, squares, rhythm, count, prior, quantiles)
            recent, earlier, sure = _trend(sums, ends, back, count, variance)
        seen[3, visit], seen[4, visit] = recent - earlier, sure
    seen[1, len(times)], seen[2, len(times)] = longest, lost
    return count - rhythm, returned, mean, variance, recent, earlier


@compiled
def _live(times: Floats, joined: float, now: float, seen: Floats) -> tuple[int, float, float]:
    """Return the phase at `now`, since when, and when the silence began, from what `_measure` has seen."""
    visits = len(times)
    began = times[0] if visits else max(0.0, joined)
    phase = _first_phase(visits, joined, began, seen[2, 0])
    since, by_pause, regular, back = began, False, 0, 0
    for visit in range(1, visits):
        at, before = times[visit], times[visit - 1]
        regular = regular + 1 if seen[0, visit] <= seen[1, visit] + EXACT else 0
        if seen[0, visit] > seen[2, visit] + EXACT:
            phase, since, by_pause, back = WON_BACK, at, False, visit
        elif regular == 0:
            if phase != FADING:
                phase, since = FADING, before + np.exp(seen[1, visit])
            by_pause = True
        elif by_pause and regular >= REGULAR_VISITS:
            phase, since, by_pause = PEAK, at, False
        elif (phase == NEW and at - began > NEW_DAYS and visit >= NEW_VISITS) or (
            phase == WON_BACK and at - since > BACK_DAYS and visit - back >= BACK_VISITS
        ):
            phase, since = PEAK, at
        if not by_pause:
            following = _by_trend(phase, seen[3, visit], seen[4, visit])
            if following != phase:
                phase, since = following, at
    latest = times[visits - 1] if visits else began
    phase, since = _in_silence(phase, since, latest, now, seen[:, visits])
    if phase == NEW and now - began > NEW_TO:
        return PEAK, began + NEW_TO, latest
    return phase, since, latest


@compiled
def _first_phase(visits: int, joined: float, began: float, lost: float) -> int:
    """Return the phase at the first visit: of those who joined before the time that is looked at, some had long been away."""
    if joined >= 0.0:
        return NEW
    return WON_BACK if visits and np.log(max(SHORTEST, began)) > lost else PEAK


@compiled
def _in_silence(phase: int, since: float, latest: float, now: float, limits: Floats) -> tuple[int, float]:
    """Return the phase, and since when, that the silence after the `latest` visit leads to."""
    silence = np.log(max(SHORTEST, now - latest))
    if silence > limits[2] - EXACT:
        return LOST, latest + np.exp(limits[2])
    if silence > limits[1] - EXACT and phase != FADING:
        return FADING, latest + np.exp(limits[1])
    return phase, since


@compiled
def _by_trend(phase: int, slower: float, sure: float) -> int:
    """Return the phase that follows from how much slower the rhythm became; NaN when there is too little to say."""
    if np.isnan(slower):
        return PEAK if phase in (GROWING, FADING) else phase
    if (phase == GROWING and (-slower < GROWS_STILL or -sure < SURE_STILL)) or (
        phase == FADING and (slower < FADES_STILL or sure < SURE_STILL)
    ):
        phase = PEAK
    if phase == PEAK and -slower >= GROWS_AT and -sure >= SURE_AT:
        phase = GROWING
    if phase in (PEAK, GROWING) and slower >= FADES_AT and sure >= SURE_AT:
        phase = FADING
    return phase


@compiled
def _trend(sums: Floats, ends: Floats, back: int, count: int, variance: float) -> tuple[float, float, float]:
    """Return the mean logarithms of the recent pauses and of those before, and how many deviations lie between; NaN without enough."""
    at = ends[count]
    middle = count
    while middle > back and (count - middle < RECENT_GAPS or ends[middle] > at - RECENT_DAYS):
        middle -= 1
    start = middle
    while start > back and (middle - start < EARLIER_GAPS or ends[start] > ends[middle] - EARLIER_DAYS):
        start -= 1
    now, before = count - middle, middle - start
    if now < RECENT_GAPS or before < FEWEST_EARLIER:
        return np.nan, np.nan, 0.0
    recent = (sums[count] - sums[middle]) / now
    earlier = (sums[middle] - sums[start]) / before
    return recent, earlier, (recent - earlier) / np.sqrt(variance * (1 / now + 1 / before))

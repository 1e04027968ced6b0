"""What a change in one store did, against stores that did not change: difference in differences, with an interval."""

from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist

import numpy as np

from basket_analysis.assortment.store_baskets import Floats

BEFORE_WEEKS, AFTER_WEEKS = 13, 6
"""Weeks that tell what was usual, and weeks in which the effect is measured."""

FEWEST_COMPARISONS = 3
INSIDE = 0.8

SURE_OF_STOP = 3.0
"""An article is gone when so many sales of it were to be expected since the last one: chance leaves them out one time in twenty."""

LEAST_GAP = 14
"""Days without a sale that a stop needs at least."""

FEWEST_SALES = 3
"""A listing is seen at so many days with a sale: one alone may be a slip of the scanner."""


@dataclass(frozen=True, slots=True)
class Effect:
    """
    The change per week that the comparison stores do not explain, `low` to `high` an 80 % interval.

    `before` is what the store took per week, `expected` what it would have taken afterwards without the change,
    `after` what it took.
    """

    effect: float
    low: float
    high: float
    before: float
    expected: float
    after: float
    comparisons: int


def measure_effect(
    before: Floats, after: Floats, others_before: Floats, others_after: Floats
) -> Effect | None:
    """
    Return what changed in a store beside its comparison stores; None with too few of them, or without any sales.

    `before` and `after` are its values by week; the others' have a row for each store. Without the change the
    store would have grown as the others did together, so differences are of ratios: stores differ in size. Three
    things make the result uncertain, all told by the stores' own weeks: the chance of single weeks, the
    differences between stores in how they grew, and how few they are.
    """
    if len(others_before) < FEWEST_COMPARISONS or not others_before.sum() > 0 or not others_after.sum() > 0:
        return None
    usual, now = float(before.mean()), float(after.mean())
    growth = float(others_after.sum(axis=0).mean() / others_before.sum(axis=0).mean())
    expected = usual * growth
    chance, freedom = _chance(before, after, others_before, others_after)
    between = _between(others_before, others_after, growth, chance)
    weeks_before, weeks_after = len(before), len(after)
    noise = chance * (max(now, expected) / weeks_after + growth**2 * usual / weeks_before)
    of_growth = chance / others_after.sum() + chance / others_before.sum()
    weights = others_before.mean(axis=1)
    stores = float(weights.sum() ** 2 / (weights**2).sum())
    spread = expected**2 * (between * (1 + 1 / stores) + of_growth)
    variance = noise + spread
    if not variance > 0:
        return Effect(
            now - expected, now - expected, now - expected, usual, expected, now, len(others_before)
        )
    freedom_of_all = variance**2 / (noise**2 / freedom + spread**2 / max(1, len(others_before) - 1))
    half = _students(max(1.0, freedom_of_all)) * float(np.sqrt(variance))
    found = now - expected
    return Effect(found, found - half, found + half, usual, expected, now, len(others_before))


def _students(freedom: float) -> float:
    """
    Return half the width of the interval in standard errors, by Student's t.

    The expansion of Cornish and Fisher (Abramowitz and Stegun 26.7.5): 0.4 % low at two degrees of freedom, 4 % at one.
    """
    z = NormalDist().inv_cdf((1 + INSIDE) / 2)
    steps = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(step / freedom**power for power, step in enumerate(steps, start=1))


def _chance(
    before: Floats, after: Floats, others_before: Floats, others_after: Floats
) -> tuple[float, float]:
    """
    Return the variance of a week's value over its mean, and the degrees of freedom that it rests on.

    What all stores have in common, the season, is no chance; neither is the change itself, so each part of
    the time is judged for itself. Weeks that follow each other may lean the same way: pairs of weeks are
    judged too, and count where they say more.
    """
    parts = [np.vstack([before, others_before]), np.vstack([after, others_after])]
    single = np.sum([_scatter(rows) for rows in parts], axis=0)
    paired = np.sum([_scatter(_in_pairs(rows)) for rows in parts], axis=0)
    return max(float(single[0] / single[1]), float(paired[0] / paired[1])), float(single[1])


def _scatter(rows: Floats) -> tuple[float, float]:
    """Return the squared distances from what rows and columns together let expect, over that, and their freedom."""
    total = rows.sum()
    freedom = max(1.0, float((len(rows) - 1) * (rows.shape[1] - 1)))
    if not total > 0:
        return 0.0, freedom
    expected = np.outer(rows.sum(axis=1), rows.sum(axis=0)) / total
    known = expected > 0
    return float(((rows - expected)[known] ** 2 / expected[known]).sum()), freedom


def _in_pairs(rows: Floats) -> Floats:
    even = rows.shape[1] // 2 * 2
    return np.asarray(rows[:, :even].reshape(len(rows), -1, 2).sum(axis=2))


def _between(others_before: Floats, others_after: Floats, growth: float, chance: float) -> float:
    """Return the variance between stores of how they grew, relative to how all grew, beyond the chance of weeks."""
    before, after = others_before.mean(axis=1), others_after.mean(axis=1)
    known = before > 0
    before, after = before[known], after[known]
    if len(before) < FEWEST_COMPARISONS:
        return 0.0
    expected = before * growth
    apart = (after / expected - 1) ** 2 * len(before) / (len(before) - 1)
    by_chance = chance / (expected * others_after.shape[1]) + chance / (before * others_before.shape[1])
    return max(0.0, float(np.average(apart - by_chance, weights=before)))


def held(effect: Effect, predicted: float, low: float, high: float) -> bool:
    """Return whether prediction and measurement agree: their difference is inside the 80 % interval of both."""
    if effect.effect >= predicted:
        room = float(np.hypot(high - predicted, effect.effect - effect.low))
    else:
        room = float(np.hypot(predicted - low, effect.high - effect.effect))
    return abs(effect.effect - predicted) <= room


def began_to_sell(days: list[date], *, decided: date) -> date | None:
    """Return the first of the `days` with a sale after a decision; None until there were enough of them."""
    later = sorted(day for day in days if day > decided)
    return later[0] if len(later) >= FEWEST_SALES else None


def stopped_selling(days: list[date], *, decided: date, today: date) -> date | None:
    """
    Return the first day without the article after a decision; None while it may only be a pause.

    `days` are those with a sale in the `BEFORE_WEEKS` before the decision and since; an article that sells once a
    month must be missing for longer than one that sells every day.
    """
    first = decided - timedelta(weeks=BEFORE_WEEKS)
    known = [day for day in days if day >= first]
    if not known:
        return None
    last = max(known)
    gone_since = max(last, decided)
    gap = (today - gone_since).days
    span = max(1, (last - first).days + 1)
    if gap < LEAST_GAP or len(known) / span * gap < SURE_OF_STOP:
        return None
    return gone_since + timedelta(days=1)

"""How many buyers of a category stay when one of its articles goes: predicted from habits, calibrated on the past."""

from dataclasses import dataclass

import numpy as np

from basket_analysis.assortment.delistings import AFTER, BEFORE, MOST_OFTEN, Bools, Stop
from basket_analysis.assortment.store_baskets import Floats

PRIOR_BASKETS = 2.0
"""How many occasions of the category's mean stand behind one household's own record."""

PRIOR_EVENTS = 5.0
"""So many past delistings it takes until the past counts as much as the belief that habits tell all."""

FEWEST = 10
"""With fewer past delistings nothing is calibrated: the interval is then the binomial one, doubled."""

INSIDE = 0.8


@dataclass(frozen=True)
class Retention:
    """
    Predictions per event, as parallel arrays: the middle and its 80 % interval.

    Of `share`: which share of the category's buyers buys it again in the weeks without the article. Of
    `money`: what they spend on it per week, over what they spent before.
    """

    middle: Floats
    low: Floats
    high: Floats
    actual: Floats
    by_habit: Floats
    """What would be predicted from the households' habits alone, without looking at past delistings."""

    @property
    def inside(self) -> Bools:
        """Whether the interval held what happened."""
        return (self.low <= self.actual) & (self.actual <= self.high)


@dataclass(frozen=True, slots=True)
class Calibration:
    """
    What past delistings taught: loss = `extra` + `slope` times what habits foretell, and how far off it was.

    `spread` is the variance between events beyond chance, `width` how many standard deviations hold four fifths.
    """

    extra: float
    slope: float
    spread: float
    width: float
    events: int


class RetentionModel:
    """
    Learns from regular articles that went on how often buyers come back, and from delistings what they change.

    A household that bought the category on n occasions comes back with the share that such households
    had among the articles that went on. Without the article it is left with the occasions that did without, and
    of the others with the share that it did without at other times. What the chain's own delistings lost
    beside that foretold loss is learnt by regression, drawn towards no difference; the interval is as wide
    as held four fifths of the past errors, each in units of its own chance.
    """

    def fit(self, stop: Stop, learn: Bools) -> "RetentionModel":
        """Learn from the events of `stop` that `learn` marks."""
        went_on = (~stop.gone & learn)[stop.event]
        often = np.minimum(stop.occasions, MOST_OFTEN)
        seen = np.bincount(often[went_on], minlength=MOST_OFTEN + 1)
        kept = np.bincount(often[went_on], weights=stop.kept[went_on], minlength=MOST_OFTEN + 1)
        curve = np.divide(kept, seen, out=np.zeros(MOST_OFTEN + 1), where=seen > 0)
        curve[0] = 0.0
        self.curve_ = np.maximum.accumulate(curve)
        occasions = stop.occasions[went_on].sum()
        self.without_ = float(stop.without[went_on].sum() / occasions) if occasions else 0.0
        before, after = stop.spent[went_on].sum() / BEFORE, stop.spent_after[went_on].sum() / AFTER
        self.stays_ = float(after / before) if before > 0 else 1.0
        events = stop.gone & learn
        self.share_ = _calibrated(*self._share(stop), events)
        self.money_ = _calibrated(*self._money(stop), events)
        return self

    def share(self, stop: Stop) -> Retention:
        """Return which share of buyers each event keeps."""
        return _predicted(*self._share(stop), self.share_, most=1.0)

    def money(self, stop: Stop) -> Retention:
        """Return which share of their spending on the category each event keeps."""
        return _predicted(*self._money(stop), self.money_, most=np.inf)

    def _caught(self, stop: Stop) -> Floats:
        """Per household: the share of what it bought of the article that it would buy of others."""
        return np.asarray((stop.without + PRIOR_BASKETS * self.without_) / (stop.occasions + PRIOR_BASKETS))

    def _share(self, stop: Stop) -> tuple[Floats, Floats, Floats, Floats]:
        """Return per event: what would stay anyhow, the loss that habits foretell, what stayed, the variance of chance."""
        events = len(stop.gone)
        people = np.maximum(np.bincount(stop.event, minlength=events), 1)
        left = stop.without + self._caught(stop) * (stop.occasions - stop.without)
        steps = np.arange(MOST_OFTEN + 1)
        anyhow = np.bincount(stop.event, np.interp(stop.occasions, steps, self.curve_), events) / people
        without = np.bincount(stop.event, np.interp(left, steps, self.curve_), events) / people
        actual = np.bincount(stop.event, stop.kept, events) / people
        return anyhow, anyhow - without, actual, without * (1 - without) / people

    def _money(self, stop: Stop) -> tuple[Floats, Floats, Floats, Floats]:
        events = len(stop.gone)
        spent = np.bincount(stop.event, stop.spent, events)
        before = np.where(spent > 0, spent, 1.0) / BEFORE
        lost = np.bincount(stop.event, stop.own * (1 - self._caught(stop)), events) / BEFORE / before
        actual = np.bincount(stop.event, stop.spent_after, events) / AFTER / before
        people = np.bincount(stop.event, stop.spent**2, events) / np.where(spent > 0, spent, 1.0) ** 2
        anyhow = np.full(events, self.stays_)
        return anyhow, self.stays_ * lost, actual, people * self.stays_


def _calibrated(anyhow: Floats, loss: Floats, actual: Floats, chance: Floats, events: Bools) -> Calibration:
    """Return what `events` teach; without enough of them, that habits tell all and the interval is twice as wide."""
    if events.sum() < FEWEST:
        return Calibration(0.0, 1.0, 0.0, 2 * 1.2816, int(events.sum()))
    lost, foretold = (anyhow - actual)[events], loss[events]
    weight = 1 / (chance[events] + max(float(chance[events].mean()), 1e-9))
    rows = np.column_stack([np.ones(len(lost)), foretold])
    square = (rows * weight[:, None]).T @ rows
    prior = PRIOR_EVENTS * weight.mean() * np.array([1.0, float((foretold**2).mean())]) + 1e-12
    right = (rows * weight[:, None]).T @ lost + prior * np.array([0.0, 1.0])
    extra, slope = np.linalg.solve(square + np.diag(prior), right)
    error = lost - extra - slope * foretold
    spread = max(0.0, float(np.mean(error**2 - chance[events])))
    sizes = np.sort(np.abs(error) / np.sqrt(chance[events] + spread + 1e-9))
    # The quantile that a further event exceeds with one fifth's chance, whatever the errors' shape.
    place = min(len(sizes), int(np.ceil((len(sizes) + 1) * INSIDE))) - 1
    return Calibration(float(extra), float(slope), spread, float(sizes[place]), len(sizes))


def _predicted(
    anyhow: Floats, loss: Floats, actual: Floats, chance: Floats, learnt: Calibration, *, most: float
) -> Retention:
    middle = np.clip(anyhow - learnt.extra - learnt.slope * loss, 0.0, most)
    half = learnt.width * np.sqrt(chance + learnt.spread + 1e-9)
    return Retention(
        middle=middle,
        low=np.clip(middle - half, 0.0, most),
        high=np.clip(middle + half, 0.0, most),
        actual=actual,
        by_habit=anyhow - loss,
    )

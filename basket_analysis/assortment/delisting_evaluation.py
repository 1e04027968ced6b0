"""How good predictions of delistings are: on natural delistings of other stores than they were learnt from."""

from dataclasses import dataclass

import numpy as np

from basket_analysis.assortment.delistings import MIN_BUYERS, Stop, natural_delistings
from basket_analysis.assortment.retention import Retention, RetentionModel
from basket_analysis.assortment.store_baskets import Floats, StoreBaskets

FOLDS = 5
REPEATS = 1000


@dataclass(frozen=True, slots=True)
class RetentionRow:
    """
    One way of counting what stayed; all are means over the delistings.

    `covered` is the share of 80 % intervals that held what happened, `covered_low` to `covered_high` its own 95 %
    interval, by drawing stores with replacement.
    """

    measure: str
    predicted: float
    actual: float
    by_habit: float
    error: float
    error_by_habit: float
    covered: float
    covered_low: float
    covered_high: float
    width: float


@dataclass(frozen=True, slots=True)
class DelistingEvaluation:
    """The natural delistings of a chain's past, and how well each was foretold by those of other stores."""

    delistings: int
    stores: int
    min_buyers: int
    rows: tuple[RetentionRow, ...]


def evaluate_delistings(table: StoreBaskets, *, seed: int = 1) -> DelistingEvaluation:
    """
    Predict every natural delisting from the past of the other stores (analytics protocol, section 4).

    Stores are put into `FOLDS` parts; what is predicted for one is learnt from the others. Without weeks or
    households, or with too few weeks, there are no delistings and no rows.
    """
    stop = natural_delistings(table)
    found = np.flatnonzero(stop.gone)
    if not len(found):
        return DelistingEvaluation(0, 0, MIN_BUYERS, ())
    generator = np.random.default_rng(seed)
    share, money = _cross_fitted(stop)
    return DelistingEvaluation(
        delistings=len(found),
        stores=len(np.unique(stop.store[found])),
        min_buyers=MIN_BUYERS,
        rows=(
            _row("buyers of the category who stay", share, stop, generator),
            _row("what they spend on it per week", money, stop, generator),
        ),
    )


def _cross_fitted(stop: Stop) -> tuple[Retention, Retention]:
    """Return for every event what the events of other stores foretell."""
    places = np.unique(stop.store, return_inverse=True)[1] % FOLDS
    events = len(stop.gone)
    shares, moneys = ([np.zeros(events) for _ in range(5)] for _ in range(2))
    for fold in range(FOLDS):
        model = RetentionModel().fit(stop, places != fold)
        here = places == fold
        for kept, made in ((shares, model.share(stop)), (moneys, model.money(stop))):
            for column, values in zip(kept, _columns(made), strict=True):
                column[here] = values[here]
    return Retention(*shares), Retention(*moneys)


def _columns(made: Retention) -> tuple[Floats, ...]:
    return made.middle, made.low, made.high, made.actual, made.by_habit


def _row(measure: str, made: Retention, stop: Stop, generator: np.random.Generator) -> RetentionRow:
    gone = stop.gone
    held = made.inside[gone].astype(np.float64)
    stores = np.unique(stop.store[gone], return_inverse=True)[1]
    hits, counts = np.bincount(stores, held), np.bincount(stores)
    drawn = generator.integers(0, len(counts), (REPEATS, len(counts)))
    low, high = np.percentile(hits[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [2.5, 97.5])
    actual = made.actual[gone]
    return RetentionRow(
        measure=measure,
        predicted=float(made.middle[gone].mean()),
        actual=float(actual.mean()),
        by_habit=float(made.by_habit[gone].mean()),
        error=float(np.abs(made.middle[gone] - actual).mean()),
        error_by_habit=float(np.abs(made.by_habit[gone] - actual).mean()),
        covered=float(held.mean()),
        covered_low=float(low),
        covered_high=float(high),
        width=float((made.high - made.low)[gone].mean()),
    )

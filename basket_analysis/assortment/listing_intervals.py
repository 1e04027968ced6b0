"""Between which values lies what a store takes for an item that it lists: few sales, and never less than one."""

from collections.abc import Iterator

import numpy as np

from basket_analysis.assortment.store_baskets import Floats, Int64s

TAIL = 0.1
"""So much lies below an 80 % interval, and so much above it."""

MANY_SALES = 30.0
"""From so many expected sales on, what they bring varies as the rate does, gamma distributed; fewer are looked at one by one."""

LEAST_VARIATION = 0.1
"""No item sells at one price only: a coefficient of variation of what single sales bring, at least."""

LEAST_DISPERSION, MOST_DISPERSION = 1e-6, 9.0
"""Rates that do not differ at all between stores, and such as have three times their mean as standard deviation: no more is reckoned with."""
_CLASSES = (1.0, 5.0, MANY_SALES)
_HALVINGS = 20


def value_of_sales(expected: Floats, dispersion: Floats, variation: Floats) -> tuple[Floats, Floats]:
    """
    Return the 10 % and 90 % quantiles of what the sales of an item bring, in values of a mean sale.

    Sales are negative binomial with mean `expected` and variance expected + dispersion · expected², given that there is
    one at all: an item that never sells was never listed. What a sale brings is lognormal with the coefficient of variation
    `variation`: most people buy one, a few buy many. The sum of n sales is taken as lognormal too, with the mean and
    the variance that it has (Fenton, IRE Transactions on Communications Systems, 1960).
    """
    mean, spread = np.maximum(expected, 1e-9), np.clip(dispersion, LEAST_DISPERSION, MOST_DISPERSION)
    squared = np.maximum(variation, LEAST_VARIATION) ** 2
    low, high = np.zeros(len(mean)), np.zeros(len(mean))
    for of in _alike(mean):
        low[of], high[of] = _of_few(mean[of], spread[of], squared[of])
    many = mean > MANY_SALES
    low[many], high[many] = _of_many(mean[many], spread[many], squared[many])
    return low, high


def chance_of_none(expected: Floats, dispersion: Floats) -> Floats:
    """Return the chance that nothing of an item is sold: what `value_of_sales` leaves out of its negative binomial sales."""
    mean, spread = np.maximum(expected, 1e-9), np.clip(dispersion, LEAST_DISPERSION, MOST_DISPERSION)
    return np.asarray(np.exp(-np.log1p(spread * mean) / spread))


def _alike(mean: Floats) -> Iterator[Int64s]:
    """Yield the places of items that sell about as often, so that those that hardly sell are not summed over hundreds of sales."""
    classes = np.searchsorted(_CLASSES, mean)
    for number in range(len(_CLASSES)):
        if (of := np.flatnonzero(classes == number)).size:
            yield of


def _of_few(mean: Floats, dispersion: Floats, squared: Floats) -> tuple[Floats, Floats]:
    from scipy import special  # noqa: PLC0415 - slow to import

    # Twelve standard deviations above the mean, and a little more where the mean is next to nothing.
    most = int(np.ceil((mean + 12 * np.sqrt(mean + dispersion * mean**2)).max())) + 10
    sales = np.arange(1, most + 1)[None, :]
    shape, rate = 1 / dispersion[:, None], mean[:, None]
    logs = special.gammaln(shape + sales) - special.gammaln(sales + 1) + sales * np.log(rate / (shape + rate))
    chances = np.exp(logs - logs.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    deviation = np.sqrt(np.log1p(squared[:, None] / sales))
    middle = np.log(sales) - deviation**2 / 2

    def quantile(part: float) -> Floats:
        lowest = (middle - 6 * deviation).min(axis=1)
        highest = (middle + 6 * deviation).max(axis=1)
        for _ in range(_HALVINGS):
            tried = (lowest + highest) / 2
            below = (chances * special.ndtr((tried[:, None] - middle) / deviation)).sum(axis=1)
            lowest, highest = np.where(below < part, tried, lowest), np.where(below < part, highest, tried)
        return np.asarray(np.exp((lowest + highest) / 2))

    return quantile(TAIL), quantile(1 - TAIL)


def _of_many(mean: Floats, dispersion: Floats, squared: Floats) -> tuple[Floats, Floats]:
    from scipy import special  # noqa: PLC0415 - slow to import

    relative = (1 + squared) / mean + dispersion
    # The gamma distribution has those that sell nothing in it, at its lower end.
    none = chance_of_none(mean, dispersion)
    low, high = (
        special.gammaincinv(1 / relative, none + (1 - none) * part) * relative * mean
        for part in (TAIL, 1 - TAIL)
    )
    return np.asarray(low), np.asarray(high)

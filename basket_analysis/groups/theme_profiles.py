"""
What the followers of a theme buy more and less of than baskets of their sizes hold by chance.

A theme is born of rules; who follows it is told by everything they buy, not by its rules alone. A profile has a weight for
each item: the logarithm of how many times as often its followers buy it as chance would put it into baskets of their
sizes. Summed over what a household bought, less what chance lets expect, this is the likelihood that the baskets are a
follower's rather than anybody's (Neyman and Pearson 1933), and over its standard deviation by chance the household's z.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.mining.strata import STRATA

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

OWN_RATES_FROM = 20_000
"""A table of so many baskets says how often items are bought by chance; with fewer the learnt rates do."""
MOST_ITEMS = 2_000
"""So many items, the most bought ones, are looked at at most."""
ROUNDS = 4
"""More rounds lead further away from the rules, and not always to the same place."""
FOLLOWS_AT = 0.7
"""While learning, half of a household follows its best theme at so many standard deviations over all households."""
SHARPNESS = 2.0
"""How fast a household follows more of the better theme: nobody falls from one wholly to another for a trifle."""
PRIOR_BASKETS = 20.0
"""So many baskets that hold an item as often as chance has it stand behind what a theme's followers buy."""
LEAST_VARIANCE = 0.25
"""Added to every variance: one purchase of what few buy says little of who hardly buys anything."""
FEWEST_FOLLOWERS = 10
MOST_LEARNT_FROM = 50_000

LEARNING: Mapping[str, Any] = {
    "weights": "log likelihood ratio",
    "most_items": MOST_ITEMS,
    "rounds": ROUNDS,
    "follows_at": FOLLOWS_AT,
    "sharpness": SHARPNESS,
    "prior_baskets": PRIOR_BASKETS,
    "least_variance": LEAST_VARIANCE,
}
"""What profiles are learnt and scored by. Themes carry it: those of another release are found anew, not scored by this one's."""


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """`weights` has a row of length 1 per theme and a column per item, `rates` a row per item and a column per size stratum."""

    items: tuple[str, ...]
    weights: Floats
    rates: Floats


NOTHING_LEARNT = Profiles((), np.zeros((0, 0)), np.zeros((0, STRATA)))


class Habits:
    """
    What the households of a table bought of `items`, against chance.

    `rates` say how often baskets of each size hold them, where the table is too small to say so itself.
    `baskets` counts the baskets of each household; counts and chances are of weighed baskets.
    """

    def __init__(self, table: BasketTable, items: Sequence[str], rates: Floats | None = None) -> None:
        from scipy import sparse  # noqa: PLC0415 - slow to import

        codes = {item: code for code, item in enumerate(table.items)}
        place = np.full(len(table.items) + 1, -1, np.int64)
        place[[codes.get(item, -1) for item in items]] = np.arange(len(items))
        place[-1] = -1
        columns = place[table.codes]
        baskets = np.repeat(np.arange(len(table)), np.diff(table.offsets))
        weights = np.ones(len(table)) if table.weights is None else table.weights
        if rates is None or len(table) >= OWN_RATES_FROM:
            rates = _rates(table, weights, columns, baskets, len(items))
        self.rates = rates
        owners = table.owners[baskets]
        kept = (owners >= 0) & (columns >= 0)
        shape = (len(table.households), len(items))
        self.counts: Any = sparse.csr_matrix(
            (weights[baskets[kept]], (owners[kept], columns[kept])), shape=shape
        )
        known = table.owners >= 0
        of, strata = table.owners[known], table.strata[known]
        self.sizes, self.squares = np.zeros((shape[0], STRATA)), np.zeros((shape[0], STRATA))
        np.add.at(self.sizes, (of, strata), weights[known])
        np.add.at(self.squares, (of, strata), weights[known] ** 2)
        self.baskets: Int64s = np.bincount(of, minlength=shape[0]).astype(np.int64)

    def scores(self, weights: Floats) -> Floats:
        """Return the z of each household, a column per theme."""
        chance = self.rates * (1 - self.rates)
        above = self.counts @ weights.T - self.sizes @ (self.rates.T @ weights.T)
        variance = self.squares @ (chance.T @ (weights**2).T)
        return np.asarray(above / np.sqrt(variance + LEAST_VARIANCE))

    def lifts(self, follows: Floats) -> Floats:
        """Return how many times as often as by chance the followers of each theme, a column of `follows`, buy each item."""
        bought = (self.counts.T @ follows).T
        expected = (self.sizes.T @ follows).T @ self.rates.T
        return np.asarray((bought + PRIOR_BASKETS) / (expected + PRIOR_BASKETS))


def learn_profiles(table: BasketTable, themes: Sequence[Sequence[str]], *, min_baskets: int) -> Profiles:
    """
    Return the profiles of `themes`, given by their items, as the households of `table` show them.

    A profile begins with the theme's own items in equal parts; then its followers say what they buy more and
    less of than others, which makes the next profile, and so on for a few rounds. A theme that too few follow
    keeps its own items.
    """
    if not themes:
        return NOTHING_LEARNT
    own = {item for items in themes for item in items}
    others = sorted(
        set(range(len(table.items))) - {code for code, item in enumerate(table.items) if item in own},
        key=lambda code: (-int(table.item_counts[code]), code),
    )
    room = max(0, MOST_ITEMS - len(own))
    items = tuple(sorted(own | {table.items[code] for code in others[:room]}))
    habits = Habits(table, items)
    weights = np.array([[float(item in theme) for item in items] for theme in map(frozenset, themes)])
    weights = _unit(weights)
    eligible = np.flatnonzero(habits.baskets >= min_baskets)
    eligible = eligible[:: max(1, -(-len(eligible) // MOST_LEARNT_FROM))]
    if len(eligible) < FEWEST_FOLLOWERS:
        return Profiles(items, weights, habits.rates)
    # Who comes every day says no more than who comes every week.
    voices = 1.0 / habits.baskets[eligible]
    voices /= voices.mean()
    for _ in range(ROUNDS):
        weights = _next(habits, weights, eligible, voices)
    return Profiles(items, weights, habits.rates)


def _next(habits: Habits, weights: Floats, households: Int64s, voices: Floats) -> Floats:
    """Return the profiles that the followers of the present ones show."""
    scores = habits.scores(weights)[households]
    spread = scores.std(axis=0)
    shares = _follow((scores - scores.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
    follows = np.zeros((len(habits.baskets), len(weights)))
    follows[households] = shares * voices[:, None]
    shown = np.log(habits.lifts(follows))
    enough = (shares.sum(axis=0) >= FEWEST_FOLLOWERS) & shown.any(axis=1)
    return np.where(enough[:, None], _unit(shown), weights)


def _follow(scores: Floats) -> Floats:
    """Return how much of each household follows each theme: of the best ones more, and more the better they fit."""
    best = scores.max(axis=1, keepdims=True)
    shares = np.exp(SHARPNESS * (scores - best))
    fits = 1.0 / (1.0 + np.exp(-SHARPNESS * (scores - FOLLOWS_AT)))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True) * fits)


def _unit(weights: Floats) -> Floats:
    return np.asarray(weights / np.maximum(np.sqrt((weights**2).sum(axis=1, keepdims=True)), 1e-12))


def _rates(table: BasketTable, weights: Floats, columns: Int64s, baskets: Int64s, items: int) -> Floats:
    """Return the share of the baskets of each size that hold each item."""
    known = columns >= 0
    held = np.zeros((items, STRATA))
    np.add.at(held, (columns[known], table.strata[baskets[known]]), weights[baskets[known]])
    sizes = np.bincount(table.strata, weights=weights, minlength=STRATA)
    return np.asarray(held / np.where(sizes > 0, sizes, 1.0))

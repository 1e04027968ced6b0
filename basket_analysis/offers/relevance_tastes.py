"""Scores of items for members by what members alike buy, and by the stores they go to; learnt from a sample. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from basket_analysis.baskets import Int32s
from basket_analysis.offers.relevance_features import Origin
from basket_analysis.offers.relevance_kernels import (
    ByItem,
    Ease,
    Factors,
    Likeness,
    Neighbours,
    Score,
    learn_ease,
    learn_factors,
    learn_likeness,
    learn_neighbours,
)
from basket_analysis.offers.relevance_purchases import Kind

NEAREST = 300
FACTORS = 64


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to weigh histories, and how strongly what it teaches is drawn to nothing."""

    half_life: float
    regularisation: float


EASES: Final[Mapping[Kind, Mapping[str, _Way]]] = {
    "all": {"ease": _Way(90, 50), "ease_short": _Way(30, 100), "ease_new": _Way(180, 600)},
    "new": {"ease_new": _Way(180, 600), "ease_long": _Way(120, 200), "ease_short": _Way(30, 100)},
}
"""What is drawn little is best at what members buy again, what is drawn strongly at what is new to them."""


class Tastes:
    """
    What members alike buy, as of one day, learnt from the members of `origin`.

    Scores are of every item for some members at a time.
    """

    def __init__(self, origin: Origin, kinds: tuple[Kind, ...]) -> None:
        everybody = np.arange(origin.members, dtype=np.int32)
        wanted = {name: way for kind in kinds for name, way in EASES[kind].items()}
        self._eases: dict[str, Ease] = {
            name: learn_ease(origin.histories(way.half_life), way.regularisation)
            for name, way in wanted.items()
        }
        self._factors: Factors = learn_factors(origin.histories(120), origin.buyers, count=FACTORS)
        self._neighbours: Neighbours = learn_neighbours(origin.histories(90), origin.buyers, nearest=NEAREST)
        self.likeness: Likeness = learn_likeness(origin.histories(120))
        """How like items are to each other, by who buys them."""
        self._recent: ByItem = origin.bought_within(28, everybody).tocsc()
        self._stores: dict[int, ByItem] = {days: origin.store_popularity(days).tocsc() for days in (28, 120)}

    def scores(
        self, origin: Origin, members: Int32s, own: Int32s, kinds: tuple[Kind, ...]
    ) -> dict[Kind, dict[str, Score]]:
        """
        Return by kind and name the scores for `members` of `origin`, as lists of `kinds` need them.

        `own` are their own rows in the sample, -1 for who is not in it; who is has the same history there and here.
        """
        ways = {name: way for kind in kinds for name, way in EASES[kind].items()}
        eases = {
            name: self._eases[name].score(origin.histories(way.half_life, members), own)
            for name, way in ways.items()
        }
        found = {"factors": self._factors.score(origin.histories(120, members), own)}
        weights = self._neighbours.weights(origin.histories(90, members), own)
        found["alike"] = Score(weights, self._neighbours.sample)
        found["alike_lately"] = Score(weights, self._recent)
        shares = np.asarray(origin.store_shares[members].todense(), np.float32)
        for days, popularity in self._stores.items():
            width = min(shares.shape[1], popularity.shape[0])
            found[f"stores_{days}"] = Score(shares[:, :width], popularity[:width])
        return {kind: {**{name: eases[name] for name in EASES[kind]}, **found} for kind in kinds}

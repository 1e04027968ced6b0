"""Which theme a household follows: how often the theme's rules fire in its baskets, against chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.compiled import compiled
from basket_analysis.strata import STRATA
from basket_analysis.themes import NO_THEME, TOO_LITTLE, Theme, Themes

Floats = NDArray[np.float64]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

JOINS_AT = 2.0
MOVES_BY = 0.7
OWN_RATES_FROM = 20_000
"""A table of so many baskets says how often themes fire by chance; with fewer the learnt rates do."""


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a household belongs, and what else it might be.

    `group` is a theme's id, NO_THEME or TOO_LITTLE; `strength` is the z score of its theme, or of
    the best one for NO_THEME, and None with too little data.
    """

    household: str
    group: str
    strength: float | None
    second_group: str | None
    second_strength: float | None
    baskets: int


@dataclass(frozen=True, slots=True)
class Firings:
    """
    In how many baskets a rule of each theme fires: by household, and by size stratum over all.

    `baskets` counts the baskets of each household per stratum, whether anything fires or not.
    """

    by_household: Int32s
    by_stratum: Int64s
    baskets: Int32s


def count_firings(table: BasketTable, themes: Sequence[Theme]) -> Firings:
    """Return how often the rules of `themes` fire in the baskets of `table`."""
    codes = {item: code for code, item in enumerate(table.items)}
    theme_of = np.full(len(table.items), -1, np.int32)
    place_of = np.full(len(table.items), -1, np.int32)
    known = [item for theme in themes for item in theme.items if item in codes]
    for number, theme in enumerate(themes):
        theme_of[[codes[item] for item in theme.items if item in codes]] = number
    place_of[[codes[item] for item in known]] = np.arange(len(known), dtype=np.int32)
    tied = np.zeros((len(known), len(known)), np.bool_)
    for one, other in _pairs(themes):
        if one in codes and other in codes:
            tied[place_of[codes[one]], place_of[codes[other]]] = True
            tied[place_of[codes[other]], place_of[codes[one]]] = True
    by_household = np.zeros((len(table.households), len(themes)), np.int32)
    by_stratum = np.zeros((STRATA, len(themes)), np.int64)
    _count_firings(
        table.offsets,
        table.codes,
        table.strata,
        table.owners,
        theme_of,
        place_of,
        tied,
        by_household,
        by_stratum,
    )
    baskets = np.zeros((len(table.households), STRATA), np.int32)
    owned = table.owners >= 0
    np.add.at(baskets, (table.owners[owned], table.strata[owned]), 1)
    return Firings(by_household, by_stratum.T.copy(), baskets)


def _pairs(themes: Sequence[Theme]) -> list[tuple[str, str]]:
    """Return the pairs that rules tie; a longer rule fires only where pairs of its theme do."""
    return [
        (rule.antecedent[0], rule.consequent[0])
        for theme in themes
        for rule in theme.rules
        if len(rule.antecedent) == len(rule.consequent) == 1
    ]


@compiled
def _count_firings(  # noqa: PLR0917 - numba takes arrays, not objects
    offsets: Int64s,
    codes: Int32s,
    strata: Int32s,
    owners: Int32s,
    theme_of: Int32s,
    place_of: Int32s,
    tied: NDArray[np.bool_],
    by_household: Int32s,
    by_stratum: Int64s,
) -> None:
    fired = np.full(by_stratum.shape[1], -1, np.int64)
    for basket in range(len(strata)):
        for at in range(offsets[basket], offsets[basket + 1]):
            theme = theme_of[codes[at]]
            if theme < 0 or fired[theme] == basket:
                continue
            place = place_of[codes[at]]
            for other in range(at + 1, offsets[basket + 1]):
                if theme_of[codes[other]] == theme and tied[place, place_of[codes[other]]]:
                    fired[theme] = basket
                    by_stratum[strata[basket], theme] += 1
                    if owners[basket] >= 0:
                        by_household[owners[basket], theme] += 1
                    break


def firing_rates(firings: Firings, stratum_sizes: Int64s) -> Floats:
    """Return the share of all baskets of each size in which each theme fires, a row per theme."""
    rates: Floats = firings.by_stratum / np.maximum(stratum_sizes, 1)
    return rates


def household_scores(firings: Firings, rates: Floats) -> Floats:
    """
    Return z = (O - E) / √(V + 1) of each household and theme.

    O counts the household's baskets in which the theme fires; E and V are the mean and
    variance of that count if only the sizes of its baskets mattered.
    """
    expected = firings.baskets @ rates.T
    variance = firings.baskets @ (rates * (1 - rates)).T
    scores: Floats = (firings.by_household - expected) / np.sqrt(variance + 1)
    return scores


class HouseholdScorer:
    """
    Puts every household of a table into exactly one group.

    A household joins its best theme at z ≥ `joins_at`. One that was in a theme in `previous`
    (household → group) stays while that theme's z is at least `joins_at` - `moves_by`, unless
    another exceeds it by more than `moves_by`. After `fit`, `places_` has the households in the order
    of their ids, `scores_` the z of each and `firings_` the counts behind it.
    """

    def __init__(
        self,
        themes: Themes,
        *,
        previous: Mapping[str, str] | None = None,
        joins_at: float = JOINS_AT,
        moves_by: float = MOVES_BY,
    ) -> None:
        self.themes = themes
        self.previous = previous or {}
        self.joins_at = joins_at
        self.moves_by = moves_by
        self.places_: tuple[Place, ...]
        self.scores_: Floats
        self.firings_: Firings

    def fit(self, table: BasketTable) -> Self:
        """Score the households of `table`."""
        self.firings_ = count_firings(table, self.themes.themes)
        rates = self.themes.rates
        if len(table) >= OWN_RATES_FROM:
            rates = firing_rates(self.firings_, table.stratum_sizes)
        self.scores_ = household_scores(self.firings_, rates)
        ids = [theme.id for theme in self.themes.themes]
        numbers = {theme_id: number for number, theme_id in enumerate(ids)}
        baskets = self.firings_.baskets.sum(axis=1).tolist()
        places = []
        for household, scores, count in zip(table.households, self.scores_, baskets, strict=True):
            if count < self.themes.min_baskets:
                places.append(Place(household, TOO_LITTLE, None, None, None, count))
            elif not ids:
                places.append(Place(household, NO_THEME, None, None, None, count))
            else:
                old = numbers.get(self.previous.get(household, ""))
                places.append(self._place(household, scores, count, ids, old))
        self.places_ = tuple(places)
        return self

    def _place(self, household: str, scores: Floats, baskets: int, ids: list[str], old: int | None) -> Place:
        ranked = np.argsort(-scores, kind="stable")
        own = int(ranked[0])
        if old is not None and scores[old] >= self.joins_at - self.moves_by:
            own = own if scores[own] > scores[old] + self.moves_by else old
            group = ids[own]
        else:
            group = ids[own] if scores[own] >= self.joins_at else NO_THEME
        others = [int(number) for number in ranked if number != own]
        return Place(
            household=household,
            group=group,
            strength=float(scores[own]),
            second_group=ids[others[0]] if others else None,
            second_strength=float(scores[others[0]]) if others else None,
            baskets=baskets,
        )

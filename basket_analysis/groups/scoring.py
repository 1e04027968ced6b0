"""Which theme a household follows: what it buys against chance, seen by the themes' profiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.groups.theme_profiles import Habits
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE, Themes

Floats = NDArray[np.float64]

JOINS_AT = 2.25
MOVES_BY = 1.5
RISES_BY = 0.5
"""A household that no theme fitted the last time joins one only when it fits clearly better than it need have."""


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


class HouseholdScorer:
    """
    Puts every household of a table into exactly one group.

    A household joins its best theme at z ≥ `joins_at`. One that was in a theme in `previous`
    (household → group) stays while that theme's z is at least `joins_at` - `moves_by`, unless
    another exceeds it by more than `moves_by`; one that was in none joins at `joins_at` + `rises_by`. Themes that were merged are one group, as strong as the strongest of
    them. After `fit`, `places_` has the households in the order of their ids, `scores_` the z of each for every theme
    and `habits_` the counts behind it.
    """

    def __init__(
        self,
        themes: Themes,
        *,
        previous: Mapping[str, str] | None = None,
        joins_at: float = JOINS_AT,
        moves_by: float = MOVES_BY,
        rises_by: float = RISES_BY,
    ) -> None:
        self.themes = themes
        self.previous = previous or {}
        self.joins_at = joins_at
        self.moves_by = moves_by
        self.rises_by = rises_by
        self.places_: tuple[Place, ...]
        self.scores_: Floats
        self.habits_: Habits

    def fit(self, table: BasketTable) -> Self:
        """Score the households of `table`."""
        profiles = self.themes.profiles
        self.habits_ = Habits(table, profiles.items, profiles.rates)
        self.scores_ = self.habits_.scores(profiles.weights)
        of_theme = [self.themes.group_of(theme.id) for theme in self.themes.themes]
        ids = list(dict.fromkeys(of_theme))
        numbers = {group_id: number for number, group_id in enumerate(ids)}
        by_group = np.full((len(self.scores_), len(ids)), -np.inf)
        for theme, group_id in enumerate(of_theme):
            column = by_group[:, numbers[group_id]]
            np.maximum(column, self.scores_[:, theme], out=column)
        baskets = self.habits_.baskets.tolist()
        places = []
        for household, scores, count in zip(table.households, by_group, baskets, strict=True):
            if count < self.themes.min_baskets:
                places.append(Place(household, TOO_LITTLE, None, None, None, count))
            elif not ids:
                places.append(Place(household, NO_THEME, None, None, None, count))
            else:
                before = self.themes.group_of(self.previous.get(household, ""))
                joins_at = self.joins_at + (self.rises_by if before == NO_THEME else 0.0)
                old = numbers.get(before)
                places.append(self._place(household, scores, count, ids, old, joins_at))
        self.places_ = tuple(places)
        return self

    def _place(  # noqa: PLR0917 - one household's part of the loop
        self,
        household: str,
        scores: Floats,
        baskets: int,
        ids: list[str],
        old: int | None,
        joins_at: float,
    ) -> Place:
        ranked = np.argsort(-scores, kind="stable")
        own = int(ranked[0])
        if old is not None and scores[old] >= self.joins_at - self.moves_by:
            own = own if scores[own] > scores[old] + self.moves_by else old
            group = ids[own]
        else:
            group = ids[own] if scores[own] >= joins_at else NO_THEME
        others = [int(number) for number in ranked if number != own]
        return Place(
            household=household,
            group=group,
            strength=float(scores[own]),
            second_group=ids[others[0]] if others else None,
            second_strength=float(scores[others[0]]) if others else None,
            baskets=baskets,
        )

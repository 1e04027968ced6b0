"""Which rules of a theme tell its followers from others."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.compiled import compiled
from basket_analysis.mining import Int32s, Int64s
from basket_analysis.scoring import HouseholdScorer
from basket_analysis.strata import STRATA
from basket_analysis.themes import Theme, ThemeRule, Themes

Floats = NDArray[np.float64]

SURE = 1.0
"""A rule's lift among followers is taken as low as so many standard deviations of its firings leave it."""


def order_rules(themes: Themes, table: BasketTable) -> Themes:
    """
    Return `themes` with each theme's pairs in the order of how well they tell its followers, longer rules after them.

    Told by the baskets of `table`: how often a pair fires in followers' baskets against baskets of their sizes, less
    what chance may have added, so that a rare pair does not lead for its luck.
    """
    if not len(themes):
        return themes
    numbers = {theme.id: number for number, theme in enumerate(themes.themes)}
    alone = replace(themes, merged={})
    places = HouseholdScorer(alone).fit(table).places_
    followed = np.array([numbers.get(place.group, -1) for place in places] or [-1], np.int32)
    theme_of = np.full(len(table.items), -1, np.int32)
    codes = {item: code for code, item in enumerate(table.items)}
    for theme in themes.themes:
        theme_of[[codes[item] for item in theme.items if item in codes]] = numbers[theme.id]
    items = np.flatnonzero(theme_of >= 0)
    ranks = np.full(len(table.items), -1, np.int32)
    ranks[items] = np.arange(len(items), dtype=np.int32)
    owners = np.where(table.owners >= 0, followed[table.owners], -1).astype(np.int32)
    fired = np.zeros((len(items), len(items)))
    everywhere = np.zeros((len(items), len(items), STRATA), np.int32)
    _fire(table.offsets, table.codes, table.strata, owners, ranks, theme_of, fired, everywhere)
    sizes = np.zeros((len(themes), STRATA))
    np.add.at(sizes, (owners[owners >= 0], table.strata[owners >= 0]), 1)
    shares = sizes / np.maximum(table.stratum_sizes, 1)
    ordered = []
    for theme, share in zip(themes.themes, shares, strict=True):
        rows = _rows(theme, codes, ranks)
        firings = fired[rows[:, 0], rows[:, 1]]
        expected = everywhere[rows[:, 0], rows[:, 1]] @ share
        ordered.append(_ordered(theme, (firings - SURE * np.sqrt(firings)) / np.maximum(expected, 1.0)))
    return replace(themes, themes=tuple(ordered))


def _rows(theme: Theme, codes: Mapping[str, int], ranks: Int32s) -> Int64s:
    """Return the ranks of each pair of a theme's rules, the lower first."""
    pairs = [sorted(int(ranks[codes[item]]) for item in rule.items) for rule in _pairs(theme)]
    return np.array(pairs, np.int64).reshape(len(pairs), 2)


def _pairs(theme: Theme) -> list[ThemeRule]:
    return [rule for rule in theme.rules if len(rule.items) == 2]


def _ordered(theme: Theme, telling: Floats) -> Theme:
    """Return a theme with its pairs in falling order of `telling`, and longer rules as they were."""
    pairs = _pairs(theme)
    first = [pairs[number] for number in np.argsort(-telling, kind="stable").tolist()]
    return replace(theme, rules=(*first, *(rule for rule in theme.rules if len(rule.items) != 2)))


@compiled
def _fire(  # noqa: PLR0917 - numba takes arrays, not objects
    offsets: Int64s,
    codes: Int32s,
    strata: Int32s,
    owners: Int32s,
    ranks: Int32s,
    theme_of: Int32s,
    fired: Floats,
    everywhere: Int32s,
) -> None:
    """Count the pairs within each theme in all baskets, by stratum, and in those of its followers."""
    kept = np.empty(1024, np.int32)
    for basket in range(len(offsets) - 1):
        if offsets[basket + 1] - offsets[basket] > len(kept):
            kept = np.empty(2 * (offsets[basket + 1] - offsets[basket]), np.int32)
        known = 0
        for at in range(offsets[basket], offsets[basket + 1]):
            if ranks[codes[at]] >= 0:
                kept[known] = codes[at]
                known += 1
        for one in range(known):
            theme = theme_of[kept[one]]
            for other in range(one + 1, known):
                if theme_of[kept[other]] == theme:
                    everywhere[ranks[kept[one]], ranks[kept[other]], strata[basket]] += 1
                    if owners[basket] == theme:
                        fired[ranks[kept[one]], ranks[kept[other]]] += 1.0

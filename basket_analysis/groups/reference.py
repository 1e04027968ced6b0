"""
The reference that groups are measured beside: a household follows the theme whose rules fire in its baskets.

Themes are communities at resolution 1.5; z = (O - E) / √(V + 1), where O counts the household's baskets in which a rule of
the theme fires and E and V come from the sizes of its baskets. It joins its best theme at z ≥ 2.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.groups.grouping import ThemeFinder
from basket_analysis.groups.quality import Flags, Labels
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE, Theme, Themes
from basket_analysis.mining.strata import STRATA

RESOLUTION = 1.5
JOINS_AT = 2.0
MOVES_BY = 0.7


def fit_reference(table: BasketTable) -> Themes:
    """Return the themes of the reference, whose baskets all weigh the same and whose rules stand by their z."""
    found = ThemeFinder(resolution=RESOLUTION).fit(replace(table, weights=None)).themes_
    by_z = (
        replace(theme, rules=tuple(sorted(theme.rules, key=lambda rule: -rule.z))) for theme in found.themes
    )
    return replace(found, themes=tuple(by_z))


def label_by_rules(themes: Themes, table: BasketTable, previous: Labels | None = None) -> Labels:
    """Return the group of each household; one that `previous` puts elsewhere moves only for 0.7 more."""
    known = table.owners >= 0
    owners, households = table.owners[known], len(table.households)
    sizes = np.zeros((households, STRATA))
    np.add.at(sizes, (owners, table.strata[known]), 1)
    scores = np.zeros((households, len(themes)))
    for number, theme in enumerate(themes.themes):
        fires = _fires(theme, table)
        share = np.bincount(table.strata, weights=fires, minlength=STRATA) / np.maximum(
            table.stratum_sizes, 1
        )
        fired = np.bincount(owners, weights=fires[known], minlength=households)
        scores[:, number] = (fired - sizes @ share) / np.sqrt(sizes @ (share * (1 - share)) + 1)
    ids = np.array([theme.id for theme in themes.themes])
    labels = np.full(households, NO_THEME, dtype=object)
    if len(ids):
        best = scores.argmax(axis=1)
        top = scores.max(axis=1)
        labels[top >= JOINS_AT] = ids[best[top >= JOINS_AT]]
        if previous is not None:
            _hold(labels, previous, scores, ids)
    labels[sizes.sum(axis=1) < themes.min_baskets] = TOO_LITTLE
    return labels.astype(np.str_)


def _hold(labels: NDArray[np.object_], previous: Labels, scores: NDArray[np.float64], ids: Labels) -> None:
    """Leave who was in a theme there unless another exceeds it enough."""
    for number, theme_id in enumerate(ids):
        mine = np.flatnonzero((previous == theme_id) & (scores.max(axis=1) <= scores[:, number] + MOVES_BY))
        labels[mine] = theme_id


def _fires(theme: Theme, table: BasketTable) -> Flags:
    """Return in which baskets any rule of a theme fires."""
    column_of = {item: column for column, item in enumerate(theme.items)}
    columns = np.array([column_of.get(item, -1) for item in table.items])[table.codes]
    baskets = np.repeat(np.arange(len(table)), np.diff(table.offsets))
    held = np.zeros((len(theme.items), len(table)), np.bool_)
    held[columns[columns >= 0], baskets[columns >= 0]] = True
    fires = np.zeros(len(table), np.bool_)
    for rule in theme.rules:
        fires |= np.logical_and.reduce([held[column_of[item]] for item in rule.items])
    return fires

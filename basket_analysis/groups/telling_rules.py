"""Which rules of a theme tell its followers from others."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.groups.scoring import HouseholdScorer
from basket_analysis.groups.themes import Theme, ThemeRule, Themes
from basket_analysis.mining.compiled import compiled
from basket_analysis.mining.itemsets import Int32s, Int64s
from basket_analysis.mining.strata import STRATA

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
    owners = np.where(table.owners >= 0, followed[table.owners], -1).astype(np.int32)
    pairs = _Pairs.of(themes, table)
    fired = np.zeros(pairs.count)
    everywhere = np.zeros((pairs.count, STRATA), np.int32)
    _fire(
        table.offsets,
        table.codes,
        table.strata,
        owners,
        pairs.theme_of,
        pairs.rows,
        pairs.columns,
        pairs.numbers,
        fired,
        everywhere,
    )
    sizes = np.zeros((len(themes), STRATA))
    np.add.at(sizes, (owners[owners >= 0], table.strata[owners >= 0]), 1)
    shares = sizes / np.maximum(table.stratum_sizes, 1)
    ordered = []
    for theme, share, own in zip(themes.themes, shares, pairs.by_theme, strict=True):
        firings = fired[own]
        expected = everywhere[own] @ share
        ordered.append(_ordered(theme, (firings - SURE * np.sqrt(firings)) / np.maximum(expected, 1.0)))
    return replace(themes, themes=tuple(ordered))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """
    The pairs of all themes' rules, numbered.

    Of an item `rows` + `columns` of another one of its theme (`theme_of`, -1 for none) is the place of their number in
    `numbers`, the lower code first; -1 where they are no rule. So a theme of n items takes n² small numbers, and only
    pairs that are rules are counted.
    """

    count: int
    by_theme: tuple[Int64s, ...]
    theme_of: Int32s
    rows: Int64s
    columns: Int64s
    numbers: Int32s

    @classmethod
    def of(cls, themes: Themes, table: BasketTable) -> "_Pairs":
        """Number the pairs of `themes` by the codes of `table`."""
        codes = {item: code for code, item in enumerate(table.items)}
        theme_of = np.full(len(table.items), -1, np.int32)
        rows, columns = np.zeros((2, len(table.items)), np.int64)
        by_theme, places, start, count = [], [], 0, 0
        for number, theme in enumerate(themes.themes):
            own = np.array([codes[item] for item in theme.items if item in codes], np.int64)
            theme_of[own] = number
            rows[own] = start + np.arange(len(own)) * len(own)
            columns[own] = np.arange(len(own))
            start += len(own) ** 2
            pairs = [sorted(codes[item] for item in rule.items) for rule in _pairs(theme)]
            places += [rows[lower] + columns[higher] for lower, higher in pairs]
            by_theme.append(np.arange(count, count + len(pairs)))
            count += len(pairs)
        numbers = np.full(start, -1, np.int32)
        numbers[np.array(places, np.int64)] = np.arange(count, dtype=np.int32)
        return cls(count, tuple(by_theme), theme_of, rows, columns, numbers)


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
    theme_of: Int32s,
    rows: Int64s,
    columns: Int64s,
    numbers: Int32s,
    fired: Floats,
    everywhere: Int32s,
) -> None:
    """Count the numbered pairs in all baskets, by stratum, and in those of their theme's followers."""
    kept = np.empty(1024, np.int32)
    for basket in range(len(offsets) - 1):
        if offsets[basket + 1] - offsets[basket] > len(kept):
            kept = np.empty(2 * (offsets[basket + 1] - offsets[basket]), np.int32)
        known = 0
        for at in range(offsets[basket], offsets[basket + 1]):
            if theme_of[codes[at]] >= 0:
                kept[known] = codes[at]
                known += 1
        for one in range(known):
            theme = theme_of[kept[one]]
            for other in range(one + 1, known):
                if theme_of[kept[other]] != theme:
                    continue
                pair = numbers[rows[kept[one]] + columns[kept[other]]]
                if pair >= 0:
                    everywhere[pair, strata[basket]] += 1
                    if owners[basket] == theme:
                        fired[pair] += 1.0

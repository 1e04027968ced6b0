"""Finds themes in baskets: kept rules, their graph, its communities, and who they were before."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from basket_analysis.baskets import BasketTable
from basket_analysis.naming import name_theme
from basket_analysis.profiles import learn_profiles
from basket_analysis.theme_rules import Evidence, KeptRules, keep_rules
from basket_analysis.themes import Theme, ThemeRule, Themes

RESOLUTION = 1.0
SEED = 20_260_401
TRIALS = 10
MIN_ITEMS = 3
MIN_BASKETS = 10
KEEPS_IDENTITY = 0.5
"""Share of the larger theme's items that two themes must have in common to be the same one."""


class ThemeFinder:
    """
    Finds the themes of a basket table.

    The graph of the kept pairs, weighted log(adjusted lift) · √count, falls into communities
    (Leiden; modularity with a resolution, so RB configuration); those of at least
    `min_items` items are themes. After `fit`, `themes_` are the themes and `rules_` all kept rules.

    With `previous` themes the search starts from them and their ids live on; without, the
    result depends on the table alone.
    """

    def __init__(
        self,
        *,
        evidence: Evidence | None = None,
        resolution: float = RESOLUTION,
        min_items: int = MIN_ITEMS,
        min_baskets: int = MIN_BASKETS,
        seed: int = SEED,
    ) -> None:
        self.evidence = evidence or Evidence()
        self.resolution = resolution
        self.min_items = min_items
        self.min_baskets = min_baskets
        self.seed = seed
        self.themes_: Themes
        self.rules_: KeptRules

    def fit(self, table: BasketTable, previous: Themes | None = None) -> Self:
        """Find the themes of `table`; a table without rules has none."""
        self.rules_ = keep_rules(table, self.evidence)
        weights = _weights(self.rules_)
        start = _start(table, previous) if previous else {}
        communities = _communities(weights, start, resolution=self.resolution, seed=self.seed)
        found = [_ranked(community, weights) for community in communities if len(community) >= self.min_items]
        found.sort(key=lambda codes: (-_tie(codes, weights), codes))
        items = [tuple(table.items[code] for code in codes) for codes in found]
        ids, next_number = carry_identities(items, previous)
        rules = _rules_by_theme(table, self.rules_, found)
        themes = tuple(
            Theme(id=theme_id, name=name_theme(names), items=names, rules=theme_rules)
            for theme_id, names, theme_rules in zip(ids, items, rules, strict=True)
        )
        self.themes_ = Themes(
            themes=themes,
            profiles=learn_profiles(table, items, min_baskets=self.min_baskets),
            baskets=len(table),
            households=len(table.households),
            min_baskets=self.min_baskets,
            next_number=next_number,
            settings=self._settings(),
        )
        return self

    def _settings(self) -> dict[str, Any]:
        evidence = self.evidence
        return {
            "min_support": float(evidence.min_support),
            "min_count": evidence.min_count,
            "min_household_share": float(evidence.min_household_share),
            "min_households": evidence.min_households,
            "min_adjusted_lift": evidence.min_adjusted_lift,
            "max_q": evidence.max_q,
            "max_length": evidence.max_length,
            "resolution": self.resolution,
            "min_items": self.min_items,
            "min_baskets": self.min_baskets,
            "seed": self.seed,
        }


Weights = dict[tuple[int, int], float]


def _weights(kept: KeptRules) -> Weights:
    """Return the weight of each kept pair (lower code, higher code)."""
    rules = kept.rules
    weights: Weights = {}
    for number in range(len(kept)):
        antecedent, consequent = kept.items_of(number)
        if len(antecedent) == 1:
            one, other = sorted((antecedent[0], consequent[0]))
            weights[one, other] = float(np.log(rules.adjusted_lift[number]) * np.sqrt(rules.counts[number]))
    return dict(sorted(weights.items()))


def _start(table: BasketTable, previous: Themes) -> dict[int, int]:
    codes = {item: code for code, item in enumerate(table.items)}
    return {
        codes[item]: number
        for number, theme in enumerate(previous.themes)
        for item in theme.items
        if item in codes
    }


def _communities(weights: Weights, start: dict[int, int], *, resolution: float, seed: int) -> list[list[int]]:
    """Return the communities of the graph, each sorted, in the order of their first item."""
    if not weights:
        return []
    from graspologic_native import leiden  # noqa: PLC0415 - wanted by the night only

    nodes = sorted({code for pair in weights for code in pair})
    free = max(start.values(), default=-1) + 1
    given = {str(code): start.get(code, free + place) for place, code in enumerate(nodes)}
    _quality, found = leiden(
        [(str(one), str(other), weight) for (one, other), weight in weights.items()],
        starting_communities=_without_gaps(given) if start else None,
        resolution=resolution,
        iterations=4,
        use_modularity=True,
        seed=seed,
        trials=TRIALS,
    )
    communities: dict[int, list[int]] = {}
    for code in nodes:
        communities.setdefault(found[str(code)], []).append(code)
    return sorted(communities.values())


def _without_gaps(communities: dict[str, int]) -> dict[str, int]:
    """Number the communities 0, 1, … in their order, as the library wants them."""
    places = {number: place for place, number in enumerate(sorted(set(communities.values())))}
    return {node: places[number] for node, number in communities.items()}


def _ranked(community: list[int], weights: Weights) -> tuple[int, ...]:
    """Return the items of a community, the best tied to the others first."""
    inside = dict.fromkeys(community, 0.0)
    for (one, other), weight in weights.items():
        if one in inside and other in inside:
            inside[one] += weight
            inside[other] += weight
    return tuple(sorted(community, key=lambda code: (-inside[code], code)))


def _tie(codes: tuple[int, ...], weights: Weights) -> float:
    inside = set(codes)
    return sum(weight for (one, other), weight in weights.items() if one in inside and other in inside)


def _rules_by_theme(
    table: BasketTable, kept: KeptRules, found: Sequence[tuple[int, ...]]
) -> list[tuple[ThemeRule, ...]]:
    """Return the kept rules that lie within each theme, the surest first."""
    theme_of = {code: number for number, codes in enumerate(found) for code in codes}
    by_theme: list[list[ThemeRule]] = [[] for _ in found]
    rules = kept.rules
    for number in np.argsort(-rules.z, kind="stable").tolist():
        antecedent, consequent = kept.items_of(number)
        themes = {theme_of.get(code, -1) for code in (*antecedent, *consequent)}
        if len(themes) == 1 and -1 not in themes:
            by_theme[themes.pop()].append(
                ThemeRule(
                    antecedent=tuple(table.items[code] for code in antecedent),
                    consequent=tuple(table.items[code] for code in consequent),
                    count=int(rules.counts[number]),
                    adjusted_lift=float(rules.adjusted_lift[number]),
                    z=float(rules.z[number]),
                    q=float(rules.q[number]),
                    households=int(kept.households[number]),
                )
            )
    return [tuple(rules_of) for rules_of in by_theme]


def carry_identities(items: Sequence[tuple[str, ...]], previous: Themes | None) -> tuple[list[str], int]:
    """
    Return an id for each new theme, and the number of the next new one.

    Old and new themes are matched one to one so that the shared items are most (Hungarian
    method); a match keeps its id when it shares at least half of the larger theme.
    """
    next_number = previous.next_number if previous else 1
    ids: list[str | None] = [None] * len(items)
    if previous and len(previous) and items:
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - slow to import

        overlap = np.array(
            [
                [len(set(new) & set(old.items)) / max(len(new), len(old.items)) for old in previous.themes]
                for new in items
            ]
        )
        for new, old in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[new, old] >= KEEPS_IDENTITY:
                ids[new] = previous.themes[old].id
    carried: list[str] = []
    for theme_id in ids:
        if theme_id is None:
            carried.append(f"t{next_number}")
            next_number += 1
        else:
            carried.append(theme_id)
    return carried, next_number

"""Finds themes in baskets: kept rules, their graph, its communities, and who they were before."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from basket_analysis.baskets import BasketTable
from basket_analysis.groups.edits import NO_EDITS, Cut, Edits, Items, apply_edits
from basket_analysis.groups.naming import choose_names, name_theme
from basket_analysis.groups.telling_rules import order_rules
from basket_analysis.groups.theme_profiles import LEARNING, learn_profiles
from basket_analysis.groups.theme_rules import Evidence, KeptRules, keep_rules
from basket_analysis.groups.themes import Theme, ThemeRule, Themes
from basket_analysis.groups.ties import Weights, tie_weights

RESOLUTION = 0.8
SEED = 20_260_401
TRIALS = 80
"""The best partition of so many searches is taken: of ten it was now the best there is, now one next to it."""
MIN_ITEMS = 3
MIN_BASKETS = 10
KEEPS_IDENTITY = 0.5
"""Share of the larger theme's items that two themes must have in common to be the same one."""


class ThemeFinder:
    """
    Finds the themes of a basket table.

    The graph of the kept pairs, weighted log(adjusted lift) · √count of faded baskets, falls into communities
    (Leiden; modularity with a resolution, so RB configuration); those of at least
    `min_items` items are themes. After `fit`, `themes_` are the themes and `rules_` all kept rules.

    With `previous` themes the search starts from them and their ids live on; without, the
    result depends on the table alone. `edits` are what people made of the themes: they hold whatever is found.
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

    def fit(self, table: BasketTable, previous: Themes | None = None, edits: Edits = NO_EDITS) -> Self:
        """Find the themes of `table`; a table without rules has none but those that people pinned."""
        self.rules_ = keep_rules(table, self.evidence)
        before = edits.before(
            {theme.id: frozenset(theme.items) for theme in previous.themes} if previous else {}
        )
        weights = tie_weights(table, self.rules_)
        communities = _communities(weights, _start(table, before), resolution=self.resolution, seed=self.seed)
        ties = _Ties(table, weights)
        found = [
            frozenset(table.items[code] for code in community)
            for community in communities
            if len(community) >= self.min_items
        ]
        cuts = apply_edits(found, edits.standing, ties.of, min_items=self.min_items)
        cuts.sort(key=lambda cut: (-ties.within(cut.items), ties.codes(cut.items)))
        items = [ties.ranked(cut.items) for cut in cuts]
        ids, next_number = self._identities(cuts, items, previous, before)
        found_themes = Themes(
            themes=self._themes(table, ids, items, previous),
            profiles=learn_profiles(table, items, min_baskets=self.min_baskets),
            baskets=len(table),
            households=len(table.households),
            min_baskets=self.min_baskets,
            next_number=next_number,
            settings=self.settings,
            merged=edits.merged,
        )
        self.themes_ = order_rules(found_themes, table)
        return self

    def _identities(
        self,
        cuts: Sequence[Cut],
        items: Sequence[tuple[str, ...]],
        previous: Themes | None,
        before: Mapping[str, Items],
    ) -> tuple[list[str], int]:
        """Return the ids of the themes: those that edits gave, then those of the themes before, then new ones."""
        given = {number: cut.group_id for number, cut in enumerate(cuts) if cut.group_id is not None}
        free = [number for number in range(len(cuts)) if number not in given]
        open_ = {group_id: known for group_id, known in before.items() if group_id not in given.values()}
        next_number = previous.next_number if previous else 1
        found, next_number = match_identities([items[number] for number in free], open_, next_number)
        names = {**given, **dict(zip(free, found, strict=True))}
        return [names[number] for number in range(len(cuts))], next_number

    def _themes(
        self,
        table: BasketTable,
        ids: Sequence[str],
        items: Sequence[tuple[str, ...]],
        previous: Themes | None,
    ) -> tuple[Theme, ...]:
        known = {theme.id: theme.named_after for theme in previous.themes} if previous else {}
        names = choose_names(items, [known.get(theme_id, ()) for theme_id in ids])
        rules = _rules_by_theme(table, self.rules_, items)
        return tuple(
            Theme(theme_id, name_theme(named_after), of, theme_rules, named_after)
            for theme_id, named_after, of, theme_rules in zip(ids, names, items, rules, strict=True)
        )

    @property
    def settings(self) -> dict[str, Any]:
        """By what themes are found and followed, as they carry it."""
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
            "profiles": dict(LEARNING),
        }


class _Ties:
    """The ties between items, by their names."""

    def __init__(self, table: BasketTable, weights: Weights) -> None:
        self._code_of = {item: code for code, item in enumerate(table.items)}
        self._ties: dict[str, dict[str, float]] = {}
        for (one, other), weight in weights.items():
            first, second = table.items[one], table.items[other]
            self._ties.setdefault(first, {})[second] = weight
            self._ties.setdefault(second, {})[first] = weight

    def of(self, item: str, others: Items) -> float:
        """Return how strongly `item` is tied to `others`."""
        tied = self._ties.get(item, {})
        return sum(weight for other, weight in tied.items() if other in others)

    def within(self, items: Items) -> float:
        """Return the weight of all ties between `items`."""
        return sum(self.of(item, items) for item in sorted(items)) / 2

    def codes(self, items: Items) -> list[int]:
        """Return the codes of `items`, rising; those that the table does not have come last."""
        return sorted(self._code_of.get(item, len(self._code_of)) for item in items)

    def ranked(self, items: Items) -> tuple[str, ...]:
        """Return `items`, the best tied to the others first."""
        return tuple(sorted(items, key=lambda item: (-self.of(item, items), item)))


def _start(table: BasketTable, before: Mapping[str, Items]) -> dict[int, int]:
    codes = {item: code for code, item in enumerate(table.items)}
    return {
        codes[item]: number
        for number, items in enumerate(before.values())
        for item in sorted(items)
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


def _rules_by_theme(
    table: BasketTable, kept: KeptRules, found: Sequence[tuple[str, ...]]
) -> list[tuple[ThemeRule, ...]]:
    """Return the kept rules that lie within each theme, the surest first."""
    numbers = {item: number for number, items in enumerate(found) for item in items}
    theme_of = {code: numbers[item] for code, item in enumerate(table.items) if item in numbers}
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
    """Return an id for each new theme, carried over from `previous` where it lives on, and the next free number."""
    before = {theme.id: frozenset(theme.items) for theme in previous.themes} if previous else {}
    return match_identities(items, before, previous.next_number if previous else 1)


def match_identities(
    items: Sequence[tuple[str, ...]], before: Mapping[str, Items], next_number: int
) -> tuple[list[str], int]:
    """
    Return an id for each new theme, and the number of the next new one.

    New themes and those `before` are matched one to one so that the shared items are most (Hungarian
    method); a match keeps its id when it shares at least half of the larger theme.
    """
    ids: list[str | None] = [None] * len(items)
    if before and items:
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - slow to import

        known = list(before)
        overlap = np.array(
            [
                [len(set(new) & before[old]) / max(len(new), len(before[old])) for old in known]
                for new in items
            ]
        )
        for new, old in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[new, old] >= KEEPS_IDENTITY:
                ids[new] = known[old]
    carried: list[str] = []
    for theme_id in ids:
        if theme_id is None:
            carried.append(f"t{next_number}")
            next_number += 1
        else:
            carried.append(theme_id)
    return carried, next_number

"""
How good the groups of one run are, and whether it may replace the run that is served.

Everything here works on labels: the group of each household, in the order of a basket table's households.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import BasketTable
from basket_analysis.groups.scoring import HouseholdScorer
from basket_analysis.groups.theme_profiles import Profiles, learn_profiles
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE, Themes
from basket_analysis.mining.strata import STRATA

Labels = NDArray[np.str_]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

TOP_RULES = 10
FEWEST_BASKETS = 50
SHUFFLES = 20
SEED = 20_261_122

Verdict = Literal["good", "drifting", "refused"]


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """
    What a run must show to be served, and when its themes count as drifting.

    A limit is applied only where there is enough to judge by: `fewest_compared` households that both runs place
    for agreement and churn, `fewest_eligible` for coverage and basket size, `fewest_firings` expected firings
    for the held-out lift. Agreement and churn are held against a served run at most `longest_gap` days older,
    of the same version, whose themes nobody has edited since; with themes found anew more may change.
    """

    fewest_compared: int = 100
    fewest_eligible: int = 200
    fewest_firings: int = 200
    longest_gap: int = 14
    least_agreement: float = 0.80
    least_agreement_refitted: float = 0.35
    most_churn: float = 0.05
    most_churn_refitted: float = 0.50
    least_coverage: float = 0.50
    """Share of the served run's coverage that must be kept."""
    least_lift: float = 1.05
    """Held-out lift over that of the same labels shuffled."""
    least_confirmed: float = 0.05
    """Agreement with labels from earlier weeks by what other households taught."""
    most_explained: float = 0.35
    drift_lift: float = 0.60
    """Share of the lift above the null's, at the themes' fit, below which they count as drifting."""
    drift_coverage: float = 0.85
    """Share of the coverage at the fit below which they do."""
    drift_profile: float = 0.10
    """They do, too, once the profiles of their followers are less alike by so much (cosine) than at the fit."""


LIMITS = QualityLimits()


@dataclass(frozen=True, slots=True)
class Reason:
    """A figure beyond its limit."""

    code: str
    value: float
    limit: float


@dataclass(frozen=True, slots=True)
class Figures:
    """
    What is measured of a run; None where there is too little to say.

    `agreement` is the adjusted Rand index with the served run over the `compared` households that both could
    place, `churn` the share of them that moved. `coverage` is the share of `eligible` ones in a real group.
    `rule_lift` is how much more often a theme's surest rules fire among its followers than in baskets of their
    sizes, in the last weeks, for labels from the weeks before them that other households taught (`lift_firings`
    expected ones, `null_lift` the same labels shuffled); `confirmed` the agreement of those labels with
    tonight's; `profile_match` the mean cosine of the profiles that the two halves learn with the ones
    in use. `explained_by_size` is η² of basket size.
    """

    eligible: int
    themes: int
    coverage: float | None = None
    agreement: float | None = None
    churn: float | None = None
    compared: int = 0
    rule_lift: float | None = None
    null_lift: float | None = None
    lift_firings: float = 0.0
    confirmed: float | None = None
    profile_match: float | None = None
    explained_by_size: float | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How a run came about: what it may be held against, and by which limits."""

    days_since_served: int | None
    """None when nothing is served yet."""
    refitted: bool
    edited: bool
    same_version: bool
    served_coverage: float | None = None
    served_themes: int = 0
    at_fit: Figures | None = None
    """The figures of the run that found the themes; None where themes are new or nothing was measured then."""


def judge(
    figures: Figures, circumstances: Circumstances, limits: QualityLimits = LIMITS
) -> tuple[Verdict, tuple[Reason, ...]]:
    """
    Return whether a run may be served, and why not, or why its themes should be found anew soon.

    The first run is held to what it shows by itself only.
    """
    refused = [*_beside_the_served(figures, circumstances, limits), *_by_itself(figures, limits)]
    if refused:
        return "refused", tuple(refused)
    drifting = tuple(_drift(figures, circumstances.at_fit, limits)) if circumstances.at_fit else ()
    return ("drifting", drifting) if drifting else ("good", ())


def _beside_the_served(figures: Figures, how: Circumstances, limits: QualityLimits) -> list[Reason]:
    gap = how.days_since_served
    if gap is None or not abs(gap) <= limits.longest_gap or how.edited or not how.same_version:
        return []
    found: list[Reason] = []
    if figures.compared >= limits.fewest_compared:
        least = limits.least_agreement_refitted if how.refitted else limits.least_agreement
        most = limits.most_churn_refitted if how.refitted else limits.most_churn
        if figures.agreement is not None and figures.agreement < least:
            found.append(Reason("agreement", figures.agreement, least))
        if figures.churn is not None and figures.churn > most:
            found.append(Reason("churn", figures.churn, most))
    if figures.eligible >= limits.fewest_eligible and how.served_themes:
        if not figures.themes:
            found.append(Reason("no_themes", 0, 1))
        least_coverage = limits.least_coverage * (how.served_coverage or 0.0)
        if figures.coverage is not None and figures.coverage < least_coverage:
            found.append(Reason("coverage", figures.coverage, least_coverage))
    return found


def _by_itself(figures: Figures, limits: QualityLimits) -> list[Reason]:
    found: list[Reason] = []
    if figures.eligible < limits.fewest_eligible or not figures.themes:
        return found
    if (
        figures.rule_lift is not None
        and figures.null_lift is not None
        and figures.lift_firings >= limits.fewest_firings
        and figures.rule_lift < limits.least_lift * figures.null_lift
    ):
        found.append(Reason("rule_lift", figures.rule_lift, limits.least_lift * figures.null_lift))
    if figures.confirmed is not None and figures.confirmed < limits.least_confirmed:
        found.append(Reason("confirmed", figures.confirmed, limits.least_confirmed))
    if figures.explained_by_size is not None and figures.explained_by_size > limits.most_explained:
        found.append(Reason("explained_by_size", figures.explained_by_size, limits.most_explained))
    return found


def _drift(now: Figures, then: Figures, limits: QualityLimits) -> list[Reason]:
    found: list[Reason] = []
    if min(now.lift_firings, then.lift_firings) >= limits.fewest_firings:
        gain, gained = _gain(now), _gain(then)
        if gain is not None and gained is not None and gained > 0 and gain < limits.drift_lift * gained:
            found.append(Reason("drift_lift", gain, limits.drift_lift * gained))
    if min(now.eligible, then.eligible) < limits.fewest_eligible:
        return found
    if now.coverage is not None and then.coverage and now.coverage < limits.drift_coverage * then.coverage:
        found.append(Reason("drift_coverage", now.coverage, limits.drift_coverage * then.coverage))
    if now.profile_match is not None and then.profile_match is not None:
        least = then.profile_match - limits.drift_profile
        if now.profile_match < least:
            found.append(Reason("drift_profile", now.profile_match, least))
    return found


def _gain(figures: Figures) -> float | None:
    if figures.rule_lift is None or figures.null_lift is None:
        return None
    return figures.rule_lift - figures.null_lift


@dataclass(frozen=True, slots=True)
class Window:
    """
    A window of baskets, three ways, with one and the same order of items and households.

    `whole` is all of it; `earlier` the weeks to label by, and `later` those that only measure.
    """

    whole: BasketTable
    earlier: BasketTable
    later: BasketTable


def measure(themes: Themes, window: Window, labels: Labels, served: Labels | None) -> Figures:
    """Return the figures of `labels`, of the households of `window`; `served` are those of the run before ("" for none)."""
    eligible = labels_given(labels)
    compared = eligible & labels_given(served) if served is not None else np.zeros(len(labels), np.bool_)
    figures = Figures(
        eligible=int(eligible.sum()),
        themes=len(themes.groups),
        coverage=float(placed(labels)[eligible].mean()) if eligible.any() else None,
        compared=int(compared.sum()),
        explained_by_size=explained_by_size(labels, window.whole, eligible) if eligible.any() else None,
    )
    if served is not None and compared.any():
        figures = replace(
            figures,
            agreement=agreement(labels[compared], served[compared]),
            churn=float((labels[compared] != served[compared]).mean()),
        )
    return _with_held_out(figures, themes, window, labels) if len(themes) and eligible.any() else figures


def _with_held_out(figures: Figures, themes: Themes, window: Window, labels: Labels) -> Figures:
    earlier, match = cross_labels(themes, window.earlier)
    known = labels_given(earlier)
    firings = RuleFirings(themes, window.later)
    lift, expected = firings.lift(earlier)
    generator = np.random.default_rng(SEED)
    shuffled = earlier.copy()
    nulls = []
    for _ in range(SHUFFLES):
        shuffled[known] = generator.permutation(earlier[known])
        nulls.append(firings.lift(shuffled)[0])
    null = float(np.nanmean(nulls)) if not np.isnan(nulls).all() else None
    both = known & labels_given(labels)
    return replace(
        figures,
        rule_lift=None if np.isnan(lift) else lift,
        null_lift=null,
        lift_firings=expected,
        confirmed=agreement(labels[both], earlier[both]) if both.any() else None,
        profile_match=match,
    )


def cross_labels(themes: Themes, table: BasketTable) -> tuple[Labels, float | None]:
    """
    Return labels that each half of the households gets by profiles that the other half taught.

    The second value is how much those profiles are like the ones in use: the mean cosine, None where
    there is nothing to compare.
    """
    half = np.random.default_rng(SEED).permutation(len(table.households)) % 2
    labels = np.full(len(table.households), TOO_LITTLE, dtype=f"<U{_longest_id(themes)}")
    items = [theme.items for theme in themes.themes]
    matches = []
    for learners in (0, 1):
        learnt = learn_profiles(_of(table, half == learners), items, min_baskets=themes.min_baskets)
        matches.append(_cosine(learnt, themes.profiles))
        scorer = HouseholdScorer(replace(themes, profiles=learnt)).fit(_of(table, half != learners))
        for number in np.flatnonzero(half != learners).tolist():
            labels[number] = scorer.places_[number].group
    return labels, float(np.mean(matches)) if len(themes) else None


def _longest_id(themes: Themes) -> int:
    return max(len(word) for word in (NO_THEME, TOO_LITTLE, *(theme.id for theme in themes.groups)))


def _of(table: BasketTable, households: Flags) -> BasketTable:
    """Return the table with the owners of these households only; its baskets stay."""
    known = table.owners >= 0
    mine = np.zeros(len(table), np.bool_)
    mine[known] = households[table.owners[known]]
    return replace(table, owners=np.where(mine, table.owners, np.int32(-1)).astype(np.int32))


def _cosine(one: Profiles, other: Profiles) -> float:
    place = {item: number for number, item in enumerate(other.items)}
    common = [(number, place[item]) for number, item in enumerate(one.items) if item in place]
    if not common or not len(one.weights):
        return 0.0
    mine, theirs = (list(column) for column in zip(*common, strict=True))
    return float((one.weights[:, mine] * other.weights[:, theirs]).sum(axis=1).mean())


def placed(labels: Labels) -> Flags:
    """Return which households are in a real group."""
    return np.asarray(labels_given(labels) & (labels != NO_THEME))


def labels_given(labels: Labels) -> Flags:
    """Return which households had baskets enough to be told."""
    return np.asarray((labels != TOO_LITTLE) & (labels != ""))


def agreement(one: Labels, other: Labels) -> float:
    """Return the adjusted Rand index of two labellings (Hubert and Arabie 1985); NaN of nobody."""
    if not len(one):
        return float("nan")
    _, first = np.unique(one, return_inverse=True)
    _, second = np.unique(other, return_inverse=True)
    pairs = np.bincount(first.astype(np.int64) * (int(second.max()) + 1) + second)
    both, ones, others = (
        float((counts * (counts - 1.0) / 2).sum())
        for counts in (pairs, np.bincount(first), np.bincount(second))
    )
    everything = len(one) * (len(one) - 1.0) / 2
    by_chance = ones * others / everything if everything else 0.0
    most = (ones + others) / 2
    return 1.0 if most == by_chance else (both - by_chance) / (most - by_chance)


class RuleFirings:
    """
    How often the surest pairs of each theme fire in the baskets of each household, and how often chance would.

    `fired` and `expected` have a row per theme and a column per household; chance is the share of all
    baskets of the same size in which the pair fires.
    """

    def __init__(self, themes: Themes, table: BasketTable) -> None:
        self.ids = [theme.id for theme in themes.groups]
        households = len(table.households)
        known = table.owners >= 0
        owners = table.owners[known]
        self.baskets: Int64s = np.bincount(owners, minlength=households).astype(np.int64)
        self.fired = np.zeros((len(self.ids), households))
        self.expected = np.zeros((len(self.ids), households))
        code_of = {item: code for code, item in enumerate(table.items)}
        basket_of = np.repeat(np.arange(len(table)), np.diff(table.offsets))
        for number, theme in enumerate(themes.groups):
            for rule in [rule for rule in theme.rules if len(rule.items) == 2][:TOP_RULES]:
                holds = _holds(table, basket_of, code_of, rule.items)
                share = np.bincount(table.strata, weights=holds, minlength=STRATA) / np.maximum(
                    table.stratum_sizes, 1
                )
                self.fired[number] += np.bincount(owners, weights=holds[known], minlength=households)
                self.expected[number] += np.bincount(
                    owners, weights=share[table.strata[known]], minlength=households
                )

    def lift(self, labels: Labels) -> tuple[float, float]:
        """Return the lift over all themes with followers enough, NaN if none has, and the firings chance expects."""
        fired = expected = 0.0
        for number, theme_id in enumerate(self.ids):
            mine = labels == theme_id
            if self.baskets[mine].sum() >= FEWEST_BASKETS:
                fired += float(self.fired[number, mine].sum())
                expected += float(self.expected[number, mine].sum())
        return (fired / expected if expected else float("nan")), expected


def _holds(table: BasketTable, basket_of: Int64s, code_of: Mapping[str, int], items: Sequence[str]) -> Flags:
    """Return which baskets hold all of `items`."""
    held = np.ones(len(table), np.bool_)
    for item in items:
        here = np.zeros(len(table), np.bool_)
        if item in code_of:
            here[basket_of[table.codes == code_of[item]]] = True
        held &= here
    return held


def explained_by_size(labels: Labels, table: BasketTable, eligible: Flags) -> float:
    """Return η²: the share of the variance of households' mean basket sizes that lies between groups."""
    known = table.owners >= 0
    owners, sizes = table.owners[known], np.diff(table.offsets)[known]
    counts = np.bincount(owners, minlength=len(table.households))
    lines = np.bincount(owners, weights=sizes, minlength=len(table.households))
    means = (lines / np.maximum(counts, 1))[eligible]
    total = ((means - means.mean()) ** 2).sum() if len(means) else 0.0
    mine = labels[eligible]
    between = sum(
        (mine == group).sum() * (means[mine == group].mean() - means.mean()) ** 2 for group in np.unique(mine)
    )
    return float(between / total) if total else 0.0


def figures_document(figures: Figures) -> dict[str, Any]:
    """Return figures as they are kept with a run, rounded to what they can tell."""
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name in Figures.__slots__
        for value in (getattr(figures, name),)
    }


def figures_of(document: Mapping[str, Any]) -> Figures:
    """Return the figures of a document that `figures_document` made; facts beside them are passed over."""
    return Figures(**{name: document[name] for name in Figures.__slots__ if name in document})

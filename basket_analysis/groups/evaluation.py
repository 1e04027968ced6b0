"""How good shopper groups are, by the protocol: agreement of runs, of halves, and what held-out weeks say of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from basket_analysis.baskets import BasketTable
from basket_analysis.dated_baskets import DatedBaskets
from basket_analysis.groups.grouping import MIN_BASKETS, ThemeFinder
from basket_analysis.groups.quality import Flags, Labels, RuleFirings, agreement, explained_by_size, placed
from basket_analysis.groups.scoring import HouseholdScorer
from basket_analysis.groups.themes import Themes
from core.errors import Refused

SEED = 5
WINDOWS = 3
WINDOW_STEP = 4
PRIOR_LINES = 200.0
"""So many lines of everybody's shares stand behind a group's own shares of items."""


class TooShort(Refused):
    """There are not enough weeks to learn on some and measure on others."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """
    What weeks that nothing was learnt on say of labels.

    `rule_lift` is how much more often a theme's surest rules fire in baskets of its followers than in baskets of
    their sizes; `bits` how many bits per line a group's shares of items save over everybody's.
    """

    rule_lift: float
    bits: float


@dataclass(frozen=True, slots=True)
class WeekApart:
    """
    How two runs a week apart compare, on the mean of `windows` of them.

    `cold` and `frozen` are the adjusted Rand index of their labels, refitted and with the themes of the first;
    `moved` is the share of households that a week moves with hysteresis, `coverage` the share in a group.
    """

    windows: int
    cold: float
    frozen: float
    moved: float
    coverage: float


@dataclass(frozen=True, slots=True)
class GroupEvaluation:
    """
    The figures of the protocol; means over windows, and over both halves of the households.

    `cold`, `frozen`, `moved` and `coverage` are those of WeekApart over the protocol's `windows`, `all_starts` over every
    window of so many weeks that the baskets have. `halves` is the index between a household's even and odd baskets, of
    those whom both halves place, `halves_coverage` the mean share placed. `null` are the held-out figures of the same
    labels, shuffled. `explained_by_size` is η² of mean basket size.
    """

    windows: int
    households: int
    groups: int
    cold: float
    frozen: float
    moved: float
    coverage: float
    all_starts: WeekApart
    halves: float
    halves_coverage: float
    held_out: HeldOut
    null: HeldOut
    explained_by_size: float


@dataclass(frozen=True, slots=True)
class Method:
    """A way to form groups: themes from a table, and labels of a table's households by themes and labels before."""

    fit: Callable[[BasketTable], Themes]
    label: Callable[[Themes, BasketTable, Labels | None], Labels]


def evaluate_groups(
    baskets: DatedBaskets, *, learn_weeks: int, method: Method | None = None, seed: int = SEED
) -> GroupEvaluation:
    """
    Return the figures for `baskets`, of which `learn_weeks` are learnt on; raises TooShort.

    `seed` draws the halves of the households of which one is learnt on and the other measured, and shuffles labels.
    """
    method = method or OURS
    if not 4 <= learn_weeks < baskets.weeks:
        raise TooShort(f"there are {baskets.weeks} weeks, and {learn_weeks} to learn on")
    starts = range(baskets.weeks - learn_weeks)
    runs = np.array(list(_weeks_apart(baskets, starts, learn_weeks, method)))
    protocol = [start * WINDOW_STEP for start in range(WINDOWS) if start * WINDOW_STEP in starts]
    cold, frozen, moved, coverage, groups = runs[protocol].mean(axis=0)
    halves, halves_coverage, households = _halves(baskets, learn_weeks, method)
    held_out, null, explained = _held_out(baskets, learn_weeks, method, seed)
    return GroupEvaluation(
        windows=len(protocol),
        households=households,
        groups=round(groups),
        cold=float(cold),
        frozen=float(frozen),
        moved=float(moved),
        coverage=float(coverage),
        all_starts=WeekApart(len(starts), *runs.mean(axis=0)[:4].tolist()),
        halves=halves,
        halves_coverage=halves_coverage,
        held_out=held_out,
        null=null,
        explained_by_size=explained,
    )


def _fit(table: BasketTable) -> Themes:
    return ThemeFinder().fit(table).themes_


def _labels(themes: Themes, table: BasketTable, previous: Labels | None = None) -> Labels:
    before = None if previous is None else dict(zip(table.households, previous.tolist(), strict=True))
    return np.array([place.group for place in HouseholdScorer(themes, previous=before).fit(table).places_])


OURS = Method(_fit, _labels)


def _weeks_apart(
    baskets: DatedBaskets, starts: range, weeks: int, method: Method
) -> Iterator[tuple[float, ...]]:
    """Yield of each start what WeekApart says of the run there and the one a week later, and how many themes it has."""

    def run(start: int) -> tuple[BasketTable, Themes, Labels]:
        table = baskets.table(first=start, end=start + weeks)
        themes = method.fit(table)
        return table, themes, method.label(themes, table, None)

    one, first, labels = run(starts.start)
    for start in starts:
        other, second, again = run(start + 1)
        frozen, kept = method.label(first, other, None), method.label(first, other, labels)
        eligible = _eligible(one) & _eligible(other)
        yield (
            agreement(labels[eligible], again[eligible]),
            agreement(labels[eligible], frozen[eligible]),
            float((kept[eligible] != labels[eligible]).mean()) if eligible.any() else 0.0,
            float(placed(labels[_eligible(one)]).mean()) if _eligible(one).any() else 0.0,
            len(first),
        )
        one, first, labels = other, second, again


def _halves(baskets: DatedBaskets, weeks: int, method: Method) -> tuple[float, float, int]:
    whole = baskets.table(first=0, end=weeks)
    themes = method.fit(whole)
    even, odd = (
        method.label(themes, baskets.table(first=0, end=weeks, parity=parity), None) for parity in (0, 1)
    )
    eligible = _eligible(whole, 2 * MIN_BASKETS)
    both = eligible & placed(even) & placed(odd)
    coverage = (placed(even[eligible]).mean() + placed(odd[eligible]).mean()) / 2 if eligible.any() else 0.0
    return agreement(even[both], odd[both]), float(coverage), int(_eligible(whole).sum())


def _held_out(baskets: DatedBaskets, weeks: int, method: Method, seed: int) -> tuple[HeldOut, HeldOut, float]:
    """Learn on one half of the households, label the other half by the same weeks, and measure by those after them."""
    generator = np.random.default_rng(seed)
    half = generator.permutation(len(baskets.households)) % 2
    found: list[tuple[float, ...]] = []
    for learners in (0, 1):
        themes = method.fit(baskets.table(first=0, end=weeks, of=half == learners))
        others = half != learners
        learnt = baskets.table(first=0, end=weeks, of=others)
        later = baskets.table(first=weeks, end=baskets.weeks, of=others)
        labels, eligible = method.label(themes, learnt, None), _eligible(learnt)
        shuffled = labels.copy()
        shuffled[eligible] = labels[generator.permutation(np.flatnonzero(eligible))]
        firings = RuleFirings(themes, later)
        true, null = (
            (firings.lift(given)[0], _bits(given, learnt, later, eligible)) for given in (labels, shuffled)
        )
        found.append((*true, *null, explained_by_size(labels, learnt, eligible)))
    lift, bits, null_lift, null_bits, explained = np.array(found).mean(axis=0).tolist()
    return HeldOut(lift, bits), HeldOut(null_lift, null_bits), explained


def _eligible(table: BasketTable, at_least: int = MIN_BASKETS) -> Flags:
    counts = np.bincount(table.owners[table.owners >= 0], minlength=len(table.households))
    return np.asarray(counts >= at_least)


def _bits(labels: Labels, learnt: BasketTable, later: BasketTable, eligible: Flags) -> float:
    """Return the bits per line that groups' shares of items, learnt before, save over everybody's."""
    items = len(learnt.items)
    owner = np.repeat(learnt.owners, np.diff(learnt.offsets))
    after = np.repeat(later.owners, np.diff(later.offsets))
    chain = np.bincount(learnt.codes, minlength=items) + 0.5
    shares = chain / chain.sum()
    saved = lines = 0.0
    for group in np.unique(labels[eligible]):
        own = np.bincount(learnt.codes[labels[owner] == group], minlength=items)
        mixed = (own + PRIOR_LINES * shares) / (own.sum() + PRIOR_LINES)
        codes = later.codes[(labels[after] == group) & eligible[after]]
        saved += float(np.log2(mixed[codes] / shares[codes]).sum())
        lines += len(codes)
    return saved / lines if lines else float("nan")

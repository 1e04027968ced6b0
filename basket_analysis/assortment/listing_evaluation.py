"""How good listing candidates are: precision over stores, learnt on some weeks and measured on those that follow."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from basket_analysis.assortment.listing import Candidate, ListingRanker
from basket_analysis.assortment.listing_features import SIGNALS, WITHOUT_PAST, StoreSignals, first_sold
from basket_analysis.assortment.listing_values import Stretch
from basket_analysis.assortment.store_baskets import Floats, Int32s, StoreBaskets
from basket_analysis.baskets import tabulate
from basket_analysis.distinct import distinct
from basket_analysis.groups.grouping import ThemeFinder
from basket_analysis.groups.scoring import HouseholdScorer
from core.errors import Refused

DEPTHS = (20, 50)
REPEATS = 1000


OURS = "Regulars"

_PEERS = {
    "popularity in the chain": "popularity",
    "number of stores that sell it": "stores",
    "own households elsewhere": "households",
    "similar stores": "neighbours",
}
"""Rankings by one signal alone."""


class TooShort(Refused):
    """There are not enough weeks to learn on some and measure on others."""


@dataclass(frozen=True, slots=True)
class Precision:
    """
    How many of the first 20 and 50 candidates a store came to sell: means over stores.

    `low` and `high` bound the 95 % interval of each mean, by drawing stores with replacement.
    """

    method: str
    means: tuple[float, float]
    low: tuple[float, float]
    high: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ListingEvaluation:
    """The rows of the protocol, and what they rest on."""

    learn_weeks: int
    test_weeks: int
    stores: int
    items: int
    rows: tuple[Precision, ...]
    covered: float | None
    """
    Share of the 80 % intervals that held what the store then took per week, of candidates that it sold; None without any.

    Nobody wrote down when a store listed an item: on the mean half of the weeks measured were left, so intervals are of so many.
    """
    covered_throughout: float | None
    """The same of intervals that take an item as on sale from the first week measured: right for few, and of the kind that is suggested."""


def evaluate_listings(
    table: StoreBaskets,
    *,
    learn_weeks: int,
    min_store_baskets: int = 500,
    min_item_baskets: int = 50,
    seed: int = 1,
) -> ListingEvaluation:
    """
    Rank by the first `learn_weeks` and measure by the weeks after them (analytics protocol, section 4).

    Candidates are items with enough baskets that the store never sold while learning; relevant is what it sold
    afterwards. Random order is the share of relevant ones. Raises TooShort.
    """
    if table.weeks is None or not 0 < learn_weeks < table.weeks:
        raise TooShort(f"there are {table.weeks or 0} weeks with times, and {learn_weeks} to learn on")
    learnt, later = table.between(0, learn_weeks), table.between(learn_weeks, table.weeks)
    rankers = {
        name: ListingRanker(
            min_store_baskets=min_store_baskets, min_item_baskets=min_item_baskets, groups=groups
        ).fit(learnt)
        for name, groups in _grouped(learnt, seed)
    }
    signals = StoreSignals(learnt, min_store_baskets=min_store_baskets, min_item_baskets=min_item_baskets)
    stretches = [Stretch(table.weeks - learn_weeks, on_sale) for on_sale in (0.5, 1.0)]
    hits: dict[str, list[tuple[float, float]]] = {}
    inside: list[list[bool]] = [[] for _ in stretches]
    for store in map(int, signals.stores):
        candidates = np.flatnonzero(signals.candidates(store))
        sold = first_sold(later, store, signals.items[candidates])
        if not len(sold):
            continue
        hits.setdefault("random order", []).append((float(sold.mean()), float(sold.mean())))
        columns = signals.of(store)[candidates]
        for name, score in _scores(columns):
            hits.setdefault(name, []).append(_precision(sold[np.argsort(-score, kind="stable")]))
        place = {learnt.items[item]: number for number, item in enumerate(signals.items[candidates])}
        for name, ranker in rankers.items():
            ranked = ranker.rank(learnt.stores[store], top=max(DEPTHS))
            ours = sold[[place[candidate.item] for candidate in ranked]]
            hits.setdefault(name, []).append(_precision(ours))
        taken = _taken(later, store)
        for stretch, so_far in zip(stretches, inside, strict=True):
            ranked = rankers[OURS].rank(learnt.stores[store], top=max(DEPTHS), stretch=stretch)
            so_far.extend(_held(ranked, taken))
    generator = np.random.default_rng(seed)
    return ListingEvaluation(
        learn_weeks=learn_weeks,
        test_weeks=table.weeks - learn_weeks,
        stores=len(signals.stores),
        items=len(signals.items),
        rows=tuple(_interval(name, np.array(values), generator) for name, values in hits.items()),
        covered=_share(inside[0]),
        covered_throughout=_share(inside[1]),
    )


def _grouped(learnt: StoreBaskets, seed: int) -> Iterator[tuple[str, Int32s | None]]:
    """Yield what is ranked with: no groups, the shopper groups, and the same groups dealt out to other households."""
    yield OURS, None
    groups = groups_of(learnt)
    if groups is not None:
        yield "Regulars with groups", groups
        yield "Regulars with shuffled groups", np.random.default_rng(seed).permutation(groups)


def groups_of(table: StoreBaskets) -> Int32s | None:
    """Return each household's shopper group as the baskets' categories tell it, -1 for none; None without any."""
    kind_of = table.category_of if (table.category_of >= 0).any() else table.type_of
    owners = table.household[table.basket]
    known = (kind_of[table.item] >= 0) & (owners >= 0)
    if not known.any():
        return None
    used, baskets = np.unique(table.basket[known], return_inverse=True)
    owned, owner = np.unique(table.household[used], return_inverse=True)
    baskets_of = tabulate(
        baskets=baskets.astype(np.int32),
        items=kind_of[table.item[known]],
        names=[str(number).zfill(9) for number in range(int(kind_of.max()) + 1)],
        basket_count=len(used),
        owners=owner.astype(np.int32)[baskets],
        households=[str(number).zfill(9) for number in owned.tolist()],
    )
    themes = ThemeFinder().fit(baskets_of).themes_
    if not len(themes):
        return None
    number_of = {theme.id: number for number, theme in enumerate(themes.themes)}
    groups = np.full(table.households, -1, np.int32)
    places = HouseholdScorer(themes).fit(baskets_of).places_
    groups[owned] = [number_of.get(place.group, -1) for place in places]
    return groups


def _scores(columns: Floats) -> Iterator[tuple[str, Floats]]:
    """Yield peers' rankings: by one signal alone, and by those that need no past in equal parts."""
    for name, signal in _PEERS.items():
        yield name, columns[:, SIGNALS.index(signal)]
    spread = columns.std(axis=0)
    scaled = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    yield "without learning", scaled[:, [SIGNALS.index(name) for name in WITHOUT_PAST]].sum(axis=1)


def _precision(sold: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> tuple[float, float]:
    first, second = (float(sold[:depth].sum() / depth) for depth in DEPTHS)
    return first, second


def _held(ranked: list[Candidate], taken: dict[str, float]) -> Iterator[bool]:
    """Yield of each candidate that was sold whether its interval holds what was taken."""
    for candidate in ranked:
        if candidate.worth is not None and candidate.item in taken:
            yield candidate.worth.low <= taken[candidate.item] <= candidate.worth.high


def _share(held: list[bool]) -> float | None:
    return float(np.mean(held)) if held else None


def _taken(later: StoreBaskets, store: int) -> dict[str, float]:
    """Return what the store took per week for each item it sold in the weeks `later`."""
    if later.value is None or later.weeks is None:
        return {}
    here = later.store[later.basket] == store
    sums = np.bincount(later.item[here], weights=later.value[here] / 100, minlength=len(later.items))
    return {later.items[item]: float(sums[item]) / later.weeks for item in distinct(later.item[here])}


def _interval(method: str, values: Floats, generator: np.random.Generator) -> Precision:
    drawn = values[generator.integers(0, len(values), (REPEATS, len(values)))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    means = values.mean(axis=0)
    return Precision(
        method,
        (float(means[0]), float(means[1])),
        (float(low[0]), float(low[1])),
        (float(high[0]), float(high[1])),
    )

"""What a store's buyers of an article would take instead, household by household, and what would be lost for good."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from basket_analysis.assortment.store_sales import Floats, Int32s, Int64s, SalesTable
from basket_analysis.distinct import distinct
from basket_analysis.mining.strata import STRATA, stratum_of

PRIOR_BASKETS = 2.0
"""How many baskets' worth of the other buyers' mean stand behind one household's own record."""

APART = 0.8
"""Articles below this adjusted lift are bought one or the other; above it they go into one basket and replace nothing."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Substitute:
    """
    An article that catches something: `share` of what the missing one took.

    `households` bought both at different times; `adjusted_lift` says how often the chain's baskets hold both,
    against chance among baskets of like size: 0 is never.
    """

    article: int
    share: float
    households: int
    adjusted_lift: float


@dataclass(frozen=True, slots=True)
class Buyers:
    """
    What one store's buyers of an article would do without it; arrays are per household.

    `value` and `baskets` are those with the article in the whole window, `transfer` the share of them that
    others would catch, `exclusive` whether the household bought no other article of the type there.
    """

    household: Int64s
    value: Floats
    baskets: Int64s
    transfer: Floats
    exclusive: Bools
    substitutes: tuple[Substitute, ...]


def offsets(keys: Int32s, size: int) -> Int64s:
    """Return where each of `size` keys begins in the sorted `keys`, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=size))]).astype(np.int64)


class PairLifts:
    """How often the chain's baskets hold two articles, over what chance lets expect among baskets of like size."""

    def __init__(self, table: SalesTable) -> None:
        order = np.lexsort((table.basket, table.article))
        self._baskets = table.basket[order]
        self._first = offsets(table.article, len(table.type_of))
        self._strata = stratum_of(table.sizes)
        self._sizes = np.bincount(self._strata, minlength=STRATA)
        self._counts: dict[int, Int64s] = {}
        self._known: dict[tuple[int, int], float] = {}

    def baskets_with(self, article: int) -> Int32s:
        """Return the baskets that hold `article`, in order."""
        return self._baskets[self._first[article] : self._first[article + 1]]

    def of(self, one: int, other: int) -> float:
        """Return the adjusted lift of two articles; 1 where nothing is to be expected."""
        pair = (min(one, other), max(one, other))
        if pair not in self._known:
            counts = [self._strata_of(article) for article in pair]
            expected = float((counts[0] * counts[1] / np.maximum(self._sizes, 1)).sum())
            with_one, with_other = (self.baskets_with(article) for article in pair)
            both = len(np.intersect1d(with_one, with_other, assume_unique=True))
            self._known[pair] = both / expected if expected > 0 else 1.0
        return self._known[pair]

    def _strata_of(self, article: int) -> Int64s:
        if article not in self._counts:
            strata = self._strata[self.baskets_with(article)]
            self._counts[article] = np.bincount(strata, minlength=STRATA).astype(np.int64)
        return self._counts[article]


class StoreSubstitutes:
    """The buyers of one store, by type: each article is held against the others of its type that it sells."""

    def __init__(self, table: SalesTable, lines: Int64s, lifts: PairLifts) -> None:
        """`lines` are those of the store."""
        types = table.type_of[table.article[lines]]
        order = np.lexsort((table.basket[lines], types))
        self._lines = lines[order]
        # Lines of no type come first, and are left out.
        self._first = offsets(types + 1, int(types.max(initial=-1)) + 2)
        self._table = table
        self._lifts = lifts

    def buyers(self, article: int) -> Buyers:
        """Return what the buyers of `article` would do without it; without a type nothing is caught."""
        table = self._table
        kind = table.type_of[article]
        lines = self._lines[self._first[kind + 1] : self._first[kind + 2]]
        own = lines[table.article[lines] == article]
        people, owner = np.unique(table.household[table.basket[own]], return_inverse=True)
        weights = table.value[own].astype(np.float64)
        value = np.bincount(owner, weights=weights, minlength=len(people)).astype(np.float64)
        baskets = np.bincount(owner, minlength=len(people)).astype(np.int64)
        if kind < 0:
            nothing, alone = np.zeros(len(people)), np.ones(len(people), np.bool_)
            return Buyers(people.astype(np.int64), value, baskets, nothing, alone, ())
        rest = lines[np.isin(table.household[table.basket[lines]], people)]
        elsewhere = rest[~np.isin(table.basket[rest], table.basket[own])]
        place = np.searchsorted(people, table.household[table.basket[elsewhere]])
        found = dict(self._found(article, table.article[elsewhere], place))
        caught, shares = _occasions(
            table.basket[elsewhere], table.article[elsewhere], place, list(found), len(people)
        )
        occasions = baskets + _distinct(table.basket[elsewhere], place, len(people))
        mean = caught.sum() / (occasions.sum() + PRIOR_BASKETS)
        transfer = (caught + PRIOR_BASKETS * mean) / (occasions + PRIOR_BASKETS)
        others = rest[table.article[rest] != article]
        alone = ~np.isin(people, table.household[table.basket[others]])
        named = tuple(
            Substitute(other, shares[other], people_of, lift) for other, (people_of, lift) in found.items()
        )
        return Buyers(
            people.astype(np.int64),
            value,
            baskets,
            np.asarray(transfer),
            alone,
            tuple(sorted(named, key=lambda one: (-one.share, one.article))),
        )

    def _found(self, article: int, others: Int32s, place: Int64s) -> Iterator[tuple[int, tuple[int, float]]]:
        """Yield the articles that its households bought at other times and that are rarely in one basket with it."""
        width = int(place.max(initial=0)) + 1
        pairs = distinct(others.astype(np.int64) * width + place)
        articles, people = np.unique(pairs // width, return_counts=True)
        for other, count in zip(articles.tolist(), people.tolist(), strict=True):
            if (lift := self._lifts.of(article, other)) < APART:
                yield other, (count, lift)


def _distinct(basket: Int32s, place: Int64s, size: int) -> Int64s:
    """Return how many different baskets each place has."""
    found, first = np.unique(basket, return_index=True)
    del found
    return np.bincount(place[first], minlength=size).astype(np.int64)


def _occasions(
    basket: Int32s, article: Int32s, place: Int64s, substitutes: list[int], size: int
) -> tuple[Int64s, Mapping[int, float]]:
    """
    Return per household the baskets that hold a substitute, and each substitute's share of all of them.

    A basket with several counts for each of them in equal parts.
    """
    held = np.isin(article, substitutes)
    basket, article, place = basket[held], article[held], place[held]
    found, number, counts = np.unique(basket, return_inverse=True, return_counts=True)
    parts = (
        np.bincount(np.searchsorted(sorted(substitutes), article), weights=1 / counts[number])
        if len(found)
        else np.zeros(0)
    )
    total = max(1, len(found))
    shares = {other: float(part) / total for other, part in zip(sorted(substitutes), parts, strict=False)}
    return _distinct(basket, place, size), {other: shares.get(other, 0.0) for other in substitutes}

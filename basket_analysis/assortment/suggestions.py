"""Assortment suggestions: what a store loses without an article and gains with another, from cards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from basket_analysis.assortment.audience import Audience
from basket_analysis.assortment.delistings import natural_delistings
from basket_analysis.assortment.retention import RetentionModel
from basket_analysis.assortment.store_baskets import StoreBaskets
from basket_analysis.assortment.store_sales import Floats, Int32s, SalesTable, article_statistics
from basket_analysis.assortment.substitutes import Buyers, PairLifts, StoreSubstitutes, offsets
from basket_analysis.distinct import distinct

Kind = Literal["list", "delist", "keep", "place_together"]

Z80 = 1.2815515655446004
"""Half the width of an 80 % interval of the normal distribution, in standard errors."""

POOL = 3
"""Of each kind so many times as many as are suggested are looked at household by household."""

LATELY = 4
"""An article that was not sold in so many weeks is delisted already."""

MOST_UNKNOWN = 10.0
"""Cards speak for no more than ten times their own sales."""

NAMED_SUBSTITUTES = 3


@dataclass(frozen=True, slots=True)
class AssortmentSettings:
    """
    What a suggestion needs to be made.

    Nothing rests on fewer than `min_households`, and nothing shows fewer than `min_people`.
    """

    min_households: int = 30
    min_people: int = 10
    min_store_baskets: int = 500
    similar_stores: int = 10
    per_kind: int = 20


@dataclass(frozen=True, slots=True)
class Suggested:
    """
    One suggestion for one store; money in minor units per week, `low` to `high` an 80 % interval.

    `article` and `other` index the table's articles, `group` the groups given to `fit`.
    """

    store: int
    kind: Kind
    rank: int
    article: int
    other: int | None
    value_per_week: int
    low: int
    high: int
    households: int
    baskets: int
    group: int | None
    evidence: dict[str, Any] = field(default_factory=dict)


class Assortment:
    """
    Learns from one window of sales what every article means to every store, and suggests.

    After `fit`, `statistics_` has a row per (store, article), `similarity_` the cosine of the stores'
    shares of revenue by type, `eligible_` says which stores have enough baskets, and `doubt_` is how far, in
    shares of the loss, the chain's own delistings fell beside what habits foretold.
    """

    def __init__(self, settings: AssortmentSettings | None = None) -> None:
        self.settings = settings or AssortmentSettings()

    def fit(
        self, table: SalesTable, groups: Int32s | None = None, *, everybody: StoreBaskets | None = None
    ) -> "Assortment":
        """
        Learn from `table`; `groups` gives each household's shopper group, -1 for none.

        `everybody` are the same stores' and articles' baskets with and without a known household: money is
        then what all of them brought, not only those with a card.
        """
        self.table_ = table
        self.statistics_ = article_statistics(table)
        self.eligible_ = table.baskets_per_store >= self.settings.min_store_baskets
        self.similarity_ = _similarity(table)
        self.audience_ = Audience(table, groups, min_people=self.settings.min_people)
        self.doubt_ = _doubt(everybody)
        self._scales = _scales(self.statistics_, table.weeks, everybody)
        self._by_store = dict(iter(self.statistics_.groupby("store")))
        self._lifts = PairLifts(table)
        stores = table.store[table.basket]
        order = np.argsort(stores, kind="stable")
        self._lines, self._of_store = order, offsets(stores, table.stores)
        sums = np.bincount(
            table.article, weights=table.value.astype(np.float64), minlength=len(table.type_of)
        )
        sales = np.bincount(table.article, minlength=len(table.type_of))
        self._mean_value = sums / np.maximum(sales, 1)
        self._chain = self.audience_.buyers_of_each()
        return self

    def suggest(self, store: int) -> list[Suggested]:
        """Return what `store` may delist and what it should keep, by kind and rank; none with too few baskets."""
        if not self.eligible_[store]:
            return []
        lines = self._lines[self._of_store[store] : self._of_store[store + 1]]
        habits = StoreSubstitutes(self.table_, lines, self._lifts)
        return [*self._delist(store, habits), *self._keep(store, habits)]

    def similar(self, store: int) -> list[int]:
        """Return the stores most like `store`, among those with enough baskets, the most similar first."""
        likeness = np.where(self.eligible_, self.similarity_[store], -1.0)
        likeness[store] = -1.0
        order = np.lexsort((np.arange(len(likeness)), -likeness))[: self.settings.similar_stores]
        return [int(other) for other in order if likeness[other] > 0]

    def baskets_with(self, article: int) -> Int32s:
        """Return the chain's baskets of known households that hold `article`, in order."""
        return self._lifts.baskets_with(article)

    def _delist(self, store: int, habits: StoreSubstitutes) -> Iterator[Suggested]:
        """Yield the articles that would be missed least, smallest loss first."""
        sold = self._by_store[store]
        known = self._chain[sold["article"].to_numpy()] >= self.settings.min_households
        seen = sold["households"].to_numpy() >= self.settings.min_people
        stocked = sold["last_week"].to_numpy() >= self.table_.weeks - LATELY
        yield from self._losses("delist", store, sold[known & seen & stocked], habits)

    def _keep(self, store: int, habits: StoreSubstitutes) -> Iterator[Suggested]:
        """Yield the articles that would be missed most, largest loss first."""
        sold = self._by_store[store]
        enough = sold["households"] >= self.settings.min_households
        yield from self._losses("keep", store, sold[enough], habits)

    def _losses(
        self, kind: Kind, store: int, rows: pd.DataFrame, habits: StoreSubstitutes
    ) -> Iterator[Suggested]:
        """Yield `rows` by what is lost with them: roughly at first, then household by household."""
        sign = 1 if kind == "delist" else -1
        scales = self._scales[rows.index.to_numpy()] if len(rows) else np.zeros(0)
        rough = (rows["own_loss"].to_numpy() + rows["halo_loss"].to_numpy()) * scales
        order = np.lexsort((rows["article"].to_numpy(), sign * rough))[: POOL * self.settings.per_kind]
        made = [
            self._loss(kind, store, row, float(scale), habits)
            for row, scale in zip(_records(rows.iloc[order]), scales[order], strict=True)
        ]
        made.sort(key=lambda one: (sign * one.value_per_week, one.article))
        for rank, one in enumerate(made[: self.settings.per_kind], start=1):
            yield replace(one, rank=rank)

    def _loss(
        self, kind: Kind, store: int, row: dict[str, Any], scale: float, habits: StoreSubstitutes
    ) -> Suggested:
        """Return what goes with one article: its revenue and its halo, both without what substitutes catch."""
        weeks, article = self.table_.weeks, int(row["article"])
        buyers = habits.buyers(article)
        kept = (1 - buyers.transfer) / weeks * scale
        own, halo = buyers.value * kept, buyers.baskets * float(row["halo"]) * kept
        loss = float(own.sum() + halo.sum())
        of_halo = float((buyers.baskets * kept).sum()) * float(row["halo_error"])
        # The sum of squares over households is the variance of a Poisson bootstrap over them.
        error = float(np.sqrt(((own + halo) ** 2).sum() + of_halo**2 + (self.doubt_ * loss) ** 2))
        low, high = _interval(loss, error)
        revenue = float(buyers.value.sum()) / weeks * scale
        transfer = 1 - float(own.sum()) / revenue if revenue > 0 else 0.0
        named = [one for one in buyers.substitutes if one.households >= self.settings.min_people]
        first = named[0] if named else None
        return Suggested(
            store=store,
            kind=kind,
            rank=0,
            article=article,
            other=first.article if first else None,
            value_per_week=round(loss),
            low=low,
            high=high,
            households=int(self._chain[article]) if kind == "delist" else len(buyers.household),
            baskets=int(buyers.baskets.sum()),
            group=self.audience_.group(article),
            evidence={
                "revenue_per_week": round(revenue),
                "own_per_week": round(float(own.sum())),
                "halo_per_week": round(float(halo.sum())),
                "transfer": round(transfer, 4),
                "store_households": len(buyers.household),
                "exclusive_households": self._shown(int(buyers.exclusive.sum()), len(buyers.household)),
                "substitute_households": first.households if first else None,
                "substitutes": [
                    {
                        "article": one.article,
                        "share": round(one.share, 4),
                        "catches": round(revenue * transfer * one.share),
                        "households": one.households,
                        "adjusted_lift": round(one.adjusted_lift, 3),
                    }
                    for one in named[:NAMED_SUBSTITUTES]
                ],
                "card_share": round(1 / scale, 4),
                **self._best_buyers(store, buyers, own),
                "groups": self.audience_.served(store, buyers.household),
                "weeks": weeks,
            },
        )

    def _best_buyers(self, store: int, buyers: Buyers, own: Floats) -> dict[str, Any]:
        """Return what the store's best buyers would miss, where there are enough of them among the buyers."""
        best = np.isin(buyers.household, self.audience_.best(store))
        people = self._shown(int(best.sum()), len(best))
        if people is None or not buyers.value.sum() > 0:
            return {"best_buyers": None}
        return {
            "best_buyers": people,
            "best_buyers_share": round(float(buyers.value[best].sum() / buyers.value.sum()), 4),
            "best_value_per_week": round(float(own[best].sum())),
        }

    def place_together(self, store: int, pairs: Sequence[tuple[int, int]]) -> list[Suggested]:
        """
        Return which of `pairs` of articles that the chain's baskets tie together this store ties less.

        The value is what the second article would earn more if as many baskets with the first held it as in
        the similar stores; the interval comes from the difference of the two shares.
        """
        if not self.eligible_[store]:
            return []
        found = [made for first, second in pairs if (made := self._pair(store, first, second))]
        found.sort(key=lambda made: (-made.value_per_week, made.article, made.other or -1))
        return [
            replace(made, rank=rank) for rank, made in enumerate(found[: self.settings.per_kind], start=1)
        ]

    def _pair(self, store: int, first: int, second: int) -> Suggested | None:
        here, both_here = self._shared_baskets([store], first, second)
        there, both_there = self._shared_baskets(self.similar(store), first, second)
        people = self._people(both_there)
        if min(len(here), len(there)) < self.settings.min_households or people < self.settings.min_households:
            return None
        # Baskets are not people: one household's habit is no store's.
        if min(self._people(here), self._people(there)) < self.settings.min_people:
            return None
        share_here, share_there = len(both_here) / len(here), len(both_there) / len(there)
        if share_there <= share_here:
            return None
        price = float(self._mean_value[second])
        per_week = len(here) / self.table_.weeks * price
        error = np.sqrt(
            share_here * (1 - share_here) / len(here) + share_there * (1 - share_there) / len(there)
        )
        gain = (share_there - share_here) * per_week
        low, high = _interval(gain, float(error) * per_week)
        return Suggested(
            store=store,
            kind="place_together",
            rank=0,
            article=first,
            other=second,
            value_per_week=round(gain),
            low=low,
            high=high,
            households=people,
            baskets=len(both_there),
            group=self.audience_.group(first),
            evidence={
                "share_here": round(share_here, 4),
                "share_similar": round(share_there, 4),
                "baskets_here": len(here),
                "adjusted_lift": round(self._lifts.of(first, second), 3),
                "groups": self.audience_.served(store, self.audience_.buyers(first)),
                "weeks": self.table_.weeks,
            },
        )

    def _shared_baskets(self, stores: Sequence[int], first: int, second: int) -> tuple[Int32s, Int32s]:
        """Return the baskets of `stores` with `first`, and those of them with `second` too."""
        with_first = self.baskets_with(first)
        with_first = with_first[np.isin(self.table_.store[with_first], stores)]
        return with_first, np.intersect1d(with_first, self.baskets_with(second), assume_unique=True)

    def _people(self, baskets: Int32s) -> int:
        """Return how many households brought `baskets`."""
        return len(distinct(self.table_.household[baskets]))

    def _shown(self, people: int, of: int) -> int | None:
        """Return a count of people, None when it would show too few: them, or the rest of those they are among."""
        least = self.settings.min_people
        return people if people >= least and not 0 < of - people < least else None


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]


def _similarity(table: SalesTable) -> Floats:
    """Return the cosine between stores of the square roots of their revenue by type."""
    types = table.type_of[table.article] + 1
    revenue = np.zeros((table.stores, int(types.max(initial=0)) + 1))
    np.add.at(revenue, (table.store[table.basket], types), np.maximum(table.value, 0))
    shares = np.sqrt(revenue / np.maximum(revenue.sum(axis=1, keepdims=True), 1))
    return np.asarray(shares @ shares.T, dtype=np.float64)


def _doubt(everybody: StoreBaskets | None) -> float:
    """Return by which share of the loss the chain's own delistings fell beside what habits foretold; 0 without any."""
    if everybody is None:
        return 0.0
    stop = natural_delistings(everybody)
    learnt = RetentionModel().fit(stop, np.ones(len(stop.gone), np.bool_)).money_
    return abs(learnt.slope - 1)


def _scales(statistics: pd.DataFrame, weeks: int, everybody: StoreBaskets | None) -> Floats:
    """Return per row what all baskets brought over what those of known households did, never less than one."""
    if everybody is None or everybody.value is None:
        return np.ones(len(statistics))
    items = max(1, len(everybody.items))
    keys = everybody.store[everybody.basket].astype(np.int64) * items + everybody.item
    pairs, place = np.unique(keys, return_inverse=True)
    taken = np.bincount(place, weights=everybody.value / 100)
    wanted = statistics["store"].to_numpy(np.int64) * items + statistics["article"].to_numpy(np.int64)
    everything = taken[np.searchsorted(pairs, wanted)]
    known = statistics["revenue"].to_numpy() * weeks
    return np.clip(np.where(known > 0, everything / np.where(known > 0, known, 1), 1.0), 1.0, MOST_UNKNOWN)


def _interval(value: float, error: float) -> tuple[int, int]:
    """Return the 80 % interval around `value`, never below zero and never without `value`."""
    middle = round(value)
    return min(middle, max(0, round(value - Z80 * error))), max(middle, round(value + Z80 * error))

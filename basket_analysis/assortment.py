"""Assortment suggestions: what a store loses without an article and gains with another, from cards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from basket_analysis.store_sales import Floats, Int32s, SalesTable, article_statistics

Kind = Literal["list", "delist", "keep", "place_together"]

Z80 = 1.2815515655446004
"""Half the width of an 80 % interval of the normal distribution, in standard errors."""


SHORTEST_STOCKED = 8
"""Weeks that an article counts as stocked at least: a single good week is not a rate."""


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
    shares of revenue by type, and `eligible_` says which stores have enough baskets.
    """

    def __init__(self, settings: AssortmentSettings | None = None) -> None:
        self.settings = settings or AssortmentSettings()

    def fit(self, table: SalesTable, groups: Int32s | None = None) -> "Assortment":
        """Learn from `table`; `groups` gives each household's shopper group, -1 for none."""
        self.table_ = table
        self.statistics_ = article_statistics(table)
        self.eligible_ = table.baskets_per_store >= self.settings.min_store_baskets
        self.similarity_ = _similarity(table)
        self._lines = pd.DataFrame(
            {
                "article": table.article,
                "basket": table.basket,
                "store": table.store[table.basket],
                "household": table.household[table.basket],
            }
        )
        self._by_store = dict(iter(self._lines.groupby("store")))
        self._buyers = (
            self._lines[["article", "household"]].drop_duplicates().sort_values(["article", "household"])
        )
        order = np.lexsort((table.basket, table.article))
        self._sorted_articles, self._sorted_baskets = table.article[order], table.basket[order]
        self._mean_value = self._lines.assign(value=table.value).groupby("article")["value"].mean().to_dict()
        self._groups = groups
        self._chain = self._buyers.groupby("article").size()
        return self

    def suggest(self, store: int) -> list[Suggested]:
        """Return the suggestions for `store`, by kind and rank; none when it has too few baskets."""
        if not self.eligible_[store]:
            return []
        return [*self._delist(store), *self._keep(store), *self._list(store)]

    def _delist(self, store: int) -> Iterator[Suggested]:
        """Yield the articles that would be missed least, smallest loss first."""
        sold = self._of_store(store)
        known = self._chain.reindex(sold["article"]).to_numpy() >= self.settings.min_households
        seen = sold["households"].to_numpy() >= self.settings.min_people
        stocked = sold["last_week"].to_numpy() >= self.table_.weeks - 4
        slow = sold[known & seen & stocked]
        slow = slow.assign(loss=slow["own_loss"] + slow["halo_loss"]).sort_values(["loss", "article"])
        yield from self._losses("delist", store, slow)

    def _keep(self, store: int) -> Iterator[Suggested]:
        """Yield the articles that would be missed most, largest loss first."""
        sold = self._of_store(store)
        strong = sold[sold["households"] >= self.settings.min_households]
        strong = strong.assign(loss=strong["own_loss"] + strong["halo_loss"])
        yield from self._losses(
            "keep", store, strong.sort_values(["loss", "article"], ascending=[False, True])
        )

    def _losses(self, kind: Kind, store: int, rows: pd.DataFrame) -> Iterator[Suggested]:
        for rank, row in enumerate(_records(rows.head(self.settings.per_kind)), start=1):
            article = int(row["article"])
            low, high = _interval(float(row["loss"]), float(row["error"]))
            substitute, shared = self._substitute(store, article)
            yield Suggested(
                store=store,
                kind=kind,
                rank=rank,
                article=article,
                other=substitute,
                value_per_week=round(row["loss"]),
                low=low,
                high=high,
                households=int(self._chain[article] if kind == "delist" else row["households"]),
                baskets=int(row["baskets"]),
                group=self._group(article),
                evidence={
                    "revenue_per_week": round(row["revenue"]),
                    "halo_per_week": round(row["halo_loss"]),
                    "transfer": round(float(row["transfer"]), 4),
                    "store_households": int(row["households"]),
                    "exclusive_households": self._shown(int(row["exclusive"])),
                    "substitute_households": shared,
                    "weeks": self.table_.weeks,
                },
            )

    def _list(self, store: int) -> Iterator[Suggested]:
        """Yield articles that similar stores sell and this one does not, by what is gained even at the low end."""
        offers = self._expected(store)
        for rank, row in enumerate(_records(offers.head(self.settings.per_kind)), start=1):
            article = int(row["article"])
            low, high = _interval(float(row["gain"]), float(row["error"]))
            yield Suggested(
                store=store,
                kind="list",
                rank=rank,
                article=article,
                other=None,
                value_per_week=round(row["gain"]),
                low=low,
                high=high,
                households=int(row["households"]),
                baskets=int(row["baskets"]),
                group=self._group(article),
                evidence={
                    "stores": int(row["stores"]),
                    "buyers": int(row["buyers"]),
                    "per_thousand_baskets": round(float(row["rate"]) * 1000),
                    "transfer": round(float(row["transfer"]), 4),
                    "weeks": self.table_.weeks,
                },
            )

    def _expected(self, store: int) -> pd.DataFrame:
        """
        Return what articles unknown to `store` could gain there.

        The rate, revenue per basket of the store, is the mean over the similar stores that stock the
        article, by similarity, counted over the weeks between its first and last sale there only. From the
        gain goes what it would take from articles of its type that the store sells already. The
        interval is that of a further store: the spread between the stores and the error of their mean.
        """
        table, statistics = self.table_, self.statistics_
        similar = self._similar(store)
        new = statistics[
            statistics["store"].isin(similar) & ~statistics["article"].isin(self._of_store(store)["article"])
        ]
        stocked_weeks = np.maximum(
            new["last_week"].to_numpy() - new["first_week"].to_numpy() + 1, SHORTEST_STOCKED
        )
        per_week = table.baskets_per_store[new["store"]] / table.weeks
        new = new.assign(
            rate=new["revenue"].to_numpy() * table.weeks / stocked_weeks / per_week,
            weight=self.similarity_[store, new["store"].to_numpy()],
        )
        offers = _over_stores(new)
        households = self._chain.reindex(offers["article"]).to_numpy()
        offers = offers.assign(households=households)
        enough = (offers["households"] >= self.settings.min_households) & (
            offers["buyers"] >= self.settings.min_people
        )
        offers = offers[enough & (offers["stores"] >= 2)]
        weekly = table.baskets_per_store[store] / table.weeks
        sold_types = set(table.type_of[self._of_store(store)["article"]].tolist()) - {-1}
        competes = np.isin(table.type_of[offers["article"]], list(sold_types))
        caught = np.where(competes, offers["transfer"], 0.0)
        offers = offers.assign(
            transfer=caught,
            gain=offers["rate"] * weekly * (1 - caught),
            error=offers["spread"] * weekly * (1 - caught),
        )
        cautious = offers["gain"] - Z80 * offers["error"]
        offers = offers.assign(cautious=cautious.clip(lower=0))
        return offers[offers["gain"] >= 1].sort_values(
            ["cautious", "gain", "article"], ascending=[False, False, True]
        )

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
        return [_ranked(made, rank) for rank, made in enumerate(found[: self.settings.per_kind], start=1)]

    def _pair(self, store: int, first: int, second: int) -> Suggested | None:
        here, both_here = self._shared_baskets([store], first, second)
        there, both_there = self._shared_baskets(self._similar(store), first, second)
        people = len(np.unique(self.table_.household[both_there]))
        if min(len(here), len(there)) < self.settings.min_households or people < self.settings.min_households:
            return None
        share_here, share_there = len(both_here) / len(here), len(both_there) / len(there)
        if share_there <= share_here:
            return None
        price = self._mean_value[second]
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
            group=self._group(first),
            evidence={
                "share_here": round(share_here, 4),
                "share_similar": round(share_there, 4),
                "baskets_here": len(here),
                "weeks": self.table_.weeks,
            },
        )

    def _shared_baskets(self, stores: Sequence[int], first: int, second: int) -> tuple[Int32s, Int32s]:
        """Return the baskets of `stores` with `first`, and those of them with `second` too."""
        with_first = self._baskets_with(first)
        with_first = with_first[np.isin(self.table_.store[with_first], stores)]
        return with_first, np.intersect1d(with_first, self._baskets_with(second), assume_unique=True)

    def _baskets_with(self, article: int) -> Int32s:
        """Return the baskets that hold `article`, which are sorted."""
        first, last = np.searchsorted(self._sorted_articles, [article, article + 1])
        return self._sorted_baskets[first:last]

    def _of_store(self, store: int) -> pd.DataFrame:
        return self.statistics_[self.statistics_["store"] == store]

    def _similar(self, store: int) -> list[int]:
        """Return the stores most like `store`, among those with enough baskets."""
        likeness = np.where(self.eligible_, self.similarity_[store], -1.0)
        likeness[store] = -1.0
        order = np.lexsort((np.arange(len(likeness)), -likeness))[: self.settings.similar_stores]
        return [int(other) for other in order if likeness[other] > 0]

    def _substitute(self, store: int, article: int) -> tuple[int | None, int | None]:
        """Return the article of the type that most of its households buy there at other times, and how many do."""
        kind = self.table_.type_of[article]
        lines = self._by_store[store]
        own = lines[lines["article"] == article]
        others = lines[
            lines["household"].isin(own["household"])
            & ~lines["basket"].isin(own["basket"])
            & (lines["article"] != article)
            & (self.table_.type_of[lines["article"]] == kind)
        ]
        if kind < 0 or others.empty:
            return None, None
        shared = others.drop_duplicates(["article", "household"]).groupby("article").size()
        best = int(shared.idxmax())
        return (best, int(shared[best])) if shared[best] >= self.settings.min_people else (None, None)

    def _group(self, article: int) -> int | None:
        """Return the shopper group in which the article has the largest share of buyers, if it stands out."""
        if self._groups is None:
            return None
        first, last = np.searchsorted(self._buyers["article"].to_numpy(), [article, article + 1])
        buyers = self._buyers["household"].to_numpy()[first:last]
        sizes = np.bincount(self._groups[self._groups >= 0])
        if not len(sizes):
            return None
        own = np.bincount(self._groups[buyers][self._groups[buyers] >= 0], minlength=len(sizes))
        shares = np.where(own >= self.settings.min_people, own / np.maximum(sizes, 1), 0.0)
        best = int(shares.argmax())
        return best if shares[best] > 1.2 * own.sum() / sizes.sum() else None

    def _shown(self, people: int) -> int | None:
        """Return a count of people, None when it would show too few."""
        return people if people >= self.settings.min_people else None


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]


def _similarity(table: SalesTable) -> Floats:
    """Return the cosine between stores of the square roots of their revenue by type."""
    types = table.type_of[table.article] + 1
    revenue = np.zeros((table.stores, int(types.max(initial=0)) + 1))
    np.add.at(revenue, (table.store[table.basket], types), np.maximum(table.value, 0))
    shares = np.sqrt(revenue / np.maximum(revenue.sum(axis=1, keepdims=True), 1))
    return np.asarray(shares @ shares.T, dtype=np.float64)


def _over_stores(new: pd.DataFrame) -> pd.DataFrame:
    """Return the weighted mean rate of each article over stores, with the spread that a further store has."""
    weighted = new.assign(
        wr=new["weight"] * new["rate"],
        wrr=new["weight"] * new["rate"] ** 2,
        ww=new["weight"] ** 2,
        wt=new["weight"] * new["transfer"],
    )
    sums = weighted.groupby("article", sort=True).agg(
        w=("weight", "sum"),
        ww=("ww", "sum"),
        wr=("wr", "sum"),
        wrr=("wrr", "sum"),
        wt=("wt", "sum"),
        stores=("store", "size"),
        baskets=("baskets", "sum"),
        buyers=("households", "sum"),
    )
    rate = sums["wr"] / sums["w"]
    between = (sums["wrr"] / sums["w"] - rate**2).clip(lower=0)
    effective = sums["w"] ** 2 / sums["ww"]
    return pd.DataFrame(
        {
            "article": sums.index.to_numpy(),
            "rate": rate.to_numpy(),
            # Few stores understate the spread; the counts of buyers bound it from below.
            "spread": np.sqrt(between * (1 + 1 / effective) + rate**2 / sums["buyers"]).to_numpy(),
            "transfer": (sums["wt"] / sums["w"]).to_numpy(),
            "stores": sums["stores"].to_numpy(),
            "buyers": sums["buyers"].to_numpy(),
            "baskets": sums["baskets"].to_numpy(),
        }
    )


def _interval(value: float, error: float) -> tuple[int, int]:
    """Return the 80 % interval around `value`, never below zero and never without `value`."""
    middle = round(value)
    return min(middle, max(0, round(value - Z80 * error))), max(middle, round(value + Z80 * error))


def _ranked(suggested: Suggested, rank: int) -> Suggested:
    return Suggested(
        **{name: getattr(suggested, name) for name in suggested.__slots__ if name != "rank"}, rank=rank
    )

"""
What is known on a day about a member and an item, as the columns by which offers are ranked.

Everything is computed from what was bought before the day, so the same code serves days of the past, whose
outcome is known and can be learnt from, and today. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.offers.relevance_kernels import Sparse
from basket_analysis.offers.relevance_purchases import Floats, ItemPurchases, distinct

HALF_LIVES = (7, 20, 45, 90, 180)
"""Days after which a purchase says half as much; several, as needs differ."""

SEASON = 364
"""So many days ago the same weeks of last year began, on the same weekday."""


@dataclass(frozen=True)
class _Rows:
    """The rows of purchases before a day, by member, item and basket."""

    member: Int32s
    basket: Int32s
    age: Int32s
    """In days; 1 is the day before."""
    store: Int32s
    item: Int32s
    quantity: Floats
    value: Floats
    reduced: Floats


class Origin:
    """
    What was known of members and items before `day` (days since 2000-01-01).

    `key` are the pairs ever bought by then, member · items + item, rising; `pairs`, `of_member`, `of_item` the
    columns of pairs, members and items.
    """

    def __init__(self, bought: ItemPurchases, day: int) -> None:
        self.day = day
        self.members, self.items = bought.members, bought.items
        self.groups = bought.groups
        kept = slice(None) if not len(bought.day) or bought.day.max() < day else bought.day < day
        self._rows = _Rows(
            bought.member[kept],
            bought.basket[kept],
            (day - bought.day[kept]).astype(np.int32),
            bought.store[kept],
            bought.item[kept],
            bought.quantity[kept],
            bought.value[kept],
            (bought.reduction[kept] > 0).astype(np.float32),
        )
        rows = self._rows
        keys = rows.member.astype(np.int64) * max(self.items, 1) + rows.item
        self._starts = (
            np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.empty(0, np.int64)
        )
        self.key: Int64s = keys[self._starts]
        self.pair_member = (self.key // max(self.items, 1)).astype(np.int32)
        self.pair_item = (self.key % max(self.items, 1)).astype(np.int32)
        self.buyers = np.bincount(self.pair_item, minlength=self.items)
        self._first_pair = np.searchsorted(self.pair_member, np.arange(self.members + 1)).astype(np.int32)
        self._histories: dict[float, Sparse] = {}
        self._count_baskets()

    def _count_baskets(self) -> None:
        """Number each member's baskets, so that purchases can be told by how many baskets ago they were."""
        rows = self._rows
        basket, first = np.unique(rows.basket, return_index=True)
        owner = rows.member[first]
        order = np.lexsort((basket, owner))
        self.baskets = np.bincount(owner, minlength=self.members)
        self._first_basket = np.concatenate([[0], np.cumsum(self.baskets)])
        place = np.empty(len(basket), np.int64)
        place[order] = np.arange(len(basket))
        self._place = place[np.searchsorted(basket, rows.basket)]
        self._basket_owner = owner[order]
        self._basket_age = rows.age[first][order]
        self._baskets_ago = (self._first_basket[rows.member + 1] - self._place).astype(np.float32)
        self._items_of = np.bincount(self._place, minlength=len(basket))
        self._sizes = self._items_of[self._place]

    def _sum(self, values: NDArray[Any]) -> Floats:
        return np.add.reduceat(values, self._starts).astype(np.float32) if len(self._starts) else _NONE

    def _least(self, values: NDArray[Any]) -> Floats:
        return np.minimum.reduceat(values, self._starts).astype(np.float32) if len(self._starts) else _NONE

    def _most(self, values: NDArray[Any]) -> Floats:
        return np.maximum.reduceat(values, self._starts).astype(np.float32) if len(self._starts) else _NONE

    @cached_property
    def pairs(self) -> dict[str, Floats]:
        """Columns of the pairs in `key`."""
        rows = self._rows
        count = np.diff(np.r_[self._starts, len(rows.item)]).astype(np.float32)
        since, span = self._least(rows.age), self._most(rows.age) - self._least(rows.age)
        ago = self._baskets_ago
        found = {"baskets": count, "since": since, "span": span}
        found["gap"] = np.where(count > 1, span / np.maximum(count - 1, 1), np.nan).astype(np.float32)
        found["overdue"] = since / np.maximum(found["gap"], 1)
        for days in HALF_LIVES:
            found[f"recency_{days}"] = self._sum(halved(rows.age, days))
        found["baskets_ago"] = self._least(ago)
        for last in (3, 8, 20):
            found[f"of_last_{last}"] = self._sum((ago <= last).astype(np.float32))
        found["recency_baskets"] = self._sum(halved(ago, 12))
        found["share_since_first"] = count / self._most(ago)
        found.update(self._gaps(count, found["gap"]))
        for days in (30, 90, 365):
            found[f"light_{days}"] = self._sum(halved(rows.age, days) / np.sqrt(self._sizes))
        found["reduced"] = self._sum(rows.reduced) / count
        found["quantity"] = self._sum(rows.quantity) / count
        found["price"] = self._sum(rows.value) / np.maximum(self._sum(rows.quantity), 1)
        return found

    def _gaps(self, count: Floats, gap: Floats) -> dict[str, Floats]:
        """Return how the pauses between purchases of one item were: the last one, the longest, how even."""
        rows = self._rows
        length = np.zeros(len(rows.age), np.float32)
        inner = np.ones(len(rows.age), np.bool_)
        inner[self._starts] = False
        places = np.flatnonzero(inner)
        length[places] = rows.age[places - 1] - rows.age[places]
        last = length[np.r_[self._starts[1:], len(rows.age)] - 1] if len(self._starts) else _NONE
        spread = self._sum(length * length) / np.maximum(count - 1, 1) - gap**2
        evenness = np.sqrt(np.maximum(spread, 0)) / np.maximum(gap, 1)
        return {
            "last_gap": np.where(count > 1, last, np.nan).astype(np.float32),
            "gap_evenness": np.where(count > 2, evenness, np.nan).astype(np.float32),
            "longest_gap": self._most(length),
        }

    @cached_property
    def of_member(self) -> dict[str, Floats]:
        """Columns of members."""
        rows, count = self._rows, self.members
        lines = np.maximum(np.bincount(rows.member, minlength=count), 1)
        came = self.baskets > 0
        latest = np.full(count, np.nan, np.float32)
        np.fmin.at(latest, self._basket_owner, self._basket_age.astype(np.float32))
        last_size = np.full(count, np.nan, np.float32)
        last_size[came] = self._items_of[self._first_basket[1:][came] - 1]
        size = lines / np.maximum(self.baskets, 1)
        small = np.bincount(self._basket_owner, weights=1 / np.maximum(self._items_of, 1), minlength=count)
        dear = self.of_item["i_dear"][rows.item]
        recent = rows.age <= 56
        begun = self._most(rows.age) <= 56
        new = np.bincount(self.pair_member[begun], minlength=count)
        found: dict[str, NDArray[Any]] = {
            "m_baskets": self.baskets,
            "m_since": latest,
            "m_baskets_28": np.bincount(self._basket_owner[self._basket_age <= 28], minlength=count),
            "m_baskets_91": np.bincount(self._basket_owner[self._basket_age <= 91], minlength=count),
            "m_size": size,
            "m_last_size": last_size,
            "m_last_light": last_size / np.maximum(size, 1),
            "m_light": small / np.maximum(self.baskets, 1),
            "m_dear": np.bincount(rows.member, weights=dear, minlength=count) / lines,
            "m_distinct": np.bincount(self.pair_member, minlength=count) / lines,
            "m_reduced": np.bincount(rows.member, weights=rows.reduced, minlength=count) / lines,
            "m_new": new / np.maximum(np.bincount(rows.member[recent], minlength=count), 1),
            "m_price": np.bincount(rows.member, weights=rows.value, minlength=count)
            / np.maximum(np.bincount(rows.member, weights=rows.quantity, minlength=count), 1),
            "m_spent_91": np.bincount(
                rows.member[rows.age <= 91], weights=rows.value[rows.age <= 91], minlength=count
            ),
        }
        return {name: column.astype(np.float32) for name, column in found.items()}

    def buyers_within(self, days: int, since: int = 0) -> Floats:
        """Return by item how many members bought it in the `days` before `since` days ago."""
        age = self._rows.age
        within = (age <= days + since) & (age > since)
        keys = distinct(
            self._rows.member[within].astype(np.int64) * max(self.items, 1) + self._rows.item[within]
        )
        return np.bincount(keys % max(self.items, 1), minlength=self.items).astype(np.float32)

    @cached_property
    def of_item(self) -> dict[str, Floats]:
        """Columns of items: popularity and its trend, how they are bought again, price and reductions."""
        rows, count = self._rows, self.items
        within = {days: self.buyers_within(days) for days in (7, 14, 28, 56, 182)}
        found: dict[str, NDArray[Any]] = {f"i_buyers_{days}": buyers for days, buyers in within.items()}
        buyers = np.maximum(self.buyers, 1)
        found["i_buyers"] = self.buyers
        found["i_trend_7"] = (within[7] + 1) / (within[28] / 4 + 1)
        found["i_trend_14"] = (within[14] + 1) / (within[56] / 4 + 1)
        found["i_trend_56"] = (within[56] + 2) / (within[182] / 3.25 + 2)
        again = self.pairs["baskets"] > 1
        repeats = np.bincount(self.pair_item[again], minlength=count)
        found["i_repeated"] = repeats / buyers
        found["i_baskets"] = np.bincount(rows.item, minlength=count) / buyers
        found["i_gap"] = np.bincount(
            self.pair_item[again], weights=self.pairs["gap"][again], minlength=count
        ) / np.maximum(repeats, 1)
        found["i_price"] = np.bincount(rows.item, weights=rows.value, minlength=count) / np.maximum(
            np.bincount(rows.item, weights=rows.quantity, minlength=count), 1
        )
        found.update(self._reductions())
        sold = np.bincount(rows.item, minlength=count)
        found["i_size"] = np.bincount(rows.item, weights=np.log(self._sizes), minlength=count) / np.maximum(
            sold, 1
        )
        found["i_dear"] = self._dear(found["i_price"], sold)
        first = self._most(rows.age)
        for days in (14, 42):
            found[f"i_first_{days}"] = np.bincount(self.pair_item[first <= days], minlength=count)
        found.update(self._season(within[56]))
        for name, group in self.groups.items():
            sums = np.bincount(group, weights=within[56])
            found[f"i_{name}"] = sums[group]
            found[f"i_share_{name}"] = within[56] / np.maximum(sums[group], 1)
        return {name: column.astype(np.float32) for name, column in found.items()}

    def _dear(self, price: NDArray[Any], sold: NDArray[Any]) -> NDArray[Any]:
        """Return by how much (in logarithms) items are dearer than what is sold of their type, or category."""
        group = self.groups.get("type", self.groups["category"])
        level = np.log(np.maximum(price, 1))
        usual = np.bincount(group, weights=level * sold) / np.maximum(np.bincount(group, weights=sold), 1)
        return np.asarray(level - usual[group])

    def _reductions(self) -> dict[str, NDArray[Any]]:
        """Return how often items are sold reduced, and how much more so lately: what is on promotion."""
        rows, count = self._rows, self.items
        usual = np.bincount(rows.item, weights=rows.reduced, minlength=count) / np.maximum(
            np.bincount(rows.item, minlength=count), 1
        )
        late = rows.age <= 14
        sold = np.bincount(rows.item[late], minlength=count)
        lately = (np.bincount(rows.item[late], weights=rows.reduced[late], minlength=count) + 2 * usual) / (
            sold + 2
        )
        return {"i_reduced": usual, "i_reduced_14": lately, "i_promoted": lately - usual}

    def _season(self, recent: Floats) -> dict[str, NDArray[Any]]:
        """Return what the six weeks to come were last year against the eight weeks before them; NaN before a year is known."""
        if not len(self._rows.age) or self._rows.age.max() < SEASON + 56:
            return dict.fromkeys(("i_season", "i_expected"), np.full(self.items, np.nan))
        coming = self.buyers_within(42, SEASON - 42)
        before = self.buyers_within(56, SEASON)
        rate = (coming + 2) / (before * 42 / 56 + 2)
        return {"i_season": rate, "i_expected": recent * rate}

    @cached_property
    def of_group(self) -> dict[str, tuple[Int32s, Int64s, dict[str, Floats]]]:
        """By way of grouping: each item's group, the pairs member · groups + group that were bought, and their columns."""
        return {name: (group, *self._group_columns(group)) for name, group in self.groups.items()}

    def _group_columns(self, group: Int32s) -> tuple[Int64s, dict[str, Floats]]:
        rows = self._rows
        count = int(group.max(initial=0)) + 1
        keys = rows.member.astype(np.int64) * count + group[rows.item]
        order = np.argsort(keys, kind="stable")
        keys, age = keys[order], rows.age[order]
        level = np.log(np.maximum(rows.value[order] / np.maximum(rows.quantity[order], 1), 1))
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.empty(0, np.int64)
        if not len(starts):
            return np.empty(0, np.int64), dict.fromkeys(GROUP_COLUMNS, _NONE)
        since = np.minimum.reduceat(age, starts).astype(np.float32)
        days = distinct(keys * _DAYS + age) // _DAYS
        times = np.diff(np.r_[np.flatnonzero(np.r_[True, days[1:] != days[:-1]]), len(days)]).astype(
            np.float32
        )
        span = np.maximum.reduceat(age, starts) - since
        gap = np.where(times > 1, span / np.maximum(times - 1, 1), np.nan)
        of_pair = self.pair_member.astype(np.int64) * count + group[self.pair_item]
        place = np.searchsorted(keys[starts], of_pair)
        begun = self._most(rows.age) <= 56
        lately = np.add.reduceat(halved(age, 120), starts)
        found = (
            np.add.reduceat(halved(age, 30), starts),
            lately,
            since,
            times,
            since / np.maximum(gap, 1),
            since * times / (span + 14),
            np.bincount(place, minlength=len(starts)),
            np.bincount(place[begun], minlength=len(starts)),
            np.add.reduceat(halved(age, 120) * level, starts) / np.maximum(lately, LEAST),
        )
        return keys[starts], {
            name: column.astype(np.float32) for name, column in zip(GROUP_COLUMNS, found, strict=True)
        }

    def histories(self, half_life: float, members: Int32s | None = None) -> Sparse:
        """Return members (all, or those given) by items: the logarithm of what was bought, weighted by recency."""
        found = self._histories.get(half_life)
        if found is None:
            weights = np.log1p(self._sum(halved(self._rows.age, half_life)))
            found = self._histories[half_life] = sp.csr_matrix(
                (weights, self.pair_item, self._first_pair), shape=(self.members, self.items)
            )
        return found if members is None else found[members]

    def bought_within(self, days: int, members: Int32s) -> Sparse:
        """Return `members` by items: 1 where bought in the last `days`."""
        late = self.pairs["since"] <= days
        places = (self.pair_member[late], self.pair_item[late])
        ones = np.ones(int(late.sum()), np.float32)
        return sp.csr_matrix((ones, places), shape=(self.members, self.items))[members]

    @cached_property
    def store_shares(self) -> Sparse:
        """Members by stores: which share of their baskets of the last 120 days was bought there."""
        rows = self._rows
        late = rows.age <= 120
        stores = int(rows.store.max(initial=0)) + 1
        seen = np.unique(rows.basket[late], return_index=True)[1]
        places = (rows.member[late][seen], rows.store[late][seen])
        counts = sp.csr_matrix((np.ones(len(seen), np.float32), places), shape=(self.members, stores))
        return (
            sp.diags((1 / np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)).astype(np.float32)) @ counts
        ).tocsr()

    def store_popularity(self, days: int) -> Sparse:
        """Return stores by items: the share of the store's members who bought it there in the last `days`, drawn to 0."""
        rows = self._rows
        late = rows.age <= days
        stores = int(rows.store.max(initial=0)) + 1
        member, store, item = rows.member[late].astype(np.int64), rows.store[late], rows.item[late]
        triples = distinct((member * stores + store) * max(self.items, 1) + item)
        places = ((triples // max(self.items, 1)) % stores, triples % max(self.items, 1))
        bought = sp.csr_matrix((np.ones(len(triples), np.float32), places), shape=(stores, self.items))
        shoppers = np.bincount(distinct(member * stores + store) % stores, minlength=stores)
        return (sp.diags((1 / (shoppers + 20)).astype(np.float32)) @ bought).tocsr()


GROUP_COLUMNS = (
    "recency_30", "recency_120", "since", "times", "overdue", "hazard", "distinct", "begun", "level",
)  # fmt: skip
"""Columns of members and groups; `level` is the logarithm of what a unit usually cost the member, in minor units."""

LEAST = 1e-12
_NONE: Floats = np.empty(0, np.float32)
_DAYS = 2_000
"""More days than any purchase is old that is looked at one by one."""


def halved(age: NDArray[Any], half_life: float) -> Floats:
    """Return what purchases of these ages say, when they say half as much after each `half_life`."""
    weights: Floats = np.exp2(-age / half_life).astype(np.float32)
    return weights


def at_pairs(columns: Mapping[str, Floats], known: Int64s, wanted: Int64s) -> dict[str, Floats]:
    """Return `columns`, which stand at the rising keys `known`, at the keys `wanted`; NaN where one is not known."""
    if not len(known):
        return {name: np.full(len(wanted), np.nan, np.float32) for name in columns}
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    missing = known[place] != wanted
    found = {}
    for name, column in columns.items():
        found[name] = column[place]
        found[name][missing] = np.nan
    return found

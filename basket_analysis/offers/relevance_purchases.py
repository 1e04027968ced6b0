"""What members bought, line by line and as pairs of basket and item at a level: the material of the ranking. Pure."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import Int32s, Int64s

Floats = NDArray[np.float32]
RankedLevel = Literal["article", "type"]
Kind = Literal["all", "new"]
"""Lists of everything, and of what a member never bought."""

KINDS: Final[tuple[Kind, ...]] = ("all", "new")

FEWEST_BUYERS = 5
"""What fewer members have ever bought is not ranked: it would say more about them than to others."""

MOST_OF_ONE = 20
"""More of one article in a line is a business's, or weight in grams: it counts as so much."""


@dataclass(frozen=True)
class Purchases:
    """
    Lines of members' receipts before the day `as_of`, as parallel arrays; days count from 2000-01-01.

    `member`, `article` and `basket` are numbers, baskets in the order of time. `quantity` is net of what
    came back; `value` and `reduction` are the line's total and its discounts in minor units. `known_…` are all pairs
    ever bought. Articles without a type, category or department have -1 there.
    """

    member: Int32s
    basket: Int32s
    day: Int32s
    store: Int32s
    article: Int32s
    quantity: Floats
    value: Floats
    reduction: Floats
    known_member: Int32s
    known_article: Int32s
    members: int
    articles: int
    types: int
    as_of: int
    type_of: Int32s
    category_of: Int32s
    department_of: Int32s
    make_of: Int32s
    """Types by brand."""

    def at(self, level: RankedLevel, kept: Int64s | None = None) -> "ItemPurchases":
        """
        Return what was bought at `level`, an item once per basket; without type an article is no item of level type.

        Of the items only those in `kept` (rising) are, numbered by their places there.
        """
        item_of = np.arange(self.articles, dtype=np.int32) if level == "article" else self.type_of
        items = self.articles if level == "article" else self.types
        if kept is not None:
            number = np.full(items + 1, -1, np.int32)
            number[kept] = np.arange(len(kept))
            item_of, items = number[item_of], len(kept)
        item = item_of[self.article]
        kept = np.flatnonzero(item >= 0)
        key = self.basket[kept].astype(np.int64) * max(items, 1) + item[kept]
        pair, first, back = np.unique(key, return_index=True, return_inverse=True)
        rows = kept[first]
        order = np.lexsort((self.basket[rows], item[rows], self.member[rows]))
        rows = rows[order]
        known_item = item_of[self.known_article]
        known = self.known_member.astype(np.int64) * max(items, 1) + known_item
        return ItemPurchases(
            member=self.member[rows],
            basket=self.basket[rows],
            day=self.day[rows],
            store=self.store[rows],
            item=item[rows],
            quantity=_summed(back, np.minimum(self.quantity[kept], MOST_OF_ONE), len(pair))[order],
            value=_summed(back, self.value[kept], len(pair))[order],
            reduction=_summed(back, self.reduction[kept], len(pair))[order],
            known=distinct(known[known_item >= 0]),
            members=self.members,
            items=items,
            as_of=self.as_of,
            groups=self._groups(level, item_of, items),
        )

    def _groups(self, level: RankedLevel, item_of: Int32s, items: int) -> dict[str, Int32s]:
        """Return for each way to group items the group of each, from 0 for an unknown one."""
        words = {"category": self.category_of, "department": self.department_of}
        if level == "article":
            words["type"] = self.type_of
            words["make"] = self.make_of
        found = {}
        for name, labels in words.items():
            of_item = np.full(items, -1, np.int32)
            # Of a type in several categories the first article's counts.
            places = np.flatnonzero(item_of >= 0)[::-1]
            of_item[item_of[places]] = labels[places]
            found[name] = of_item + 1
        return found


@dataclass(frozen=True)
class ItemPurchases:
    """
    What members bought at one level, a row per basket and item, by member, item and basket.

    `known` are all pairs ever bought, member · `items` + item, rising. `groups` give each item's
    category, department and, for articles, type and make.
    """

    member: Int32s
    basket: Int32s
    day: Int32s
    store: Int32s
    item: Int32s
    quantity: Floats
    value: Floats
    reduction: Floats
    known: Int64s
    members: int
    items: int
    as_of: int
    groups: dict[str, Int32s]

    def of_first(self, members: int) -> "ItemPurchases":
        """Return what the first `members` bought."""
        rows = slice(int(np.searchsorted(self.member, members)))
        lines = ("member", "basket", "day", "store", "item", "quantity", "value", "reduction")
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in lines},
            known=self.known[: np.searchsorted(self.known, members * max(self.items, 1))],
            members=min(members, self.members),
        )


def distinct(keys: Int64s) -> Int64s:
    """Return the different `keys`, rising: by sorting, which is several times faster here than by hashing."""
    rising = np.sort(keys)
    return rising[np.r_[True, rising[1:] != rising[:-1]]] if len(rising) else rising


def among(wanted: Int64s, keys: Int64s) -> NDArray[np.bool_]:
    """Return which of `wanted` are among the rising `keys`."""
    if not len(keys):
        return np.zeros(len(wanted), np.bool_)
    found: NDArray[np.bool_] = keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted
    return found


def _summed(places: Int64s, values: Floats, count: int) -> Floats:
    summed: Floats = np.bincount(places, weights=values, minlength=count).astype(np.float32)
    return summed

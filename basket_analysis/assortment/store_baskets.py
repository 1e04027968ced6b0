"""Baskets of a chain by store, item and week: what the file command of listing candidates works on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from basket_analysis.basket_files import BasketRows, Column, UnreadableFile

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

WEEK = np.timedelta64(7, "D")

LARGEST_VALUE = 10**12
"""No row of a file is worth more; so the hundredths of many rows add up in 64 bits."""


@dataclass(frozen=True)
class StoreBaskets:
    """
    Pairs (basket, item) of baskets whose store is known, each once.

    `basket`, `item` and `value` (hundredths of the file's unit) are per pair; `store`, `household` (-1 where
    nobody is known) and `week` (0 is the oldest) per basket; `type_of` and `category_of` per item, -1 for
    none. `weeks` is None when the file says no times, `value` when it says no values.
    """

    stores: tuple[str, ...]
    items: tuple[str, ...]
    households: int
    basket: Int32s
    item: Int32s
    value: Int64s | None
    store: Int32s
    household: Int32s
    week: Int32s
    type_of: Int32s
    category_of: Int32s
    weeks: int | None

    def between(self, first: int, end: int) -> "StoreBaskets":
        """Return the baskets of the weeks `first` to before `end`, which are then counted from 0."""
        kept = (self.week >= first) & (self.week < end)
        pairs = kept[self.basket]
        place = np.cumsum(kept).astype(np.int32) - 1
        return StoreBaskets(
            stores=self.stores,
            items=self.items,
            households=self.households,
            basket=place[self.basket[pairs]],
            item=self.item[pairs],
            value=None if self.value is None else self.value[pairs],
            store=self.store[kept],
            household=self.household[kept],
            week=self.week[kept] - np.int32(first),
            type_of=self.type_of,
            category_of=self.category_of,
            weeks=end - first,
        )

    @cached_property
    def per_store(self) -> Int64s:
        """Baskets per store."""
        return np.bincount(self.store, minlength=len(self.stores)).astype(np.int64)

    @cached_property
    def per_item(self) -> Int64s:
        """Baskets per item."""
        return np.bincount(self.item, minlength=len(self.items)).astype(np.int64)

    @cached_property
    def by_store(self) -> Any:
        """Baskets per store and item, as a sparse matrix of whole numbers."""
        return counted(self.store[self.basket], self.item, (len(self.stores), len(self.items)))


def counted(rows: Int32s, columns: Int32s, shape: tuple[int, int]) -> Any:
    """Return how often each (row, column) stands in the two arrays, as a sparse matrix."""
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def store_baskets(rows: BasketRows) -> StoreBaskets:
    """
    Return the baskets of a file by store; rows without one are left out.

    Of several stores or households in one basket the first by code point has it, of several times the
    earliest counts; values of one pair are added. Raises UnreadableFile for a time or value that is none.
    """
    lines = pd.DataFrame({"basket": rows.baskets, "item": rows.items.codes})
    for name in ("store", "household_id"):
        lines[name] = _codes(rows, name)
    lines["moment"] = moments_of(rows)
    values = _values(rows)
    lines["value"] = 0 if values is None else values
    first = lines[lines["store"] >= 0].groupby("basket", sort=True)["store"].min()
    lines = lines[lines["basket"].isin(first.index)]
    place = np.full(rows.basket_count, -1, np.int32)
    place[first.index.to_numpy()] = np.arange(len(first), dtype=np.int32)
    lines = lines.assign(basket=place[lines["basket"].to_numpy()])
    week, weeks = _weeks(lines.groupby("basket", sort=True)["moment"].min())
    known = lines[lines["household_id"] >= 0].groupby("basket")["household_id"].min()
    pairs = lines.groupby(["basket", "item"], sort=True)["value"].sum()
    items = len(rows.items.texts)
    return StoreBaskets(
        stores=_texts(rows, "store"),
        items=rows.items.texts,
        households=len(_texts(rows, "household_id")),
        basket=pairs.index.get_level_values(0).to_numpy(np.int32),
        item=pairs.index.get_level_values(1).to_numpy(np.int32),
        value=None if values is None else pairs.to_numpy(np.int64),
        store=first.to_numpy(np.int32),
        household=known.reindex(range(len(first)), fill_value=-1).to_numpy(np.int32),
        week=week,
        type_of=_of_items(rows, "type", items),
        category_of=_of_items(rows, "category", items),
        weeks=weeks,
    )


def _texts(rows: BasketRows, name: str) -> tuple[str, ...]:
    return rows.others[name].texts if name in rows.others else ()


def _codes(rows: BasketRows, name: str) -> Int32s:
    return rows.others[name].codes if name in rows.others else np.full(len(rows.baskets), -1, np.int32)


def _of_items(rows: BasketRows, name: str, items: int) -> Int32s:
    """Return each item's type or category: the first by code point, should rows disagree; -1 without any."""
    codes = _codes(rows, name)
    said = codes >= 0
    found = np.full(items, np.iinfo(np.int32).max, np.int32)
    np.minimum.at(found, rows.items.codes[said], codes[said])
    return np.where(found == np.iinfo(np.int32).max, -1, found).astype(np.int32)


def moments_of(rows: BasketRows) -> Any:
    """Return each row's moment, UTC without saying so; NaT where none is said."""
    column = rows.others.get("time")
    if column is None or not column.texts:
        return np.full(len(rows.baskets), np.datetime64("NaT", "us"))
    try:
        texts = pd.to_datetime(pd.Series(column.texts), format="ISO8601", utc=True)
    except (ValueError, OverflowError) as error:
        # Only what is wrong with the moment: the rest is advice to programmers.
        fault = str(error).partition(". You might")[0].partition("\n")[0]
        raise UnreadableFile(f"the column time holds what is no moment: {fault}") from error
    return _looked_up(
        column, texts.dt.tz_localize(None).to_numpy("datetime64[us]"), np.datetime64("NaT", "us")
    )


def _values(rows: BasketRows) -> Int64s | None:
    """Return each row's value in hundredths, nothing said being nothing; None without such a column."""
    column = rows.others.get("value")
    if column is None or not column.texts:
        return None
    try:
        texts = np.array([float(text) for text in column.texts])
    except ValueError as error:
        raise UnreadableFile(f"the column value holds what is no number: {error}") from error
    if not np.isfinite(texts).all():
        raise UnreadableFile("the column value holds what is no number")
    if np.abs(texts).max() > LARGEST_VALUE:
        raise UnreadableFile(f"the column value holds more than {LARGEST_VALUE:,}, which no row is worth")
    # Whole numbers add up to the same sum in any order of rows.
    return np.asarray(_looked_up(column, np.rint(texts * 100).astype(np.int64), np.int64(0)))


def _looked_up(column: Column, values: Any, nothing: Any) -> Any:
    return np.append(values, nothing)[column.codes]


def _weeks(moments: "pd.Series[Any]") -> tuple[Int32s, int | None]:
    """Return each basket's week and how many there are; none where not every basket says its time."""
    if moments.empty or moments.isna().any():
        return np.zeros(len(moments), np.int32), None
    return weeks_of(moments.to_numpy("datetime64[us]"))


def weeks_of(moments: NDArray[np.datetime64]) -> tuple[Int32s, int]:
    """Return the week of each moment, whole weeks counted back from the last one, and how many there are."""
    if not len(moments):
        return np.zeros(0, np.int32), 0
    back = ((moments.max() - moments) // WEEK).astype(np.int64)
    weeks = int(back.max()) + 1
    return (weeks - 1 - back).astype(np.int32), weeks

"""Natural delistings: articles that a store sold every week and then no more, while the chain went on with them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from basket_analysis.assortment.store_baskets import Floats, Int64s, StoreBaskets
from basket_analysis.distinct import distinct

BEFORE, REGULAR, AFTER = 13, 8, 8
"""Weeks that tell what the buyers did, weeks in which an article sells regularly, and weeks without it."""

REGULAR_WEEKS = 6
"""Of `REGULAR` weeks an article sells in so many at least, the last one among them: weekly, but for chance."""

MIN_BUYERS = 3
"""Households that bought the article: the end of one household's visits is no delisting."""

MOST_OFTEN = 16
"""Occasions of the category from which on a household simply comes often."""

GOES_ON = 0.5
"""Share of its former rate at which chain, or store, goes on."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Stop:
    """
    Regular articles and the buyers of their category in the store, as parallel arrays of household and event.

    `gone` is per event: whether the article was sold no more, or (the comparison) went on. Per household:
    `event`, `occasions` of the category in the `BEFORE` weeks, `without` the article among them, `spent` on the
    category in those weeks, `own` on the article, `kept` whether it bought the category in the `AFTER` weeks,
    and what it `spent_after`.
    """

    gone: Bools
    store: Int64s
    event: Int64s
    occasions: Int64s
    without: Int64s
    spent: Floats
    own: Floats
    kept: Bools
    spent_after: Floats


def natural_delistings(table: StoreBaskets) -> Stop:
    """
    Return the natural delistings of a chain's past, and regular articles that went on to compare them with.

    Only buyers of the category of the article count, in weeks in which the store itself went on. Needs
    weeks and households; without categories the type stands for them.
    """
    kind_of = table.category_of if (table.category_of >= 0).any() else table.type_of
    weeks = table.weeks or 0
    if weeks < BEFORE + AFTER:
        return _joined([])
    sold = _sales(table, kind_of)
    rates = _Rates(sold, table, weeks)
    found = [
        _events(sold, candidates, week)
        for week in range(BEFORE, weeks - AFTER + 1)
        if len(candidates := rates.regular(week))
    ]
    return _joined([stop for stop in found if len(stop.gone)])


def _sales(table: StoreBaskets, kind_of: NDArray[np.int32]) -> pd.DataFrame:
    known = (table.household >= 0)[table.basket] & (kind_of >= 0)[table.item]
    if table.value is not None:
        known &= table.value > 0
    week = _narrow(table.week, table.weeks or 0)
    lines = np.flatnonzero(known)
    lines = lines[np.argsort(week[table.basket[lines]], kind="stable")]
    basket, item = table.basket[lines], table.item[lines]
    values = np.ones(len(lines)) if table.value is None else table.value[lines] / 100
    columns = {
        "store": _narrow(table.store, len(table.stores))[basket],
        "item": item,
        "kind": _narrow(np.maximum(kind_of, 0), int(kind_of.max(initial=0)))[item],
        "household": table.household[basket],
        "week": week[basket],
        "basket": basket,
        "value": values,
    }
    # What is made for this frame alone need not be copied into it.
    return pd.DataFrame(columns, copy=False)


def _narrow(numbers: NDArray[np.int32], highest: int) -> NDArray[np.integer]:
    """Return `numbers`, none below zero, in the least type that holds `highest`: there is one per line."""
    return numbers.astype(np.min_scalar_type(highest))


class _Rates:
    """Which articles sell regularly in which stores, week by week."""

    def __init__(self, sold: pd.DataFrame, table: StoreBaskets, weeks: int) -> None:
        items = max(1, len(table.items))
        cells = sold["store"].to_numpy(np.int64) * items + sold["item"].to_numpy()
        cells, counts = np.unique(cells * weeks + sold["week"].to_numpy(), return_counts=True)
        pair, week = np.divmod(cells, weeks)
        pairs, number, total = np.unique(pair, return_inverse=True, return_counts=True)
        # Pairs with fewer sales than regular weeks can never be regular: most of them.
        often = total >= REGULAR_WEEKS
        kept = often[number]
        place = np.cumsum(often) - 1
        sales = np.zeros((int(often.sum()), weeks + 1), np.float32)
        sales[place[number[kept]], week[kept] + 1] = counts[kept]
        self.pairs = pd.DataFrame({"store": pairs[often] // items, "item": pairs[often] % items})
        self._sold_in = np.cumsum(sales > 0, axis=1, dtype=np.int16)
        self._own = np.cumsum(sales, axis=1)
        chain = np.zeros((len(table.items), weeks + 1), np.float32)
        np.add.at(chain, (pair % items, week + 1), counts)
        self._chain = np.cumsum(chain, axis=1)
        visits = np.zeros((len(table.stores), weeks + 1))
        np.add.at(visits, (table.store, table.week + 1), 1)
        self._visits = np.cumsum(visits, axis=1)

    def regular(self, week: int) -> pd.DataFrame:
        """Return the pairs of store and item that sold regularly until `week`, and whether they were `gone` then."""
        stores, items = self.pairs["store"].to_numpy(), self.pairs["item"].to_numpy()
        regular = self._sold_in[:, week] - self._sold_in[:, week - REGULAR] >= REGULAR_WEEKS
        regular &= self._sold_in[:, week] > self._sold_in[:, week - 1]
        own = self._own[:, week + AFTER] - self._own[:, week]
        others = self._chain[items, week + AFTER] - self._chain[items, week] - own
        others_before = self._chain[items, week] - self._chain[items, week - REGULAR]
        others_before = others_before - (self._own[:, week] - self._own[:, week - REGULAR])
        goes_on = (others >= GOES_ON * others_before) & (others >= AFTER)
        visits = self._visits[stores, week + AFTER] - self._visits[stores, week]
        visited = self._visits[stores, week] - self._visits[stores, week - REGULAR]
        goes_on &= visits >= GOES_ON * visited
        kept = regular & goes_on
        found: pd.DataFrame = self.pairs[kept].assign(gone=own[kept] == 0)
        return found


def _events(sold: pd.DataFrame, candidates: pd.DataFrame, week: int) -> Stop:
    """Return what the buyers did around `week`; a regular article that went on stands for its category once."""
    weeks = sold["week"].to_numpy()
    first, now, end = np.searchsorted(weeks, np.array([week - BEFORE, week, week + AFTER], weeks.dtype))
    before, after = sold.iloc[first:now], sold.iloc[now:end]
    kinds = before.drop_duplicates("item").set_index("item")["kind"]
    events = candidates.assign(kind=candidates["item"].map(kinds), event=np.arange(len(candidates)))
    own = before.merge(events[["store", "item", "event"]], on=["store", "item"])
    own = own.groupby(["event", "household"], sort=True).agg(bought=("basket", "size"), own=("value", "sum"))
    enough = own.groupby("event").size()
    events = events[events["event"].isin(enough[enough >= MIN_BUYERS].index)]
    cells = before[_among(before, events)]
    keys = ["store", "kind", "household"]
    told = cells.groupby(keys, sort=True).agg(occasions=("basket", "nunique"), spent=("value", "sum"))
    later = after[_among(after, events)].groupby(keys)["value"].sum().rename("spent_after")
    told = told.join(later).reset_index()
    rows = events.merge(told, on=["store", "kind"]).join(own, on=["event", "household"])
    rows = rows.sort_values(["event", "household"], kind="stable")
    number, event = np.unique(rows["event"].to_numpy(), return_inverse=True)
    of = events.set_index("event").loc[number]
    bought = rows["bought"].fillna(0).to_numpy(np.int64)
    return Stop(
        gone=of["gone"].to_numpy(np.bool_),
        store=of["store"].to_numpy(np.int64),
        event=event.astype(np.int64),
        occasions=rows["occasions"].to_numpy(np.int64),
        without=rows["occasions"].to_numpy(np.int64) - bought,
        spent=rows["spent"].to_numpy(np.float64),
        own=rows["own"].fillna(0.0).to_numpy(np.float64),
        kept=rows["spent_after"].notna().to_numpy(np.bool_),
        spent_after=rows["spent_after"].fillna(0.0).to_numpy(np.float64),
    )


def _among(lines: pd.DataFrame, events: pd.DataFrame) -> Bools:
    """Return which lines are of a store and category of an event."""
    width = int(lines["kind"].max()) + 2 if len(lines) else 1
    wanted = distinct(events["store"].to_numpy(np.int64) * width + events["kind"].to_numpy(np.int64))
    return np.isin(lines["store"].to_numpy(np.int64) * width + lines["kind"].to_numpy(np.int64), wanted)


def _joined(stops: list[Stop]) -> Stop:
    offsets = np.cumsum([0, *(len(stop.gone) for stop in stops)])

    def column(name: str, kind: type) -> NDArray[np.generic]:
        parts = [getattr(stop, name) for stop in stops]
        return np.concatenate(parts) if parts else np.zeros(0, kind)

    return Stop(
        **{name: column(name, bool) for name in ("gone", "kept")},  # type: ignore[arg-type]
        **{name: column(name, int) for name in ("store", "occasions", "without")},  # type: ignore[arg-type]
        **{name: column(name, float) for name in ("spent", "own", "spent_after")},  # type: ignore[arg-type]
        event=np.concatenate([stop.event + offset for stop, offset in zip(stops, offsets, strict=False)])
        if stops
        else np.zeros(0, np.int64),
    )

"""What a listing candidate would bring: from the stores that sell it, for the weeks in which they did."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from basket_analysis.assortment.listing_intervals import chance_of_none, value_of_sales
from basket_analysis.assortment.store_baskets import Floats, Int64s, StoreBaskets

SHORTEST_STOCKED = 8
"""Weeks that an item counts as stocked at least: a single good week is not a rate."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The `weeks` over which a mean per week is taken, and the share of them for which the item is there to be sold."""

    weeks: int = 13
    on_sale: float = 1.0


QUARTER = Stretch()
"""What an item brings over the quarter after it was listed."""


@dataclass(frozen=True, slots=True)
class Worth:
    """
    Value per week in the file's unit; `low` to `high` is an 80 % interval of the mean over a stretch of weeks, given that
    anything is sold in it; `unsold` is the chance that nothing is.

    `rate` is what stores with the item take for it in a thousand baskets, `caught` the share of that which
    would come from articles of its type here.
    """

    per_week: int
    low: int
    high: int
    rate: float
    caught: float
    unsold: float


class ListingValues:
    """
    Values per week of items in stores that have never sold them.

    An item's rate is what all stores with it took for it, over the baskets they had while they had it:
    between its first and last sale there. Its gain in a store is that rate times the store's baskets
    per week, less what it would take from items of its type that the store sells. The interval is of sales, whose number
    varies by chance and as the rate does between stores, and whose values vary as they do in the chain.
    """

    def __init__(self, table: StoreBaskets) -> None:
        assert table.weeks is not None
        assert table.value is not None
        self._table = table
        self._weeks = table.weeks
        self._rates = _rates(table)

    def of(self, store: int, items: Int64s, stretch: Stretch = QUARTER) -> list[Worth]:
        """Return what each of `items` would bring to `store`, on the mean of the weeks of `stretch`."""
        rates = self._rates.reindex(items)
        weekly = self._table.per_store[store] / self._weeks
        caught = np.where(self._competes(store, items), self._transfer[items], 0.0)
        gain = rates["rate"].to_numpy() * weekly * (1 - caught) * stretch.on_sale
        per_sale = rates["per_sale"].to_numpy()
        # What is given away, or taken back more than sold, has no sales to count in.
        sells = (per_sale > 0) & (gain >= 0)
        low, high, unsold = (np.zeros(len(items)) for _ in range(3))
        sales = gain[sells] * stretch.weeks / per_sale[sells]
        dispersion = rates["dispersion"].to_numpy()[sells]
        low[sells], high[sells] = (
            bound * per_sale[sells] / stretch.weeks
            for bound in value_of_sales(sales, dispersion, rates["variation"].to_numpy()[sells])
        )
        unsold[sells] = chance_of_none(sales, dispersion)
        rate = rates["rate"].to_numpy() * 1000
        columns = (gain, low, high, rate, caught, unsold)
        return [_worth(*map(float, row)) for row in zip(*columns, strict=True)]

    def _competes(self, store: int, items: Int64s) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Return which of `items` the store sells others of the type of."""
        types = self._table.type_of
        sold = types[self._table.by_store[store].indices]
        return np.isin(types[items], sold[sold >= 0])

    @cached_property
    def _transfer(self) -> Floats:
        """
        Per item, the share of its buyers' baskets with its type that do without it; 0 without type or households.

        What a household buys of the type besides is what it buys already, and would buy less of.
        """
        table = self._table
        lines = pd.DataFrame(
            {
                "household": table.household[table.basket],
                "item": table.item,
                "basket": table.basket,
                "type": table.type_of[table.item],
            }
        )
        lines = lines[(lines["household"] >= 0) & (lines["type"] >= 0)]
        occasions = (
            lines.drop_duplicates(["basket", "type"]).groupby(["household", "type"]).size().rename("all")
        )
        own = lines.groupby(["household", "type", "item"]).size().rename("own").reset_index()
        own = own.join(occasions, on=["household", "type"]).groupby("item")[["own", "all"]].sum()
        shares = 1 - own["own"] / own["all"]
        return shares.reindex(range(len(table.items)), fill_value=0.0).to_numpy(np.float64)


def _rates(table: StoreBaskets) -> pd.DataFrame:
    """
    Return by item its `rate` (value per basket of a store that has it), the `dispersion` of that between stores
    (variance over rate²), the mean value `per_sale` and its coefficient of `variation`.
    """
    assert table.weeks is not None
    assert table.value is not None
    lines = pd.DataFrame(
        {
            "item": table.item,
            "store": table.store[table.basket],
            "week": table.week[table.basket],
            "value": table.value / 100,
        }
    )
    lines["squared"] = lines["value"] ** 2
    here = lines.groupby(["item", "store"], sort=True).agg(
        value=("value", "sum"),
        squared=("squared", "sum"),
        sales=("value", "size"),
        first=("week", "min"),
        last=("week", "max"),
    )
    here = here.reset_index()
    stocked = np.minimum(np.maximum(here["last"] - here["first"] + 1, SHORTEST_STOCKED), table.weeks)
    here["exposure"] = table.per_store[here["store"].to_numpy()] / table.weeks * stocked
    here["square"] = here["value"] ** 2 / here["exposure"]
    sums = here.groupby("item", sort=True).agg(
        value=("value", "sum"), sales=("sales", "sum"), exposure=("exposure", "sum"), square=("square", "sum"),
        stores=("store", "size"), squared=("squared", "sum"),
    )  # fmt: skip
    rate = sums["value"] / sums["exposure"]
    per_sale = sums["value"] / sums["sales"]
    squared = sums["squared"] / sums["sales"]
    # Variance between stores, weighted by exposure, without what chance sales alone make of equal stores (method of moments,
    # DerSimonian and Laird 1986); one store alone says nothing of it.
    chance = squared * sums["sales"] * (sums["stores"] - 1) / sums["exposure"] ** 2
    between = (sums["square"] / sums["exposure"] - rate**2 - chance).clip(lower=0)
    spread = between * (1 + 1 / sums["stores"]) + rate**2 / sums["sales"]
    deviation = np.sqrt((squared - per_sale**2).clip(lower=0))
    return pd.DataFrame(
        {
            "rate": rate,
            "dispersion": (spread / rate**2).where(rate > 0, 0.0),
            "per_sale": per_sale,
            "variation": (deviation / per_sale).where(per_sale > 0, 0.0),
        }
    )


def _worth(value: float, low: float, high: float, *more: float) -> Worth:
    """Return an interval of whole units that holds `value`, with `more` of it as it is."""
    middle = round(value)
    return Worth(middle, min(middle, round(low)), max(middle, round(high)), *more)

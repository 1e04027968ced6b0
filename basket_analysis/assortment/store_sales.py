"""What cards say of articles in stores: rate, households, substitutes' catch and halo, each by household."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from basket_analysis.mining.strata import stratum_of

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

PRIOR_BASKETS = 2.0
"""How many baskets' worth of the type's mean stand behind one household's own record."""


@dataclass(frozen=True)
class SalesTable:
    """
    Lines of identified sale baskets within a window of whole weeks, as parallel arrays.

    `basket`, `article` and `value` (minor units) are per line; a pair (basket, article) stands once.
    `store`, `household` and `week` (0 is the oldest) are per basket; `type_of` is per article, -1 for none.
    """

    basket: Int32s
    article: Int32s
    value: Int64s
    store: Int32s
    household: Int32s
    week: Int32s
    type_of: Int32s
    stores: int
    weeks: int

    @cached_property
    def sizes(self) -> Int64s:
        """Distinct articles per basket."""
        return np.bincount(self.basket, minlength=len(self.store)).astype(np.int64)

    @cached_property
    def totals(self) -> Floats:
        """Value per basket."""
        totals = np.bincount(self.basket, weights=self.value.astype(np.float64), minlength=len(self.store))
        return totals.astype(np.float64)

    @cached_property
    def baskets_per_store(self) -> Int64s:
        """Identified baskets per store."""
        return np.bincount(self.store, minlength=self.stores).astype(np.int64)

    @cached_property
    def halo(self) -> Floats:
        """
        Per line: what the rest of its basket is worth beyond the usual rest of a basket of that size.

        The usual rest is the mean over the baskets of the size stratum of their value without one
        article taken at random; without this, big baskets would credit everything in them.
        """
        strata = stratum_of(self.sizes)
        usual = self.totals * (self.sizes - 1) / np.maximum(self.sizes, 1)
        counts = np.bincount(strata)
        means = np.bincount(strata, weights=usual) / np.maximum(counts, 1)
        return self.totals[self.basket] - self.value - means[strata[self.basket]]


def article_statistics(table: SalesTable) -> pd.DataFrame:
    """
    Return what each article means to each store, one row per (store, article) sold there.

    Columns: `revenue`, `own_loss` and `halo_loss` are minor units per week (the losses after what
    substitutes catch), `error` is the standard error of the loss over households, `transfer` the share
    caught, `halo` minor units per basket and `halo_error` how unsure that is, `baskets`, `households`, `exclusive` (households that bought no
    other article of the type), `first_week`, `last_week`.
    """
    lines = pd.DataFrame(
        {
            "store": table.store[table.basket],
            "article": table.article,
            "household": table.household[table.basket],
            "week": table.week[table.basket],
            "value": table.value,
            "halo": table.halo,
        }
    )
    lines["type"] = table.type_of[table.article]
    lines["basket"] = table.basket
    by_household = (
        lines.groupby(["store", "article", "household"], sort=True)
        .agg(
            value=("value", "sum"),
            baskets=("basket", "size"),
            first_week=("week", "min"),
            last_week=("week", "max"),
            type=("type", "first"),
        )
        .reset_index()
    )
    by_household["transfer"], by_household["exclusive"] = _transfer(lines, by_household)
    return _by_article(by_household, _halos(lines), table.weeks)


def _halos(lines: pd.DataFrame) -> pd.DataFrame:
    """
    Return the halo per basket of each (store, article), and its standard error.

    The mean over few baskets is mostly chance, and to cut it off below nothing would count the lucky half of
    that chance: it is drawn towards nothing by as much of its variance as single baskets explain (empirical Bayes).
    """
    found = lines.groupby(["store", "article"], sort=True)["halo"].agg(["mean", "size"])
    means, sizes = found["mean"].to_numpy(), found["size"].to_numpy(np.float64)
    total, pairs = sizes.sum(), len(found)
    explained = float((sizes * means**2).sum())
    within = max(0.0, float((lines["halo"].to_numpy() ** 2).sum()) - explained) / max(1.0, total - pairs)
    apart = (explained - pairs * within) / max(1.0, total)
    between = max(apart, 0.0)
    chance = within / np.maximum(sizes, 1)
    kept = np.divide(between, between + chance, out=np.zeros(pairs), where=between + chance > 0)
    return pd.DataFrame(
        {"halo": np.maximum(means * kept, 0.0), "halo_error": np.sqrt(chance * kept)}, index=found.index
    )


def _transfer(lines: pd.DataFrame, by_household: pd.DataFrame) -> tuple[Floats, NDArray[np.bool_]]:
    """
    Return, per household and article of a store, the share of its buying that other articles would catch,
    and whether it bought no other article of the type there.

    Substitutes are of the same type and bought by the same household at other times: the share of
    its baskets with the type that do without this article. A household's own record is drawn
    towards the type's mean, since one or two baskets say little. Without a type nothing is caught.
    """
    typed = lines[lines["type"] >= 0]
    occasions = (
        typed.drop_duplicates(["store", "household", "type", "basket"])
        .groupby(["store", "household", "type"], sort=False)
        .size()
        .rename("occasions")
        .reset_index()
    )
    joined = by_household[["store", "household", "type", "baskets"]].merge(
        occasions, how="left", on=["store", "household", "type"]
    )
    occasions_of = joined["occasions"].fillna(joined["baskets"])
    without = (occasions_of - joined["baskets"]).clip(lower=0)
    sums = (
        pd.DataFrame({"type": joined["type"], "without": without, "of": occasions_of}).groupby("type").sum()
    )
    mean = joined["type"].map(sums["without"] / sums["of"]).fillna(0.0)
    shrunk = (without + PRIOR_BASKETS * mean) / (occasions_of + PRIOR_BASKETS)
    caught = shrunk.where(joined["type"] >= 0, 0.0).to_numpy(dtype=np.float64)
    return caught, (without == 0).to_numpy(dtype=np.bool_)


def _by_article(by_household: pd.DataFrame, halos: pd.DataFrame, weeks: int) -> pd.DataFrame:
    keys = ["store", "article"]
    by_household = by_household.join(halos, on=keys)
    kept = (1 - by_household["transfer"]) / weeks
    by_household["own_loss"] = by_household["value"] * kept
    by_household["halo_loss"] = by_household["halo"] * by_household["baskets"] * kept
    by_household["square"] = (by_household["own_loss"] + by_household["halo_loss"]) ** 2
    by_household["caught"] = by_household["value"] * by_household["transfer"]
    grouped = by_household.groupby(keys, sort=True)
    statistics = grouped.agg(
        value=("value", "sum"),
        caught=("caught", "sum"),
        own_loss=("own_loss", "sum"),
        halo_loss=("halo_loss", "sum"),
        square=("square", "sum"),
        halo=("halo", "first"),
        halo_error=("halo_error", "first"),
        baskets=("baskets", "sum"),
        households=("household", "size"),
        exclusive=("exclusive", "sum"),
        first_week=("first_week", "min"),
        last_week=("last_week", "max"),
    )
    statistics["revenue"] = statistics["value"] / weeks
    statistics["transfer"] = (statistics["caught"] / statistics["value"]).where(statistics["value"] > 0, 0.0)
    # The sum of squares over households is the variance of a Poisson bootstrap over them.
    statistics["error"] = np.sqrt(statistics["square"])
    return statistics.drop(columns=["value", "caught", "square"]).reset_index()

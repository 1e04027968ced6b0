"""What articles are to a store and to the chain: rate of sale, buyers, repeat, what takes their place."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from basket_analysis.assortment.store_sales import Int32s, Int64s, SalesTable, article_statistics
from basket_analysis.distinct import distinct

SELDOM_TOGETHER = 0.2
"""Of an article's baskets at most so many hold a substitute of it too; what is bought together is no substitute."""


@dataclass(frozen=True, slots=True)
class ArticleFloors:
    """Below how many households nothing is said, in a store and in the chain."""

    in_store: int = 10
    in_chain: int = 30


def store_articles(table: SalesTable, floors: ArticleFloors | None = None) -> pd.DataFrame:
    """
    Return a row per (store, article) that enough households bought there.

    Columns: `store`, `article`, `revenue` and `halo_per_week` (minor units a week), `baskets`, `households`,
    `repeat` and `exclusive` (households that bought it twice or more; that bought nothing else of its type),
    `transfer` (share that others of its type would catch), `stocked` (weeks from the first to the last sale).
    """
    least = (floors or ArticleFloors()).in_store
    statistics = article_statistics(table)
    statistics = statistics.assign(repeat=_repeat(table, statistics))
    kept = statistics[statistics["households"] >= least]
    return kept.assign(
        stocked=kept["last_week"] - kept["first_week"] + 1,
        halo_per_week=kept["halo"] * kept["baskets"] / table.weeks,
    )[
        [
            "store", "article", "revenue", "halo_per_week", "baskets", "households", "repeat", "exclusive",
            "transfer", "stocked",
        ]
    ].reset_index(drop=True)  # fmt: skip


def chain_articles(table: SalesTable, floors: ArticleFloors | None = None) -> pd.DataFrame:
    """
    Return a row per article that enough households of the chain bought.

    Columns: `article`, `baskets`, `households`, `repeat`, `exclusive`, `transfer` as in a store; `stores` that
    sell it, `store_baskets` and `store_households` all baskets and households of each of those stores,
    `buyers` the households that bought it, counted in each store; `substitute` (article, -1 for none)
    and `substitute_households`, the households that buy both, seldom in one basket.
    """
    floors = floors or ArticleFloors()
    whole = replace(table, store=np.zeros(len(table.store), np.int32), stores=1)
    statistics = article_statistics(whole)
    statistics = statistics.assign(repeat=_repeat(whole, statistics))
    kept = statistics[statistics["households"] >= floors.in_chain].reset_index(drop=True)
    reach = _reach(table)
    chosen = kept["article"].to_numpy()
    substitute, shared = _substitutes(table, chosen, floors.in_store)
    return kept.assign(
        **{name: counts[chosen] for name, counts in reach.items()},
        substitute=substitute,
        substitute_households=shared,
    )[
        [
            "article", "baskets", "households", "repeat", "exclusive", "transfer", "stores", "store_baskets",
            "store_households", "buyers", "substitute", "substitute_households",
        ]
    ]  # fmt: skip


def _reach(table: SalesTable) -> dict[str, Int64s]:
    """Return for each article how many stores sell it, their baskets and households, and its buyers in each."""
    articles, people = max(1, len(table.type_of)), int(table.household.max(initial=0)) + 1
    store = table.store.astype(np.int64)
    shoppers = distinct(store * people + table.household)
    households = np.bincount(shoppers // people, minlength=table.stores)
    bought = distinct(
        (store[table.basket] * articles + table.article) * people + table.household[table.basket]
    )
    sold, buyers = np.unique(bought // people, return_counts=True)
    place, article = np.divmod(sold, articles)
    weights = {
        "stores": np.ones(len(sold)),
        "store_baskets": table.baskets_per_store[place],
        "store_households": households[place],
        "buyers": buyers,
    }
    return {
        name: np.bincount(article, weights=counts, minlength=articles).astype(np.int64)
        for name, counts in weights.items()
    }


def _repeat(table: SalesTable, statistics: pd.DataFrame) -> Int64s:
    """Return for each row of `statistics` how many households have two baskets or more with the article there."""
    articles, people = max(1, len(table.type_of)), int(table.household.max(initial=0)) + 1
    place = table.store[table.basket].astype(np.int64) * articles + table.article
    bought, times = np.unique(place * people + table.household[table.basket], return_counts=True)
    again, households = np.unique(bought[times > 1] // people, return_counts=True)
    wanted = statistics["store"].to_numpy().astype(np.int64) * articles + statistics["article"].to_numpy()
    at = np.searchsorted(again, wanted)
    found = np.zeros(len(wanted), np.int64)
    inside = at < len(again)
    hit = np.zeros(len(wanted), np.bool_)
    hit[inside] = again[at[inside]] == wanted[inside]
    found[hit] = households[at[hit]]
    return found


def _substitutes(table: SalesTable, articles: Int64s, least: int) -> tuple[Int64s, Int64s]:
    """Return for each article the one of its type that most of its households buy too, seldom in one basket."""
    substitute, shared = np.full(len(articles), -1, np.int64), np.zeros(len(articles), np.int64)
    lines = np.isin(table.article, articles)
    column = np.searchsorted(articles, table.article[lines])
    households = _incidence(table.household[table.basket[lines]], column, len(articles))
    baskets = _incidence(table.basket[lines], column, len(articles))
    types = table.type_of[articles]
    for kind in distinct(types[types >= 0]).tolist():
        own = np.flatnonzero(types == kind)
        if len(own) < 2:
            continue
        buyers = (households[:, own].T @ households[:, own]).toarray().astype(np.int64)
        together = (baskets[:, own].T @ baskets[:, own]).toarray()
        seldom = together <= SELDOM_TOGETHER * np.maximum(np.diag(together)[:, None], 1)
        np.fill_diagonal(seldom, val=False)
        both = np.where(seldom & (buyers >= least), buyers, 0)
        best = both.argmax(axis=1)
        most = both[np.arange(len(own)), best]
        shared[own] = most
        substitute[own] = np.where(most > 0, articles[own[best]], -1)
    return substitute, shared


def _incidence(rows: Int32s, columns: Int64s, width: int) -> Any:
    """Return which row holds which column, as a sparse matrix of ones."""
    from scipy.sparse import csc_matrix  # noqa: PLC0415 - slow to import, needed by the night only

    cells = distinct(rows.astype(np.int64) * max(1, width) + columns)
    row, column = np.divmod(cells, max(1, width))
    height = int(rows.max(initial=-1)) + 1
    return csc_matrix((np.ones(len(cells), np.int32), (row, column)), shape=(height, width))

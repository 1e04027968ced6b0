"""The night's comparison of stores: what managers read about their own store, kept with the run."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from basket_analysis.analysis_runs import add_timing, is_completed, read_pairs, run_under_way
from basket_analysis.assortment.store_articles import chain_articles, store_articles
from basket_analysis.assortment.store_comparison import StoreComparison
from basket_analysis.assortment.store_rules import StoreRules
from basket_analysis.assortment.store_sales import Int32s, SalesTable
from basket_analysis.assortment.suggestions import AssortmentSettings
from basket_analysis.models import CategoryProfile, ServedRun, StoreCategory, StoreProfile
from basket_analysis.reading import SoldLines
from basket_analysis.year_sold import year_sold
from core.jobs import Shift
from customers.memberships import group_of_members
from sales.models import Store

ARTICLES_SHOWN = 100
"""So many articles of a category are kept, those that most households of the chain buy."""


def compare_stores(shift: Shift) -> Mapping[str, Any]:
    """Hold every store with enough baskets of enough households against the others: groups, categories, articles, rules."""
    began = time.monotonic()
    with shift.sessions.begin() as session:
        if is_completed(session, business_day=shift.business_day):
            return {"served_before": True}
        run_id = run_under_way(session, business_day=shift.business_day).run_id
        sold = year_sold(shift, session)
        groups = group_of_members(session, run_id=run_id)
        pairs = read_pairs(session, run_id=run_id, level="category")
        currencies = {
            row.store_id: row.currency for row in session.execute(select(Store.store_id, Store.currency))
        }
    shift.report(1, 4)
    night = _Night(sold, groups, pairs, currencies)
    shift.report(2, 4)
    stores, categories = night.stores(run_id)
    shift.report(3, 4)
    chain = list(night.chain(run_id))
    with shift.sessions.begin() as session:
        _store(session, run_id, {StoreProfile: stores, StoreCategory: categories, CategoryProfile: chain})
        add_timing(session, run_id=run_id, step="compare_stores", seconds=time.monotonic() - began)
    shift.report(4, 4)
    return {"stores": len(stores), "categories": len(chain)}


class _Night:
    """One night's sales, with names for what the arrays count."""

    def __init__(
        self,
        sold: SoldLines,
        groups: Mapping[UUID, str],
        pairs: list[tuple[str, str]],
        currencies: Mapping[int, str],
    ) -> None:
        self._sold, self._table = sold, sold.sales_table()
        self._names = sorted({a.category for a in sold.articles if a.category is not None and a.merchandise})
        place = {name: number for number, name in enumerate(self._names)}
        self._category_of = np.array(
            [place.get(a.category or "", -1) if a.merchandise else -1 for a in sold.articles], np.int32
        )
        self._groups = sorted(set(groups.values()))
        number = {group: at for at, group in enumerate(self._groups)}
        group_of = np.array([number.get(groups.get(member, ""), -1) for member in sold.members], np.int32)
        used = sorted(set(currencies.values()))
        currency_of = np.array(
            [used.index(currencies[store]) for store in sold.stores.tolist()] or [0], np.int32
        )
        self._comparison = _compared(self._table, self._category_of, group_of, currency_of)
        self._pairs = [(first, second) for first, second in pairs if first in place and second in place]
        self._rules = StoreRules().fit(
            self._table, self._category_of, [(place[first], place[second]) for first, second in self._pairs]
        )
        self._weeks = self._table.weeks

    def stores(self, run_id: UUID) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return a row per store with enough baskets of enough people, and one per category it sells to enough."""
        articles = store_articles(self._table)
        per_store = dict(iter(articles.groupby("store")))
        enough = self._table.baskets_per_store >= AssortmentSettings().min_store_baskets
        stores: list[dict[str, Any]] = []
        categories: list[dict[str, Any]] = []
        for store in np.flatnonzero(enough).tolist():
            if self._comparison.households(store) < _LEAST:
                continue
            key = {"run_id": run_id, "store_id": int(self._sold.stores[store])}
            figures = [
                {**asdict(one), "category": self._names[one.category]}
                for one in self._comparison.categories(store)
            ]
            sold_here = self._articles_here(per_store.get(store))
            stores.append(key | {"figures": self._profile(store, figures)})
            categories += [
                {
                    **key,
                    "category": one["category"],
                    "figures": one | {"articles": sold_here.get(one["category"], [])},
                }
                for one in figures
            ]
        return stores, categories

    def _profile(self, store: int, categories: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "weeks": self._weeks,
            "baskets": int(self._table.baskets_per_store[store]),
            "households": self._comparison.households(store),
            "revenue": self._comparison.revenue(store),
            "groups": [
                {**asdict(one), "group": self._groups[one.group]} for one in self._comparison.groups(store)
            ],
            "categories": categories,
            "rules_tested": self._rules.tested_[store],
            "rules": [
                {
                    **asdict(one),
                    "antecedent": self._pairs[one.rule][0],
                    "consequent": self._pairs[one.rule][1],
                }
                for one in self._rules.deviations_[store]
            ],
        }

    def _articles_here(self, rows: pd.DataFrame | None) -> dict[str, list[dict[str, Any]]]:
        """Return the articles that enough people buy in a store, by category."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in _records(rows):
            category = int(self._category_of[row["article"]])
            if category >= 0:
                found.setdefault(self._names[category], []).append(
                    {
                        "article_id": self._sold.articles[row["article"]].article_id,
                        "revenue": round(row["revenue"]),
                        "halo": round(row["halo_per_week"]),
                        "baskets": row["baskets"],
                        "households": row["households"],
                        "repeat": _shown(row["repeat"], row["households"]),
                        "exclusive": _shown(row["exclusive"], row["households"]),
                        "transfer": round(row["transfer"], 4),
                        "stocked": row["stocked"],
                    }
                )
        return found

    def chain(self, run_id: UUID) -> Iterator[dict[str, Any]]:
        """Yield a row per category with the articles that most households of the chain buy."""
        rows = chain_articles(self._table)
        rows = rows.assign(category=self._category_of[rows["article"].to_numpy()])
        everything = int(self._table.baskets_per_store.sum())
        for category in sorted(set(rows["category"].tolist()) - {-1}):
            of = rows[rows["category"] == category]
            most = of.sort_values(["households", "article"], ascending=[False, True]).head(ARTICLES_SHOWN)
            yield {
                "run_id": run_id,
                "category": self._names[category],
                "figures": {
                    "baskets": everything,
                    "households": len(self._sold.members),
                    "articles": [self._chain_article(row) for row in _records(most)],
                },
            }

    def _chain_article(self, row: dict[str, Any]) -> dict[str, Any]:
        other = row["substitute"]
        return {
            "article_id": self._sold.articles[row["article"]].article_id,
            "baskets": row["baskets"],
            "households": row["households"],
            "repeat": _shown(row["repeat"], row["households"]),
            "exclusive": _shown(row["exclusive"], row["households"]),
            "transfer": round(row["transfer"], 4),
            "stores": row["stores"],
            "store_baskets": row["store_baskets"],
            "store_households": row["store_households"],
            "buyers": row["buyers"],
            "substitute_id": None if other < 0 else self._sold.articles[other].article_id,
            "substitute_households": row["substitute_households"],
        }


_LEAST = AssortmentSettings().min_people


def _shown(people: int, of: int) -> int | None:
    """Return a count of people, None when it would show too few: them, or the rest of those that they are among."""
    return people if people >= _LEAST and not 0 < of - people < _LEAST else None


def _compared(
    table: SalesTable, category_of: Int32s, group_of: Int32s, currency_of: Int32s
) -> StoreComparison:
    return StoreComparison(min_people=_LEAST).fit(
        table, category_of=category_of, group_of=group_of, currency_of=currency_of
    )


def _records(rows: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return rows as Python's own numbers."""
    if rows is None:
        return []
    columns = {str(name): rows[name].tolist() for name in rows.columns}
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _store(session: Session, run_id: UUID, rows: Mapping[Any, list[dict[str, Any]]]) -> None:
    """Write what a run found about stores; of other runs only what is served now stays."""
    served = select(ServedRun.run_id)
    for table, found in rows.items():
        session.execute(delete(table).where(table.run_id.not_in(served) | (table.run_id == run_id)))
        if found:
            session.execute(insert(table), found)

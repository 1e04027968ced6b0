"""What the night suggests to stores: the last step of a run, which serves it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from basket_analysis.analysis_runs import (
    add_timing,
    is_completed,
    read_pairs,
    run_under_way,
    serve_run,
    store_suggestions,
)
from basket_analysis.assortment.listing_suggestions import ListingSuggestions
from basket_analysis.assortment.suggestions import Assortment, AssortmentSettings, Suggested
from basket_analysis.baskets import Int32s
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE
from basket_analysis.reading import SoldLines
from basket_analysis.year_sold import year_sold
from core.ids import uuid7
from core.jobs import Shift
from customers.memberships import group_of_members
from sales.models import Article

PLACE_PAIRS = 60


def suggest_assortment(shift: Shift) -> Mapping[str, Any]:
    """Suggest what each store may list, delist, keep and place together, and serve the whole run."""
    began = time.monotonic()
    with shift.sessions.begin() as session:
        if is_completed(session, business_day=shift.business_day):
            # Whoever served it died before the step could be noted as done.
            return {"served_before": True}
        run = run_under_way(session, business_day=shift.business_day)
        sold = year_sold(shift, session, last=True)
        names, group_of = _groups_of(session, run.run_id, sold.members)
        pairs = _pairs_to_place(session, run.run_id, sold)
        margins = _margins(session)
    baskets = sold.store_baskets()
    assortment = Assortment(AssortmentSettings()).fit(sold.sales_table(), group_of, everybody=baskets)
    listings = ListingSuggestions(assortment, baskets) if len(baskets.item) else None
    rows: list[dict[str, Any]] = []
    stores = np.flatnonzero(assortment.eligible_).tolist()
    for done, store in enumerate(stores, start=1):
        made = [*assortment.suggest(store), *assortment.place_together(store, pairs)]
        made += listings.suggest(store) if listings else []
        rows += [_row(suggested, sold, names, margins) for suggested in made]
        shift.report(done, len(stores))
    with shift.sessions.begin() as session:
        store_suggestions(session, run_id=run.run_id, rows=rows)
        add_timing(session, run_id=run.run_id, step="suggest_assortment", seconds=time.monotonic() - began)
        served = serve_run(session, run_id=run.run_id, now=shift.now)
    return {
        "stores": len(stores),
        "suggestions": len(rows),
        "learnt": bool(listings and listings.learnt),
        "served": served,
    }


def _groups_of(session: Session, run_id: UUID, members: tuple[UUID, ...]) -> tuple[list[str], Int32s]:
    """Return the ids of a run's themes, and for each of `members` the index of theirs, -1 for none."""
    from_run = group_of_members(session, run_id=run_id)
    names = sorted({group for group in from_run.values() if group not in {NO_THEME, TOO_LITTLE}})
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place.get(from_run.get(member, ""), -1) for member in members], np.int32)


def _pairs_to_place(session: Session, run_id: UUID, sold: SoldLines) -> list[tuple[int, int]]:
    """Return pairs of articles of different categories that baskets tie, the surest first, by index."""
    place = {article.sku: number for number, article in enumerate(sold.articles)}
    pairs: list[tuple[int, int]] = []
    for first, second in read_pairs(session, run_id=run_id, level="article"):
        one, other = place[first], place[second]
        if sold.articles[one].category != sold.articles[other].category:
            pairs.append((one, other))
    return pairs[:PLACE_PAIRS]


def _margins(session: Session) -> dict[int, float]:
    """Return by article which share of its price, tax included, is margin; only where cost and price are known."""
    rows = session.execute(
        select(Article.article_id, Article.price, Article.cost, Article.tax_rate).where(
            Article.cost.is_not(None), Article.price > 0
        )
    )
    return {
        row.article_id: float(1 / (1 + row.tax_rate / 100)) - row.cost / row.price
        for row in rows
        if row.price
    }


def _row(
    suggested: Suggested, sold: SoldLines, groups: Sequence[str], margins: Mapping[int, float]
) -> dict[str, Any]:
    row = asdict(suggested)
    article = sold.articles[row.pop("article")].article_id
    other = row.pop("other")
    other_id = None if other is None else sold.articles[other].article_id
    # What the money is about: the second article is what places together sell more of.
    margin = margins.get(other_id if suggested.kind == "place_together" and other_id else article)
    return {
        "suggestion_id": uuid7(),
        "store_id": int(sold.stores[row.pop("store")]),
        "article_id": article,
        "other_article_id": other_id,
        "group_id": None if (group := row.pop("group")) is None else groups[group],
        **row,
        "evidence": dict(_evidence(suggested, sold, groups, margin)),
    }


def _evidence(
    suggested: Suggested, sold: SoldLines, groups: Sequence[str], margin: float | None
) -> Iterator[tuple[str, Any]]:
    """Yield the evidence with ids in place of indexes, and the margin where the article's cost is known."""
    for name, value in suggested.evidence.items():
        if name == "substitutes":
            yield name, [{**one, "article": sold.articles[one["article"]].article_id} for one in value]
        elif name == "groups":
            yield name, [[groups[group], *rest] for group, *rest in value]
        else:
            yield name, value
    if margin is not None:
        own = suggested.evidence.get("own_per_week", suggested.value_per_week)
        yield "margin_per_week", round(own * margin)

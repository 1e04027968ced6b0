"""
What the night does with the baskets: rules, then groups, then suggestions.

The three steps fill one run; the last one serves it. Until then, and when a step fails,
everybody goes on reading the run before.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from importlib.metadata import version
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from basket_analysis.analysis_runs import (
    add_timing,
    begin_run,
    is_completed,
    read_pairs,
    read_served,
    run_under_way,
    serve_run,
    store_rules,
    store_suggestions,
)
from basket_analysis.assortment import Assortment, AssortmentSettings, Suggested
from basket_analysis.baskets import BasketTable, Int32s
from basket_analysis.group_jobs import find_themes, plan_themes
from basket_analysis.night_rules import (
    MAX_BASKET,
    THEME_LEVEL,
    WINDOW_WEEKS,
    evidence_document,
    pair_rules,
    read_and_count,
    rule_rows,
)
from basket_analysis.reading import SoldLines, read_sold_lines, weeks_before
from basket_analysis.theme_files import themes_document
from basket_analysis.themes import NO_THEME, TOO_LITTLE
from core.ids import uuid7
from core.jobs import Shift
from customers.memberships import group_of_members

PLACE_PAIRS = 60


def mine_rules(shift: Shift) -> Mapping[str, Any]:
    """Count the pairs of what is new, find the rules that are real and, once a week, the themes that they tie."""
    began = time.monotonic()
    with shift.sessions.begin() as session:
        served = read_served(session)
        plan = plan_themes(session, served, business_day=shift.business_day)
        sold, counts = read_and_count(session, business_day=shift.business_day, now=shift.now)
    counted = time.monotonic() - began
    shift.report(1, 4)
    table = counts.windows[THEME_LEVEL].table
    themes, kept, fitted_on = find_themes(table, plan, business_day=shift.business_day)
    shift.report(2, 4)
    rows = list(rule_rows(table, kept, themes, THEME_LEVEL))
    found = {THEME_LEVEL: len(kept)}
    for level, window in counts.windows.items():
        if level != THEME_LEVEL:
            pairs = pair_rules(window)
            rows += rule_rows(window.table, pairs, None, level)
            found[level] = len(pairs)
    shift.report(3, 4)
    inputs = _inputs(sold, table)
    parameters = {
        "themes": themes_document(themes),
        "fitted_on": fitted_on.isoformat(),
        "fitted_because": plan.why,
        "edits": plan.edits.cuts,
        "rules": evidence_document(),
        "window_weeks": WINDOW_WEEKS,
        "max_basket": MAX_BASKET,
    }
    work = {
        "days_counted": counts.days_counted,
        "days_left": counts.days_left,
        "recounted": dict(counts.recounted),
    }
    with shift.sessions.begin() as session:
        run_id = begin_run(
            session,
            business_day=shift.business_day,
            now=shift.now,
            version=version("regulars"),
            parameters=parameters,
            inputs={**inputs, **work},
        )
        store_rules(
            session, [{"run_id": run_id, "rule_number": number, **row} for number, row in enumerate(rows)]
        )
        add_timing(session, run_id=run_id, step="read_and_count", seconds=counted)
        add_timing(session, run_id=run_id, step="mine_rules", seconds=time.monotonic() - began)
    shift.report(4, 4)
    return {"rules": sum(found.values()), "rules_by_level": found, "themes": len(themes), **inputs, **work}


def suggest_assortment(shift: Shift) -> Mapping[str, Any]:
    """Suggest what each store may list, delist, keep and place together, and serve the whole run."""
    began = time.monotonic()
    with shift.sessions.begin() as session:
        if is_completed(session, business_day=shift.business_day):
            # Whoever served it died before the step could be noted as done.
            return {"served_before": True}
        run = run_under_way(session, business_day=shift.business_day)
        sold = _read(session, shift.business_day)
        names, group_of = _groups_of(session, run.run_id, sold.members)
        pairs = _pairs_to_place(session, run.run_id, sold)
    assortment = Assortment(AssortmentSettings()).fit(sold.sales_table(), group_of)
    rows: list[dict[str, Any]] = []
    stores = np.flatnonzero(assortment.eligible_).tolist()
    for done, store in enumerate(stores, start=1):
        made = [*assortment.suggest(store), *assortment.place_together(store, pairs)]
        rows += [_suggestion(suggested, sold, names) for suggested in made]
        shift.report(done, len(stores))
    with shift.sessions.begin() as session:
        store_suggestions(session, run_id=run.run_id, rows=rows)
        add_timing(session, run_id=run.run_id, step="suggest_assortment", seconds=time.monotonic() - began)
        served = serve_run(session, run_id=run.run_id, now=shift.now)
    return {"stores": len(stores), "suggestions": len(rows), "served": served}


def _read(session: Session, business_day: date) -> SoldLines:
    following = business_day + timedelta(days=1)
    return read_sold_lines(session, first_day=weeks_before(following, WINDOW_WEEKS), following_day=following)


def _inputs(sold: SoldLines, table: BasketTable) -> dict[str, Any]:
    cap = table.cap
    return {
        "first_day": sold.first_day.isoformat(),
        "last_day": (sold.following_day - timedelta(days=1)).isoformat(),
        "baskets": len(table),
        "lines": len(sold.basket),
        "members": len(sold.members),
        "categories": len(table.items),
        "baskets_cut": cap.baskets_cut if cap else 0,
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


def _suggestion(suggested: Suggested, sold: SoldLines, groups: list[str]) -> dict[str, Any]:
    row = asdict(suggested)
    return {
        "suggestion_id": uuid7(),
        "store_id": int(sold.stores[row.pop("store")]),
        "article_id": sold.articles[row.pop("article")].article_id,
        "other_article_id": None if (other := row.pop("other")) is None else sold.articles[other].article_id,
        "group_id": None if (group := row.pop("group")) is None else groups[group],
        **row,
    }

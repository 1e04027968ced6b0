"""
What the night does with the baskets: rules, then groups, then suggestions.

The three steps fill one run; the last one serves it. Until then, and when a step fails,
everybody goes on reading the run before.
"""

import time
from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from basket_analysis.analysis_runs import (
    add_timing,
    begin_run,
    read_served,
    store_rules,
)
from basket_analysis.baskets import BasketTable
from basket_analysis.groups.jobs import find_themes, plan_themes
from basket_analysis.groups.theme_files import themes_document
from basket_analysis.groups.theme_rules import KeptRules
from basket_analysis.groups.themes import Themes
from basket_analysis.mining.counted_days import Update
from basket_analysis.mining.level_counts import EPOCH
from basket_analysis.mining.night_rules import (
    MAX_BASKET,
    THEME_LEVEL,
    WINDOW_WEEKS,
    evidence_document,
    pair_rules,
    read_and_count,
    rule_rows,
    substitutes_of,
)
from basket_analysis.reading import SoldLines
from basket_analysis.year_sold import leave_year_sold
from core.jobs import Shift


def mine_rules(shift: Shift) -> Mapping[str, Any]:
    """Count the pairs of what is new, find the rules that are real and, once a week, the themes that they tie."""
    began = time.monotonic()
    with shift.sessions.begin() as session:
        served = read_served(session)
        plan = plan_themes(session, served, business_day=shift.business_day)
        sold, counts = read_and_count(session, business_day=shift.business_day, now=shift.now)
    leave_year_sold(shift, sold)
    counted = time.monotonic() - began
    shift.report(1, 4)
    table = counts.windows[THEME_LEVEL].table
    themes, kept, fitted_on = find_themes(table, plan, business_day=shift.business_day)
    shift.report(2, 4)
    rows, found, substitutes = _rows_of_rules(counts, sold, themes, kept)
    shift.report(3, 4)
    inputs = {
        **_inputs(sold, table),
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
            parameters={
                "themes": themes_document(themes),
                "fitted_on": fitted_on.isoformat(),
                "fitted_because": plan.why,
                "edits": plan.edits.followed,
                **_settings(sold),
            },
            inputs=inputs,
        )
        store_rules(
            session, [{"run_id": run_id, "rule_number": number, **row} for number, row in enumerate(rows)]
        )
        add_timing(session, run_id=run_id, step="read_and_count", seconds=counted)
        add_timing(session, run_id=run_id, step="mine_rules", seconds=time.monotonic() - began)
    shift.report(4, 4)
    return {
        "rules": sum(found.values()),
        "rules_by_level": found,
        "substitutes": substitutes,
        "themes": len(themes),
        **inputs,
    }


def _rows_of_rules(
    counts: Update, sold: SoldLines, themes: Themes, kept: KeptRules
) -> tuple[list[dict[str, Any]], dict[str, int], int]:
    """Return the rows of all levels, how many rules each has, and how many pairs are bought instead of each other."""
    rows = list(rule_rows(counts.windows[THEME_LEVEL].table, kept, themes, THEME_LEVEL))
    found, substitutes = {str(THEME_LEVEL): len(kept)}, 0
    for level, window in counts.windows.items():
        if level != THEME_LEVEL:
            pairs = pair_rules(window)
            instead = substitutes_of(window, sold)
            rows += [*rule_rows(window.table, pairs, None, level), *instead]
            found[level] = len(pairs)
            substitutes += len(instead)
    return rows, found, substitutes


def _settings(sold: SoldLines) -> dict[str, Any]:
    return {
        "rules": evidence_document(),
        "window_weeks": WINDOW_WEEKS,
        "max_basket": MAX_BASKET,
        "faded_over": _faded_over(sold),
    }


def _faded_over(sold: SoldLines) -> list[str] | None:
    """Return the first and the last day by which baskets are weighed, for who explains what came of them."""
    if not len(sold.day):
        return None
    return [(EPOCH + timedelta(days=int(day))).isoformat() for day in (sold.day.min(), sold.day.max())]


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

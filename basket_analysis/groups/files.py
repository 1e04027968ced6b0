"""Shopper groups from a file of baskets, without a database."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from basket_analysis.assortment.store_baskets import moments_of
from basket_analysis.basket_files import BasketRows, UnreadableFile, read_baskets
from basket_analysis.baskets import BasketTable
from basket_analysis.groups.fading import faded
from basket_analysis.groups.grouping import ThemeFinder
from basket_analysis.groups.scoring import HouseholdScorer, Place
from basket_analysis.groups.theme_files import read_groups, read_themes, write_places, write_themes
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE, Themes
from basket_analysis.mining.file_mining import as_table
from basket_analysis.result_files import keep_apart, refused_beside


def fit_groups(
    *, baskets: Path, themes: Path, out: Path, min_baskets: int, previous: Path | None
) -> dict[str, Any]:
    """Find the themes of a file and put its households into groups; return the run's record."""
    keep_apart([baskets], themes, out, refused=out)
    before = read_themes(previous, to_score=False) if previous else None
    rows = read_baskets(baskets, wanted=("household_id", "time"))
    table = _weighed(as_table(rows), rows)
    began = time.perf_counter()
    found = ThemeFinder(min_baskets=min_baskets).fit(table, before).themes_
    scorer = HouseholdScorer(found).fit(table)
    seconds = time.perf_counter() - began
    write_themes(themes, found)
    write_places(out, scorer.places_)
    rows.refusals.write(refused_beside(out))
    return {
        **_record(table, found, scorer.places_),
        "rows_read": rows.rows_read,
        "rows_refused": len(rows.refusals),
        "seconds": round(seconds, 6),
    }


def score_groups(*, baskets: Path, themes: Path, out: Path, previous: Path | None) -> dict[str, Any]:
    """Put the households of a file into the groups of known themes; return the run's record."""
    keep_apart([baskets, themes], out, refused=out)
    known = read_themes(themes)
    before = read_groups(previous) if previous else None
    rows = read_baskets(baskets, wanted=("household_id", "time"))
    table = _weighed(as_table(rows), rows)
    began = time.perf_counter()
    scorer = HouseholdScorer(known, previous=before).fit(table)
    seconds = time.perf_counter() - began
    write_places(out, scorer.places_)
    rows.refusals.write(refused_beside(out))
    return {
        **_record(table, known, scorer.places_),
        "rows_read": rows.rows_read,
        "rows_refused": len(rows.refusals),
        "seconds": round(seconds, 6),
    }


def _weighed(table: BasketTable, rows: BasketRows) -> BasketTable:
    """Return the table with its baskets faded by their days, where the file says a moment of every row."""
    try:
        moments = moments_of(rows)
    except UnreadableFile:
        # Groups are found without times as well, all baskets weighing the same.
        return table
    if not len(moments) or np.isnat(moments).any():
        return table
    day = np.full(rows.basket_count, np.iinfo(np.int32).max, np.int32)
    np.minimum.at(day, rows.baskets, moments.astype("datetime64[D]").astype(np.int32))
    return replace(table, weights=faded(day))


def _record(table: BasketTable, themes: Themes, places: tuple[Place, ...]) -> dict[str, Any]:
    sizes = dict.fromkeys([*(theme.id for theme in themes.groups), NO_THEME, TOO_LITTLE], 0)
    for place in places:
        sizes[place.group] += 1
    names = {theme.id: theme.name for theme in themes.groups}
    return {
        "baskets": len(table),
        "households": len(table.households),
        "groups": [
            {"id": group, "name": names.get(group), "households": count} for group, count in sizes.items()
        ],
    }

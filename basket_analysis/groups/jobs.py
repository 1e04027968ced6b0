"""The night's shopper groups: the themes to go by, tonight's group of every eligible member, and what is shown of them."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from basket_analysis.analysis_runs import (
    RunUnderWay,
    Served,
    add_parameters,
    add_timing,
    is_completed,
    read_served,
    run_under_way,
    store_groups,
)
from basket_analysis.baskets import BasketTable
from basket_analysis.groups.edit_lists import minimum_size, theme_edits
from basket_analysis.groups.edits import Edits, Pin
from basket_analysis.groups.grouping import ThemeFinder
from basket_analysis.groups.naming import names_of
from basket_analysis.groups.scoring import HouseholdScorer, Place
from basket_analysis.groups.theme_files import read_document
from basket_analysis.groups.theme_rules import Evidence, KeptRules, keep_rules
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE, Theme, Themes
from basket_analysis.mining.night_rules import MAX_BASKET, THEME_LEVEL
from basket_analysis.mining.strata import STRATA
from basket_analysis.models import AnalysisRun, RunQuality
from basket_analysis.year_sold import year_sold
from core.jobs import Shift
from customers.models import Member
from sales.models import Receipt

REFIT_DAYS = 7
"""Themes are found anew this often; between, members are scored against the themes they know."""

COLOURS = 12


@dataclass(frozen=True, slots=True)
class ThemePlan:
    """Whether the night finds themes anew or goes by those that are served, and what people want of them."""

    served: Themes | None
    fitted_on: date | None
    edits: Edits
    why: str | None
    """Why themes are found anew: first, unfit, old, edited, drifting or refused; None where they are not."""


def plan_themes(session: Session, served: Served | None, *, business_day: date) -> ThemePlan:
    """Return how the night of `business_day` comes by its themes, given what is `served`."""
    known = served.parameters.get("edits", []) if served else []
    edits = theme_edits(session, followed=known)
    if served is None:
        return ThemePlan(None, None, edits, "first")
    themes = read_document(served.parameters["themes"])
    fitted_on = date.fromisoformat(served.parameters["fitted_on"])
    if not len(themes) or not themes.can_score:
        why: str | None = "unfit"
    elif not 0 <= (business_day - fitted_on).days < REFIT_DAYS or served.version != version("regulars"):
        why = "old"
    elif themes.settings != ThemeFinder().settings:
        # Of a release that found or followed themes otherwise: by today's scoring its profiles say something else.
        why = "old"
    elif edits.cut_differs:
        why = "edited"
    else:
        why = _alarm(session, fitted_on, business_day)
    return ThemePlan(themes, fitted_on, edits, why)


def _alarm(session: Session, fitted_on: date, business_day: date) -> str | None:
    """Return what the newest run since the fit says against its themes, if anything."""
    verdict = session.scalar(
        select(RunQuality.verdict)
        .join(AnalysisRun, AnalysisRun.run_id == RunQuality.run_id)
        .where(
            AnalysisRun.business_day >= fitted_on,
            AnalysisRun.business_day < business_day,
            AnalysisRun.state.in_(("completed", "refused")),
        )
        .order_by(AnalysisRun.business_day.desc(), AnalysisRun.started_at.desc())
        .limit(1)
    )
    return verdict if verdict != "good" else None


def find_themes(table: BasketTable, plan: ThemePlan, *, business_day: date) -> tuple[Themes, KeptRules, date]:
    """Return the themes to score with, tonight's rules, and the day on which the themes were found."""
    if plan.why is None and plan.served is not None and plan.fitted_on is not None:
        themes = replace(plan.served, merged=plan.edits.merged)
        return themes, keep_rules(table, Evidence()), plan.fitted_on
    finder = ThemeFinder().fit(table, plan.served, plan.edits)
    return finder.themes_, finder.rules_, business_day


def form_groups(shift: Shift) -> Mapping[str, Any]:
    """Put every eligible member into exactly one group; who was in one stays unless another fits clearly better."""
    began = time.monotonic()
    with shift.sessions.begin() as session:
        if is_completed(session, business_day=shift.business_day):
            return {"served_before": True}
        run = run_under_way(session, business_day=shift.business_day)
        served = read_served(session)
        unbound = _unbound(session, run, served)
        sold = year_sold(shift, session)
        eligible = _eligible(session, shift.business_day)
        least = minimum_size(session)
    shift.report(1, 3)
    themes = read_document(run.parameters["themes"])
    table = sold.basket_table(THEME_LEVEL, max_basket=MAX_BASKET)
    before: Mapping[UUID, str] = served.groups if served else {}
    previous = {
        household: before[member]
        for household, member in zip(table.households, sold.members, strict=True)
        if member in before and before[member] not in unbound
    }
    places, folded = fold_small(HouseholdScorer(themes, previous=previous).fit(table).places_, least)
    shift.report(2, 3)
    members = [
        *(
            _membership(member, place)
            for member, place in zip(sold.members, places, strict=True)
            if member in eligible
        ),
        *(
            _membership(member, Place("", TOO_LITTLE, None, None, None, 0))
            for member in sorted(eligible.difference(sold.members))
        ),
    ]
    shown = [theme for theme in themes.groups if theme.id not in folded]
    groups = list(_group_rows(shown, members, served, chances(table, shown)))
    with shift.sessions.begin() as session:
        store_groups(session, run_id=run.run_id, groups=groups, members=members)
        add_parameters(session, run_id=run.run_id, parameters={"minimum_size": least})
        add_timing(session, run_id=run.run_id, step="form_groups", seconds=time.monotonic() - began)
    shift.report(3, 3)
    placed = sum(row["members"] for row in groups if row["kind"] == "theme")
    moved = sum(1 for row in members if before.get(row["member_id"], row["group_id"]) != row["group_id"])
    return {
        "members": len(members),
        "groups": len(shown),
        "folded": len(folded),
        "in_a_group": placed,
        "moved": moved,
    }


def _unbound(session: Session, run: RunUnderWay, served: Served | None) -> set[str]:
    """Return the served groups that an edit had shaped which was taken back since: nobody stays there out of habit."""
    followed = served.parameters.get("edits", []) if served else []
    undone = set(followed).difference(run.parameters.get("edits", []))
    if served is None or not undone:
        return set()
    themes = read_document(served.parameters["themes"])
    return {
        themes.group_of(part)
        for edit in theme_edits(session, followed=followed).undone
        if edit.edit_id in undone and not isinstance(edit, Pin)
        for part in edit.parts
    }


def fold_small(places: Sequence[Place], least: int) -> tuple[list[Place], set[str]]:
    """Return the places with groups of fewer than `least` households folded into none, and the ids of those groups."""
    sizes = Counter(place.group for place in places)
    folded = {group for group, size in sizes.items() if size < least and group not in {NO_THEME, TOO_LITTLE}}
    found = []
    for place in places:
        kept = replace(place, group=NO_THEME) if place.group in folded else place
        if kept.second_group in folded:
            kept = replace(kept, second_group=None, second_strength=None)
        found.append(kept)
    return found, folded


def chances(table: BasketTable, themes: Sequence[Theme]) -> dict[str, list[float]]:
    """Return for each theme, and each size of basket, the share of baskets that hold something of it."""
    basket_of = np.repeat(np.arange(len(table)), np.diff(table.offsets))
    code_of = {item: code for code, item in enumerate(table.items)}
    found = {}
    for theme in themes:
        mine = np.zeros(len(table.items), np.bool_)
        mine[[code_of[item] for item in theme.items if item in code_of]] = True
        holds = np.zeros(len(table), np.bool_)
        holds[basket_of[mine[table.codes]]] = True
        held = np.bincount(table.strata, weights=holds, minlength=STRATA)
        found[theme.id] = np.round(held / np.maximum(table.stratum_sizes, 1), 5).tolist()
    return found


def _eligible(session: Session, business_day: date) -> set[UUID]:
    """Return the consumers who do not object to profiling and had joined by that day, or shopped before they did."""
    bought = select(Receipt.member_id).where(Receipt.business_date <= business_day)
    rows = session.scalars(
        select(Member.member_id).where(
            Member.profiling_objected_at.is_(None),
            func.coalesce(Member.company_name, Member.company_id, Member.vat_id).is_(None),
            or_(Member.joined_on <= business_day, Member.member_id.in_(bought)),
        )
    )
    return set(rows)


def _membership(member: UUID, place: Place) -> dict[str, Any]:
    return {
        "member_id": member,
        "group_id": place.group,
        "strength": place.strength,
        "second_group_id": place.second_group,
        "second_strength": place.second_strength,
        "baskets": place.baskets,
    }


def _group_rows(
    themes: Sequence[Theme],
    members: Sequence[dict[str, Any]],
    served: Served | None,
    chance: Mapping[str, list[float]],
) -> Iterator[dict[str, Any]]:
    sizes = Counter(row["group_id"] for row in members)
    baskets: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for row in members:
        baskets[row["group_id"]] += row["baskets"]
        kept[row["group_id"]] += bool(served and served.groups.get(row["member_id"]) == row["group_id"])
    colours = _colours([theme.id for theme in themes], served)
    shown = [
        (
            theme.id,
            "theme",
            theme.name,
            list(theme.items),
            {"names": names_of(theme.named_after), "chance": chance[theme.id]},
        )
        for theme in themes
    ]
    shown += [
        (NO_THEME, "none", "No distinct theme", [], {}),
        (TOO_LITTLE, "new", "Too little data yet", [], {}),
    ]
    for group_id, kind, name, items, detail in shown:
        yield {
            "group_id": group_id,
            "kind": kind,
            "name": name,
            "items": items,
            "members": sizes[group_id],
            "baskets": baskets[group_id],
            "kept_members": kept[group_id] if served else None,
            "colour": colours.get(group_id, 0),
            "detail": detail,
        }


def _colours(ids: list[str], served: Served | None) -> dict[str, int]:
    """Return each theme's colour: the one it had, else the least used."""
    known = served.colours if served else {}
    colours = {group_id: known[group_id] for group_id in ids if group_id in known}
    for group_id in ids:
        if group_id not in colours:
            used = Counter(colours.values())
            colours[group_id] = min(range(COLOURS), key=lambda colour: (used[colour], colour))
    return colours

"""
What the night does with the baskets: rules, then groups, then suggestions.

The three steps fill one run; the last one serves it. Until then, and when a step fails,
everybody goes on reading the run before.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from fractions import Fraction
from importlib.metadata import version
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from basket_analysis.analysis_runs import (
    Served,
    add_timing,
    begin_run,
    is_completed,
    read_pairs,
    read_served,
    run_under_way,
    serve_run,
    store_groups,
    store_rules,
    store_suggestions,
)
from basket_analysis.assortment import Assortment, AssortmentSettings, Suggested
from basket_analysis.baskets import BasketTable, Int32s
from basket_analysis.grouping import ThemeFinder
from basket_analysis.reading import SoldLines, read_sold_lines, weeks_before
from basket_analysis.scoring import HouseholdScorer, Place
from basket_analysis.theme_files import read_document, themes_document
from basket_analysis.theme_rules import Evidence, KeptRules, keep_rules
from basket_analysis.themes import NO_THEME, TOO_LITTLE, Themes
from core.ids import uuid7
from core.jobs import Shift
from customers.memberships import group_of_members
from customers.models import Member
from sales.models import Receipt

WINDOW_WEEKS = 52
"""How far back baskets are read: a year, so that every season weighs the same."""

REFIT_DAYS = 7
"""Themes are found anew this often; between, members are scored against the themes they know."""

MAX_BASKET = 100
"""More categories than this in one basket is a till used for something else; the cut is in the run's record."""

COLOURS = 12

PLACE_PAIRS = 60
ARTICLE_EVIDENCE = Evidence(min_support=Fraction(5, 10_000), max_length=2)
"""Articles are a hundred times as many as categories, so pairs of them are rarer by nature."""


def mine_rules(shift: Shift) -> Mapping[str, Any]:
    """Read the year's baskets, find the rules that are real and, once a week, the themes that they tie."""
    began = time.monotonic()
    with shift.sessions.begin() as session:
        served = read_served(session)
        sold = _read(session, shift.business_day)
    shift.report(1, 4)
    table = sold.basket_table("category", max_basket=MAX_BASKET)
    themes, kept, fitted_on = _find_themes(table, served, shift.business_day)
    shift.report(2, 4)
    articles = sold.basket_table("article", max_basket=MAX_BASKET)
    pairs = keep_rules(articles, ARTICLE_EVIDENCE)
    shift.report(3, 4)
    inputs = _inputs(sold, table)
    parameters = {
        "themes": themes_document(themes),
        "fitted_on": fitted_on.isoformat(),
        "article_rules": {"min_support": float(ARTICLE_EVIDENCE.min_support), "max_length": 2},
        "window_weeks": WINDOW_WEEKS,
        "max_basket": MAX_BASKET,
    }
    with shift.sessions.begin() as session:
        run_id = begin_run(
            session,
            business_day=shift.business_day,
            now=shift.now,
            version=version("regulars"),
            parameters=parameters,
            inputs=inputs,
        )
        store_rules(
            session,
            [
                {"run_id": run_id, "rule_number": number, **row}
                for number, row in enumerate(
                    [
                        *_rule_rows(table, kept, themes, "category"),
                        *_rule_rows(articles, pairs, None, "article"),
                    ]
                )
            ],
        )
        add_timing(session, run_id=run_id, step="mine_rules", seconds=time.monotonic() - began)
    shift.report(4, 4)
    return {"rules": len(kept), "article_rules": len(pairs), "themes": len(themes), **inputs}


def form_groups(shift: Shift) -> Mapping[str, Any]:
    """Put every eligible member into exactly one group; who was in one stays unless another fits clearly better."""
    began = time.monotonic()
    with shift.sessions.begin() as session:
        run = run_under_way(session, business_day=shift.business_day)
        served = read_served(session)
        sold = _read(session, shift.business_day)
        others = _eligible(session, shift.business_day).difference(sold.members)
    shift.report(1, 3)
    themes = read_document(run.parameters["themes"])
    table = sold.basket_table("category", max_basket=MAX_BASKET)
    before: Mapping[UUID, str] = served.groups if served else {}
    previous = {
        household: before[member]
        for household, member in zip(table.households, sold.members, strict=True)
        if member in before
    }
    places = HouseholdScorer(themes, previous=previous).fit(table).places_
    shift.report(2, 3)
    members = [
        *(_membership(member, place) for member, place in zip(sold.members, places, strict=True)),
        *(_membership(member, Place("", TOO_LITTLE, None, None, None, 0)) for member in sorted(others)),
    ]
    groups = list(_group_rows(themes, members, served))
    with shift.sessions.begin() as session:
        store_groups(session, run_id=run.run_id, groups=groups, members=members)
        add_timing(session, run_id=run.run_id, step="form_groups", seconds=time.monotonic() - began)
    shift.report(3, 3)
    placed = sum(row["members"] for row in groups if row["kind"] == "theme")
    moved = sum(1 for row in members if before.get(row["member_id"], row["group_id"]) != row["group_id"])
    return {"members": len(members), "groups": len(themes), "in_a_group": placed, "moved": moved}


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


def _find_themes(
    table: BasketTable, served: Served | None, business_day: date
) -> tuple[Themes, KeptRules, date]:
    """Return the themes to score with, tonight's rules, and the day on which the themes were found."""
    previous = read_document(served.parameters["themes"]) if served else None
    fitted_on = date.fromisoformat(served.parameters["fitted_on"]) if served else None
    age = (business_day - fitted_on).days if fitted_on else None
    fresh = fitted_on is not None and age is not None and 0 <= age < REFIT_DAYS
    if fitted_on and fresh and previous is not None and len(previous) and previous.can_score:
        return previous, keep_rules(table, Evidence()), fitted_on
    finder = ThemeFinder().fit(table, previous)
    return finder.themes_, finder.rules_, business_day


def _rule_rows(
    table: BasketTable, kept: KeptRules, themes: Themes | None, level: str
) -> Iterator[dict[str, Any]]:
    theme_of = {item: theme.id for theme in themes.themes for item in theme.items} if themes else {}
    rules = kept.rules
    for number in range(len(kept)):
        sides = [[table.items[code] for code in side] for side in kept.items_of(number)]
        groups = {theme_of.get(item) for side in sides for item in side}
        yield {
            "level": level,
            "antecedent": sides[0],
            "consequent": sides[1],
            "count": int(rules.counts[number]),
            "antecedent_count": int(rules.antecedent_counts[number]),
            "consequent_count": int(rules.consequent_counts[number]),
            "households": int(kept.households[number]),
            "support": float(rules.support[number]),
            "confidence": float(rules.confidence[number]),
            "lift": float(rules.lift[number]),
            "leverage": float(rules.leverage[number]),
            "conviction": float(rules.conviction[number]),
            "adjusted_lift": float(rules.adjusted_lift[number]),
            "z": float(rules.z[number]),
            "q": float(rules.q[number]),
            "group_id": groups.pop() if len(groups) == 1 else None,
        }


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
    themes: Themes, members: list[dict[str, Any]], served: Served | None
) -> Iterator[dict[str, Any]]:
    sizes = Counter(row["group_id"] for row in members)
    baskets: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for row in members:
        baskets[row["group_id"]] += row["baskets"]
        kept[row["group_id"]] += bool(served and served.groups.get(row["member_id"]) == row["group_id"])
    colours = _colours([theme.id for theme in themes.themes], served)
    shown = [(theme.id, "theme", theme.name, list(theme.items)) for theme in themes.themes]
    shown += [(NO_THEME, "none", "No distinct theme", []), (TOO_LITTLE, "new", "Too little data yet", [])]
    for group_id, kind, name, items in shown:
        yield {
            "group_id": group_id,
            "kind": kind,
            "name": name,
            "items": items,
            "members": sizes[group_id],
            "baskets": baskets[group_id],
            "kept_members": kept[group_id] if served else None,
            "colour": colours.get(group_id, 0),
            "detail": {},
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

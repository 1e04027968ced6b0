"""Why a member is in a group: counts of their own baskets, beside what chance would put into baskets of these sizes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from basket_analysis.baskets import NON_MERCHANDISE_CATEGORIES, NON_MERCHANDISE_DEPARTMENTS
from basket_analysis.groups.fading import fade
from basket_analysis.groups.lists import GroupView, groups_of_run
from basket_analysis.groups.scoring import JOINS_AT, RISES_BY
from basket_analysis.groups.theme_files import read_document
from basket_analysis.groups.theme_profiles import LEAST_VARIANCE, Profiles
from basket_analysis.groups.themes import NO_THEME, TOO_LITTLE, Theme, ThemeRule, Themes
from basket_analysis.mining.strata import STRATA, stratum_of
from basket_analysis.models import AnalysisRun, ServedRun
from core.driver import driver_of
from core.errors import NotFound
from customers.models import GroupMembership, Member

Kind = Literal["theme", "none", "new", "objects", "company", "unknown_to_run"]

MOST_ITEMS = 3
MOST_RULES = 3

_BASKETS = """
    with sale as (
      select receipt.business_date, receipt.receipt_id
      from receipt
      where {account} receipt.member_id = %(member)s and receipt.type = 'sale' and receipt.mode = 'live'
        and receipt.business_date >= %(first)s and receipt.business_date < %(following)s
        and not exists (
          select from receipt_link as link
          where link.original_receipt_id = receipt.receipt_id and link.type = 'void'
        )
    ),
    returned as (
      select link.original_receipt_id as receipt_id, line.original_line_number as line_number,
             sum(line.counted_quantity) as quantity
      from receipt_link as link
      join receipt_line as line using (business_date, receipt_id)
      where link.type = 'return' and link.original_receipt_id in (select receipt_id from sale)
        and not exists (
          select from receipt_link as undone
          where undone.original_receipt_id = link.receipt_id and undone.type = 'void'
        )
      group by 1, 2
    )
    select array_agg(distinct article.category), sale.business_date
    from sale
    join receipt_line as line using (business_date, receipt_id)
    join article using (article_id)
    left join returned using (receipt_id, line_number)
    where line.business_date >= %(first)s and line.business_date < %(following)s
      and line.unit_price > 0 and line.quantity > coalesce(returned.quantity, 0)
      and article.category is not null and article.category <> all(%(no_categories)s)
      and coalesce(article.department, '') <> all(%(no_departments)s)
    group by sale.receipt_id, sale.business_date
"""

_OF_ACCOUNT = "receipt.account_id = %(account)s and"
"""Receipts are found quickly by account; those of a household that the member left are not in theirs."""


class NoSuchMember(NotFound):
    """There is no member of this code."""


@dataclass(frozen=True, slots=True)
class ItemEvidence:
    """In how many of the member's baskets an item is, and in how many chance would put it."""

    item: str
    baskets: int
    by_chance: float


@dataclass(frozen=True, slots=True)
class RuleEvidence:
    """In how many of the member's baskets a rule fired, and how strong it is in the whole chain."""

    antecedent: tuple[str, ...]
    consequent: tuple[str, ...]
    baskets: int
    adjusted_lift: float


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a theme fits: its group, None where it is followed by too few to be one, and its z score."""

    group: GroupView | None
    strength: float


@dataclass(frozen=True, slots=True)
class Why:
    """
    Why the served run put a member where it did.

    `kind` is theme, none (no distinct theme), new (too little data yet), or why there is no group at all:
    objects (to profiling), company, unknown_to_run (the member came later, or no run is served). `fit` is the
    theme that the counts speak of: the member's own, or the best one for "none". Of `baskets` in the run's window
    `holding` hold something of it, and `by_chance` would. `items` and `rules` say most for it.
    """

    member_code: str
    kind: Kind
    first_day: date | None = None
    last_day: date | None = None
    baskets: int = 0
    min_baskets: int = 0
    needed: float = JOINS_AT
    fit: Fit | None = None
    second: Fit | None = None
    holding: int = 0
    by_chance: float = 0.0
    items: tuple[ItemEvidence, ...] = ()
    rules: tuple[RuleEvidence, ...] = ()


def why(session: Session, *, member_code: str | None = None, member_id: UUID | None = None) -> Why:
    """Return why a member, given by code or id, is in a group or in none; raises NoSuchMember."""
    chosen = Member.member_id == member_id if member_id is not None else Member.member_code == member_code
    member = session.scalars(select(Member).where(chosen)).one_or_none()
    if member is None:
        raise NoSuchMember(f"there is no member {member_code or member_id}")
    if member.profiling_objected_at is not None:
        return Why(member.member_code, "objects")
    if member.company_name or member.company_id or member.vat_id:
        return Why(member.member_code, "company")
    place = session.scalars(
        select(GroupMembership)
        .join(ServedRun, ServedRun.run_id == GroupMembership.run_id)
        .where(GroupMembership.member_id == member.member_id)
    ).one_or_none()
    if place is None:
        return Why(member.member_code, "unknown_to_run")
    learnt = _learnt(session, place.run_id)
    groups = {group.group_id: group for group in groups_of_run(session, run_id=place.run_id)}
    return _explain(
        place, _baskets(session, member, learnt, place.baskets), learnt, groups, member.member_code
    )


@dataclass(frozen=True, slots=True)
class _Learnt:
    """What a run went by; it never changes, so a process keeps it while the run is served."""

    run_id: UUID
    first_day: date
    last_day: date
    themes: Themes
    faded_over: tuple[date, date] | None


_kept: dict[str, _Learnt] = {}


def _learnt(session: Session, run_id: UUID) -> _Learnt:
    known = _kept.get("learnt")
    if known is not None and known.run_id == run_id:
        return known
    run = session.execute(
        select(AnalysisRun.parameters, AnalysisRun.inputs).where(AnalysisRun.run_id == run_id)
    ).one()
    first, last = (date.fromisoformat(run.inputs[day]) for day in ("first_day", "last_day"))
    over = run.parameters.get("faded_over")
    _kept["learnt"] = learnt = _Learnt(
        run_id,
        first,
        last,
        read_document(run.parameters["themes"]),
        (date.fromisoformat(over[0]), date.fromisoformat(over[1])) if over else None,
    )
    return learnt


@dataclass(frozen=True, slots=True)
class _Basket:
    """The categories of a basket, and how much it says: less the nearer it is to the window's edges."""

    items: frozenset[str]
    weight: float


def _weight(day: date, over: tuple[date, date] | None) -> float:
    if over is None:
        return 1.0
    first, last = (edge.toordinal() for edge in over)
    return float(fade(np.array([day.toordinal()]), first=first, last=last)[0])


def _baskets(session: Session, member: Member, learnt: _Learnt, seen: int) -> list[_Basket]:
    """Return the categories of each of a member's baskets, and how much it weighed, in the window of a run, which saw so many of them."""
    values = {
        "member": member.member_id,
        "account": member.account_id,
        "first": learnt.first_day,
        "following": learnt.last_day + timedelta(days=1),
        "no_categories": sorted(NON_MERCHANDISE_CATEGORIES),
        "no_departments": sorted(NON_MERCHANDISE_DEPARTMENTS),
    }
    driver = driver_of(session)
    rows = driver.execute(_BASKETS.format(account=_OF_ACCOUNT), values).fetchall()
    if len(rows) < seen:
        rows = driver.execute(_BASKETS.format(account=""), values).fetchall()
    return [_Basket(frozenset(row[0]), _weight(row[1], learnt.faded_over)) for row in rows]


def _explain(
    place: GroupMembership,
    weighed: Sequence[_Basket],
    learnt: _Learnt,
    groups: Mapping[str, GroupView],
    member_code: str,
) -> Why:
    themes = learnt.themes
    baskets = [basket.items for basket in weighed]
    kind: Kind = "theme"
    if place.group_id in {NO_THEME, TOO_LITTLE}:
        kind = "none" if place.group_id == NO_THEME else "new"
    told: dict[str, Any] = {
        "first_day": learnt.first_day,
        "last_day": learnt.last_day,
        "baskets": len(baskets),
        "min_baskets": themes.min_baskets,
    }
    if kind == "new" or not len(themes) or not themes.can_score:
        return Why(member_code, kind, **told)
    strata = stratum_of(np.array([len(basket) for basket in baskets], np.int64))
    sizes = np.bincount(strata, minlength=STRATA)
    evidence = _Evidence(themes.profiles, weighed, strata)
    of_theme = [themes.group_of(theme.id) for theme in themes.themes]
    mine = np.array([kind == "none" or group_id == place.group_id for group_id in of_theme])
    number = int(np.where(mine, evidence.scores, -np.inf).argmax())
    theme = next(theme for theme in themes.groups if theme.id == of_theme[number])
    group = groups.get(theme.id)
    second = None
    if place.second_group_id is not None and place.second_strength is not None:
        second = Fit(groups.get(place.second_group_id), place.second_strength)
    chance = np.array(group.detail.get("chance", ())) if group else np.empty(0)
    holding = sum(1 for basket in baskets if not basket.isdisjoint(theme.items))
    strength = place.strength if place.strength is not None else float(evidence.scores[number])
    return Why(
        member_code,
        kind,
        **told,
        # Whom no theme fitted before, one must fit a little better.
        needed=JOINS_AT + RISES_BY if kind == "none" and strength >= JOINS_AT else JOINS_AT,
        fit=Fit(group, strength),
        second=second,
        holding=holding if len(chance) else 0,
        by_chance=float(sizes @ chance) if len(chance) else 0.0,
        items=evidence.items_for(number),
        rules=_rules_that_fired(theme, baskets),
    )


class _Evidence:
    """What a member's baskets say for each theme, item by item: as they were weighed, and as they can be counted."""

    def __init__(self, profiles: Profiles, baskets: Sequence[_Basket], strata: np.ndarray) -> None:
        self._profiles = profiles
        held = Counter(item for basket in baskets for item in basket.items)
        self._found = np.array([held[item] for item in profiles.items])
        self._expected = profiles.rates @ np.bincount(strata, minlength=STRATA)
        weights = np.array([basket.weight for basket in baskets])
        sizes = np.bincount(strata, weights=weights, minlength=STRATA)
        squares = np.bincount(strata, weights=weights**2, minlength=STRATA)
        said: dict[str, float] = dict.fromkeys(profiles.items, 0.0)
        for basket in baskets:
            for item in basket.items & said.keys():
                said[item] += basket.weight
        variance = profiles.weights**2 @ ((profiles.rates * (1 - profiles.rates)) @ squares)
        above = np.array(list(said.values())) - profiles.rates @ sizes
        self._parts = profiles.weights * above / np.sqrt(variance + LEAST_VARIANCE)[:, None]
        self.scores = self._parts.sum(axis=1)

    def items_for(self, number: int) -> tuple[ItemEvidence, ...]:
        """Return the items that are bought more than by chance and say most for a theme."""
        parts = np.where(self._found > self._expected, self._parts[number], 0.0)
        best = [
            place for place in np.argsort(-parts, kind="stable")[:MOST_ITEMS].tolist() if parts[place] > 0
        ]
        return tuple(
            ItemEvidence(self._profiles.items[place], int(self._found[place]), float(self._expected[place]))
            for place in best
        )


def _rules_that_fired(theme: Theme, baskets: Sequence[frozenset[str]]) -> tuple[RuleEvidence, ...]:
    """Return the rules of a theme that the baskets show most, each at least twice if any does; no item comes twice."""
    fired: list[tuple[float, ThemeRule, int]] = []
    for rule in theme.rules:
        items = frozenset(rule.items)
        count = sum(1 for basket in baskets if items <= basket)
        if count:
            fired.append((count * float(np.log(rule.adjusted_lift)), rule, count))
    fired.sort(key=lambda each: (each[2] == 1, -each[0], each[1].items))
    if fired and fired[0][2] > 1:
        fired = [each for each in fired if each[2] > 1]
    chosen: list[RuleEvidence] = []
    said: set[str] = set()
    for _weight, rule, count in fired:
        if not said.intersection(rule.items):
            chosen.append(RuleEvidence(rule.antecedent, rule.consequent, count, rule.adjusted_lift))
            said.update(rule.items)
        if len(chosen) == MOST_RULES:
            break
    return tuple(chosen)

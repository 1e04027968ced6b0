"""Rules as people look through them: every rule of a run, filtered, sorted and read page by page, and one whole."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TEXT, ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from basket_analysis.groups.naming import SHORTHAND
from basket_analysis.models import MinedRule
from core.errors import NotFound
from core.keyset import Ask, Page, read_page
from sales.models import Article

FEWEST_SHOWN: Final = 10
"""Nothing that fewer people stand behind is shown to anybody."""

RULE_SORTS: Final = (
    "count",
    "households",
    "adjusted_lift",
    "lift",
    "confidence",
    "support",
    "leverage",
    "conviction",
    "z",
    "q",
    "improvement",
)


_MOST_KNOWN: Final = 4


class NoSuchRule(NotFound):
    """The run has no such rule, or too few people stand behind it to show it."""


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """
    One rule with all its measures; `conviction` is None where the rule never failed.

    `improvement` is what confidence gains over the best shorter rule, None in rules of before it was kept.
    `expected` is how many baskets would hold all of it by chance, among baskets of like size.
    """

    rule_number: int
    level: str
    antecedent: tuple[str, ...]
    consequent: tuple[str, ...]
    count: int
    antecedent_count: int
    consequent_count: int
    households: int
    support: float
    confidence: float
    lift: float
    leverage: float
    conviction: float | None
    adjusted_lift: float
    z: float
    q: float
    improvement: float | None
    group_id: str | None

    @property
    def items(self) -> tuple[str, ...]:
        """All items of the rule."""
        return *self.antecedent, *self.consequent

    @property
    def expected(self) -> float | None:
        """Baskets that would hold all of it by chance."""
        return self.count / self.adjusted_lift if self.adjusted_lift else None

    @property
    def share_of_all(self) -> float | None:
        """Share of all baskets that hold the consequent."""
        baskets = self.count / self.support if self.support else 0
        return self.consequent_count / baskets if baskets else None


@dataclass(frozen=True, slots=True)
class RuleKinds:
    """
    What a run's rules can be filtered by.

    Levels with the number of rules that are shown, whether some tie more than two items or speak against
    each other, and all items that rules name.
    """

    levels: tuple[tuple[str, int], ...]
    has_longer: bool
    has_substitutes: bool
    items: frozenset[str]

    @property
    def rules(self) -> int:
        """All rules of the run."""
        return sum(count for _level, count in self.levels)


_KINDS: Final[dict[UUID, RuleKinds]] = {}


def list_rules(session: Session, ask: Ask, *, run_id: UUID) -> Page[RuleFacts]:
    """
    Return a page of a run's rules.

    Filters: level; group (its id, or "between" for rules that tie two themes); count, households
    and times (at least, in adjusted lift); tie ("together" or "instead": bought less often together than by chance); length
    ("pair" or "longer"); side ("if" or "then": where the words must be). Words are part of an
    item, or of the name of an article that is one, or its number.
    """
    statement = _rules(run_id)
    for condition in (*_equalities(ask), *_minima(ask)):
        statement = statement.where(condition)
    kinds = rule_kinds(session, run_id=run_id)
    if ask.words:
        statement = statement.where(_holding(_named(session, ask.words, kinds), ask.filters.get("side")))
    narrowed = bool(ask.words or ask.filters)
    page = read_page(
        session,
        statement,
        ask=ask,
        sorts=RULE_SORTS,
        key="rule_number",
        count=narrowed,
        filled=RULE_SORTS[:-1],
    )
    total = page.total if narrowed else kinds.rules
    return Page(tuple(_facts(row) for row in page.rows), page.following, page.previous, total)


def read_rule(session: Session, *, run_id: UUID, rule_number: int) -> RuleFacts:
    """Return one rule of a run; raises `NoSuchRule`."""
    row = session.execute(_rules(run_id).where(MinedRule.rule_number == rule_number)).one_or_none()
    if row is None:
        raise NoSuchRule(f"There is no rule {rule_number}")
    return _facts(row)


def related_rules(session: Session, rule: RuleFacts, *, run_id: UUID, limit: int = 6) -> list[RuleFacts]:
    """Return other rules of the level that share an item with `rule`, the surest first."""
    shared = or_(
        *(column.overlap(list(rule.items)) for column in (MinedRule.antecedent, MinedRule.consequent))
    )
    rows = session.execute(
        _rules(run_id)
        .where(MinedRule.level == rule.level, MinedRule.rule_number != rule.rule_number, shared)
        .order_by(MinedRule.z.desc(), MinedRule.rule_number)
        .limit(limit)
    )
    return [_facts(row) for row in rows]


def rule_kinds(session: Session, *, run_id: UUID) -> RuleKinds:
    """Return what kinds of rules a served run has; its rules never change, so that is found out once per process."""
    known = _KINDS.get(run_id)
    if known is None:
        if len(_KINDS) >= _MOST_KNOWN:
            _KINDS.clear()
        known = _KINDS[run_id] = _read_kinds(session, run_id)
    return known


def _read_kinds(session: Session, run_id: UUID) -> RuleKinds:
    items = func.cardinality(MinedRule.antecedent) + func.cardinality(MinedRule.consequent)
    rows = session.execute(
        select(MinedRule.level, func.count(), func.max(items), func.min(MinedRule.adjusted_lift))
        .where(MinedRule.run_id == run_id, enough_people())
        .group_by(MinedRule.level)
        .order_by(func.min(MinedRule.rule_number))
    ).all()
    both = func.array_cat(MinedRule.antecedent, MinedRule.consequent)
    held = select(func.unnest(both, type_=TEXT)).where(MinedRule.run_id == run_id, enough_people()).distinct()
    return RuleKinds(
        levels=tuple((row[0], row[1]) for row in rows),
        has_longer=any(row[2] > 2 for row in rows),
        has_substitutes=any(row[3] < 1 for row in rows),
        items=frozenset(session.scalars(held)),
    )


def article_names(session: Session, rules: Collection[RuleFacts]) -> dict[str, str]:
    """Return the names of the articles that `rules` tie, by article number."""
    wanted = {item for rule in rules if rule.level == "article" for item in rule.items}
    if not wanted:
        return {}
    rows = session.execute(select(Article.sku, Article.name).where(Article.sku.in_(wanted)))
    return {row.sku: row.name for row in rows}


def _rules(run_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(
        MinedRule.rule_number,
        MinedRule.level,
        MinedRule.antecedent,
        MinedRule.consequent,
        MinedRule.count,
        MinedRule.antecedent_count,
        MinedRule.consequent_count,
        MinedRule.households,
        MinedRule.support,
        MinedRule.confidence,
        MinedRule.lift,
        MinedRule.leverage,
        MinedRule.conviction,
        MinedRule.adjusted_lift,
        MinedRule.z,
        MinedRule.q,
        MinedRule.improvement,
        MinedRule.group_id,
    ).where(MinedRule.run_id == run_id, enough_people())


def enough_people() -> ColumnElement[bool]:
    """Rules of baskets without any card have no households: there are no people to give away."""
    return or_(MinedRule.households >= FEWEST_SHOWN, MinedRule.households == 0)


def _equalities(ask: Ask) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    items = func.cardinality(MinedRule.antecedent) + func.cardinality(MinedRule.consequent)
    if level := ask.filters.get("level"):
        found.append(MinedRule.level == level)
    if group := ask.filters.get("group"):
        found.append(MinedRule.group_id.is_(None) if group == "between" else MinedRule.group_id == group)
    if tie := ask.filters.get("tie"):
        found.append(MinedRule.adjusted_lift < 1 if tie == "instead" else MinedRule.adjusted_lift >= 1)
    if length := ask.filters.get("length"):
        found.append(items == 2 if length == "pair" else items > 2)
    return found


def _minima(ask: Ask) -> list[ColumnElement[bool]]:
    columns: dict[str, InstrumentedAttribute[Any]] = {
        "count": MinedRule.count,
        "households": MinedRule.households,
        "times": MinedRule.adjusted_lift,
    }
    return [column >= float(ask.filters[name]) for name, column in columns.items() if ask.filters.get(name)]


def _named(session: Session, words: str, kinds: RuleKinds) -> list[str]:
    """Return the items of rules, or numbers of articles that are some, that `words` are part of."""
    folded = words.casefold()
    articles = session.scalars(
        select(Article.sku).where(
            Article.name.icontains(words, autoescape=True), Article.sku.in_(list(kinds.items))
        )
    )
    held = {item for item in kinds.items if folded in item.casefold() or folded in _spelt_out(item)}
    return sorted(held.union(articles))


def _spelt_out(item: str) -> str:
    """Return an item with its shorthand written out, as screens show it, in small letters."""
    return "".join(SHORTHAND.get(part, part) for part in re.split(r"(\W+)", item.casefold()))


def _holding(items: list[str], side: str | None) -> ColumnElement[bool]:
    wanted = {"if": (MinedRule.antecedent,), "then": (MinedRule.consequent,)}
    columns = wanted.get(side or "", (MinedRule.antecedent, MinedRule.consequent))
    return or_(*(column.overlap(items) for column in columns))


def _facts(row: Any) -> RuleFacts:
    values = list(row[:18])
    values[2], values[3] = tuple(values[2]), tuple(values[3])
    values[12] = values[12] if isfinite(values[12]) else None
    return RuleFacts(*values)

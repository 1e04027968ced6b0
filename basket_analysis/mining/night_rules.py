"""The rules of a night: at which levels, by which evidence, and as the rows that are kept of them."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Any, Final

from sqlalchemy.orm import Session

from basket_analysis.baskets import BasketTable
from basket_analysis.groups.theme_rules import Evidence, KeptRules, choose_rules, least_count
from basket_analysis.groups.themes import Themes
from basket_analysis.mining.counted_days import Counted, Update, stand_of_days, update_counts
from basket_analysis.mining.substitute_rules import find_substitutes, substitute_rows
from basket_analysis.reading import Level, SoldLines, read_sold_lines, weeks_before

WINDOW_WEEKS = 52
"""How far back baskets are read: a year, so that every season weighs the same."""

MAX_BASKET = 100
"""More items than this in one basket is a till used for something else; the cut is in the run's record."""

THEME_LEVEL: Final[Level] = "category"
"""The level of themes, the one at which sets longer than pairs are looked for."""

EVIDENCE: Final[dict[Level, Evidence]] = {
    THEME_LEVEL: Evidence(),
    "type": Evidence(max_length=2),
    "brand": Evidence(max_length=2),
    "article": Evidence(min_support=Fraction(5, 10_000), max_length=2),
}
"""
What rules must show at each level. Articles are a hundred times as many as categories, so pairs of
them are rarer by nature.
"""


def read_and_count(
    session: Session, *, business_day: date, now: datetime, full: bool = False
) -> tuple[SoldLines, Update]:
    """
    Return the baskets of the year that ends with `business_day`, and the counts of their pairs.

    Only days that are new or changed are counted, unless `full` asks for all.
    """
    following = business_day + timedelta(days=1)
    first = weeks_before(following, WINDOW_WEEKS)
    standing = stand_of_days(session, first_day=first, following_day=following)
    sold = read_sold_lines(session, first_day=first, following_day=following)
    levels = {level: partial(least_count, evidence) for level, evidence in EVIDENCE.items()}
    return sold, update_counts(
        session, sold, standing, levels=levels, max_basket=MAX_BASKET, now=now, full=full
    )


def pair_rules(counted: Counted) -> KeptRules:
    """Return the rules between two items of a level, by its counts; baskets are asked for households alone."""
    pairs = counted.pairs
    return choose_rules(counted.table, pairs.itemsets, EVIDENCE[counted.level], count_pairs=pairs.count)


def substitutes_of(counted: Counted, sold: SoldLines) -> list[dict[str, Any]]:
    """Return the rows of what is bought instead of each other: articles of one type, types of one category."""
    kinds: dict[Level, dict[str, str | None]] = {
        "article": {article.sku: article.type for article in sold.articles},
        "type": {article.type: article.category for article in sold.articles if article.type is not None},
    }
    if counted.level not in kinds:
        return []
    found = find_substitutes(counted.table, counted.pairs, kinds[counted.level], EVIDENCE[counted.level])
    return list(substitute_rows(counted.table, found, counted.level))


def evidence_document() -> dict[str, Any]:
    """Return what rules had to show, for the record of a run."""
    return {
        level: {
            "min_support": float(evidence.min_support),
            "min_count": evidence.min_count,
            "min_household_share": float(evidence.min_household_share),
            "min_households": evidence.min_households,
            "min_adjusted_lift": evidence.min_adjusted_lift,
            "max_q": evidence.max_q,
            "max_length": evidence.max_length,
        }
        for level, evidence in EVIDENCE.items()
    }


def rule_rows(
    table: BasketTable, kept: KeptRules, themes: Themes | None, level: Level
) -> Iterator[dict[str, Any]]:
    """Yield the rows that are kept of rules; one belongs to a theme when all its items do."""
    theme_of = {item: theme.id for theme in themes.groups for item in theme.items} if themes else {}
    rules = kept.rules
    measures = {
        name: getattr(rules, name).tolist()
        for name in (
            "counts", "antecedent_counts", "consequent_counts", "support", "confidence", "lift", "leverage",
            "conviction", "adjusted_lift", "z", "q",
        )
    }  # fmt: skip
    measures["count"] = measures.pop("counts")
    measures["antecedent_count"] = measures.pop("antecedent_counts")
    measures["consequent_count"] = measures.pop("consequent_counts")
    for number in range(len(kept)):
        sides = [[table.items[code] for code in side] for side in kept.items_of(number)]
        groups = {theme_of.get(item) for side in sides for item in side}
        yield {
            "level": level,
            "antecedent": sides[0],
            "consequent": sides[1],
            **{name: values[number] for name, values in measures.items()},
            "households": int(kept.households[number]),
            "improvement": float(kept.improvement[number]),
            "group_id": groups.pop() if len(groups) == 1 else None,
        }

"""The map of a run's themes, read from its groups and rules."""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from basket_analysis.groups.theme_map import ThemeMap, Tie, draw_map
from basket_analysis.mining.rule_lists import FEWEST_SHOWN
from basket_analysis.models import MinedRule, ShopperGroup

LEVEL: Final = "category"
"""Themes are made of categories."""

_MAPS: Final[dict[UUID, ThemeMap]] = {}
_MOST_KNOWN: Final = 4


def theme_map(session: Session, *, run_id: UUID) -> ThemeMap:
    """Return the map of a served run; neither its rules nor its themes change, so it is drawn once per process."""
    known = _MAPS.get(run_id)
    if known is None:
        if len(_MAPS) >= _MOST_KNOWN:
            _MAPS.clear()
        known = _MAPS[run_id] = _draw(session, run_id)
    return known


def _draw(session: Session, run_id: UUID) -> ThemeMap:
    themes = session.execute(
        select(ShopperGroup.group_id, ShopperGroup.items).where(
            ShopperGroup.run_id == run_id, ShopperGroup.kind == "theme"
        )
    )
    rows = session.execute(
        select(
            MinedRule.rule_number,
            MinedRule.antecedent,
            MinedRule.consequent,
            MinedRule.count.label("both"),
            MinedRule.antecedent_count,
            MinedRule.consequent_count,
            MinedRule.households,
            MinedRule.adjusted_lift,
            MinedRule.group_id,
        ).where(
            MinedRule.run_id == run_id,
            MinedRule.level == LEVEL,
            func.cardinality(MinedRule.antecedent) == 1,
            func.cardinality(MinedRule.consequent) == 1,
            MinedRule.adjusted_lift > 1,
            MinedRule.households >= FEWEST_SHOWN,
        )
    ).all()
    baskets: dict[str, int] = {}
    ties: list[Tie] = []
    for row in rows:
        first, second = row.antecedent[0], row.consequent[0]
        baskets[first], baskets[second] = row.antecedent_count, row.consequent_count
        ties.append(
            Tie(row.rule_number, first, second, row.both, row.households, row.adjusted_lift, row.group_id)
        )
    return draw_map({row.group_id: row.items for row in themes}, baskets, ties)

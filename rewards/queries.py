"""Reads about rewards."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from core.driver import driver_of
from core.errors import NotFound
from core.i18n import called
from core.records import record


class RewardNotFound(NotFound):
    """There is no such reward to be had now."""


@record
class RewardView:
    """A reward that can be had; its name by language."""

    reward_code: str
    names: Mapping[str, str]
    points: int

    def name(self, language: str) -> str:
        """Return what it is called in `language`, else in English, else its code."""
        return called(self.names, language, self.reward_code)


IN_STORE = """
    select jsonb_agg(jsonb_build_array(reward.reward_code, reward.name, reward.points)
                     order by reward.points, reward.reward_code)
    from reward
    where reward.active and reward.points > 0 and (
        exists (select from reward_stock as stock
                where stock.reward_code = reward.reward_code and store_id = %(store_id)s and on_hand > reserved)
        or not exists (select from reward_stock as stock where stock.reward_code = reward.reward_code))
"""
"""
What can be had in a store now, the cheapest first, for `rewards_in`; a part of larger questions.

A reward without a stock record in any store is no physical thing and never runs out.
"""


def rewards_in(rows: Sequence[Sequence[Any]] | None) -> tuple[RewardView, ...]:
    """Return the rewards that `IN_STORE` found."""
    return tuple(RewardView(*row) for row in rows or ())


def reward_names(session: Session, codes: Collection[str], *, language: str) -> dict[str, str]:
    """Return what rewards are called in `language`; asks nothing without codes."""
    if not codes:
        return {}
    rows = driver_of(session).execute(
        "select reward_code, name, points from reward where reward_code = any(%s)", (sorted(codes),)
    )
    return {row[0]: RewardView(*row).name(language) for row in rows.fetchall()}


def price_of_reward(session: Session, *, reward_code: str) -> int:
    """Return the points that an active reward costs; raises `RewardNotFound`."""
    row = (
        driver_of(session)
        .execute("select points from reward where reward_code = %s and active and points > 0", (reward_code,))
        .fetchone()
    )
    if row is None:
        raise RewardNotFound(f"there is no reward {reward_code!r}")
    return int(row[0])
